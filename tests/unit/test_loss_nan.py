"""NaN: a loss that is no number is told at its first line however it shows, and nothing that only looks like it is."""

from __future__ import annotations

import math
import re

import pytest

from monitor_core.model.incidents import Severity
from monitor_core.model.records import Detail, Progress
from monitor_core.parse import DIALECTS, Parser
from monitor_core.track import memory
from tests.support.losses import found, kinds, megatron, series, watched

BEFORE = series([3.0, 2.9, 2.8, 2.7, 2.6])
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:[eE][-+]\d+)?")


def hf(step, loss, norm="0.51"):
    bar = f" 10%|█         | {step}/300 [00:10<01:30,  1.11s/it]"
    return [bar, f"{{'loss': '{loss}', 'grad_norm': '{norm}', 'learning_rate': '5e-05', 'epoch': '0.1'}}"]


def titan(step, loss, norm):
    return (
        f"[rank0]:[titan] 2026-11-02 08:15:{step:02d},107 - root - INFO - step: {step}  loss:  {loss}"
        f"  grad_norm:  {norm}  memory: 41.52GiB(52.10%)  tps: 6,912  tflops: 340.10  mfu: nan%"
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (megatron(6, "nan"), "nan"),
        (megatron(6, "INF"), "inf"),
        (megatron(6, None), "missing"),
        (megatron(6, None, norm="nan"), "missing"),
        (megatron(6, 2.5, nan=1, skipped=1), "nan"),
        (megatron(6, None, nan=1, skipped=1, scale="65536.0", norm=None), "nan"),
        (megatron(6, 2.5, norm="nan"), "gradients"),
    ],
)
def test_a_line_of_megatron_without_a_sound_loss_is_told_at_once(line, value):
    (incident,) = found([*BEFORE, line])
    assert (incident.kind, incident.severity) == ("loss_nan", Severity.CRITICAL)
    assert (incident.facts["value"], incident.facts["since_iteration"]) == (value, 6)
    assert (incident.facts["before"], incident.facts["grad_last"]) == (2.6, 0.412)


def test_the_line_that_showed_it_is_quoted():
    for line in (megatron(6, "nan"), megatron(6, None)):
        (incident,) = found([*BEFORE, "val_loss: nan", line, megatron(7, None)])
        assert incident.facts["text"] == line.strip()


def test_the_iterations_between_checkpoints_are_told_with_it():
    (incident,) = found(["  save_interval ................................... 500", *BEFORE, megatron(6, None)])
    assert incident.facts["save_interval"] == 500


@pytest.mark.parametrize(
    "lines",
    [
        [megatron(6, None, skipped=1, norm=None)],
        [
            megatron(6, 0.0, skipped=1, scale="32768.0", norm="inf"),
            megatron(7, 2.5, scale="32768.0", norm="inf", skipped=1),
        ],
        [megatron(15, None, skipped=10, norm=None)],
        [megatron(6, 2.5, norm="inf", scale="32768.0"), megatron(7, 2.5, norm="nan", scale="32768.0")],
    ],
)
def test_iterations_that_fp16_skipped_have_no_loss_and_that_is_no_nan(lines):
    assert kinds([*BEFORE, *lines]) == []


def test_a_line_that_skipped_only_some_of_its_iterations_has_a_loss():
    assert kinds([*BEFORE, megatron(15, None, skipped=9)]) == ["loss_nan"]


def test_a_log_that_never_told_its_loss_says_nothing_of_it():
    assert kinds([megatron(n, None, more=" load_balancing_loss: 1.0E+00 |") for n in range(1, 300)]) == []


def test_it_is_told_once_and_over_when_ten_losses_in_a_row_are_numbers():
    lines = [*BEFORE, *(megatron(n, "nan" if n in {6, 9} else 2.5) for n in range(6, 19))]
    assert [incident.active for incident in found(lines)] == [True]
    assert [incident.active for incident in found([*lines, megatron(19, 2.5)])] == [False]


