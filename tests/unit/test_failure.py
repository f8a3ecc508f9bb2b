"""Which of several errors is the cause."""

from __future__ import annotations

import pytest

from monitor_core.model.records import Failure, Role
from monitor_core.track.failure import FailureSeen


def seen(signature, at=0.0, role=Role.ROOT, **told):
    return FailureSeen.of(Failure(signature, role, f"{signature} line", **told), at, 12_400, "log", first=False)


def cause(*failures):
    first, *others = failures
    for other in others:
        first = first.followed_by(other)
    return first.failure.signature


PEER = seen("peer_lost", role=Role.CASCADE, rank="0")


@pytest.mark.parametrize(
    ("failures", "signature"),
    [
        ((PEER, seen("cuda_oom", 5, rank="3")), "cuda_oom"),
        ((seen("cuda_oom", rank="3"), PEER), "cuda_oom"),
        ((seen("nccl_timeout", rank="0"), seen("disk_full", 200, rank="3")), "disk_full"),
        ((seen("disk_full", rank="3"), seen("nccl_timeout", 600, rank="0")), "disk_full"),
        ((seen("nccl_timeout", rank="0"), seen("sigkill", 10, rank="3")), "sigkill"),
        ((seen("sigkill", rank="3"), seen("host_oom", 10)), "host_oom"),
        ((seen("dataloader", rank="3"), seen("shm", 1)), "shm"),
        ((seen("cuda_oom", rank="3"), seen("disk_full", 1, rank="0")), "cuda_oom"),
    ],
)
def test_of_errors_near_each_other_the_one_that_says_more_is_the_cause(failures, signature):
    assert cause(*failures) == signature


@pytest.mark.parametrize("first", ["nccl_timeout", "sigkill"])
def test_what_comes_much_later_explains_nothing(first):
    assert cause(seen(first, rank="0"), seen("disk_full", 301, rank="3")) == first


def test_of_errors_that_say_as_much_the_first_by_its_printed_time_is_the_cause():
    late, early = seen("cuda_oom", timestamp=1_000_300.0), seen("disk_full", 1, timestamp=1_000_000.0)
    assert (cause(late, early), cause(early, late)) == ("disk_full", "disk_full")


def test_a_time_without_a_year_is_compared_with_one_that_has_it():
    stamped = seen("nccl_timeout", timestamp=1_776_184_246.0)  # 2026-04-14 16:30:46
    glog = seen("nccl_heartbeat", 1, timestamp=72_116_000.0)  # 04-14 16:13:20
    assert cause(stamped, glog) == "nccl_heartbeat"


@pytest.mark.parametrize("stop", ["slurm_time_limit", "stopped_by_signal"])
def test_an_ordered_end_is_explained_by_nothing_that_follows_and_explains_only_what_follows_from_something(stop):
    assert cause(seen(stop), seen("exception", 1, rank="3")) == stop
    assert cause(PEER, seen(stop, 1)) == stop
    assert cause(seen("nccl_timeout"), seen(stop, 1)) == "nccl_timeout"
    assert cause(seen("cuda_oom"), seen(stop, 1)) == "cuda_oom"


def test_a_launcher_tells_rank_host_and_exit_code_where_the_error_itself_does_not():
    told = {"rank": "3", "host": "gpu-07", "exit_code": 1}
    root = seen("cuda_oom").followed_by(seen("child_failed", 2, Role.CASCADE, **told))
    assert (root.failure.rank, root.failure.host, root.failure.exit_code) == ("3", "gpu-07", 1)
    assert root.final
    other = seen("cuda_oom", rank="5").followed_by(seen("child_failed", 2, Role.CASCADE, **told))
    assert (other.failure.rank, other.failure.host, other.failure.exit_code) == ("5", "", None)


def test_a_task_of_slurm_is_no_rank():
    root = seen("cuda_oom").followed_by(seen("srun_task", 2, Role.CASCADE, rank="3", host="gpu-07", exit_code=1))
    assert (root.failure.rank, root.failure.host) == ("", "")


def test_an_end_of_the_launcher_stays_final_when_the_cause_is_found_after_it():
    root = seen("child_failed", role=Role.CASCADE).followed_by(seen("cuda_oom", 1, rank="3"))
    assert (root.failure.signature, root.final) == ("cuda_oom", True)
