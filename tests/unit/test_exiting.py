"""Not exiting: the training has said that it is done, and its processes stay."""

from __future__ import annotations

from monitor_core.model.incidents import Kind
from monitor_core.thresholds import Preset
from tests.support.training import Told, Training

DONE = "[after training is done] datetime: 2026-11-24 10:00:00"


def done(**how):
    """Return a run whose end marker has come, and whose eight processes are still there."""
    return Training(**how).sees("alive", "8 processes", processes=8, pids="88213 to 88220").train(30).write(DONE)


def not_exiting(run):
    return [told for told in run.told if told.kind == "not_exiting"]


def test_processes_that_stay_for_ten_minutes_after_the_end_are_told():
    run = done().wait(599)
    assert not_exiting(run) == []
    run.wait(10)
    assert not_exiting(run) == [Told("not_exiting", "firing", "warning", 900.0)]


def test_they_are_looked_at_when_the_limit_has_passed_however_rarely_the_log_is():
    run = done().wait(100)
    run.poll = 3600.0
    assert not_exiting(run.wait(1000)) == [Told("not_exiting", "firing", "warning", 900.0)]


def test_it_says_which_processes_stay_and_how_long_they_may():
    run = done().wait(700)
    facts = next(incident.facts for incident in run.watch.active if incident.kind is Kind.NOT_EXITING)
    assert (facts["processes"], facts["pids"], facts["limit"]) == (8, "88213 to 88220", 600.0)


def test_it_is_over_when_two_looks_have_missed_them():
    run = done().wait(700).sees("not found").wait(100)
    assert [told.reason for told in not_exiting(run)] == ["firing", "resolved"]


def test_what_nobody_can_see_neither_opens_nor_ends_it():
    run = done().wait(300).sees("not known").wait(600)
    assert not_exiting(run) == []
    run.sees("alive").wait(60).sees("not known").wait(600)
    assert [told.reason for told in not_exiting(run)] == ["firing"]


def test_processes_that_exit_just_before_the_limit_are_never_told_of():
    assert not_exiting(done().wait(580).sees("not found").wait(300)) == []


def test_a_new_launch_ends_it():
    run = done().wait(700).write("training ...", 1).train(20, every=10.0)
    run.iteration = 0
    run.train(20)
    assert [told.reason for told in not_exiting(run)] == ["firing", "resolved"]


def test_the_threshold_is_how_long_they_may_stay():
    assert not_exiting(done(not_exiting="30m").wait(1700)) == []


def test_the_original_tool_knew_nothing_of_it():
    run = done(preset=Preset.SEED).wait(2000)
    assert [told.kind for told in run.told] == ["finished"]