def test_a_launch_that_never_had_a_loss_is_told_after_five_lines():
    lines = [megatron(n, "nan") for n in range(1, 6)]
    assert kinds(lines[:4]) == []
    assert [incident.facts["since_iteration"] for incident in found(lines)] == [1]


def test_a_new_launch_begins_without_it():
    assert [one.active for one in found([*BEFORE, megatron(6, "nan"), megatron(3, 2.5)])] == [False]


def test_zero_beside_gradients_that_are_no_number_is_told_at_the_second_line():
    before = [line for step in range(1, 9) for line in hf(step, 2.5)]
    assert kinds([*before, *hf(9, 0, "nan")]) == []
    (incident,) = found([*before, *hf(9, "0", "nan"), *hf(10, "0.0", "nan")])
    assert (incident.facts["value"], incident.facts["since_iteration"]) == ("zero", 9)
    assert incident.facts["text"].startswith("{'loss': '0', 'grad_norm': 'nan'")


def test_a_loss_of_zero_with_sound_gradients_is_a_loss():
    assert kinds([line for step in range(1, 99) for line in hf(step, "0.0", "0.0")]) == []


def test_overflows_at_the_beginning_of_fp16_are_no_nan_where_the_log_tells_no_scale():
    assert kinds([line for step in range(1, 30) for line in hf(step, 2.5, "inf" if step < 9 else "1.0")]) == []


def test_a_single_overflow_later_is_no_nan_either_but_several_in_a_row_are():
    lines = [line for step in range(1, 150) for line in hf(step, 2.5, "inf" if step == 140 else "1.0")]
    assert kinds(lines) == []
    assert kinds([*lines, *hf(150, 2.5, "nan"), *hf(151, 2.5, "nan")]) == ["loss_nan"]


def test_torchtitan_s_gradients_that_are_nan_one_line_before_do_not_hide_the_loss():
    healthy = [titan(step, 2.5, 0.8) for step in range(1, 9)]
    (incident,) = found([*healthy, titan(9, 2.5, "nan"), titan(10, "nan", "nan")])
    assert (incident.facts["value"], incident.facts["since_iteration"]) == ("nan", 10)


def test_a_bar_that_shows_nan_before_there_is_a_loss_is_healthy():
    bar = "Epoch 0:  12%|█▎        | {n}/80 [00:01<00:07,  8.87it/s, v_num=0, train_loss={loss}]"
    lines = [bar.format(n=n, loss="nan.0" if n < 3 else 1.5) for n in range(1, 9)]
    assert kinds(lines) == []
    assert kinds([*lines, bar.format(n=9, loss="nan.0")]) == ["loss_nan"]


@pytest.mark.parametrize(
    "line",
    [
        " validation loss at iteration 5 | lm loss value: nan | lm loss PPL: nan |",
        "step 5: train loss 2.9, val loss nan",
        "{'eval_loss': nan, 'eval_runtime': 3.2}",
        "mIoU: nan  aAcc: 0.1",
    ],
)
def test_what_is_nan_beside_the_loss_is_none_of_its(line):
    assert kinds([*BEFORE, line, megatron(6, 2.5)]) == []


def _read(dialect, text):
    records = Parser(dialect).feed(f"{text}\n".encode())
    lines = [record.iteration for record in records if isinstance(record, Progress)]
    return lines, [one.loss for one in records if isinstance(one, (Progress, Detail)) and one.loss is not None]


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-inf"])
def test_a_line_whose_loss_is_no_number_is_progress_in_every_format(dialect, word):
    example = DIALECTS[dialect].example
    lines, losses = _read(dialect, example)
    spoilt = NUMBER.sub(lambda number: word if float(number[0]) in losses else number[0], example)
    spoilt_lines, told = _read(dialect, spoilt)
    assert spoilt_lines == lines
    assert [math.isfinite(loss) for loss in told] == [False] * len(losses)


def test_the_state_survives_a_restart_with_whatever_was_printed():
    watch = watched([*BEFORE, megatron(6, "inf", norm="inf", scale="inf")])
    assert memory.load(memory.dump(watch.state)) == watch.state
