"""Lines of Megatron-LM and its kin, in every layout that they are printed in."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor_core.model.records import Marker, MarkerKind, Progress
from monitor_core.parse import Parser
from monitor_core.parse.dialects.megatron import ProgressLines

PLAIN = (
    " iteration    14974/   15550 | consumed samples:      5031264 | elapsed time per iteration (ms): 1371.6 |"
    " throughput per GPU (TFLOP/s/GPU): 323.4 | learning rate: 4.160274E-05 | global batch size:   336 |"
    " lm loss: 2.423841E+00 | loss scale: 1.0 | grad norm: 0.122 | params norm: 4134.343 |"
    " number of skipped iterations:   0 | number of nan iterations:   0 |"
)
PROGRESS = Progress(
    iteration=14974,
    total=15550,
    ms_per_iteration=1371.6,
    loss=2.423841,
    grad_norm=0.122,
    learning_rate=4.160274e-05,
    throughput=323.4,
    batch_size=336,
    loss_scale=1.0,
    skipped=0,
    nan_iterations=0,
)
HEAD, *PAIRS, END = PLAIN.split("|")
SHORT = "|".join([HEAD, *(pair for pair in PAIRS if "loss" not in pair), END])
MAY_22 = 1779420757.0  # 2026-05-22 03:32:37 UTC


def read(*lines):
    return Parser("megatron").feed("".join(f"{line}\n" for line in lines).encode())


def one(line):
    (record,) = read(line)
    return record


def test_a_line_without_a_time_is_read():
    assert one(PLAIN) == PROGRESS


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("[2026-05-22 03:32:37.509998]", MAY_22 + 0.509998),
        ("[2026-05-22 03:32:37]", MAY_22),
        ("[2026/05/22 03:32:37]", MAY_22),
        ("2026-05-22 03:32:37,250 INFO megatron.training:", MAY_22 + 0.25),
        ("2026-05-22T03:32:37.5", MAY_22 + 0.5),
    ],
)
def test_the_printed_time_is_read_as_if_it_were_utc(stamp, seconds):
    assert one(f" {stamp}{PLAIN}") == replace(PROGRESS, timestamp=pytest.approx(seconds, abs=1e-6))


def test_of_two_times_the_one_of_the_line_itself_counts():
    assert one(f"2026-05-22T01:00:00Z [2026-05-22 03:32:37]{PLAIN}").timestamp == MAY_22


def test_an_impossible_time_is_no_time():
    assert one(f" [2026-02-31 03:32:37]{PLAIN}") == PROGRESS


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "[default0]:",
        " 3: ",
        "55: ",
        "0: [default7]:",
        "[1,0]<stdout>:",
        "[rank7]: ",
        "INFO:megatron.training:",
        "gpu-01: ",
        "[INFO  | megatron ]: ",
    ],
)
def test_what_stands_before_the_line_does_not_matter(prefix):
    assert one(prefix + PLAIN.lstrip()) == PROGRESS
    assert one(f"{prefix} [2026-05-22 03:32:37]{PLAIN}") == replace(PROGRESS, timestamp=MAY_22)


def test_the_pairs_may_come_in_any_order():
    assert one("|".join([HEAD, *reversed(PAIRS), END])) == PROGRESS


def test_a_time_in_seconds_is_turned_into_milliseconds():
    line = PLAIN.replace("(ms): 1371.6", "(s): 1.25")
    assert one(line) == replace(PROGRESS, ms_per_iteration=1250.0)


def test_megatron_deepspeed_is_read():
    line = (
        " iteration        3/     500 | consumed samples:           48 | consumed tokens:        98304 |"
        " elapsed time per iteration (ms): 17143.3 | learning rate: 6.000E-07 | global batch size:    16 |"
        " lm loss: 1.264347E+01 | loss scale: 1.0 | grad norm: 20.145 | num zeros: 0.0 | actual seqlen:  2048 |"
        " number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 0.933 |"
        " tokens per gpu per second (tgs): 119.463 | TFLOPs: 7.05 |"
    )
    assert one(line) == Progress(3, 500, 17143.3, 12.64347, 20.145, 6e-07, 7.05, 16, 2048, 1.0, 0, 0)


def test_megatron_bridge_is_read():
    line = (
        "iteration      100/  300000 | consumed samples:         3200 | elapsed time per iteration (ms): 3738.6 |"
        " learning rate: 6.000000E-05 | global batch size:    32 | lm loss: 7.968678E+00 |"
        " load_balancing_loss: 1.329517E+00 | mtp_1 loss: 7.925096E+00 | loss scale: 1.0 | grad norm: 1.040 |"
        " number of skipped iterations:   0 | number of nan iterations:   0 |"
    )
    assert one(line) == Progress(100, 300000, 3738.6, 7.968678, 1.04, 6e-05, None, 32, None, 1.0, 0, 0)


def test_a_throughput_in_samples_is_read_where_there_is_no_other():
    line = PLAIN.replace("throughput per GPU (TFLOP/s/GPU)", "samples per second")
    assert one(line) == PROGRESS


def test_a_loss_that_is_not_printed_is_none():
    assert one(PLAIN.replace(" lm loss: 2.423841E+00 |", "")) == replace(PROGRESS, loss=None)


def test_iterations_that_were_skipped_or_had_no_finite_loss_are_told():
    line = PLAIN.replace("skipped iterations:   0", "skipped iterations:  10").replace(
        "nan iterations:   0", "nan iterations:   3"
    )
    assert one(line.replace("loss scale: 1.0", "loss scale: 65536.0")) == replace(
        PROGRESS, loss_scale=65536.0, skipped=10, nan_iterations=3
    )


def test_a_sequence_length_that_grows_is_told():
    lengths = [one(PLAIN.replace("params norm: 4134.343", f"curriculum seqlen: {n}")).sequence_length for n in (64, 72)]
    assert lengths == [64, 72]


def test_a_loss_may_have_the_short_name():
    assert one(PLAIN.replace(" lm loss:", " loss:")) == PROGRESS


def test_a_loss_that_is_not_a_number_is_kept_as_that():
    assert math.isnan(one(PLAIN.replace("2.423841E+00", "nan")).loss)
    assert one(PLAIN.replace("2.423841E+00", "inf")).loss == math.inf


def test_a_line_that_is_cut_gives_no_record_wherever_it_is_cut():
    whole = PLAIN.index("number of nan iterations:") + len("number of nan iterations:   0 |")
    for end in range(whole):
        cut = PLAIN[:end].rstrip()
        if not cut.endswith("|"):
            assert read(cut, "    forward-backward ...: (1.0, 2.0)") == [], cut


def test_a_line_broken_by_the_output_of_another_rank_gives_no_record():
    for at in range(PLAIN.index("iteration"), len(PLAIN) - 1):
        for other in ("[rank3]: hello\n", "[rank3]:hello "):
            assert read(PLAIN[:at] + other + PLAIN[at:]) in ([], [PROGRESS]), at


def test_a_line_that_tells_a_thing_twice_gives_no_record():
    assert read(PLAIN.replace(" grad norm: 0.122 |", " grad norm: 0.122 | lm loss: 9.0 |")) == []


def test_a_line_with_a_pair_that_lost_its_colon_gives_no_record():
    assert read(PLAIN.replace(" grad norm: ", " grad norm ")) == []


def test_output_glued_to_the_end_of_a_whole_line_does_no_harm():
    assert one(PLAIN + "[default0]:saving") == PROGRESS


def test_a_cut_line_does_not_spoil_the_whole_one_that_a_new_launch_glues_to_it():
    assert one(PLAIN[:120] + PLAIN) == PROGRESS


def test_the_pairs_may_change_from_line_to_line():
    other = PLAIN.replace("(ms): 1371.6", "(s): 1.25")
    assert read(PLAIN, PLAIN, PLAIN, SHORT, other, PLAIN, SHORT) == [
        *[PROGRESS] * 3,
        replace(PROGRESS, loss=None, loss_scale=None),
        replace(PROGRESS, ms_per_iteration=1250.0),
        PROGRESS,
        replace(PROGRESS, loss=None, loss_scale=None),
    ]


def test_a_key_may_hold_a_number_that_changes():
    lines = [PLAIN.replace("params norm:", f"norm of layer {number}:") for number in range(100)]
    assert read(*lines) == [PROGRESS] * 100


pieces_of_a_line = st.builds(
    lambda start, length: PLAIN[start : start + length], st.integers(0, len(PLAIN)), st.integers(0, 250)
)
others = st.sampled_from(
    ["", " ", "|", ":", " | lm loss: 1.0", " iteration 3/ 9 |", "[rank3]: hello", "9", SHORT, PLAIN]
)


@given(st.lists(st.one_of(pieces_of_a_line, others), max_size=5).map("".join), st.integers(0, len(PLAIN)), others)
@example(PLAIN[:50] + PLAIN, len(PLAIN), "")
@example(PLAIN.replace("(ms): 1371.6", "(ms): 1371.6 iteration 3/ 9"), len(PLAIN), "")
@example(PLAIN.replace("samples:      5031264", "samples: 50 iteration 3/ 9"), len(PLAIN), "")
def test_a_spoilt_line_is_read_the_same_whatever_line_came_before(pieces, at, other):
    spoilt = PLAIN[:at] + other + PLAIN[at:]
    for line in (pieces.encode(), spoilt.encode()):
        for before in (PLAIN, SHORT):
            seasoned = ProgressLines()
            for _ in range(3):
                seasoned.read(before.encode())
            assert seasoned.read(line) == ProgressLines().read(line), line


STAMPED = f" [2026-05-22 03:32:37.25]{PLAIN}"
of_a_block = st.sampled_from(
    [
        STAMPED,
        STAMPED,
        STAMPED.replace("03:32", "23:59"),
        STAMPED.replace("05-22", "02-31"),
        f"{STAMPED} ",
        f"[default0]:{STAMPED}",
        PLAIN,
        SHORT,
        STAMPED.replace("2.423841E+00", "nan"),
        STAMPED.replace("0.122", "1.2.3"),
        STAMPED.replace("samples:", "iteration 3/ 9:"),
        f"{STAMPED[:90]}{STAMPED}",
        STAMPED[:200],
        "x" * 9000 + STAMPED,
        "a line of something else",
        "",
    ]
)


@given(st.lists(of_a_block, max_size=8))
@example([STAMPED] * 4)
def test_a_block_read_at_once_says_the_same_as_its_lines(lines):
    block = "".join(f"{line}\n" for line in [STAMPED, STAMPED, *lines]).encode()
    apart, at_once = Parser("megatron"), Parser("megatron")
    one_by_one = [record for line in block.splitlines(keepends=True) for record in apart.feed(line)]
    assert repr(at_once.feed(block)) == repr(one_by_one)
    assert json.dumps(at_once.state()) == json.dumps(apart.state())


@pytest.mark.parametrize(
    ("line", "marker"),
    [
        (
            "saving checkpoint at iteration      50 to checkpoints in torch format",
            Marker(MarkerKind.CHECKPOINT_START, 50),
        ),
        (
            " 0: [2026-05-22 03:32:37] saving checkpoint at iteration   15549 to /scratch/ckpt in torch_dist format",
            Marker(MarkerKind.CHECKPOINT_START, 15549, MAY_22),
        ),
        (
            "[default0]:  successfully saved checkpoint from iteration      50 to checkpoints [ t 1/1, p 1/1 ]",
            Marker(MarkerKind.CHECKPOINT_END, 50),
        ),
        ("  successfully saved checkpoint at iteration     500 to /ckpt", Marker(MarkerKind.CHECKPOINT_END, 500)),
        (
            " validation loss at iteration 140 on validation set | lm loss value: 1.023191E+00 | lm loss PPL: 2.7 | ",
            Marker(MarkerKind.EVALUATION_END, 140),
        ),
        (
            " validation loss at the end of training for val data | lm loss value: 1.0 | lm loss PPL: 2.7 | ",
            Marker(MarkerKind.EVALUATION_END),
        ),
        ("[default0]:Evaluating iter 3/8", Marker(MarkerKind.EVALUATION, text="Evaluating iter 3/8")),
        (
            "[before the start of training step] datetime: 2026-05-22 03:32:37 ",
            Marker(MarkerKind.START, timestamp=MAY_22),
        ),
        ("[after training is done]", Marker(MarkerKind.TRAINING_DONE)),
        ("0: [after training is done] datetime: 2026-05-22 03:32:37", Marker(MarkerKind.TRAINING_DONE, None, MAY_22)),
        (
            "[exiting program at iteration 200] datetime: 2026-05-22 03:32:37",
            Marker(MarkerKind.EXITING, 200, MAY_22, "exiting program at iteration 200"),
        ),
        (
            "[exiting program after 1190.5 minutes]",
            Marker(MarkerKind.EXITING, text="exiting program after 1190.5 minutes"),
        ),
        (
            "[exiting program after receiving SIGTERM.]",
            Marker(MarkerKind.EXITING, text="exiting program after receiving SIGTERM."),
        ),
        (
            "  log_interval .................................... 1",
            Marker(MarkerKind.SETTING, name="log_interval", value="1"),
        ),
        (
            "[default0]:  eval_interval ................................... 50",
            Marker(MarkerKind.SETTING, name="eval_interval", value="50"),
        ),
        (" 0:   save_interval ... 1000", Marker(MarkerKind.SETTING, name="save_interval", value="1000")),
        ("  train_iters ......................... None", Marker(MarkerKind.SETTING, name="train_iters", value="None")),
    ],
)
def test_a_line_that_says_what_the_run_is_doing_is_a_marker(line, marker):
    assert read(line) == [marker]


@pytest.mark.parametrize(
    "line",
    [
        "  non_persistent_save_interval .................... 5",
        " 1: [Rank 1] (before save_checkpoint for iteration 15549) memory (MB) | allocated: 4374.87",
        "    forward-backward ...............................: (1346.40, 1346.47)",
        "> building train, validation, and test datasets ...",
        "could not find a successfully saved checkpoint, starting at iteration 0",
        "saving checkpoint at iteration",
        "training ...",
    ],
)
def test_other_lines_say_nothing(line):
    assert read(line) == []
