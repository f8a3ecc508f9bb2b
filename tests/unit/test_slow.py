"""Slow: a slowdown that lasts is told, one that does not is not."""

from __future__ import annotations

import random

import pytest

from tests.support.training import START, Training, line

FIRING = ("slow", "firing", "warning")
ESCALATED = ("slow", "escalated", "critical")


def slow_lines(run, factor, noise=0.0, seed=1):
    """Write slow lines until it is told; return how many it took."""
    chance = random.Random(seed)
    for lines in range(1, 101):
        run.train(1, every=10.0 * factor * chance.lognormvariate(0, noise))
        if run.told:
            return lines
    return None


def test_a_healthy_run_with_noise_is_never_slow():
    chance, run = random.Random(7), Training()
    for _ in range(1500):
        run.train(1, every=10.0 * chance.lognormvariate(0, 0.03))
    assert run.told == []


@pytest.mark.parametrize(("factor", "lines"), [(1.15, 40), (1.2, 20), (1.5, 10), (3.0, 10)])
def test_a_lasting_slowdown_is_told_within_so_many_lines(factor, lines):
    run = Training(poll=10.0).train(200)
    assert slow_lines(run, factor) <= lines
    assert run.words()[0] == FIRING


def test_a_slowdown_below_the_threshold_is_not_told():
    assert Training().train(200).train(300, every=10.4).told == []


def test_the_onset_is_the_first_slow_line():
    run = Training(poll=10.0).train(200)
    slow_lines(run, 1.5)
    slow = run.watch.active[0]
    assert slow.starts_at == START + 2000 + 15
    assert (slow.facts["since_iteration"], slow.facts["usual_ms"], slow.facts["limit"]) == (201, 10_000.0, 1.1)
    assert slow.facts["factor"] == pytest.approx(1.5)


def test_single_spikes_and_short_bursts_are_not_told():
    run = Training()
    for _ in range(20):
        run.train(60).train(1, every=50.0)
    run.train(60).train(4, every=20.0).train(60)
    assert run.told == []


def test_a_slowdown_ends_when_twenty_lines_are_back_at_the_usual_pace():
    run = Training(poll=10.0).train(200).train(40, every=13.0)
    assert run.words() == [FIRING]
    run.train(9)
    assert len(run.told) == 1
    run.train(12)
    assert run.words()[-1] == ("slow", "resolved", "warning")


def test_it_is_remembered_at_its_worst():
    run = Training(poll=10.0).train(200).train(30, every=20.0).train(30, every=13.0)
    slow = run.watch.active[0]
    assert slow.facts["worst"] == pytest.approx(2.0)
    assert slow.facts["factor"] == pytest.approx(1.3)


def test_twenty_lines_at_one_and_a_half_are_critical():
    run = Training(poll=10.0).train(200).train(30, every=16.0)
    assert run.words() == [FIRING, ESCALATED]


def test_what_is_over_does_not_become_the_usual_either():
    run = Training(poll=10.0).train(200).train(150, every=13.0).train(25)
    assert run.state.pace.usual == 10_000.0


def test_a_slowdown_does_not_become_the_usual():
    run = Training(poll=60.0).train(200).train(1000, every=13.0)
    assert run.words() == [FIRING]
    assert run.state.pace.usual == 10_000.0


@pytest.mark.parametrize("first", [2, 10])
def test_the_first_ten_iterations_of_a_launch_say_nothing_about_its_pace(first):
    run = Training().train(first, every=80.0, ms=80_000).train(15 - first).train(4).wait(60)
    assert run.state.pace.usual == 10_000.0
    run.train(200)
    assert run.told == []
    assert run.state.pace.usual == 10_000.0


def test_with_few_lines_six_of_the_last_eight_must_be_slow():
    run = Training(poll=10.0).train(20).train(5, every=13.0).wait(10)
    assert run.told == []
    assert run.train(1, every=3.0, ms=13_000.0).wait(10).words() == [FIRING]


