"""Trying a threshold on many runs is bounded, and says on how many it was tried."""

from __future__ import annotations

import pytest

from monitor_core.control import Control
from monitor_core.model.effect import sentence
from monitor_core.model.incidents import Severity
from monitor_core.model.records import Point
from monitor_core.store import progress, queries
from monitor_core.store.queries import RunRow
from monitor_core.track import memory
from monitor_core.track.state import RunState
from tests.support.stage import HOST, OTHER_RUN, RUN, START, Stage

ALICE = "shell:alice"
MORE = {f"sweep_{number}": {"host": HOST, "logs": f"/data/{number}.log"} for number in range(3)}
HOUR = 3600.0


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path, **MORE)
    yield made
    made.close()


def ran(stage, run, lines=100, *, hours=1.0, first=True, state=None):
    """Store that a run wrote a line each 10 s, was silent for 5 minutes in the middle, and was seen until now."""
    began = START - hours * HOUR
    points = [
        Point(began + 10.0 * n + 300.0 * (n >= lines // 2), n + 1, 10_000.0, 2.3, first and n == 0)
        for n in range(lines)
    ]
    state = state or RunState(seen_at=points[-1].at + 5)
    with stage.engine.begin() as connection:
        queries.save_run(connection, RunRow(run, HOST, memory.dump(state), "{}", state.seen_at, 0.0))
        progress.add(connection, run, points, full_since=0.0)


def tried(control, scope="all", name="stuck", value="20m"):
    return control.set_threshold(ALICE, name, value, scope=scope, dry_run=True).effect


def test_the_runs_of_a_scope_are_summed_up(stage):
    for run in (RUN, OTHER_RUN):
        ran(stage, run)
    effect = tried(stage.control, f"host {HOST}")
    assert (effect.covered, effect.tried, effect.kinds[0].now.times) == (5, 2, 2)
    assert effect.over == "the last 24h of 2 of 5 runs"
    assert effect.rest == "the others have no records of that time"


def test_where_time_is_short_runs_with_incidents_are_tried_first_and_it_says_on_how_many(stage):
    for run in (RUN, OTHER_RUN, "sweep-0", "sweep-1", "sweep-2"):
        ran(stage, run)
    stage.fire("sweep-1", severity=Severity.WARNING)
    effect = tried(Control(stage.engine, stage.roster, stage.clock, patience=0.0))
    assert sentence(effect) == (
        "Tried on the last 24h of 1 of 5 runs: would not have fired (now: once); more would have taken too long; "
        "missed 1 of 1 stall (incident 1)."
    )


def test_where_a_run_has_more_lines_than_are_kept_it_says_how_far_back_they_reach(stage):
    ran(stage, RUN, 100, hours=5.0, first=False)
    assert tried(stage.control, f"run {RUN}").over == "the last 5h"


def test_a_run_whose_state_cannot_be_read_is_not_tried(stage):
    ran(stage, RUN)
    stage.execute(f"UPDATE runs SET state = 'broken' WHERE name = '{RUN}'")
    assert tried(stage.control, f"run {RUN}").tried == 0


def test_what_records_do_not_tell_of_is_not_tried(stage):
    ran(stage, RUN)
    assert tried(stage.control, name="unreachable", value="5m") is None
