"""Real runs with injected trouble, and real logs of others, kept outside the repository, replayed as they came.

Of the labelled runs most are redirected without PYTHONUNBUFFERED: their lines come in blocks of 7.5 KiB, every 5 to 9
seconds, where the floor of these tests is 5 seconds. When a slowdown makes the blocks three times as long they are
stuck. What may be told though nothing was injected is listed here with its reason; anything else fails.
"""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path

import pytest

from monitor_core.cli import main

SHARED = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared"))
RUNS, LOGS = SHARED / "runs" / "megatron-style", SHARED / "logs"
FLOOR, INTERVAL = 5.0, 1.0
pytestmark = pytest.mark.skipif(
    not RUNS.exists(), reason="no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"
)

STATES = {
    "clean_finish": "finished",
    "disk_full_at_checkpoint": "failed",
    "exception_rank1": "failed",
    "exit0_without_end_marker": "stopped",  # 90 of 200 iterations, then exit 0: no finish, though nothing failed
    "hiccup_one_slow_iteration": "finished",
    "host_oom_memoryerror": "failed",
    "nan_continues_loss_field_gone": "finished",
    "rank_hang_timeout": "failed",
    "rank_sigkill": "failed",
    "rename_rotation_create": "unknown",  # the run went on in train.log.1; this file is empty
    "sigterm_launcher": "stopped",
    "slow_x1.2_log10": "finished",
    "slow_x3": "finished",
    "stop_then_sigkill": "failed",  # SIGKILL took the block with it: the log is empty, only the exit code is left
    "stuck_recovered": "finished",
}
UNSEEN = {"rename_rotation_create", "stop_then_sigkill"}
# What is told beside the labels, in order, and why it is no mistake of the judgement.
BESIDE = {
    "clean_finish": {
        "slow": "24 iterations took 1.20 times as long on that machine (its label tells noise of 1.19 over ten)",
    },
    "disk_full_at_checkpoint": {
        "slow": "iterations 31 to 52 took 1.2 times as long on that machine (see its steps)",
    },
    "exception_rank1": {
        "slow": "other processes took the CPU: its label has a contention of 1.47",
    },
    "hiccup_one_slow_iteration": {"stuck": "one iteration really took 9 s, longer than the floor"},
    "host_oom_memoryerror": {"stuck": "between the last line and the error 8 s really passed"},
    "slow_x3": {
        "stuck": "a run three times as slow writes its blocks three times as far apart",
    },
}


@pytest.fixture
def replay(capsys):
    def run(log, *options):
        status = main(["replay", str(log), "--json", *options])
        return status, json.loads(capsys.readouterr().out, parse_constant=pytest.fail)

    return run


@pytest.fixture
def recorded(replay):
    def run(case):
        folder = RUNS / case
        options = ("--arrivals", str(folder / "arrivals.tsv"), "--set", f"stuck_floor={FLOOR}s")
        _, report = replay(folder / "train.log", *options, "--check-interval", f"{INTERVAL}s")
        return report, json.loads((folder / "label.json").read_text())["events"]

    return run


def during(report, event, kind):
    """Return the incidents of a kind that were told between the beginning of an event and its end."""
    return [i for i in report["incidents"] if i["kind"] == kind and event["from"] <= i["at"] <= event["to"]]


def is_labelled(incident, events):
    """Whether it was told while the labelled trouble of its kind held, or is the ending."""
    if incident["kind"] in {"finished", "failed", "stopped"}:
        return True
    return any(
        event["kind"] == incident["kind"].removeprefix("loss_").replace("spike", "loss_spike")
        and "single" not in event["detail"]
        and event["from"] <= incident["at"] <= (event["to"] or math.inf)
        for event in events
    )


@pytest.mark.parametrize("case", STATES)
def test_a_run_is_in_the_state_in_which_it_ended(recorded, case):
    report, _ = recorded(case)
    assert report["state"] == STATES[case]
    endings = [i["kind"] for i in report["incidents"] if i["kind"] in {"finished", "failed", "stopped"}]
    assert endings == ([] if STATES[case] == "unknown" else [STATES[case]])