def test_with_few_lines_a_slowdown_of_less_than_fifteen_percent_is_not_told():
    assert Training().train(20).train(15, every=11.4).told == []


@pytest.mark.parametrize("noise", [0.08, 0.12])
def test_a_slowdown_in_rough_noise_is_told_once_its_lines_are_enough(noise):
    chance, run = random.Random(8), Training(poll=10.0)
    for _ in range(300):
        run.train(1, every=10.0 * chance.lognormvariate(0, noise))
    assert run.told == []
    assert slow_lines(run, 1.3, noise) <= 20


def test_lines_of_a_suspected_slowdown_are_not_taken_for_usual():
    run = Training(poll=10.0).train(100).wait(10)
    usual = len(run.state.pace.accepted)
    run.train(6, every=13.0).wait(10)
    assert run.told == []
    assert len(run.state.pace.accepted) == usual + 1


def relaunched(run, back=20):
    """Begin a new launch that goes on a little before the newest iteration."""
    run.write("[before the start of training step] datetime: 2026-11-24 10:30:00", 60)
    run.iteration -= back
    return run


def test_a_resume_starts_a_new_baseline():
    run = relaunched(Training().train(200)).train(300, every=7.0)
    assert run.told == []
    assert run.state.pace.usual == 7_000.0
    assert run.train(20, every=8.5).wait(60).words() == [FIRING]


def test_a_launch_that_is_slower_than_the_one_before_is_told_once():
    run = relaunched(Training(poll=10.0).train(200)).train(100, every=14.0)
    assert run.words() == [FIRING]
    slow = run.watch.active[0]
    assert (slow.facts["how"], slow.facts["usual_ms"], slow.facts["since_iteration"]) == ("relaunch", 10_000.0, 181)
    assert slow.facts["factor"] == pytest.approx(1.4)


def test_a_slower_launch_is_taken_for_usual_in_the_end_and_can_then_be_slow_by_itself():
    run = relaunched(Training(poll=10.0).train(200)).train(300, every=14.0)
    assert run.words() == [FIRING, ("slow", "resolved", "warning")]
    assert run.train(20, every=17.0).words()[2:] == [FIRING]


def test_a_launch_that_is_a_little_slower_is_not_told():
    assert relaunched(Training().train(200)).train(300, every=12.0).told == []


def test_a_launch_with_another_batch_size_is_not_compared_with_the_one_before():
    assert relaunched(Training().train(200)).train(300, every=18.0, batch_size=512).told == []


@pytest.mark.parametrize(("hosts", "told"), [(64, [FIRING]), (32, [])])
def test_a_launch_on_fewer_gpus_is_not_compared_with_the_one_before(hosts, told):
    run = Training(poll=10.0).write("  world_size ...................................... 64").train(200)
    run = relaunched(run).write(f"  world_size ...................................... {hosts}")
    assert run.train(100, every=18.0).words() == told


def test_a_launch_of_a_few_lines_is_not_one_to_compare_with():
    assert relaunched(Training().train(40)).train(300, every=14.0).told == []


def test_a_slow_launch_after_a_short_one_is_compared_with_the_one_before_that():
    run = relaunched(Training().train(200)).train(20, every=10.0)
    assert relaunched(run).train(60, every=14.0).words() == [FIRING]


def test_another_batch_size_starts_a_new_baseline():
    run = Training().train(200).train(300, every=15.0, batch_size=512)
    assert run.told == []
    assert run.state.pace.usual == 15_000.0


def ramp(run, every, lines=3, stages=range(8, 40)):
    """Let the batch size grow every few lines; `every` are the seconds of an iteration by its batch size."""
    for stage in stages:
        run.train(lines, every=every(32 * stage), batch_size=32 * stage)
    return run


