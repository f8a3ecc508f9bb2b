"""Real runs, kept outside the repository: what is stored of them gives the verdicts that were given at the time."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from monitor_core.model.incidents import Kind
from monitor_core.parse.dialects import AUTO
from monitor_core.preview import Past, judged
from monitor_core.replay.recording import read
from monitor_core.track.clock import Window
from monitor_core.watch import Watch
from tests.integration.test_shared_runs import SHARED
from tests.support.training import RUN, values

RUNS = SHARED / "runs"
CASES = sorted(str(log.parent.relative_to(RUNS)) for log in RUNS.glob("*/*/train.log") if log.stat().st_size)
pytestmark = pytest.mark.skipif(
    not CASES, reason="no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"
)
FLOOR, INTERVAL, SILENCE = "5s", 1.0, 30.0


def lived(folder: Path):
    """Look at a run each second as it was written; return the watch, and the incidents that fired."""
    recording = read(folder / "train.log", folder / "arrivals.tsv", AUTO)
    watch, pieces, closed = Watch(RUN, values(stuck_floor=FLOOR)), deque(recording.pieces), []
    now, end = recording.began, recording.ended + SILENCE
    while now < end:
        now = min(now + INTERVAL, end)
        written = _bring(watch, pieces, now)
        if recording.exited is not None and recording.exited[0] <= now and watch.state.end.exit_code is None:
            watch.state.exit(recording.exited[1], recording.exited[0])
        watch.look(now, written)
        closed += watch.closed
        watch.closed.clear()
    return watch, [incident for incident in (*closed, *watch.active) if incident.fired_at is not None]


def _bring(watch, pieces, now):
    new = []
    while pieces and pieces[0].at <= now:
        new.append(pieces.popleft())
    if not new:
        return None
    after, until = watch.state.seen_at, new[-1].at
    watch.feed("", b"".join(piece.lines for piece in new), None if after is None else Window(after, until))
    if after is None:
        watch.anchor(Window(None, until))
    return until


def figures(incidents):
    """Return what matters. NaN has no threshold, and gradients that a line of its own shows are not kept."""
    judged_by_threshold = (incident for incident in incidents if incident.kind is not Kind.LOSS_NAN)
    return sorted((i.fired_at, i.kind, i.severity, i.ends_at or 0.0) for i in judged_by_threshold)


@pytest.mark.parametrize("case", CASES)
def test_what_is_stored_of_a_real_run_gives_the_same_verdicts(case):
    watch, fired = lived(RUNS / case)
    assert watch.points
    again = judged(Past(RUN.name, watch.preset, list(watch.points), watch.state), watch.values)
    was, now = figures(fired), figures(again)
    assert [one[1:3] for one in now] == [one[1:3] for one in was]
    # An end that no line tells is seen at a look.
    assert [one[0] for one in now] == pytest.approx([one[0] for one in was], abs=INTERVAL)
    assert [one[3] for one in now] == pytest.approx([one[3] for one in was], abs=INTERVAL)
