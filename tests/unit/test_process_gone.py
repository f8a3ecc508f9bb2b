"""A process is gone only if it had been seen, and then the run has ended, whatever its log says or does not say."""

from __future__ import annotations

import pytest

from monitor_core.detect.ending import verdict
from monitor_core.model.incidents import Kind, Phase
from monitor_core.model.records import KnownBy, ProcessQuery
from monitor_core.track.process import ProcessSeen
from tests.support.training import START, Told, Training

DONE = "[after training is done] datetime: 2026-11-24 10:00:00"
SIGTERM = "[exiting program after receiving SIGTERM.] datetime: 2026-11-24 10:00:00"
TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 10, in <module>
    main()
ValueError: loss is not a number"""
FINISHED = ("finished", "firing", "info")
STOPPED = ("stopped", "firing", "warning")
FAILED = ("failed", "firing", "critical")


def seen(lines=30, *, total=100_000, **how):
    """Return a run whose process was seen alive while it printed lines."""
    run = Training(**how)
    run.total = total
    return run.sees("alive").train(lines)


def fact(run, name):
    (incident,) = run.watch.active
    return incident.facts.get(name)


def ended(run, word, **told):
    """Let its scheduler say how it ended, ten seconds from now."""
    return run.sees("not found", f"Slurm job 4711 is {word}", word=word, ended_at=run.at + 10.0, **told).wait(200)


def test_a_process_that_is_gone_without_a_word_has_failed():
    run = seen().sees("not found").wait(200)
    assert run.words() == [FAILED]
    assert (fact(run, "cause"), fact(run, "text")) == ("process_gone", "process 4711")


def test_it_is_looked_at_again_ten_seconds_after_it_was_missed_and_told_a_quarter_of_a_floor_later():
    run = seen(poll=60.0).sees("not found").wait(200)
    assert [told.at for told in run.told] == [390.0]


def test_a_process_that_was_never_seen_alive_is_not_known_to_be_gone():
    run = Training().sees("not found").train(30).wait(100)
    assert run.told == []
    assert run.state.process.text == "not found (process 4711)"


def test_one_look_that_misses_it_is_not_enough():
    run = seen().sees("not found").wait(5).sees("alive", "process 4712").wait(50).train(20)
    assert run.told == []
    assert run.state.process.text == "alive (process 4712)"


def test_what_nobody_can_tell_is_not_gone():
    run = seen().sees("not known", "squeue did not answer within 3 s").wait(100)
    assert run.told == []


def test_between_two_looks_that_miss_it_a_look_that_cannot_tell_proves_nothing():
    run = seen().sees("not found").wait(5).sees("not known").wait(100)
    assert run.told == []


def test_a_log_that_goes_on_without_the_process_shows_that_it_is_another():
    run = seen().sees("not found")
    run.train(30)
    assert run.told == []
    assert run.state.process.text == "not found (process 4711)"


def test_a_failure_that_a_missing_process_told_of_is_taken_back_when_the_log_goes_on():
    run = Training(poll=20.0).sees("alive").train(10, every=60.0).sees("not found").wait(50)
    assert verdict(run.state) is Kind.FAILED
    run.train(30, every=60.0)
    assert (run.told, verdict(run.state)) == ([], None)


def test_where_no_process_is_named_nothing_changes():
    run = Training().train(30).wait(115)
    assert (run.told, run.state.process.text) == ([], "")


def test_a_process_that_is_no_longer_named_is_forgotten():
    run = seen()
    run.sign = None
    run.train(10)
    assert run.state.process == ProcessSeen()


def test_the_cause_that_the_log_tells_beats_a_process_that_is_gone():
    run = seen().write(TRACEBACK, 1).sees("not found").wait(200)
    assert (run.words(), fact(run, "cause")) == ([FAILED], "exception")


def test_a_process_that_is_gone_after_the_last_iteration_has_finished():
    run = seen(30, total=30).sees("not found").wait(200)
    assert (run.words(), fact(run, "text")) == ([FINISHED], "its process is gone after the last iteration")


def test_a_process_that_is_gone_one_iteration_before_the_last_has_failed():
    assert seen(29, total=30).sees("not found").wait(200).words() == [FAILED]


def test_a_planned_stop_stays_one_when_the_process_is_gone():
    assert seen().write(SIGTERM).sees("not found").wait(200).words() == [STOPPED]


def test_an_end_marker_waits_for_the_process_but_not_for_ever():
    run = seen(poll=5.0).write(DONE).wait(550)
    assert run.told == []
    run.wait(100)
    assert [told.kind for told in run.told] == ["finished", "not_exiting"]


def test_an_end_marker_is_told_as_soon_as_the_process_is_gone():
    run = seen(poll=5.0).write(DONE).wait(100).sees("not found").wait(20)
    assert run.told == [Told("finished", "firing", "info", 415.0)]


def test_an_end_marker_does_not_wait_for_what_nobody_can_tell():
    run = seen(poll=5.0).write(DONE).sees("not known").wait(60)
    assert run.words() == [FINISHED]


def test_a_process_that_comes_back_is_a_run_that_starts_again():
    run = seen().sees("not found").wait(200).sees("alive", "process 5000").wait(60)
    assert (run.state.phase, run.state.launches, verdict(run.state)) == (Phase.STARTING, 2, None)
    assert run.words() == [FAILED]


def test_a_process_that_comes_back_after_an_end_marker_proves_no_launch():
    run = seen().write(DONE).sees("not found").wait(200).sees("alive", "process 5000").wait(60)
    assert (verdict(run.state), run.words()) == (Kind.FINISHED, [FINISHED])


def test_a_silence_is_critical_at_once_when_the_process_is_gone():
    run = seen().wait(200).sees("not found").wait(120)
    assert run.words()[:2] == [("stuck", "firing", "warning"), ("stuck", "escalated", "critical")]
    assert sorted(run.words()[2:]) == [FAILED, ("stuck", "resolved", "critical")]


def test_a_failure_in_the_log_is_told_sooner_when_the_process_is_gone():
    run = Training().sees("alive").train(10, every=60.0).write(TRACEBACK, 1).sees("not found").wait(100)
    assert (run.words(), run.told[0].at < 700.0) == ([FAILED], True)


def test_another_process_that_the_configuration_names_has_not_been_seen_yet():
    run = seen().sees("not found", of="pid_file /data/other.pid").wait(100)
    assert run.told == []


# --- what a scheduler says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "told", "cause"),
    [
        ("TIMEOUT", STOPPED, "slurm_time_limit"),
        ("CANCELLED", STOPPED, "slurm_cancelled"),
        ("PREEMPTED", STOPPED, "slurm_preempted"),
        ("NODE_FAIL", FAILED, "slurm_node_failed"),
        ("OUT_OF_MEMORY", FAILED, "host_oom"),
        ("FAILED", FAILED, "slurm_failed"),
        ("COMPLETED", STOPPED, "exit_code"),
    ],
)
def test_the_word_of_the_scheduler_is_the_verdict(word, told, cause):
    run = ended(seen(), word)
    assert (run.words(), fact(run, "cause")) == ([told], cause)


def test_the_exit_code_that_the_scheduler_tells_is_the_cause():
    run = ended(seen(), "FAILED", exit_code=137)
    assert (run.words(), fact(run, "text")) == ([FAILED], "exit code 137")


def test_a_job_that_completed_after_its_last_iteration_has_finished():
    assert ended(seen(30, total=30), "COMPLETED", exit_code=0).words() == [FINISHED]


def test_a_job_that_failed_after_the_end_marker_has_failed():
    assert ended(seen().write(DONE), "FAILED", exit_code=134).words() == [FAILED]


def test_a_time_limit_after_the_end_marker_takes_nothing_from_a_training_that_was_done():
    assert ended(seen().write(DONE), "TIMEOUT").words() == [FINISHED]


def test_a_planned_stop_beats_the_traceback_that_its_signal_causes():
    assert ended(seen().write(TRACEBACK, 1), "TIMEOUT").words() == [STOPPED]


def test_the_scheduler_is_believed_of_a_job_that_was_never_seen():
    run = ended(Training().sees("not known").train(30), "FAILED", exit_code=1)
    assert run.words() == [FAILED]


def test_a_job_that_had_ended_before_the_last_lines_is_that_of_an_earlier_launch():
    run = Training().sees("not known").train(6)
    run.sees("not found", "Slurm job 4711 is FAILED", word="FAILED", exit_code=1, ended_at=START - 900.0).train(60)
    assert run.told == []
    assert run.state.process.text == "not known (the log goes on, but Slurm job 4711 is FAILED)"


def test_a_job_that_waits_in_the_queue_again_is_starting_and_never_silent():
    run = seen().sees("waiting", "Slurm job 4711").wait(7200)
    assert (run.told, run.state.phase, run.state.launches) == ([], Phase.STARTING, 2)
    run.sees("alive").wait(600).train(20)
    assert (run.told, run.state.launches) == ([], 2)


def test_a_job_is_asked_for_by_the_number_it_was_seen_with_until_its_end_is_known():
    query, process = (
        ProcessQuery(KnownBy.SLURM, "llama"),
        seen().sees("alive", jobs="4711", of="slurm llama").wait(60).state.process,
    )
    assert (ProcessSeen().ask(query).jobs, process.ask(query).jobs) == ("", "4711")
    process.gone = True
    assert process.ask(query).jobs == ""
    assert process.ask(ProcessQuery(KnownBy.SLURM, "other")).jobs == ""


def test_a_scheduler_without_accounting_is_not_asked_for_ever():
    run = Training().sees("not found", "Slurm job 4711 is not there", of="slurm 4711").train(60)
    assert run.state.process.ask(ProcessQuery(KnownBy.SLURM, "4711")).jobs == ""
