"""What frameworks print is read as what is known of it from having run them, or from their sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.truth import in_words, rows

LOGS = Path(__file__).parents[1] / "data" / "logs"
TRUTH = {row["file"]: row for row in rows(LOGS / "INDEX.tsv")}


def test_each_log_has_a_row():
    assert sorted(TRUTH) == sorted(str(log.relative_to(LOGS)) for log in LOGS.rglob("*.log*") if log.is_file())


# What was known when they ran, and we do not see.
NOT_RIGHT = {
    "keras/terminate_on_nan.log": "its end is glued to the last bar, and a line says one thing",
    "lightning/rich_bar.log": "it is told how many steps there were before the only bar is drawn",
}


@pytest.mark.parametrize("name", TRUTH)
def test_the_replay_of_a_log_says_what_is_true_of_it(name):
    wrong = in_words(TRUTH[name], LOGS)
    assert bool(wrong) == (name in NOT_RIGHT), wrong or "it is right: take it off the list"
