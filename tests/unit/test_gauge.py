"""The pace of a log that does not print it is taken from when its lines were written."""

from __future__ import annotations

import random

import pytest

from monitor_core.detect import slow
from monitor_core.model.records import Marker, MarkerKind, Progress
from monitor_core.track.course import apply
from monitor_core.track.state import RunState
from tests.support.training import START, values


class Run:
    """A training whose lines tell no times; `round_` is what their stamps and our clock make of a moment."""

    def __init__(self, round_=lambda at: at, *, stamps=True):
        self.state, self.at, self.iteration, self.found = RunState(), START, 0, None
        self._round, self._stamps = round_, stamps

    def train(self, lines, every, **how):
        for _ in range(lines):
            self.at += every
            self.iteration += 1
            shown = self._round(self.at)
            apply(self.state, Progress(self.iteration, timestamp=shown if self._stamps else None, **how), shown)
            slow.follow(self.state, values(), shown)
            self.found = slow.observe(self.state, values(), shown) or self.found
        return self

    def pause(self, seconds):
        apply(self.state, Marker(MarkerKind.CHECKPOINT_START), self._round(self.at))
        self.at += seconds
        apply(self.state, Marker(MarkerKind.CHECKPOINT_END), self._round(self.at))


def whole(at):
    """Return what a stamp of whole seconds says."""
    return float(int(at))


def polled(at):
    """Return when the lines of a log came that is read once a minute and tells no times."""
    return at + 60 - at % 60


def test_a_slowdown_is_found_by_the_stamps_of_the_lines():
    run = Run().train(200, 3.3).train(15, 5.0)
    assert run.found is not None
    facts = run.found.facts
    assert facts["derived"]
    assert (facts["usual_ms"], facts["now_ms"]) == (pytest.approx(3300), pytest.approx(5000))
    assert facts["since_iteration"] == 201


def test_what_prints_its_times_is_not_measured_by_its_stamps():
    run = Run().train(200, 3.3, ms_per_iteration=3000.0).train(100, 5.0, ms_per_iteration=3000.0)
    assert run.found is None
    assert (run.state.pace.usual, run.state.pace.derived) == (3000.0, False)


def test_stamps_of_whole_seconds_are_enough_over_several_lines():
    chance, run = random.Random(1), Run(whole)
    for _ in range(3000):
        run.train(1, 0.7 * chance.lognormvariate(0, 0.03))
    assert run.found is None
    assert run.state.pace.usual == pytest.approx(700, rel=0.02)
    run.train(500, 1.0)
    assert run.found is not None
    assert run.found.facts["factor"] == pytest.approx(1.43, rel=0.05)


def test_a_log_without_any_times_is_measured_by_when_it_grows():
    run = Run(polled, stamps=False).train(3000, 0.7)
    assert run.found is None
    assert run.state.pace.usual == pytest.approx(700, rel=0.03)
    assert run.train(1000, 1.0).found is not None


def test_a_pause_is_no_part_of_the_pace():
    run = Run()
    for _ in range(60):
        run.train(5, 3.3).pause(120)
    assert run.found is None
    assert run.state.pace.usual == pytest.approx(3300)


def test_the_seed_preset_knows_no_times_but_printed_ones():
    assert Run().train(200, 3.3).state.ms is None


def test_times_that_are_printed_after_all_count_alone():
    run = Run().train(100, 3.3).train(100, 3.3, ms_per_iteration=3000.0)
    assert (run.state.pace.usual, run.state.pace.derived) == (3000.0, False)
