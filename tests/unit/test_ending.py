"""Endings: finished, stopped as planned, failed with its cause; success is never inferred from silence."""

from __future__ import annotations

import pytest

from monitor_core.detect.ending import verdict
from tests.support.training import Told, Training, line

DONE = "[after training is done] datetime: 2026-11-24 10:00:00"
SIGTERM = "[exiting program after receiving SIGTERM.] datetime: 2026-11-24 10:00:00"
TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 10, in <module>
    main()
ValueError: loss is not a number"""
OOM = """[rank3]: Traceback (most recent call last):
[rank3]:   File "train.py", line 10, in <module>
[rank3]:     main()
[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"""
CHILD = """Traceback (most recent call last):
  File "run.py", line 10, in <module>
    main()
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:"""
SLURM = "slurmstepd: error: *** JOB 4711 ON gpu-01 CANCELLED AT 2026-11-24T10:00:00 DUE TO TIME LIMIT ***"
FINISHED = ("finished", "firing", "info")
STOPPED = ("stopped", "firing", "warning")
FAILED = ("failed", "firing", "critical")


def test_an_end_marker_is_told_after_a_quarter_of_a_floor():
    run = Training(poll=5.0).train(30).write(DONE, 5).wait(200)
    assert run.told == [Told("finished", "firing", "info", 335.0)]


def test_a_run_that_only_falls_silent_after_its_last_iteration_has_not_finished():
    run = Training()
    run.total = 30
    run.train(30).wait(100)
    assert verdict(run.state) is None


@pytest.mark.parametrize("why", ["after receiving SIGTERM.", "after 1200.0 minutes", "at iteration 30"])
def test_a_planned_exit_before_the_last_iteration_is_a_stop(why):
    run = Training().train(30).write(f"[exiting program {why}] datetime: 2026-11-24 10:00:00").wait(100)
    assert run.words() == [STOPPED]


def test_a_planned_exit_at_the_last_iteration_is_the_finish():
    run = Training()
    run.total = 30
    run.train(30).write("[exiting program at iteration 30] datetime: 2026-11-24 10:00:00").wait(100)
    assert run.words() == [FINISHED]


def test_what_a_run_prints_as_it_dies_of_a_planned_stop_is_no_failure():
    assert Training().train(30).write(SIGTERM).write(TRACEBACK, 1).wait(300).words() == [STOPPED]


@pytest.mark.parametrize(
    "line", [SLURM, SLURM.replace(" DUE TO TIME LIMIT", ""), "W1124 Received 15 death signal, shutting down workers"]
)
def test_what_the_scheduler_or_a_signal_ends_has_stopped(line):
    assert Training().train(30).write(line).write(TRACEBACK, 1).wait(300).words() == [STOPPED]


def test_a_signal_after_the_training_was_done_takes_nothing_from_it():
    assert Training().train(30).write(DONE).write(SLURM, 2).wait(300).words() == [FINISHED]


def test_an_error_that_the_scheduler_cleans_up_after_is_a_failure():
    run = Training().train(30).write(OOM).write(SLURM, 2).wait(300)
    assert run.words() == [FAILED]
    assert (run.watch.active[0].facts["cause"], run.watch.active[0].facts["rank"]) == ("cuda_oom", "3")


def test_an_exception_is_a_failure_after_two_gaps_without_a_line():
    run = Training(poll=5.0).train(30).write(TRACEBACK).wait(100)
    assert run.told == [Told("failed", "firing", "critical", 330.0)]


def test_an_exception_waits_for_two_gaps_of_a_run_that_speaks_seldom():
    run = Training(poll=5.0).train(30, every=50.0).write(TRACEBACK).wait(200)
    assert [told.at for told in run.told if told.kind == "failed"] == [1500.0 + 100.0]


def test_an_exception_that_the_run_goes_on_after_is_none():
    assert Training().train(30).write(TRACEBACK).train(60).told == []


def test_a_failure_that_the_launcher_confirms_is_told_after_a_quarter_of_a_floor():
    run = Training(poll=5.0).train(3, every=600.0).write(OOM).write(CHILD, 1).wait(100)
    assert [(told.kind, told.at) for told in run.told if told.kind == "failed"] == [("failed", 1831.0)]


def test_lines_that_the_launcher_prints_after_a_traceback_are_no_resumption():
    run = Training(poll=5.0).train(30).write(OOM).train(2, every=0.0, ms=10_000.0).write(CHILD).wait(100)
    assert run.words() == [FAILED]
    assert run.watch.active[0].facts["cause"] == "cuda_oom"


def test_two_late_lines_are_no_resumption_though_no_launcher_speaks():
    assert Training(poll=5.0).train(30).write(OOM).train(2, every=0.1, ms=10_000.0).wait(100).words() == [FAILED]


def test_many_late_lines_are_none_either_once_the_launcher_has_spoken():
    run = Training(poll=5.0).train(30).write(OOM).train(25, every=0.0, ms=10_000.0).write(CHILD).wait(100)
    assert run.words() == [FAILED]
    assert run.watch.active[0].facts["cause"] == "cuda_oom"


def test_what_a_dying_program_had_in_its_buffer_is_no_resumption():
    run = Training(poll=5.0).train_in_blocks(5, 20, every=1.0).wait(12).write(TRACEBACK)
    at = run.at
    for number in range(12):
        run.iteration += 1
        run.write(line(run.iteration, stamp=at - 12 + number, ms=1000.0))
    assert run.wait(300).words() == [FAILED]
    assert run.watch.active[0].facts["iteration"] == 112


def test_an_exception_in_a_run_that_writes_in_blocks_waits_for_the_next_block():
    run = Training(poll=5.0).train_in_blocks(5, 200, every=1.0).write(TRACEBACK, 1).train_in_blocks(3, 200, every=1.0)
    assert "failed" not in {told.kind for told in run.told}


@pytest.mark.parametrize(("total", "kind"), [(40, "finished"), (50, "failed")])
def test_exit_code_0_excuses_an_error_only_where_the_last_iteration_came_after_it(total, kind):
    run = Training(poll=5.0)
    run.total = total
    run.train(30).write(TRACEBACK).train(10, every=0.5).wait(10)
    run.state.exit(0, run.now)
    assert verdict(run.state) == kind


def test_of_a_failure_that_follows_from_another_the_root_is_told():
    run = Training().train(30).write(CHILD).write(OOM).wait(300)
    assert run.watch.active[0].facts["cause"] == "cuda_oom"


def test_a_last_checkpoint_that_cannot_be_written_makes_a_failure_of_a_finish():
    failing = TRACEBACK.replace("ValueError: loss is not a number", "OSError: [Errno 28] No space left on device")
    assert Training().train(30).write(DONE).write(failing, 5).wait(300).words() == [FAILED]


def test_a_failure_after_the_finish_was_told_is_told_too():
    assert Training(poll=5.0).train(30).write(DONE).wait(100).write(OOM).wait(100).words() == [FINISHED, FAILED]


def test_a_failure_before_anything_else_is_told():
    run = Training(poll=5.0).write(OOM, 10).wait(200)
    assert run.words() == [FAILED]


def test_an_exception_while_a_run_starts_gets_the_time_of_two_and_a_half_floors():
    run = Training(poll=5.0).write("using world size: 8").write(TRACEBACK).wait(400)
    assert run.told == [Told("failed", "firing", "critical", 300.0)]


def test_a_new_launch_ends_a_failure_without_a_word():
    run = Training().train(30).write(OOM).wait(300)
    run.write("[before the start of training step] datetime: 2026-11-24 10:30:00").wait(100)
    assert run.words() == [FAILED]
    assert run.watch.active == ()
    assert run.state.phase == "starting"


def test_a_launch_after_one_that_failed_while_starting_is_a_new_one():
    run = Training().write("using world size: 8").write(OOM).write(CHILD).wait(300)
    run.write("  log_interval ............ 1").wait(100)
    assert (run.words(), run.watch.active, run.state.launches) == ([FAILED], (), 2)


def test_a_failure_ends_stuck_when_it_is_certain_and_not_before():
    run = Training(poll=10.0).train(30).wait(300).write(TRACEBACK).wait(100)
    assert [(told.kind, told.reason, told.at) for told in run.told] == [
        ("stuck", "firing", 420.0),
        ("stuck", "resolved", 630.0),
        ("failed", "firing", 630.0),
    ]


def test_a_failure_that_was_none_leaves_stuck_to_the_next_line():
    run = Training(poll=10.0).train(30).wait(300).write(TRACEBACK).train(60, every=5.0)
    assert run.words() == [("stuck", "firing", "warning"), ("stuck", "resolved", "warning")]


def test_a_save_after_the_end_marker_is_remembered():
    run = Training().train(30).write(DONE)
    run.write("saving checkpoint at iteration 30 to /ckpt in torch format", 1)
    run.write("  successfully saved checkpoint from iteration 30 to /ckpt", 9).wait(100)
    assert (run.words(), run.state.checkpoint, run.state.phase) == ([FINISHED], 30, "ending")


@pytest.mark.parametrize(
    ("code", "total", "kind"), [(0, 30, "finished"), (0, 100, "stopped"), (1, 30, "failed"), (137, 100, "failed")]
)
def test_without_a_marker_the_exit_code_decides(code, total, kind):
    run = Training()
    run.total = total
    run.train(30).wait(10)
    run.state.exit(code, run.now)
    assert verdict(run.state) == kind
    run.wait(7200)
    assert [told.kind for told in run.told] == [kind]


@pytest.mark.parametrize(("code", "kind"), [(143, "stopped"), (130, "stopped"), (124, "stopped"), (134, "failed")])
def test_an_exit_code_of_a_signal_that_people_send_is_a_stop(code, kind):
    run = Training().train(30).wait(10)
    run.state.exit(code, run.now)
    assert verdict(run.state) == kind


def test_a_signal_to_a_training_that_was_done_takes_nothing_from_it():
    run = Training(poll=5.0).train(30).write(DONE).wait(10)
    run.state.exit(143, run.now)
    assert verdict(run.state) == "finished"


def test_a_signal_to_a_training_that_had_failed_does_not_excuse_it():
    run = Training(poll=5.0).train(30).write(OOM).wait(10)
    run.state.exit(143, run.now)
    assert verdict(run.state) == "failed"


def test_where_a_word_for_the_end_is_due_an_exit_without_it_is_none():
    run = Training().train(30).wait(10)
    run.state.total = None
    run.state.exit(0, run.now)
    assert verdict(run.state) == "stopped"
    run.state.announces_end = False
    assert verdict(run.state) == "finished"


def test_a_run_that_has_no_word_for_its_end_has_finished_once_no_pause_could_go_on():
    run = Training(poll=5.0, stamps=False)
    run.watch.format = "mmengine"
    for number in range(1, 41):
        if number == 21:
            run.write("INFO - Saving checkpoint at 20 iterations").wait(90)
        run.write(f"INFO - Iter(train) [{number}/40]  lr: 1e-2  time: 1.0  loss: 0.5", 1)
    run.write("INFO - Saving checkpoint at 40 iterations").wait(85)
    assert run.told == []
    assert run.wait(120).words() == [FINISHED]


def test_a_signal_that_a_launcher_sends_after_an_error_is_no_planned_stop():
    assert Training().train(30).write(OOM).write(SIGTERM, 1).wait(300).words() == [FAILED]


def test_an_error_that_a_run_went_on_after_does_not_spoil_its_planned_stop():
    assert Training().train(30).write(TRACEBACK).train(5).write(SIGTERM).wait(300).words() == [STOPPED]


def test_a_worker_that_is_terminated_first_is_part_of_the_stop():
    killed = TRACEBACK.replace(
        "ValueError: loss is not a number", "RuntimeError: DataLoader worker (pid 17) is killed by signal: Terminated."
    )
    assert Training().train(30).write(killed).write(SIGTERM, 1).wait(300).words() == [STOPPED]


def test_what_dies_just_before_slurm_says_that_the_time_is_over_is_no_cause():
    assert Training().train(30).write(TRACEBACK).write(SLURM, 2).wait(300).words() == [STOPPED]


def test_what_died_long_before_slurm_ended_the_job_is_the_cause():
    assert Training().train(30).write(TRACEBACK).wait(90).write(SLURM).wait(300).words() == [FAILED]


def test_a_run_that_somebody_interrupted_has_stopped():
    keys = TRACEBACK.replace("ValueError: loss is not a number", "KeyboardInterrupt")
    assert Training().train(30).write(keys).wait(300).words() == [STOPPED]


def test_a_run_that_saves_after_its_end_has_finished_when_that_is_over():
    run = Training(poll=5.0).train(30).write("saving checkpoint at iteration 30 to /ckpt", 1)
    run.write("  successfully saved checkpoint from iteration 30 to /ckpt", 200).train(3).write(DONE, 1)
    run.write("saving checkpoint at iteration 33 to /ckpt", 1).wait(150)
    assert run.words() == []
    assert run.write("  successfully saved checkpoint from iteration 33 to /ckpt").wait(60).words() == [FINISHED]


def test_a_save_after_the_end_that_never_says_that_it_is_done_takes_a_floor_at_most():
    run = Training(poll=5.0).train(30).write(DONE).write("saving checkpoint at iteration 30 to /ckpt", 1).wait(200)
    assert run.told == [Told("finished", "firing", "info", 451.0)]


def test_a_save_that_fails_after_the_end_is_told_once_as_a_failure():
    failing = TRACEBACK.replace("ValueError: loss is not a number", "OSError: [Errno 28] No space left on device")
    run = Training(poll=5.0).train(30).write(DONE).write("saving checkpoint at iteration 30 to /ckpt", 1)
    assert run.write(failing, 100).wait(300).words() == [FAILED]


def test_an_exit_with_an_error_makes_a_failure_of_a_finish():
    run = Training().train(30).write(DONE).wait(10)
    run.state.exit(134, run.now)
    assert verdict(run.state) == "failed"


def test_an_exit_before_any_line_says_nothing():
    run = Training()
    run.state.exit(0, run.now)
    assert verdict(run.state) is None


def test_an_ending_tells_where_the_run_stood():
    run = Training().train(30).write(DONE).wait(100)
    facts = run.watch.active[0].facts
    assert (facts["iteration"], facts["total"], facts["loss"], facts["started_at"]) == (
        30,
        100_000,
        2.314012,
        run.state.started_at,
    )


@pytest.mark.parametrize("error", ["KeyError: 'tokens'", "FileNotFoundError: [Errno 2] No such file or directory: 'x'"])
def test_an_exception_that_tools_and_retries_throw_is_given_time_while_a_run_starts(error):
    frames = 'Traceback (most recent call last):\n  File "/job/probe.py", line 3, in <module>\n    probe()\n'
    run = Training().write(f"{frames}{error}\n").wait(200)
    assert run.words() == []
    assert run.wait(200).words() == [FAILED]
