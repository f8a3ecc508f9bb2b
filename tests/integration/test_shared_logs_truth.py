"""The replay of real logs, kept outside the repository, says what a person read in them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from functools import lru_cache
from pathlib import Path

import pytest

from monitor_core.cli import main

SHARED = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared"))
INDEX = SHARED / "logs" / "INDEX.tsv"
TABLE = Path(__file__).parents[1] / "data" / "shared_logs_truth.tsv"
NUMBERS = ("first", "last", "total", "count", "launches")
TOLERANCE = {"median_ms": 0.02, "last_loss": 0.001}
ROUGHLY = 0.05
pytestmark = pytest.mark.skipif(
    not INDEX.exists(), reason="no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"
)


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


TRUTH = {row["file"]: row for row in rows(TABLE)}


def expected(name):
    row = TRUTH[name]
    texts = {field: row[field] or None for field in ("format", "state", "cause")}
    counts = {field: int(row[field]) if row[field] else None for field in NUMBERS}
    return texts | counts | {field: close(row[field], TOLERANCE[field]) for field in TOLERANCE}


def close(number, tolerance):
    """`~` before a number: the log tells it only roughly."""
    if not number:
        return None
    return pytest.approx(float(number.removeprefix("~")), rel=ROUGHLY if number.startswith("~") else tolerance)


@lru_cache
def replayed(name):
    report = json.loads(_output(SHARED / "logs" / name))
    found = {"format": report["format"], "state": report["state"], "cause": (report["cause"] or {}).get("id")}
    numbers = {field: report["iterations"][field] for field in NUMBERS}
    return (
        found
        | numbers
        | {
            "median_ms": report["ms_per_iteration"]["median"],
            "last_loss": report["loss"]["last"],
        }
    )


def _output(log):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        main(["replay", str(log), "--json"])
    return out.getvalue()


def differences(name):
    got = replayed(name)
    pairs = {field: (right, got[field]) for field, right in expected(name).items()}
    return {field: (right, got) for field, (right, got) in pairs.items() if right != got}


def test_each_shared_log_has_a_row():
    assert sorted(TRUTH) == sorted(row["file"] for row in rows(INDEX))


@pytest.mark.parametrize("name", TRUTH)
def test_the_replay_of_a_log_says_what_a_person_read_in_it(name):
    wrong = [f"{name}: {field}: expected {right}, got {got}" for field, (right, got) in differences(name).items()]
    assert not wrong, "\n".join(wrong)


def test_nearly_all_whole_logs_are_right_and_hardly_a_field_is_wrong():
    whole = [row["file"] for row in rows(INDEX) if row["whole_or_excerpt"].startswith("whole")]
    right = [name for name in whole if not differences(name)]
    told = [got for name in TRUTH for _, got in differences(name).values() if got not in {None, "unknown"}]
    assert len(right) >= 0.95 * len(whole), f"{len(right)} of {len(whole)} whole logs are right"
    assert len(told) <= 0.01 * sum(len(expected(name)) for name in TRUTH), f"{len(told)} fields are wrong"
