"""The replay of real logs, kept outside the repository, says what a person read in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.truth import differences, expected, in_words, rows

LOGS = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared")) / "logs"
INDEX = LOGS / "INDEX.tsv"
TRUTH = {row["file"]: row for row in rows(Path(__file__).parents[1] / "data" / "shared_logs_truth.tsv")}
pytestmark = pytest.mark.skipif(
    not INDEX.exists(), reason="no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"
)


def test_each_shared_log_has_a_row():
    assert sorted(TRUTH) == sorted(row["file"] for row in rows(INDEX))


# What a person sees in them, and we do not.
NOT_RIGHT = {
    "fairseq/sg_hubert_pretrain.log": "its first launch says nothing but its configuration, and ends without a word",
    "lavis/sevila_orig.log": "evaluations alone: without progress no format is recognised",
    "dlrover/dlrover_fault_blocks.log": "excerpts of a document about several jobs, taken for one",
}


@pytest.mark.parametrize("name", TRUTH)
def test_the_replay_of_a_log_says_what_a_person_read_in_it(name):
    wrong = in_words(TRUTH[name], LOGS)
    assert bool(wrong) == (name in NOT_RIGHT), wrong or "it is right: take it off the list"


def test_nearly_all_whole_logs_are_right_and_hardly_a_field_is_wrong():
    whole = [row["file"] for row in rows(INDEX) if row["whole_or_excerpt"].startswith("whole")]
    right = [name for name in whole if not differences(TRUTH[name], LOGS)]
    told = [got for row in TRUTH.values() for _, got in differences(row, LOGS).values() if got not in {None, "unknown"}]
    assert len(right) >= 0.95 * len(whole), f"{len(right)} of {len(whole)} whole logs are right"
    assert len(told) <= 0.01 * sum(len(expected(row)) for row in TRUTH.values()), f"{len(told)} fields are wrong"
