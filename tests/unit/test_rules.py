"""The rule that opened an incident, in words with its numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.incident.rules import deciding_thresholds, decisive_first, rule
from monitor_core.model.decisions import HeldThreshold
from monitor_core.model.incidents import Kind, Severity
from monitor_core.thresholds import CATALOGUE
from monitor_core.units import NBSP
from tests.support.incidents import AT, BY_KIND, SAMPLES, SLOW, STUCK

WORDS = {
    Kind.STUCK: "no progress line for 6m 9s, one was due every 4.1 s: limit 2m",
    Kind.SLOW: "median of 20 lines 0.661 s, usual 0.408 s: 1.62x, limit 1.10x",
    Kind.LOSS_NAN: "loss nan, 2.314 before",
    Kind.LOSS_SPIKE: "6 of the last 10 losses above 2.631, usual 2.314",
    Kind.DIVERGED: "smoothed loss 3.041 for 200 lines, its best 2.114: 1.44x, limit 1.30x",
    Kind.LOSS_FLAT: "loss 6.908 on 50 lines in a row: limit 50",
    Kind.SKIPPING: "13 of 50 iterations skipped: 26%, limit 20%",
    Kind.FINISHED: "the log says so, after iteration 50,000",
    Kind.STOPPED: "exiting program after receiving SIGTERM, after iteration 12,400",
    Kind.FAILED: "GPU out of memory on rank 3 on gpu-08: OutOfMemoryError: CUDA out of memory, after iteration 12,400",
    Kind.FLAPPING: "SLOW fired and resolved 7 times within 6m 9s",
    Kind.UNREACHABLE: (
        "4 polls in a row without an answer, the last one 6m 9s before: no answer from 192.0.2.7:22 within 10 s"
    ),
    Kind.LOG_MISSING: "no file matches /data/*.log",
    Kind.BLIND: "nobody looked: trainstatus was not running",
    Kind.MONITOR_ERROR: "Slack takes no messages: invalid_auth",
    Kind.TEST: "a test, asked for by alice",
}


def said(incident):
    return rule(incident, AT + 369).replace(NBSP, " ")


@pytest.mark.parametrize("kind", WORDS)
def test_each_kind_says_by_what_it_was_judged(kind):
    assert said(BY_KIND[kind]) == WORDS[kind]


@pytest.mark.parametrize("incident", SAMPLES, ids=lambda sample: sample.kind)
def test_a_rule_is_said_whatever_is_known(incident):
    assert isinstance(said(replace(incident, facts={})), str)
    assert "None" not in said(replace(incident, facts={**incident.facts, "more": None}))


@pytest.mark.parametrize(
    ("facts", "begin"),
    [
        ({"phase": "starting", "limit": 1800.0}, "no first line for 6m 9s: limit 30m"),
        ({"phase": "checkpointing", "limit": 900.0, "expected": 4.0}, "no end of the checkpoint for 6m 9s: limit 15m"),
        ({"phase": "training", "limit": 120.0, "limit_critical": 360.0}, "no progress line for 6m 9s: limit 6m"),
    ],
)
def test_silence_is_measured_by_what_was_waited_for_and_the_limit_that_was_passed(facts, begin):
    assert said(replace(STUCK, facts=facts)) == begin


def test_the_pace_says_over_how_many_lines_it_was_measured():
    assert said(replace(SLOW, facts={**SLOW.facts, "lines": 1})).startswith("last line 0.661 s")
    assert said(replace(SLOW, facts={**SLOW.facts, "lines": None})).startswith("median of the last lines 0.661 s")


def test_the_deciding_threshold_is_that_of_the_severity():
    assert deciding_thresholds(Kind.SLOW, Severity.WARNING) == ("slow", "slow_critical")
    assert deciding_thresholds(Kind.STUCK, Severity.CRITICAL) == ("stuck_critical", "stuck", "stuck_floor")
    assert deciding_thresholds(Kind.MONITOR_ERROR, Severity.WARNING) == ()


@pytest.mark.parametrize(
    ("facts", "severity", "first"),
    [
        ({"phase": "training", "limit": 5.0, "expected": 1.0}, Severity.WARNING, "stuck_floor"),
        (
            {"phase": "training", "limit": 5.0, "limit_critical": 25.0, "expected": 1.0},
            Severity.CRITICAL,
            "stuck_floor",
        ),
        ({"phase": "training", "limit": 20.0, "expected": 8.0}, Severity.WARNING, "stuck"),
        (
            {"phase": "training", "limit": 20.0, "limit_critical": 40.0, "expected": 8.0},
            Severity.CRITICAL,
            "stuck_critical",
        ),
        ({"phase": "checkpointing", "limit": 37.5, "expected": 1.0}, Severity.WARNING, "stuck_floor"),
        ({"phase": "starting", "limit": 75.0, "expected": None}, Severity.WARNING, "stuck_floor"),
    ],
)
def test_the_threshold_that_a_silence_s_limit_came_from_is_the_first(facts, severity, first):
    held = [
        HeldThreshold("stuck", "2.5", "default"),
        HeldThreshold("stuck_critical", "5", "default"),
        HeldThreshold("stuck_floor", "5s", "config defaults"),
    ]
    found = decisive_first(replace(STUCK, facts=facts, severity=severity), held)
    assert found[0].name == first
    assert sorted(one.name for one in found) == ["stuck", "stuck_critical", "stuck_floor"]


def test_a_critical_silence_is_by_the_duration_of_stuck_that_it_is_a_multiple_of():
    held = [HeldThreshold("stuck_critical", "5", "default"), HeldThreshold("stuck", "20m", "set for all")]
    facts = {"phase": "training", "limit": 1200.0, "limit_critical": 3000.0, "expected": 1.0}
    silent = replace(STUCK, facts=facts, severity=Severity.CRITICAL)
    assert decisive_first(silent, [*held, HeldThreshold("stuck_floor", "2m", "default")])[0].name == "stuck"


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_judged_by_thresholds_that_there_are(kind):
    assert set(deciding_thresholds(kind, Severity.WARNING)) <= set(CATALOGUE)
