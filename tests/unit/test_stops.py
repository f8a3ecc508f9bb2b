"""Why a run stopped before its end, in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.parse.parser import Parser
from monitor_core.parse.stops import reason, told_to
from tests.support.incidents import STOPPED, told
from tests.support.training import Training


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("exiting program at iteration 8000", "its exit interval was reached, iteration 8,000"),
        ("exiting the program at iteration 8000", "its exit interval was reached, iteration 8,000"),
        ("exiting program after 1200.4 minutes", "its time limit of 1,200 minutes was over"),
        ("exiting program after receiving SIGTERM.", "it received SIGTERM"),
        ("Received SIGTERM: 15", "it received SIGTERM"),
        ("Detected KeyboardInterrupt", "somebody interrupted it from the keyboard"),
        ("Time limit reached", "its time limit was over"),
        ("`max_time=00:12:00:00` reached", "its time limit was over"),
        ("Preemption detected", "its nodes were taken away"),
        ("Batch 10: Invalid loss, terminating training", "its loss is not a number"),
        ("exiting program after 3.2.1 minutes", "its time limit of 3.2.1 minutes was over"),
        ("closing time.", "closing time"),
    ],
)
def test_what_a_run_says_as_it_stops_is_put_into_plain_words(said, words):
    assert reason(said) == words


@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError: DataLoader worker (pid 4711) is killed by signal: Terminated. ",
        "SignalException: Process 4711 got signal: 15",
        "SystemExit: SIGTERM",
    ],
)
def test_an_error_that_names_the_signal_came_of_it(error):
    assert told_to(error)


@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError: DataLoader worker (pid 4711) is killed by signal: Killed. ",
        "SignalException: Process 4711 got signal: 11",
        "ValueError: signal: 150 samples",
    ],
)
def test_an_error_that_names_another_signal_did_not(error):
    assert not told_to(error)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[exiting program at iteration 30]", "its exit interval was reached, iteration 30."),
        ("[exiting program after 60.0 minutes]", "its time limit of 60 minutes was over."),
        ("[exiting program after receiving SIGTERM.]", "it received SIGTERM."),
        (
            "slurmstepd: error: *** JOB 4711 ON gpu-01 CANCELLED AT 2026-11-24T10:00:00 DUE TO PREEMPTION ***",
            "Slurm took its nodes away.",
        ),
        (
            "slurmstepd: error: *** JOB 4711 ON gpu-01 CANCELLED AT 2026-11-24T10:00:00 ***",
            "somebody cancelled it in Slurm.",
        ),
    ],
)
def test_people_are_told_why_a_run_stopped(line, sentence):
    run = Training().train(30).write(line).wait(300)
    (incident,) = run.watch.active
    assert told(incident)[1].partition(": ")[2] == sentence


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (143, "it received SIGTERM (exit code 143)."),
        (130, "somebody interrupted it from the keyboard (exit code 130)."),
        (124, "its time limit was over (exit code 124)."),
    ],
)
def test_an_exit_code_that_tells_of_an_order_is_put_into_words(code, sentence):
    run = Training().train(30).wait(10)
    run.state.exit(code, run.now)
    (incident,) = run.wait(300).watch.active
    assert (incident.kind, told(incident)[1].partition(": ")[2]) == ("stopped", sentence)


def test_a_stop_that_was_stored_without_a_reason_shows_what_the_run_said():
    facts = {name: value for name, value in STOPPED.facts.items() if name != "reason"}
    assert told(replace(STOPPED, facts=facts))[1].endswith(": exiting program after receiving SIGTERM.")


@pytest.mark.parametrize("format", ["lightning", "nemo"])
@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (
            "Monitored metric val_loss did not improve in the last 3 records. Signaling Trainer to stop.",
            "training_done",
        ),
        ("Monitored metric val_loss = nan is not finite. Best was 0.1. Signaling Trainer to stop.", "exiting"),
        ("Time limit reached. Elapsed time is 0:30:00. Signaling Trainer to stop.", "exiting"),
        ("`Trainer.fit` stopped: `max_epochs=3` reached.", "training_done"),
        ("`Trainer.fit` stopped: `max_time=00:12:00:00` reached.", "exiting"),
        ("[rank: 0] Received SIGTERM: 15", "exiting"),
        ("Trainer was signaled to stop but the required `min_epochs=5` or `min_steps=None` has not been met.", None),
    ],
)
def test_what_lightning_says_of_an_end_is_known_to_what_is_built_on_it(format, line, kind):
    assert [record.kind for record in Parser(format).feed(f"{line}\n".encode())] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("format", "line", "kind"),
    [
        ("nemo", "[NeMo I] Preemption detected, saving checkpoint and exiting", "exiting"),
        (
            "mmengine",
            "11/24 - mmengine - INFO - the monitored metric did not improve in the last 5 records. best score: 1.",
            "training_done",
        ),
    ],
)
def test_an_end_before_the_last_iteration_is_known(format, line, kind):
    assert [record.kind for record in Parser(format).feed(f"{line}\n".encode())] == [kind]