@pytest.mark.parametrize("lines", [1, 3, 12])
@pytest.mark.parametrize("fixed", [0.0, 0.5])
def test_a_batch_size_that_grows_every_few_lines_makes_no_run_slow(lines, fixed):
    def seconds(batch):
        return 10.0 * (fixed + (1 - fixed) * batch / 256)

    run = ramp(Training().train(60), seconds, lines)
    run.train(60, every=seconds(32 * 39), batch_size=32 * 39)
    assert run.told == []


def test_a_run_can_be_slow_while_its_batch_size_grows():
    run = ramp(Training(poll=10.0).train(60), lambda batch: batch / 25.6, stages=range(8, 15))
    assert run.told == []
    assert ramp(run, lambda batch: 1.5 * batch / 25.6, stages=range(15, 20)).words()[:1] == [FIRING]


def test_a_slowdown_goes_on_while_the_batch_size_grows():
    run = ramp(Training(poll=10.0).train(60), lambda batch: 2 * batch / 25.6, stages=range(8, 60))
    assert run.words() == [FIRING, ESCALATED]


def test_a_line_that_covers_a_pause_says_nothing_about_the_pace():
    run = Training().train(60)
    for _ in range(30):
        run.write("saving checkpoint at iteration 60 to /ckpt in torch format", 1)
        run.write("  successfully saved checkpoint from iteration 60 to /ckpt", 30).train(1, every=45.0).train(1)
    assert run.told == []
    assert run.state.pace.usual == 10_000.0


def test_a_run_that_saves_before_each_line_can_be_slow():
    run = Training().train(60)
    for number in range(120):
        run.write("saving checkpoint at iteration 60 to /ckpt in torch format", 0.5)
        run.write("  successfully saved checkpoint from iteration 60 to /ckpt", 1)
        run.train(1, every=10.0 if number < 60 else 14.0)
    assert run.words() == [FIRING]


def test_while_a_run_is_stuck_it_is_not_judged_slow():
    run = Training().train(200).wait(1000).train(10)
    assert [told.kind for told in run.told] == ["stuck"] * 3


@pytest.mark.parametrize("ms", ["nan", "inf", "-5.0", "0.0", "1e300"])
def test_a_time_per_iteration_that_cannot_be_is_left_out(ms):
    run = Training(stamps=False).train(60)
    run.iteration += 1
    run.write(line(run.iteration, ms=float(ms)), 10)
    run.train(60)
    assert run.told == []
    assert run.state.line_at == pytest.approx(run.at, abs=60)


def test_a_higher_threshold_ends_a_slowdown_that_it_allows():
    run = Training(poll=10.0).train(200).train(40, every=13.0)
    run.watch.values = {**run.watch.values, **Training(slow="3").watch.values}
    assert run.train(1, every=13.0).words()[-1] == ("slow", "resolved", "warning")


@pytest.mark.parametrize("base", [0.8123, 2.777, 3.3333, 7.7771, 12.3451])
def test_a_slowdown_of_the_threshold_itself_is_found_without_any_noise(base):
    run = Training(poll=base).train(150, every=base)
    lines = next((n for n in range(1, 101) if run.train(1, every=1.1 * base).told), None)
    assert lines is not None
    assert lines <= 20


def test_a_slowdown_early_in_a_launch_is_found_once_enough_lines_are_known():
    run = Training().train(45, every=10.0)
    lines = next((n for n in range(1, 101) if run.train(1, every=11.2).told), None)
    assert lines is not None
    assert lines <= 30


@pytest.mark.parametrize("noise", [0.08, 0.12, 0.2])
def test_a_run_whose_times_vary_much_is_not_slow_by_chance(noise):
    chance, run = random.Random(11), Training()
    for _ in range(1500):
        run.train(1, every=10.0 * chance.lognormvariate(0, noise))
    assert run.told == []


def test_a_run_that_begins_to_vary_more_is_not_slow():
    chance, run = random.Random(12), Training()
    for number in range(1500):
        run.train(1, every=10.0 * chance.lognormvariate(0, 0.02 if number < 500 else 0.1))
    assert run.told == []


