"""How 53 real trainings ended, kept outside the repository: with their exit code, without it, and cut short.

`label.json` says what happened: whether the last iteration ran, and the exit code. With the exit code each end is
known; without one nothing is taken for an end that does not say so.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from monitor_core.model.incidents import ENDINGS
from monitor_core.parse import AUTO
from monitor_core.replay.recording import read
from monitor_core.replay.simulate import simulate
from monitor_core.thresholds import Preset
from tests.support.training import values

RUNS = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared")) / "runs"
INTERVAL, SILENCE = 1.0, 120.0
VALUES = values(stuck_floor="5s")
pytestmark = pytest.mark.skipif(
    not RUNS.exists(), reason="no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"
)

# The state in the end with the exit code, and without.
STATES = {
    "accelerate/checkpoint_pause": ("finished", "finished"),
    "accelerate/clean_finish": ("finished", "finished"),
    "deepspeed/clean_finish": ("finished", "finished"),
    "deepspeed/rank_hang_then_sigkill": ("failed", "failed"),
    "hf-trainer/clean_finish": ("finished", "finished"),
    "hf-trainer/disk_full_at_checkpoint": ("failed", "failed"),
    "hf-trainer/eval_pause": ("finished", "finished"),
    "hf-trainer/exception": ("failed", "failed"),
    "hf-trainer/exit0_without_end_marker": ("stopped", "training"),
    "hf-trainer/hiccup_one_slow_iteration": ("finished", "finished"),
    "hf-trainer/host_oom_memoryerror": ("failed", "failed"),
    "hf-trainer/nan_lr": ("finished", "finished"),
    "hf-trainer/rename_rotation_no_create": ("finished", "finished"),
    "hf-trainer/resume_after_sigkill": ("finished", "finished"),
    "hf-trainer/slow_x1.2_log5": ("finished", "finished"),
    "hf-trainer/slow_x2": ("finished", "finished"),
    "hf-trainer/stop_then_sigkill": ("failed", "training"),
    "jax-maxtext-style/clean_finish": ("finished", "training"),
    "jax-maxtext-style/nan_lr": ("finished", "training"),
    "lightgbm/clean_finish": ("finished", "training"),
    "lightning/checkpoint_and_eval_pause": ("finished", "finished"),
    "lightning/clean_finish": ("finished", "finished"),
    "lightning/copytruncate_append": ("finished", "finished"),
    "lightning/exit0_without_end_marker": ("stopped", "training"),
    "lightning/hiccup_one_slow_iteration": ("finished", "finished"),
    "lightning/host_oom_memoryerror": ("failed", "failed"),
    "lightning/loss_spike_print_no_bar": ("finished", "finished"),
    "lightning/sigterm": ("stopped", "stopped"),
    "lightning/slow_x1.2_print_every5": ("finished", "finished"),
    "lightning/slow_x3_refresh10": ("finished", "finished"),
    "lightning/stop_then_sigkill": ("failed", "training"),
    "megatron-style/clean_finish": ("finished", "finished"),
    "megatron-style/disk_full_at_checkpoint": ("failed", "failed"),
    "megatron-style/exception_rank1": ("failed", "failed"),
    "megatron-style/exit0_without_end_marker": ("stopped", "training"),
    "megatron-style/hiccup_one_slow_iteration": ("finished", "finished"),
    "megatron-style/host_oom_memoryerror": ("failed", "failed"),
    "megatron-style/nan_continues_loss_field_gone": ("finished", "finished"),
    "megatron-style/rank_hang_timeout": ("failed", "failed"),
    "megatron-style/rank_sigkill": ("failed", "failed"),
    "megatron-style/rename_rotation_create": ("unknown", "starting"),
    "megatron-style/sigterm_launcher": ("stopped", "stopped"),
    "megatron-style/slow_x1.2_log10": ("finished", "finished"),
    "megatron-style/slow_x3": ("finished", "finished"),
    "megatron-style/stop_then_sigkill": ("failed", "unknown"),
    "megatron-style/stuck_recovered": ("finished", "finished"),
    "mmengine/checkpoint_pause": ("finished", "finished"),
    "mmengine/clean_finish": ("finished", "finished"),
    "mmengine/nan_lr": ("finished", "finished"),
    "nanogpt-style/clean_finish_block_buffered": ("finished", "training"),
    "nanogpt-style/rotating_file_handler": ("finished", "training"),
    "nanogpt-style/stop_then_sigkill_buffered": ("failed", "training"),
    "ultralytics/clean_finish": ("finished", "finished"),
}
# An exit code is known, and yet nothing is told: the run went on in the file that the rotation left.
UNSEEN = {"megatron-style/rename_rotation_create"}
# How much is cut off, of a hundred parts.
CUTS = range(10, 100, 10)


@lru_cache
def label(case):
    return json.loads((RUNS / case / "label.json").read_text())


@lru_cache
def recorded(case):
    folder = RUNS / case
    log = folder / "train.log"
    return read(log if log.exists() else folder / "train.log.1", folder / "arrivals.tsv", AUTO)


@lru_cache
def last_step(case):
    """Return when the last iteration was done, by the side channel."""
    steps = (RUNS / case / "steps.tsv").read_text().split()
    return max(map(float, steps[::2]))


def replayed(recording):
    outcome = simulate(recording, VALUES, Preset.DEFAULT, AUTO, INTERVAL, SILENCE)
    return outcome, [told for told in outcome.told if told.incident.kind in ENDINGS]


def test_each_run_has_its_row():
    assert sorted(STATES) == sorted(str(found.parent.relative_to(RUNS)) for found in RUNS.glob("*/*/label.json"))


@pytest.mark.parametrize("case", STATES)
def test_a_run_ends_as_its_exit_code_and_its_last_iteration_say(case):
    outcome, told = replayed(recorded(case))
    assert outcome.state == STATES[case][0]
    if case not in UNSEEN:
        assert [end.incident.kind for end in told] == [outcome.state]
        assert (outcome.state == "finished") == (label(case)["complete"] and label(case)["exit_code"] == 0)
        assert label(case)["exit_code"] == 0 or outcome.state != "finished"


@pytest.mark.parametrize("case", STATES)
def test_without_an_exit_code_no_end_is_made_up(case):
    outcome, told = replayed(replace(recorded(case), exited=None))
    assert outcome.state == STATES[case][1]
    assert [end.incident.kind for end in told] == [outcome.state] * (outcome.state in ENDINGS)
    assert outcome.state not in ENDINGS or outcome.state == STATES[case][0]


@pytest.mark.parametrize("case", sorted(STATES.keys() - UNSEEN))
def test_a_run_that_is_cut_short_ends_as_it_did_or_not_at_all(case):
    whole = replace(recorded(case), exited=None)
    for part in CUTS:
        cut = replace(whole, pieces=whole.pieces[: len(whole.pieces) * part // 100])
        _, told = replayed(cut)
        trains = not cut.pieces or cut.pieces[-1].at < last_step(case)
        assert {end.incident.kind for end in told} <= (set() if trains else {STATES[case][0]})
        assert len(told) <= 1
