"""Losses that jump, grow or stand still are told; healthy ones, of whatever shape, are not."""

from __future__ import annotations

import math
import random

import pytest

from monitor_core.model.incidents import Severity
from monitor_core.thresholds import Preset
from tests.support.losses import found, kinds, megatron, series
from tests.support.training import Training

LINES = 3000


def noisy(level, noise=0.03, seed=1, lines=LINES):
    """Return the losses of a level, a function of the line, with noise in proportion to it."""
    chance = random.Random(seed)
    return [level(line) * chance.lognormvariate(0, noise) for line in range(lines)]


def at_once(factor, lines, start=2000, total=LINES, noise=0.03):
    """Return losses of 2 that are so many times higher on some lines."""
    return noisy(lambda line: 2.0 * (factor if start <= line < start + lines else 1.0), noise, lines=total)


def _pretraining(line):
    return 2.0 + 8.0 * math.exp(-line / 300) + 2.0 * (line + 1) ** -0.3


def _staircase(line):
    return 1.5 * 0.6 ** (line // 500) * (1 + 0.3 * (line % 500) / 500)


def _warm_restarts(line):
    return 2.0 + 2.0 * math.exp(-line / 300) + (0.12 if line % 1500 < 400 else 0.0) * math.exp(-(line % 1500) / 300)


def _warm_up_bump(line):
    return 1.0 + 0.4 * math.exp(-(((line - 150) / 80) ** 2)) + 0.2 * math.exp(-line / 500)


HEALTHY = {
    "a pre-training": noisy(_pretraining, 0.02),
    "a small batch": noisy(_pretraining, 0.5),
    "a fine-tuning over several epochs": noisy(_staircase, 0.1),
    "restarts of the learning rate": noisy(_warm_restarts, 0.02),
    "a warm-up that raises the loss": noisy(_warm_up_bump, 0.05),
    "a heavy tail": noisy(lambda _: 0.02, 1.5),
    "one sample in ten that is hard": noisy(lambda n: 0.05 * (20 if random.Random(n).random() < 0.1 else 1), 0.2),
    "one in three": noisy(lambda n: 0.05 * (20 if random.Random(n).random() < 0.3 else 1), 0.2, lines=2 * LINES),
    "losses around zero": [random.Random(n).gauss(0, 0.02) for n in range(LINES)],
    "losses that are rounded to zero": [round(0.0002 * random.Random(n).lognormvariate(0, 1), 4) for n in range(LINES)],
    "losses of one digit": [0.06 if n < 500 and n % 3 else 0.05 for n in range(LINES)],
    "a constant loss": [2.314] * LINES,
    "a loss that a bar holds for 55 lines": [round(2.0 + 1 / (1 + n // 55), 4) for n in range(LINES)],
}


@pytest.mark.parametrize("losses", HEALTHY.values(), ids=HEALTHY)
@pytest.mark.parametrize("step", [1, 10])
def test_a_healthy_loss_is_not_told(losses, step):
    assert kinds(series(losses, step=step)) == []


def test_a_spike_on_half_of_the_last_ten_lines_is_told_and_resolved():
    (incident,) = found(series(at_once(1.5, 6)))
    assert (incident.kind, incident.severity, incident.active) == ("loss_spike", Severity.WARNING, False)
    facts = incident.facts
    assert facts["since_iteration"] == 2001
    assert facts["usual_loss"] == pytest.approx(2.0, rel=0.02)
    assert facts["limit"] == pytest.approx(2.4, rel=0.1)
    assert facts["last_loss"] == pytest.approx(3.0, rel=0.1)
    assert facts["worst"] == pytest.approx(1.5, rel=0.1)
    assert (facts["lines"], facts["grad_usual"], facts["grad_last"]) == (10, 0.412, 0.412)


@pytest.mark.parametrize("lines", [1, 2, 4])
def test_a_spike_of_fewer_lines_says_nothing(lines):
    assert kinds(series(at_once(3.0, lines))) == []


def test_a_spike_is_told_at_its_fifth_line_even_in_a_short_run():
    losses = at_once(3.0, 5, start=120, total=125)
    assert kinds(series(losses[:124])) == []
    assert kinds(series(losses)) == ["loss_spike"]


def test_the_first_hundred_iterations_are_not_judged_for_spikes():
    assert kinds(series(at_once(3.0, 20, start=70, total=96))) == []


def test_how_far_a_spike_must_go_is_a_threshold():
    losses = series(at_once(1.5, 6))
    assert kinds(losses, loss_spike="20") == []
    assert kinds(losses, loss_spike="3") == ["loss_spike"]


def test_a_spike_that_does_not_come_back_has_diverged_after_a_hundred_lines():
    spike, worse = found(series(at_once(3.0, 1000)))
    assert (spike.kind, worse.kind, worse.severity) == ("loss_spike", "diverged", Severity.CRITICAL)
    assert (worse.facts["why"], worse.facts["since_iteration"]) == ("spike", 2001)
    assert worse.facts["best_loss"] == pytest.approx(2.0, rel=0.02)
    assert worse.facts["factor"] == pytest.approx(3.0, rel=0.1)
    assert spike.active
    assert worse.active


def test_what_had_not_come_back_is_over_when_it_has():
    assert [incident.active for incident in found(series(at_once(3.0, 300)))] == [False, False]


def test_a_loss_that_settles_a_little_higher_is_the_new_usual():
    losses = at_once(1.2, 1000)
    (incident,) = found(series(losses))
    assert (incident.kind, incident.active) == ("loss_spike", False)
    assert kinds(series([*losses, *(3.6 for _ in range(10))])) == ["loss_spike", "loss_spike"]


def test_a_loss_that_grows_slowly_has_diverged():
    losses = noisy(lambda line: 2.0 + max(0, line - 1000) / 800)
    (incident,) = [one for one in found(series(losses)) if one.kind == "diverged"]
    assert (incident.facts["why"], incident.active) == ("growth", True)
    assert incident.facts["best_loss"] == pytest.approx(2.0, rel=0.05)
    assert 1400 < incident.facts["since_iteration"] < 1700
    assert kinds(series(losses), diverged="3") == []


def test_a_rise_that_the_launch_has_come_back_from_before_may_come_again():
    def rise(line, start, height):
        return height * max(0.0, math.sin((line - start) / 1500 * math.pi)) if start < line < start + 1500 else 0.0

    def losses(first):
        heights = ((500, first), (2500, 0.36))
        factors = [1 + sum(rise(line, start, height) for start, height in heights) for line in range(4100)]
        return series(noisy(lambda line: (2.0 - line / 20000) * factors[line], lines=4100))

    assert kinds(losses(0.26)) == []
    assert kinds(losses(0.0)) == ["diverged"]


def test_a_loss_that_scatters_more_may_rise_farther_by_chance():
    def losses(scatter):
        rise = [0.31 * min(1.0, max(0, line - 1000) / 800) for line in range(3000)]
        return series([2.0 * math.exp(up + (scatter if line % 2 else -scatter)) for line, up in enumerate(rise)])

    assert kinds(losses(0.6)) == []
    assert kinds(losses(0.1)) == ["diverged"]


def test_a_loss_ten_times_the_highest_of_the_first_hundred_has_diverged_at_its_third_line():
    losses = noisy(lambda line: 40.0 if line >= 1000 else 2.0, lines=1003)
    assert kinds(series(losses[:1002])) == []
    (incident,) = found(series(losses))
    assert (incident.kind, incident.facts["why"], incident.facts["since_iteration"]) == ("diverged", "first", 1001)


def test_a_new_launch_and_a_longer_sequence_have_a_usual_of_their_own():
    before, after = noisy(lambda _: 2.0, lines=500), noisy(lambda _: 3.5, lines=500)
    relaunched = [*series(before), *series(after)]
    assert kinds(relaunched) == []
    numbered = enumerate([*before, *after], 1)
    grown = [megatron(n, loss, more=f" curriculum seqlen: {512 if n <= 500 else 1024} |") for n, loss in numbered]
    assert kinds(grown) == []


def test_a_loss_that_stands_still_to_the_last_digit_is_told_and_resolved():
    moving = noisy(lambda _: 2.0, lines=500)
    assert kinds(series([*moving, *[6.907755] * 49])) == ["loss_spike"]
    lines = series([*noisy(lambda _: 6.9, lines=500), *[6.907755] * 60])
    (incident,) = found(lines)
    assert (incident.kind, incident.severity) == ("loss_flat", Severity.WARNING)
    assert (incident.facts["last_loss"], incident.facts["lines"], incident.facts["limit"]) == (6.907755, 60, 50)
    assert incident.facts["since_iteration"] == 501
    assert [one.active for one in found([*lines, megatron(561, 6.9)])] == [False]
    assert kinds(lines, loss_flat="100") == []


def test_a_loss_that_falls_to_zero_and_stays_is_flat():
    assert kinds(series([*noisy(lambda _: 2.0, lines=500), *[0.0] * 50])) == ["loss_flat"]


def test_nothing_is_said_of_a_loss_in_the_preset_of_the_original():
    run = Training(preset=Preset.SEED).train(150).train(3, loss="nan").train(20, loss="9.0E+00")
    assert run.told == []


def test_a_spike_is_told_to_people_and_resolved_as_it_is_polled():
    run = Training(poll=60.0, slow="100")
    for line in range(300):
        run.train(1, loss=f"{(6.0 if 200 <= line < 210 else 2.0) + line % 7 / 100:.6E}")
    run.wait(60)
    assert run.words() == [("loss_spike", "firing", "warning"), ("loss_spike", "resolved", "warning")]


def test_nan_is_told_once_with_no_word_when_it_is_over():
    run = Training().train(30).train(30, loss="nan").train(30).wait(60)
    assert run.words() == [("loss_nan", "firing", "critical")]
