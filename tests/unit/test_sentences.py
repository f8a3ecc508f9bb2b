"""What is said of each kind of incident, whole and to the letter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor_core.incident.excerpt import shorten
from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import KINDS, Kind
from tests.support.incidents import (
    BY_KIND,
    FINISHED,
    ON_HOST,
    SLOW,
    STOPPED,
    STUCK,
    UNREACHABLE,
    around,
    resolved,
    told,
)

PAGE = (Path(__file__).parents[1] / "data" / "messages.txt").read_text()
# By kind and part, the lines that the page of all messages has.
WRITTEN = {tuple(part.split("\n", 1)[0].split(" ", 1)): part.strip().split("\n")[1:] for part in PAGE.split("== ")[1:]}


@pytest.mark.parametrize("kind", Kind)
def test_a_firing_alert_says_what_since_when_where_and_what_was_expected(kind):
    assert told(BY_KIND[kind]) == WRITTEN[kind, "firing"]


@pytest.mark.parametrize("kind", [kind for kind in Kind if not KINDS[kind].once])
def test_a_resolved_alert_says_since_when_and_for_how_long_it_was(kind):
    assert told(resolved(BY_KIND[kind])) == WRITTEN[kind, "resolved"]


@pytest.mark.parametrize("kind", Kind)
def test_push_text_mail_subject_and_last_line_name_the_trouble_by_themselves(kind):
    assert around(BY_KIND[kind]) == WRITTEN[kind, "around it"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"how": "sudden"}, "Takes 1.62x as long since iteration 12,300 at"),
        ({"how": "drift"}, "Little by little takes 1.62x as long since iteration 12,300 at"),
        ({"how": "relaunch"}, "Takes 1.62x as long as the launch before, since iteration 12,300 at"),
        ({"derived": True}, "0.408 to 0.661 s per iteration, by the times of its lines. The limit is 1.10x."),
    ],
)
def test_a_slow_run_is_said_to_be_slow_in_the_way_it_is(facts, words):
    assert words in "\n".join(told(replace(SLOW, facts={**SLOW.facts, **facts})))


@pytest.mark.parametrize(
    ("usual", "words"), [(300.0, "Taken for usual in this launch: 0.408 s"), (400.0, "Back to 0.408 s")]
)
def test_a_slow_launch_is_over_when_its_pace_is_taken_for_usual_or_back(usual, words):
    over = resolved(replace(SLOW, facts={**SLOW.facts, "how": "relaunch", "usual_ms": usual}))
    assert words in "\n".join(told(over))


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


def test_an_exit_code_is_put_into_words_with_what_to_try():
    killed = {"cause": "exit_code", "text": "exit code 137", "exit_code": 137}
    lines = told(replace(BY_KIND[Kind.FAILED], facts=killed))
    assert lines[1].startswith("Exit code 137: it was killed from outside (SIGKILL) on gpu-07 at 09:52:35 UTC.")
    assert any(line.startswith("Hint: most often the host ran out of memory") for line in lines)


def test_a_run_that_ended_before_its_first_line_has_no_iterations():
    assert told(replace(STOPPED, facts={"text": "x"}))[1] == "Stopped after 0 iterations, 09:52 UTC on gpu-07: x."


def test_a_stop_by_the_scheduler_is_put_into_words():
    facts = {**STOPPED.facts, "cause": "slurm_time_limit", "text": "slurmstepd: error: *** JOB 1 CANCELLED ***"}
    assert "slurmstepd" not in told(replace(STOPPED, facts=facts))[1]


def test_of_many_runs_of_a_host_the_first_ten_are_named():
    runs = tuple((f"run-{number}", number, None) for number in range(13))
    shown = told(UNREACHABLE, replace(ON_HOST, runs=runs))
    assert shown[11:13] == ["run-9: 9", "and 3 more: "]


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
