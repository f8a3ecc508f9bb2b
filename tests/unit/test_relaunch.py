"""A new launch of a run: from where it went on, and how much it does again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.cli.text import run as run_text
from monitor_core.model.views import RunView
from monitor_core.model.words import taken_up
from tests.support.incidents import AT, SCENE, STUCK, resolved, told
from tests.support.training import START, Training

BEGIN = "[before the start of training step] datetime: 2026-11-24 10:30:00"
REQUEUED = "slurmstepd: error: *** JOB 4711 ON gpu-01 CANCELLED AT 2026-11-24T10:20:00 DUE TO JOB REQUEUE ***"


def took_up(run):
    return taken_up(run.state.relaunch.resumed, run.state.relaunch.redone)


def relaunched(run, at, lines=5):
    """Let the run begin anew from an iteration."""
    run.write(BEGIN, 60)
    run.iteration = at
    return run.train(lines).wait(60)


def test_a_first_launch_took_up_nothing():
    assert took_up(Training().train(30).wait(60)) == ""


@pytest.mark.parametrize(("step", "lines"), [(1, 8400), (10, 840), (100, 84)])
def test_a_launch_says_from_where_it_went_on_and_what_it_does_again(step, lines):
    run = Training(step=step).train(lines, every=1.0)
    assert took_up(relaunched(run, 8000)) == "resumed from 8,000, 400 iterations redone"


def test_more_lines_change_nothing_of_it():
    run = relaunched(Training().train(100), 80, lines=50)
    assert took_up(run) == "resumed from 80, 20 iterations redone"


def test_a_checkpoint_between_two_lines_is_where_it_went_on():
    run = Training(step=10).train(10).write("  successfully saved checkpoint from iteration 85 to /ckpt", 1)
    run.write(BEGIN, 60)
    run.iteration = 80
    assert took_up(run.train(5).wait(60)) == "resumed from 85, 15 iterations redone"


def test_a_launch_from_the_first_iteration_on_has_started_again():
    assert took_up(relaunched(Training().train(400), 0)) == "started again from the beginning, 400 iterations redone"


def test_a_launch_that_went_on_where_the_last_one_ended_redoes_nothing():
    assert took_up(relaunched(Training().train(100), 100)) == "resumed from 100"


def test_launches_that_died_before_their_first_line_are_passed_over():
    run = Training().train(100).write("  log_interval ............ 1", 60).write("ValueError", 1)
    assert took_up(relaunched(run, 80)) == "resumed from 80, 20 iterations redone"


def test_of_several_launches_the_newest_is_told():
    run = relaunched(relaunched(Training().train(100), 80, lines=30), 100)
    assert (took_up(run), run.state.launches) == ("resumed from 100, 10 iterations redone", 3)


def test_a_requeued_job_is_the_same_run_and_its_stop_is_over():
    run = Training().train(100).write(REQUEUED).wait(120)
    assert run.words() == [("stopped", "firing", "warning")]
    run.write(BEGIN, 60).wait(60)
    assert (run.state.phase, run.watch.active) == ("starting", ())
    run.iteration = 80
    run.train(5).wait(60)
    assert (run.state.phase, took_up(run)) == ("training", "resumed from 80, 20 iterations redone")


def test_a_first_sight_of_a_log_with_two_launches_tells_it_too():
    run = Training(poll=3600.0).train(100).write(BEGIN, 60)
    run.iteration = 80
    run.train(5).wait(3600)
    assert (run.state.launches, took_up(run)) == (2, "resumed from 80, 20 iterations redone")


def test_a_stuck_run_that_a_new_launch_ended_says_from_where_that_went_on():
    scene = replace(SCENE, resumed=12_000, redone=400, launched_at=AT + 3000)
    assert told(resolved(STUCK), scene)[1].endswith(" on gpu-07: resumed from 12,000, 400 iterations redone.")


@pytest.mark.parametrize("launched_at", [AT - 3000, AT + 30_000])
def test_a_launch_of_another_time_has_nothing_to_do_with_it(launched_at):
    scene = replace(SCENE, resumed=12_000, redone=400, launched_at=launched_at)
    assert told(resolved(STUCK), scene)[1].endswith(" on gpu-07.")


def test_the_page_of_a_run_says_what_its_newest_launch_took_up():
    view = RunView("llama", "gpu-01", "gpu-01", "", "training", "training", started_at=START, launches=2)
    assert "Launch 2:    resumed from 8,000, 400 iterations redone" in run_text(
        replace(view, resumed=8000, redone=400), START
    )
    assert "Launch 2:" not in run_text(view, START)
