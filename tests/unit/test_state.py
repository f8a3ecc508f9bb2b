"""What is known of a run: launches, iterations, pauses, and that all of it survives the store."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.model.incidents import Kind
from monitor_core.model.records import Failure, Marker, MarkerKind, Progress, Role
from monitor_core.track import memory
from monitor_core.track.course import apply
from monitor_core.track.state import RunState
from tests.support.training import START, Training

HEADER = "[before the start of training step] datetime: 2026-11-24 10:00:00"


def progress(iteration, **fields):
    return Progress(**{"iteration": iteration, "total": 1000, "ms_per_iteration": 10_000.0, "loss": 2.3} | fields)


def test_iterations_are_followed_from_the_first_to_the_last():
    state = Training().train(50).wait(60).state
    assert (state.first_iteration, state.iteration, state.total, state.lines) == (1, 50, 100_000, 50)
    assert (state.first_loss, state.loss, state.ms, state.silence.usual_gap) == (2.314012, 2.314012, 10_000.0, 10.0)


def test_a_header_starts_a_launch():
    run = Training().train(50).write(HEADER, 30)
    run.iteration = 40
    run.train(20).wait(60)
    assert (run.state.launches, run.state.launch_iteration, run.state.iteration) == (2, 41, 60)


def test_a_total_that_only_the_end_tells_is_kept():
    state = RunState()
    apply(state, progress(40, total=None), 1.0)
    apply(state, Marker(MarkerKind.TRAINING_DONE, total=48), 2.0)
    assert (state.iteration, state.total) == (40, 48)


def test_the_total_that_the_lines_tell_is_not_changed_by_the_end():
    state = RunState()
    apply(state, progress(29, total=29), 1.0)
    apply(state, Marker(MarkerKind.TRAINING_DONE, total=30), 2.0)
    assert state.total == 29


def test_a_total_that_the_iterations_have_passed_is_none():
    state = RunState()
    apply(state, progress(100, total=100), 1.0)
    apply(state, progress(110, total=None), 2.0)
    assert (state.iteration, state.total) == (110, None)


def test_a_resume_from_a_checkpoint_starts_a_launch_without_a_header():
    run = Training().train(50)
    run.iteration = 40
    run.train(20).wait(60)
    assert (run.state.launches, run.state.launch_iteration, run.state.iteration) == (2, 41, 60)


def test_a_resume_after_an_end_starts_a_launch_though_the_iteration_goes_on():
    run = Training().train(50).write("[exiting program after 60.0 minutes] datetime: 2026-11-24 10:00:00")
    run.wait(600).train(20).wait(60)
    assert (run.state.launches, run.state.end.kind, run.state.iteration) == (2, None, 70)


def test_an_argument_dump_and_a_header_are_one_launch():
    run = Training().write("  log_interval ............ 1").write("  eval_interval ............ 1000").write(HEADER)
    assert run.train(20).wait(60).state.launches == 1
    assert run.state.settings == {"log_interval": 1, "eval_interval": 1000}


def test_lines_that_several_ranks_print_count_once():
    run = Training().train(20)
    for _ in range(30):
        run.train(1)
        for _ in range(7):
            run.iteration -= 1
            run.train(1, every=0.01, ms=10_000.0)
    run.wait(60)
    assert (run.state.launches, run.state.launch_lines, run.told) == (1, 50, [])


def test_a_copy_that_comes_after_the_next_line_is_no_launch():
    run = Training().train(20)
    for _ in range(20):
        run.train(1)
        run.iteration -= 2
        run.train(1, every=0.1, ms=10_000.0)
        run.iteration += 1
    run.wait(60)
    assert (run.state.launches, run.state.launch_lines) == (1, 40)


def test_lines_of_two_files_are_one_run():
    state = RunState()
    for number in range(1, 30):
        apply(state, progress(number), START + 10 * number, "a")
        apply(state, progress(number), START + 10 * number, "b")
    assert (state.launches, state.launch_lines, state.lines) == (1, 29, 58)


def test_the_step_is_what_lies_between_two_lines():
    assert Training(step=10).train(5).wait(60).state.step == 10


def test_a_pause_is_no_gap():
    run = Training().train(20).write("saving checkpoint at iteration 20 to /ckpt in torch format", 1)
    run.wait(100).write("  successfully saved checkpoint from iteration 20 to /ckpt").wait(60).train(20)
    assert max(run.state.silence.gaps) == 10.0
    assert run.state.silence.longest == {"checkpointing": pytest.approx(100.0, abs=1.0)}
    assert (run.state.checkpoint, run.state.phase) == (20, "training")


def test_an_evaluation_that_is_only_marked_at_its_end_is_measured_from_the_last_line():
    run = Training().train(20).wait(100)
    run.write(" validation loss at iteration 20 | lm loss value: 2.1 | lm loss PPL: 8.2 | ").wait(60)
    assert run.state.silence.longest == {"evaluating": pytest.approx(100.0)}


def test_phases_follow_the_markers():
    run, phases = Training(), []
    for text in (
        "using world size: 8",
        "  log_interval ............ 1",
        "Evaluating iter 1/50",
        " validation loss at iteration 0 | lm loss value: 2.1 | lm loss PPL: 8.2 | ",
        None,
        "saving checkpoint at iteration 1 to /ckpt in torch format",
        "  successfully saved checkpoint from iteration 1 to /ckpt",
        "Evaluating iter 1/50",
        "[after training is done] datetime: 2026-11-24 10:00:00",
    ):
        (run.write(text, 1) if text else run.train(1)).wait(60)
        phases.append(str(run.state.phase))
    assert phases == [
        "starting",
        "starting",
        "evaluating",
        "starting",
        "training",
        "checkpointing",
        "training",
        "evaluating",
        "ending",
    ]


def test_a_failure_is_forgotten_when_the_run_has_long_gone_on():
    run = (
        Training().train(20).write('Traceback (most recent call last):\n  File "a.py", line 1\nValueError: x').train(55)
    )
    assert run.wait(60).state.failure is None


@pytest.mark.parametrize("loss", ["nan", "inf", "-inf"])
def test_a_loss_that_is_no_number_survives_the_store(loss):
    state = RunState()
    apply(state, progress(1, loss=float(loss), ms_per_iteration=float("inf")), START)
    text = memory.dump(state)
    json.loads(text, parse_constant=pytest.fail)
    assert str(memory.load(text).loss) == loss
    assert memory.load(text).ms is None


def test_a_state_of_an_older_version_is_read_with_defaults():
    state = memory.load('{"iteration": 12, "launches": 1, "a_word_that_is_gone": 3}')
    assert (state.iteration, state.silence.gaps) == (12, [])


def test_what_an_older_version_knew_of_gaps_and_pauses_is_kept():
    state = memory.load(
        '{"gaps": [9.0, 10.0, 12.0], "usual_gap": 10.0, "lags": [30.0], "longest": {"checkpointing": 20.0},'
        ' "odd_gap": true, "covers_pause": true}'
    )
    assert (state.silence.gaps, state.silence.usual_gap, state.silence.lag) == ([9.0, 10.0, 12.0], 10.0, 30.0)
    assert (state.silence.longest, state.silence.odd_gap) == ({"checkpointing": 20.0}, True)
    assert state.covers_pause


def test_an_end_that_an_older_version_saw_is_kept():
    state = memory.load(
        '{"phase": "ending", "ending": "stopped", "ended_at": 5.0, "ending_text": "exiting program", "exit_code": 1}'
    )
    assert (state.end.kind, state.end.at) == (Kind.STOPPED, 5.0)
    assert (state.end.text, state.end.exit_code) == ("exiting program", 1)


def test_an_old_state_keeps_everything():
    run = (
        Training().train(60).write('Traceback (most recent call last):\n  File "a.py", line 1\nValueError: x').wait(60)
    )
    assert memory.load(memory.dump(run.state)) == run.state


RECORDS = st.one_of(
    st.builds(
        Progress,
        iteration=st.integers(0, 10**15),
        total=st.one_of(st.none(), st.integers(0, 10**15)),
        ms_per_iteration=st.one_of(st.none(), st.floats(), st.just(10_000.0)),
        loss=st.one_of(st.none(), st.floats()),
        batch_size=st.one_of(st.none(), st.integers(1, 2)),
        timestamp=st.one_of(st.none(), st.floats(-6e10, 2.5e11)),
    ),
    st.builds(
        Marker,
        kind=st.sampled_from(MarkerKind),
        iteration=st.one_of(st.none(), st.integers(0, 10**15)),
        timestamp=st.one_of(st.none(), st.floats(-6e10, 2.5e11)),
        name=st.sampled_from(["eval_interval", "save_interval", "log_interval"]),
        value=st.sampled_from(["0", "1", "100", "none"]),
    ),
    st.builds(
        Failure,
        signature=st.sampled_from(["exception", "cuda_oom", "child_failed", "slurm_time_limit"]),
        role=st.sampled_from(Role),
        text=st.just("x"),
    ),
)


@given(st.lists(st.tuples(RECORDS, st.floats(0, 1e6), st.sampled_from(["a", "b"])), max_size=60))
def test_no_record_at_any_time_is_too_much(steps):
    state, at = RunState(), START
    for record, later, source in steps:
        at += later
        apply(state, record, at, source)
        assert state.launches >= 1
        assert state.line_at is None or state.line_at <= at
        assert (state.gap or 0.0) >= 0.0
    assert memory.load(memory.dump(state)).iteration == state.iteration


@pytest.mark.parametrize(("step", "resumed"), [(1, 40), (10, 40)])
def test_a_resumed_launch_says_from_which_iteration_it_went_on(step, resumed):
    state = RunState()
    for began, iterations in ((START, range(step, 60 + step, step)), (START + 3600, range(40 + step, 100, step))):
        for place, iteration in enumerate(iterations):
            apply(state, progress(iteration), began + 10.0 * step * place)
    assert (state.launches, state.relaunch.resumed) == (2, resumed)