def test_a_run_with_two_usual_times_is_not_slow():
    chance, run = random.Random(13), Training()
    for _ in range(1500):
        run.train(1, every=10.0 * (1.3 if chance.random() < 0.3 else 1.0) * chance.lognormvariate(0, 0.02))
    assert run.told == []


@pytest.mark.parametrize(
    ("period", "length", "size"), [(100, 1, 3.0), (10, 1, 2.0), (5, 1, 1.3), (3, 1, 2.0), (60, 5, 2.0)]
)
def test_what_is_slow_by_the_clock_is_not_told(period, length, size):
    chance, run = random.Random(14), Training()
    for number in range(1, 1200):
        usual = 10.0 * chance.lognormvariate(0, 0.02)
        run.train(1, every=usual * (size if number % period < length and number >= period else 1.0))
    assert run.told == []


def test_a_slowdown_that_begins_with_a_spike_is_told():
    run = Training(poll=10.0).train(200).train(1, every=50.0)
    assert slow_lines(run, 1.5, noise=0.03) <= 10


def test_a_run_with_evaluations_in_its_times_can_be_slow():
    run = Training(poll=10.0)
    for number in range(1, 400):
        run.train(1, every=(30.0 if number % 5 == 0 else 10.0) * (1.2 if number > 350 else 1.0))
    assert run.words() == [FIRING]
    assert run.watch.active[0].facts["since_iteration"] == pytest.approx(351, abs=2)


def test_planned_evaluations_in_the_printed_time_are_known_from_the_first_on():
    run = Training(step=10).write("  eval_interval ................................... 50")
    for number in range(1, 200):
        run.train(1, every=150.0 if number % 5 == 0 else 100.0)
    assert run.told == []
    assert sum(ms > 12_000 for ms in run.state.pace.accepted) <= 1


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_a_slowdown_that_comes_little_by_little_is_told_before_it_is_a_fifth(noise):
    chance, run, slower = random.Random(15), Training().train(300), 1.0
    while not run.told and slower < 1.3:
        slower += 0.3 / 2000
        run.train(1, every=10.0 * slower * chance.lognormvariate(0, noise))
    assert slower < 1.2
    slow = run.watch.active[0]
    assert slow.facts["how"] == "drift"
    assert slow.facts["usual_ms"] == pytest.approx(10_000, rel=0.02)
    assert 300 < slow.facts["since_iteration"] < run.iteration
    assert slow.facts["limit"] == 1.15


def test_a_drift_ends_when_the_pace_is_back():
    run = Training()
    for number in range(1500):
        run.train(1, every=10.0 * (1 + 0.3 * min(1, max(0, number - 400) / 1000)))
    assert run.words() == [FIRING]
    assert run.train(30).wait(60).words()[1:] == [("slow", "resolved", "warning")]


def test_a_lasting_slowdown_below_the_threshold_becomes_the_usual():
    run = Training(poll=10.0).train(200).train(400, every=10.6)
    assert run.told == []
    assert run.state.pace.usual == 10_600.0


def test_at_the_border_of_the_threshold_it_does_not_come_and_go():
    chance, run = random.Random(16), Training().train(200)
    for _ in range(1500):
        run.train(1, every=10.0 * 1.1 * chance.lognormvariate(0, 0.03))
    assert run.words() == [FIRING]


def test_longer_sequences_start_a_new_baseline():
    run = Training()
    for length, ms in ((2048, 10_000.0), (8192, 25_000.0)):
        for _ in range(200):
            run.iteration += 1
            text = line(run.iteration, stamp=run.at + ms / 1000, ms=ms)
            run.write(text.replace(" | lm loss", f" | sequence length: {length} | lm loss"), ms / 1000)
    run.wait(60)
    assert run.told == []
    assert run.state.pace.usual == 25_000.0
