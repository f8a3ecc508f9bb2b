"""What a picture of a run is drawn from is taken down line by line, and stays bounded."""

from __future__ import annotations

import math

from monitor_core.model.incidents import Phase
from monitor_core.model.records import MOST_POINTS, Detail, Marker, MarkerKind, Progress
from monitor_core.track.course import apply
from monitor_core.track.state import RunState
from monitor_core.track.trace import Trace


def traced(records):
    """A trace of (time, record)."""
    state, trace = RunState(), Trace()
    for at, record in records:
        trace.note(record, state, fresh=apply(state, record, at))
    return trace


def steps(first, last, began=0.0, **told):
    return [(began + 10.0 * n, Progress(n, ms_per_iteration=10_000.0, **told)) for n in range(first, last + 1)]


def test_a_line_is_kept_with_its_time_and_the_gap_before_it():
    trace = traced(steps(1, 3, loss=2.5))
    assert [(line.at, line.iteration, line.ms, line.loss, line.gap) for line in trace.lines] == [
        (10.0, 1, 10_000.0, 2.5, None),
        (20.0, 2, 10_000.0, 2.5, 10.0),
        (30.0, 3, 10_000.0, 2.5, 10.0),
    ]


def test_a_line_that_repeats_another_is_not_kept():
    assert [line.iteration for line in traced([*steps(1, 2), (20.1, Progress(2)), *steps(3, 3)]).lines] == [1, 2, 3]


def test_a_loss_of_a_line_of_its_own_belongs_to_the_line_of_its_iteration():
    trace = traced([*steps(1, 5), (50.0, Detail(3, loss=1.5)), (50.0, Detail(5, grad_norm=1.0))])
    assert [line.loss for line in trace.lines] == [None, None, 1.5, None, None]


def test_phases_and_launches_are_kept_with_what_was_done_again():
    pause = [
        (105.0, Marker(MarkerKind.CHECKPOINT_START)),
        (109.0, Marker(MarkerKind.CHECKPOINT_END, iteration=10)),
    ]
    trace = traced(
        [*steps(1, 10), *pause, *steps(11, 15, 20.0), (400.0, Marker(MarkerKind.START)), *steps(11, 20, 600.0)]
    )
    assert [(entered.phase, entered.at) for entered in trace.phases] == [
        (Phase.TRAINING, 10.0),
        (Phase.CHECKPOINTING, 105.0),
        (Phase.TRAINING, 109.0),
        (Phase.STARTING, 400.0),
        (Phase.TRAINING, 710.0),
    ]
    assert [(launch.number, launch.at, launch.resumed, launch.redone) for launch in trace.launches] == [
        (1, 0.0, None, None),
        (2, 400.0, 10, 5),
    ]


def test_what_was_taken_for_progress_and_was_none_is_forgotten():
    trace = traced([*steps(1, 10), (101.0, Marker(MarkerKind.REVISED)), *steps(1, 2, 200.0)])
    assert [line.at for line in trace.lines] == [210.0, 220.0]


def test_all_moves_in_time_together():
    trace = traced([(0.0, Marker(MarkerKind.START)), *steps(1, 2)])
    trace.shift(100.0)
    assert [line.at for line in trace.lines] == [110.0, 120.0]
    assert (trace.phases[0].at, trace.launches[0].at) == (100.0, 100.0)


def test_a_long_run_is_kept_in_few_lines_without_losing_what_happened_once():
    state, trace = RunState(), Trace()
    odd = {777: (90_000.0, 2.0), 31_000: (10.0, 2.0), 50_001: (1000.0, 99.0), 70_000: (1000.0, math.nan)}
    for n in range(1, 100_001):
        ms, loss = odd.get(n, (1000.0 + n % 7, 2.0))
        record = Progress(n, ms_per_iteration=ms, loss=loss)
        trace.note(record, state, fresh=apply(state, record, float(n)))
    assert len(trace.lines) < 2 * MOST_POINTS
    kept = {line.iteration: (line.ms, line.loss) for line in trace.lines}
    assert {1, 100_000, *odd} <= kept.keys()
    assert kept[777][0] == 90_000.0
    assert [line.iteration for line in trace.lines] == sorted(kept)
