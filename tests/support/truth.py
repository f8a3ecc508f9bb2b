"""What is true of a log, from a table that was made by reading or running it, beside what the replay says."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from functools import lru_cache

import pytest

from monitor_core.cli import main

_TEXTS = ("format", "state", "cause")
_COUNTS = ("first", "last", "total", "count", "launches")
_TOLERANCE = {"median_ms": 0.02, "last_loss": 0.001}
_ROUGHLY = 0.05


def rows(path):
    """Return the rows of a table, a dict each; an empty cell is something that the log does not tell."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def expected(row):
    """Return what is true by a row, field by field; None for what the log does not tell."""
    texts = {field: row[field] or None for field in _TEXTS if field in row}
    counts = {field: int(row[field]) if row[field] else None for field in _COUNTS}
    return texts | counts | {field: _close(row[field], tolerance) for field, tolerance in _TOLERANCE.items()}


def differences(row, folder):
    """Return what the replay of a row's log says otherwise, by field: what is true, and what it says."""
    got = _replayed(folder / row["file"])
    pairs = {field: (right, got[field]) for field, right in expected(row).items()}
    return {field: (right, got) for field, (right, got) in pairs.items() if right != got}


def in_words(row, folder):
    """Return the same as lines for people."""
    found = differences(row, folder).items()
    return "\n".join(f"{row['file']}: {field}: expected {right}, got {got}" for field, (right, got) in found)


def _close(number, tolerance):
    """`~` before a number: the log tells it only roughly."""
    if not number:
        return None
    near = _ROUGHLY if number.startswith("~") else tolerance
    return pytest.approx(float(number.removeprefix("~")), rel=near, nan_ok=True)


@lru_cache
def _replayed(log):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        main(["replay", str(log), "--json"])
    report = json.loads(out.getvalue())
    loss = report["loss"]["last"]
    return report["iterations"] | {
        "format": report["format"],
        "state": report["state"],
        "cause": (report["cause"] or {}).get("id"),
        "median_ms": report["ms_per_iteration"]["median"],
        "last_loss": None if loss is None else float(loss),
    }
