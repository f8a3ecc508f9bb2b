"""The cause of runs that crashed, told from their last words."""

from __future__ import annotations

from functools import lru_cache

import pytest

from tests.support.tails import crashed, healthy, read

FILES = ("first.txt", "second.txt")
# What is told otherwise, and why.
NOT_RIGHT = {
    "first 022 nccl_heartbeat, watchdogs_first": "a timeout and a hung watchdog say equally little: the first is kept",
    "first 026 rendezvous, watchdogs_first": "a timeout and a failed rendezvous say equally little: the first is kept",
    "first 054 sigkill, watchdogs_first": "its time is seven months after that of the timeouts",
    "second 054 time_limit, watchdogs_first": "a limit that is reached while ranks wait is not why they wait",
    "second 072 aborted, srun_watchdogs_after": "an abort without a reason is explained by timeouts of others",
}


@lru_cache
def _all():
    return [tail for name in FILES for tail in crashed(name)]


@pytest.mark.parametrize("tail", _all(), ids=lambda tail: tail.name)
def test_the_cause_of_a_crash_is_told_from_its_last_words(tail, tmp_path):
    state, cause = read(tail, tmp_path)
    right = state in {"failed", "stopped"} and cause == tail.cause
    assert right != (tail.name in NOT_RIGHT), f"{state}, {cause}"


def test_nine_causes_of_ten_are_right_of_at_least_two_hundred_crashes():
    assert len(_all()) >= 200
    assert len(NOT_RIGHT) <= 0.1 * len(_all())
    assert NOT_RIGHT.keys() <= {tail.name for tail in _all()}


@pytest.mark.parametrize("tail", healthy(), ids=lambda tail: tail.name)
def test_what_a_run_prints_that_goes_on_is_no_failure(tail, tmp_path):
    assert read(tail, tmp_path) == ("training", "")