@pytest.mark.parametrize("case", ["rank_hang_timeout", "stuck_recovered"])
def test_a_stuck_run_is_told_within_the_floor_and_two_seconds(recorded, case):
    report, events = recorded(case)
    (event,) = (event for event in events if event["kind"] == "stuck")
    (stuck,) = during(report, event, "stuck")
    assert stuck["at"] - event["from"] <= FLOOR + 2
    assert stuck["resolved_at"] is not None


@pytest.mark.parametrize(("case", "lines"), [("slow_x1.2_log10", 7), ("slow_x3", 25)])
def test_a_slow_run_is_told_while_it_is_slow(recorded, case, lines):
    report, events = recorded(case)
    (event,) = (event for event in events if event["kind"] == "slow")
    (slow,) = during(report, event, "slow")
    step = 10 if case.endswith("log10") else 1
    assert slow["iteration"] - event["from_step"] <= lines * step
    assert slow["resolved_at"] is not None


@pytest.mark.parametrize("case", STATES)
def test_nothing_else_is_told_but_what_has_a_reason(recorded, case):
    report, events = recorded(case)
    beside = [incident["kind"] for incident in report["incidents"] if not is_labelled(incident, events)]
    assert beside == [reason.split()[0] for reason in BESIDE.get(case, {})]


@pytest.mark.parametrize("case", sorted(STATES.keys() - UNSEEN))
def test_iterations_are_those_that_the_log_holds(recorded, case):
    report, _ = recorded(case)
    label = json.loads((RUNS / case / "label.json").read_text())
    lost = report["iterations"]["last"] < label["last_step"] // label["log_interval"] * label["log_interval"]
    assert not lost or STATES[case] in {"failed", "stopped"}
    assert (report["iterations"]["launches"], report["format"]) == (1, "megatron")


ENDS = {
    "megatron-bridge/mb_mtp_blocks.log": ("training", None),
    "megatron-deepspeed/ss_ckpt_write_fail.log": ("failed", "write_failed"),
    "megatron-deepspeed/ss_dual8_watchdog.log": ("failed", "file_missing"),
    "megatron-deepspeed/ss_qwen7b_baseline_500.log": ("finished", None),
    "megatron-deepspeed/ss_tp1pp2dp8_oom.log": ("failed", "cuda_oom"),
    "megatron-deepspeed-bigscience/bs_meg_zero.log": ("stopped", "slurm_time_limit"),
    "megatron-deepspeed-bigscience/bs_megds_off.log": ("training", None),
    "megatron-lm/el_1718796_err_scancel.log": ("stopped", "slurm_cancelled"),
    "megatron-lm/el_1729257_err_oom.log": ("failed", "cuda_oom"),
    "megatron-lm/el_2340723_err.log": ("failed", "exception"),
    "megatron-lm/el_2340723_out.log": ("training", None),
    "megatron-lm/el_2570257_err_estale.log": ("failed", "filesystem"),
    "megatron-lm/el_3108079_err.log": ("stopped", "slurm_time_limit"),
    "megatron-lm/el_3108079_out.log": ("training", None),
    "megatron-lm/el_3108434_err.log": ("starting", None),
    "megatron-lm/el_3108434_out.log": ("training", None),
    "megatron-lm-old/bs_meg_n4.log": ("stopped", "slurm_cancelled"),
    "megatron-lm-old/bs_meg_n64_timelimit.log": ("stopped", "slurm_time_limit"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_real_log_has_the_right_counts_and_the_right_end(replay, name):
    status, report = replay(LOGS / name)
    with (LOGS / "INDEX.tsv").open(newline="") as index:
        (row,) = (row for row in csv.DictReader(index, delimiter="\t") if row["file"] == name)
    figures = dict(pair.split("=") for pair in (row["key_fields"] or "").split() if "=" in pair)
    assert (report["state"], report["cause"] and report["cause"]["id"]) == ENDS[name]
    assert report["lines"] == int(row["lines"]) or row["whole_or_excerpt"] != "whole"
    if figures:
        counted = report["iterations"]
        assert [str(counted[key]) for key in ("first", "last", "total", "count")] == [
            figures[key] for key in ("first", "last", "total", "n")
        ]
    assert status == (2 if ENDS[name] == ("starting", None) else 0)


@pytest.mark.parametrize("name", [name for name, (state, _) in ENDS.items() if state == "training"])
def test_a_real_log_of_a_run_that_went_well_tells_nothing(replay, name):
    assert replay(LOGS / name)[1]["incidents"] == []
