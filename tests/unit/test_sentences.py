"""What is said of each kind of incident, whole and to the letter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.incident.excerpt import shorten
from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import Kind
from tests.support.incidents import BY_NAME, FINISHED, ON_HOST, STOPPED, STUCK, UNREACHABLE, resolved, told

FIRING = {
    "STUCK": [
        "moe-16x3b STUCK 6m 12s · critical",
        "No new line since 09:52:35 UTC on gpu-07. One was due every 4.1 s; the limit is 2m.",
        "Iteration: 12,400 / 50,000 (24.8%)",
        "Loss: 2.314",
        "ETA: 14:08 to 14:14 UTC (+6m 12s and growing)",
        "Checkpoint: 12,000 at 09:47 UTC",
        "Owner: U012ALICE",
        "09:52:35 iteration 12400/50000 | lm loss: 2.314012E+00 |",
        "[rank5] open shard",
        "d",
    ],
    "SLOW": [
        "moe-16x3b SLOW 1.62x · warning",
        (
            "Takes 1.62x as long since iteration 12,300 at 09:52:35 UTC on gpu-07: 0.408 to 0.661 s per"
            " iteration. The limit is 1.10x."
        ),
        "Iteration: 12,400 / 50,000 (24.8%)",
        "Loss: 2.314",
        "ETA: 14:08 to 16:46 UTC (+2h 38m) if it stays",
        "Checkpoint: 12,000 at 09:47 UTC",
        "Owner: U012ALICE",
    ],
    "FINISHED": [
        "moe-16x3b FINISHED in 9h 14m",
        "50,000 / 50,000 iterations, ended 09:52 UTC on gpu-07: end marker seen.",
        "Loss: 2.314",
        "Speed: 0.408 s per iteration",
        "Checkpoint: 12,000 at 09:47 UTC",
        "Owner: U012ALICE",
    ],
    "STOPPED": [
        "moe-16x3b STOPPED EARLY · warning",
        (
            "Stopped as planned after 12,400 / 50,000 iterations, 09:52 UTC on gpu-07: exiting program after"
            " receiving SIGTERM."
        ),
        "Iteration: 12,400 / 50,000 (24.8%)",
        "Loss: 2.314",
        "Speed: 0.408 s per iteration",
        "Checkpoint: 12,000 at 09:47 UTC",
        "Owner: U012ALICE",
    ],
    "FAILED": [
        "moe-16x3b FAILED · critical",
        "GPU out of memory on rank 3 on gpu-07 at 09:52:35 UTC. No progress line came after it.",
        "Iteration: 12,400 / 50,000 (24.8%)",
        "Loss: 2.314",
        "Checkpoint: 12,000 at 09:47 UTC",
        "To redo: 400 iterations",
        "Owner: U012ALICE",
        "OutOfMemoryError: CUDA out of memory.",
    ],
    "UNREACHABLE": [
        "gpu-07 UNREACHABLE 6m 12s · warning",
        (
            "SSH gave no answer 4 times; last answer 09:52:35 UTC from gpu-07 (192.0.2.7): timed out. Its 2"
            " runs are unknown, not stuck: I cannot see their logs."
        ),
        "moe-16x3b: 12,400 / 50,000 (24.8%)",
        "sft-7b: no line seen",
    ],
    "HOST_KEY": [
        "gpu-07 HOST KEY CHANGED 6m 12s · critical",
        (
            "Another host key since 09:52:35 UTC from gpu-07 (192.0.2.7); it was not accepted. The key is"
            " SHA256:abc. Its 2 runs are unknown, not stuck: I cannot see their logs."
        ),
        "moe-16x3b: 12,400 / 50,000 (24.8%)",
        "sft-7b: no line seen",
    ],
    "MISSING": [
        "moe-16x3b UNKNOWN 6m 12s · warning",
        "No log to read since 09:52:35 UTC on gpu-07: No file matches /data/*.log. The run is unknown, not stuck.",
        "Iteration: 12,400 / 50,000 (24.8%)",
        "Loss: 2.314",
        "Checkpoint: 12,000 at 09:47 UTC",
        "Owner: U012ALICE",
    ],
    "UNREADABLE": [
        "moe-16x3b UNKNOWN 6m 12s · warning",
        (
            "No log to read since 09:52:35 UTC on gpu-07: Permission denied: /data/train.log. The run is"
            " unknown, not stuck."
        ),
        "Iteration: 12,400 / 50,000 (24.8%)",
        "Loss: 2.314",
        "Checkpoint: 12,000 at 09:47 UTC",
        "Owner: U012ALICE",
    ],
    "ERROR": [
        "trainstatus MONITOR ERROR · warning",
        "Slack takes no messages since 09:52:35 UTC: invalid_auth",
    ],
    "TEST": ["trainstatus TEST", "This is a test, asked for by alice at 09:52:35 UTC. Nothing is wrong."],
}
RESOLVED = {
    "STUCK": [
        "moe-16x3b resolved · STUCK 53m",
        "New lines again since 10:46:10 UTC on gpu-07.",
        "Silent: 09:52:35 to 10:46:10 UTC (53m 35s)",
        "ETA: 14:08 to 15:01 UTC (+53m)",
    ],
    "SLOW": [
        "moe-16x3b resolved · SLOW 1.70x",
        "Back to 0.408 s per iteration since 10:46:10 UTC on gpu-07.",
        "Slow: 09:52:35 to 10:46:10 UTC (53m 35s)",
    ],
    "UNREACHABLE": [
        "gpu-07 resolved · UNREACHABLE 53m",
        "gpu-07 answers again since 10:46:10 UTC. Its logs are read from where I stopped.",
        "Unseen: 09:52:35 to 10:46:10 UTC (53m 35s)",
    ],
    "HOST_KEY": [
        "gpu-07 resolved · HOST KEY CHANGED 53m",
        "gpu-07 answers again since 10:46:10 UTC. Its logs are read from where I stopped.",
        "Unseen: 09:52:35 to 10:46:10 UTC (53m 35s)",
    ],
    "MISSING": [
        "moe-16x3b resolved · UNKNOWN 53m",
        "The log can be read again since 10:46:10 UTC on gpu-07.",
        "Lasted: 09:52:35 to 10:46:10 UTC (53m 35s)",
    ],
    "UNREADABLE": [
        "moe-16x3b resolved · UNKNOWN 53m",
        "The log can be read again since 10:46:10 UTC on gpu-07.",
        "Lasted: 09:52:35 to 10:46:10 UTC (53m 35s)",
    ],
    "ERROR": [
        "trainstatus resolved · MONITOR ERROR",
        "Over since 10:46:10 UTC.",
        "Lasted: 09:52:35 to 10:46:10 UTC (53m 35s)",
    ],
}


@pytest.mark.parametrize("name", FIRING)
def test_a_firing_alert_says_what_since_when_where_and_what_was_expected(name):
    assert told(BY_NAME[name]) == FIRING[name]


@pytest.mark.parametrize("name", RESOLVED)
def test_a_resolved_alert_says_since_when_and_for_how_long_it_was(name):
    assert told(resolved(BY_NAME[name])) == RESOLVED[name]


def test_a_sentence_ends_with_an_ending_that_closed_the_incident():
    over = resolved(STUCK, closed_by="failed")
    assert told(over) == [
        "moe-16x3b resolved · STUCK 53m",
        "Over, since the run is FAILED: 10:46:10 UTC on gpu-07.",
        "Silent: 09:52:35 to 10:46:10 UTC (53m 35s)",
    ]


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        ("starting", "No first line since 09:52:35 UTC on gpu-07. The limit is 2m."),
        ("checkpointing", "No end of the checkpoint since 09:52:35 UTC on gpu-07. The limit is 2m."),
        ("evaluating", "No end of the evaluation since 09:52:35 UTC on gpu-07. The limit is 2m."),
    ],
)
def test_silence_is_named_after_what_the_run_is_doing(phase, sentence):
    stuck = replace(STUCK, facts={**STUCK.facts, "phase": phase, "expected": None})
    assert told(stuck)[1] == sentence


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        (Kind.FINISHED, "exit code 0", "50,000 / 50,000 iterations, ended 09:52 UTC on gpu-07: exit code 0."),
        (
            Kind.STOPPED,
            "exit code 0",
            "Ended after 50,000 / 50,000 iterations, 09:52 UTC on gpu-07: exit code 0, no end marker.",
        ),
        (Kind.FAILED, "exit code 137", "Exit code 137 on gpu-07 at 09:52:35 UTC. No progress line came after it."),
    ],
)
def test_an_end_that_only_the_exit_code_tells_of_says_so(kind, text, sentence):
    ending = replace(FINISHED, kind=kind, facts={**FINISHED.facts, "cause": "exit_code", "text": text})
    assert told(ending)[1] == sentence


def test_a_run_that_ended_before_its_first_line_has_no_iterations():
    assert (
        told(replace(STOPPED, facts={"text": "x"}))[1]
        == "Stopped as planned after 0 iterations, 09:52 UTC on gpu-07: x."
    )


def test_a_stop_by_the_scheduler_is_put_into_words():
    facts = {**STOPPED.facts, "cause": "slurm_time_limit", "text": "slurmstepd: error: *** JOB 1 CANCELLED ***"}
    assert "slurmstepd" not in told(replace(STOPPED, facts=facts))[1]


def test_of_many_runs_of_a_host_the_first_ten_are_named():
    runs = tuple((f"run-{number}", number, None) for number in range(13))
    shown = told(UNREACHABLE, replace(ON_HOST, runs=runs))
    assert shown[-2:] == ["run-9: 9", "And: 3 more"]


def test_the_one_run_of_a_host_is_spoken_of_as_one():
    assert (
        "Its run is unknown, not stuck: I cannot see its log."
        in told(UNREACHABLE, replace(ON_HOST, runs=ON_HOST.runs[:1]))[1]
    )


def test_a_progress_line_is_shortened_to_where_it_is_and_its_loss():
    line = "[2026-11-24 09:52:35.123]   iteration  12400/  50000 | consumed samples: 1 | x: 2 | lm loss: 2.3E+00 | n: 0"
    assert shorten(line) == "09:52:35 iteration 12400/50000 | … | lm loss: 2.3E+00"


def test_any_other_line_is_shortened_in_its_middle_to_the_width_of_a_phone():
    shown = shorten("[rank5] open  /data/" + "shard" * 30 + " 812: retry 3 of 5")
    assert len(shown) <= 64
    assert (shown[:20], shown[-18:]) == ("[rank5] open /data/s", " 812: retry 3 of 5")
    assert shorten("  a   b ") == "a b"


def test_what_is_not_known_is_left_out():
    bare = replace(STUCK, facts={"phase": "training", "expected": None, "limit": 120.0})
    assert told(bare, Scene()) == [
        "moe-16x3b STUCK 6m 12s · critical",
        "No new line since 09:52:35 UTC. The limit is 2m.",
    ]
