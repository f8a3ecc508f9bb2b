"""Real logs of the Megatron family, kept outside the repository, give the figures that their index tells."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from monitor_core.model.records import Failure, Marker, MarkerKind, Progress
from monitor_core.parse import Parser

SHARED = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared"))
INDEX = SHARED / "logs" / "INDEX.tsv"
FRAMEWORKS = (
    "megatron-lm",
    "megatron-deepspeed",
    "megatron-lm-old",
    "megatron-deepspeed-bigscience",
    "megatron-bridge",
)
# An excerpt of a document: the index has no figures for it.
NOT_IN_THE_INDEX = {
    "megatron-bridge/mb_mtp_blocks.log": "first=100 last=100 total=300000 n=1 last_time=ms3738.6 last_loss=7.968678",
}
RUNS = SHARED / "runs" / "megatron-style"
FINISHED = ("clean_finish", "hiccup_one_slow_iteration", "slow_x1.2_log10", "slow_x3", "stuck_recovered")
# Logs of jobs that did not fail, or whose failure stands in another file.
HEALTHY = (
    "megatron-lm/el_3108434_out.log",
    "megatron-lm/el_3108434_err.log",
    "megatron-lm/el_3108079_out.log",
    "megatron-lm/el_2340723_out.log",
    "megatron-deepspeed/ss_qwen7b_baseline_500.log",
    "megatron-deepspeed-bigscience/bs_megds_off.log",
    "megatron-bridge/mb_mtp_blocks.log",
)
CAUSES = {
    "megatron-lm/el_1729257_err_oom.log": "cuda_oom",
    "megatron-lm/el_2570257_err_estale.log": "filesystem",
    "megatron-lm/el_1718796_err_scancel.log": "slurm_cancelled",
    "megatron-lm/el_3108079_err.log": "slurm_time_limit",
    "megatron-deepspeed/ss_tp1pp2dp8_oom.log": "cuda_oom",
    "megatron-deepspeed/ss_ckpt_write_fail.log": "write_failed",
    "megatron-lm-old/bs_meg_n4.log": "slurm_cancelled",
    "megatron-lm-old/bs_meg_n64_timelimit.log": "slurm_time_limit",
    "megatron-deepspeed-bigscience/bs_meg_zero.log": "slurm_time_limit",
}
pytestmark = pytest.mark.skipif(
    not INDEX.exists(), reason="no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"
)


def indexed():
    if not INDEX.exists():
        return []
    with INDEX.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["framework"] in FRAMEWORKS]
    figures = {row["file"]: row["key_fields"] or "" for row in rows} | NOT_IN_THE_INDEX
    return [pytest.param(name, key_fields, id=name) for name, key_fields in figures.items()]


def parse(path):
    """Return what a log says, without what it took back."""
    parser = Parser()
    records = parser.feed(path.read_bytes().replace(b"\r", b"\n").replace(b"\0", b""))
    revised = [at for at, record in enumerate(records) if isinstance(record, Marker) and record.kind == "revised"]
    return records[revised[-1] if revised else 0 :], parser


@pytest.mark.parametrize(("name", "key_fields"), indexed())
def test_a_log_gives_the_figures_of_the_index(name, key_fields):
    records, parser = parse(SHARED / "logs" / name)
    lines = [record for record in records if isinstance(record, Progress)]
    expected = dict(field.split("=") for field in key_fields.split() if "=" in field)
    if not expected:
        assert (lines, parser.format) == ([], None)
        return
    last = lines[-1]
    assert (lines[0].iteration, last.iteration, last.total, len(lines)) == (
        int(expected["first"]),
        int(expected["last"]),
        int(expected["total"]),
        int(expected["n"]),
    )
    assert last.ms_per_iteration == float(expected["last_time"].removeprefix("ms"))
    assert last.loss == float(expected["last_loss"])
    assert parser.format == "megatron"


@pytest.mark.parametrize("name", HEALTHY)
def test_a_log_of_a_healthy_run_tells_of_no_failure(name):
    records, _ = parse(SHARED / "logs" / name)
    assert [record for record in records if isinstance(record, Failure)] == []


@pytest.mark.parametrize("case", FINISHED)
def test_a_recorded_run_that_finished_tells_of_no_failure_and_of_its_end(case):
    records, _ = parse(RUNS / case / "train.log")
    assert [record for record in records if isinstance(record, Failure)] == []
    assert [r.kind for r in records if isinstance(r, Marker) and r.kind == MarkerKind.TRAINING_DONE] != []


@pytest.mark.parametrize(("name", "cause"), CAUSES.items())
def test_the_first_cause_in_a_log_of_a_failure_is_the_right_one(name, cause):
    records, _ = parse(SHARED / "logs" / name)
    roots = [record for record in records if isinstance(record, Failure) and record.role == "root"]
    assert roots[0].signature == cause


@pytest.mark.parametrize(
    ("case", "cause", "rank"),
    [
        ("exception_rank1", "exception", "1"),
        ("host_oom_memoryerror", "host_oom", "1"),
        ("disk_full_at_checkpoint", "write_failed", "0"),
        ("rank_hang_timeout", "nccl_timeout", "0"),
        ("rank_sigkill", "sigkill", ""),
        ("sigterm_launcher", "stopped_by_signal", ""),
    ],
)
def test_the_first_cause_in_a_recorded_crash_is_the_injected_one(case, cause, rank):
    records, _ = parse(RUNS / case / "train.log")
    roots = [record for record in records if isinstance(record, Failure) and record.role == "root"]
    assert (roots[0].signature, roots[0].rank) == (cause, rank)
