"""Lines of the frameworks that language models are trained with, in every layout that they are printed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor_core.model.records import Detail, Marker, MarkerKind, Progress
from monitor_core.parse import Parser

DATA = Path(__file__).parents[1] / "data" / "logs"
BAR = "{percent:3d}%|####      | {count}/{total} [00:{count:02d}<00:10, {rate}]"
NEOX = (
    " samples/sec: 412.118 | iteration      {n}/    5000 | elapsed time per iteration (ms): 621.2 |"
    " learning rate: 2.400E-04 |{flops} lm_loss: 6.402183E+00 | loss scale: 32768.0 |"
    " number of skipped iterations:   0 | number of nan iterations:   0 |"
)
OLMO = "2026-11-02 08:15:{n:02d}.500\tgpu-01:0\tolmo.train:979\tINFO\t[step={n}/10000,epoch=0]"
CORE = "2026-11-02 08:15:{n:02d}.500\tgpu-01:0\tolmo_core.train:81\tINFO\t[step={n}/40,epoch=1{eta}]"
NANOCHAT = "step 00200{total} (0.93%) | loss: 5.12 | lrm: 1.00 | dt: 1012.20ms | tok/sec: 517,911 | mfu: 47.92"
ROW = (
    '{{"current_steps": {n}, "total_steps": 50, {loss}"epoch": 0.1, "percentage": {percent},'
    ' "elapsed_time": "{elapsed}", "remaining_time": "0:00:10"}}'
)
TIMES = [(10, "23:59:55"), (20, "1 day, 0:00:00"), (30, "1 day, 1:00:00")]
STARTED = "***** Running training *****"
DICT = "{'loss': '2.5', 'grad_norm': '1.031', 'learning_rate': '5e-05', 'epoch': '0.3125'}"


def read(dialect, *lines):
    return Parser(dialect).feed("".join(f"{line}\n" for line in lines).encode())


def progress(dialect, *lines):
    return [record for record in read(dialect, *lines) if isinstance(record, Progress)]


def one(dialect, *lines):
    (record,) = progress(dialect, *lines)
    return record


def markers(dialect, *lines):
    return [(record.kind, record.iteration) for record in read(dialect, *lines) if isinstance(record, Marker)]


def bar(count, total=40, rate="9.02it/s", name=""):
    return name + BAR.format(percent=100 * count // total, count=count, total=total, rate=rate)


def whole(name):
    parser = Parser()
    records = parser.feed((DATA / name).read_bytes().replace(b"\r", b"\n"))
    return parser.format, [record for record in records if isinstance(record, Progress)]


# GPT-NeoX and DeepSpeed


@pytest.mark.parametrize("flops", ["", " approx flops per GPU: 121.4TFLOPS |"])
def test_a_line_of_gpt_neox_is_read_in_both_versions(flops):
    line = NEOX.format(n=200, flops=flops)
    assert one("gpt-neox", line) == Progress(
        200, 5000, 621.2, 6.402183, None, 2.4e-4, 412.118, loss_scale=32768, skipped=0, nan_iterations=0
    )


def test_gpt_neox_is_told_from_megatron_whose_lines_it_took_over():
    parser = Parser()
    parser.feed("".join(NEOX.format(n=n, flops="") + "\n" for n in (100, 200, 300)).encode())
    assert parser.format == "gpt-neox"


def test_a_line_of_gpt_neox_that_was_cut_tells_nothing():
    line = NEOX.format(n=200, flops="")
    assert not read("gpt-neox", line[: line.index("E+00")])


def test_the_lines_of_deepspeed_around_a_framework_do_not_make_the_log_deepspeeds():
    found, lines = whole("gpt-neox/v2_eval_save.log")
    assert (found, len({line.iteration for line in lines if line.total})) == ("gpt-neox", 12)


def test_the_timer_of_deepspeed_adds_its_speed_to_the_iteration_before():
    step = "[Rank 0] step=10, skipped=1, lr=[1e-05, 1e-05], mom=[[0.9, 0.95]]"
    timer = (
        "[timer.py:264:stop] epoch=0/micro_step=40/global_step=10, RunningAvgSamplesPerSec=25.8, CurrSamplesPerSec=26"
    )
    assert read("deepspeed", step, timer) == [Progress(10, learning_rate=1e-5), Detail(10, throughput=26)]


def test_of_the_iterations_that_deepspeed_has_skipped_so_far_a_line_tells_those_since_the_last():
    steps = [
        f"[Rank 0] step={10 * n}, skipped={skipped}, lr=[1e-05]" for n, skipped in ((1, 3), (2, 3), (3, 5), (1, 4))
    ]
    assert [record.skipped for record in read("deepspeed", *steps)] == [None, 0, 2, None]


def test_a_checkpoint_of_deepspeed_begins_and_ends_with_its_iteration():
    assert markers(
        "deepspeed",
        "[Rank 0] [Torch] Checkpoint global_step50 is about to be saved!",
        "[Torch] Checkpoint global_step50 is ready now!",
        "[launch.py:351:main] Process 4102 exits successfully.",
    ) == [
        (MarkerKind.CHECKPOINT_START, 50),
        (MarkerKind.CHECKPOINT_END, 50),
        (MarkerKind.TRAINING_DONE, None),
    ]


# torchtitan


@pytest.mark.parametrize(
    ("values", "grad_norm"),
    [
        ("grad_norm:  0.8123  memory: 41.52GiB(52.10%)  tps: 6,912  tflops: 340.10  mfu: 34.39%", 0.8123),
        ("memory: 41.52GiB(52.10%)  wps: 6,912  mfu: 34.39%", None),
    ],
)
def test_torchtitan_is_read_early_and_recent_with_the_total_from_the_line_of_its_trainer(values, grad_norm):
    told = "gradient accumulation steps 1, sequence length 2048, total steps 1000 (warmup 20)."
    assert one("torchtitan", told, f"step: 20  loss:  5.1234  {values}") == Progress(
        20, 1000, None, 5.1234, grad_norm, None, 6912
    )


def test_the_loss_of_a_validation_of_torchtitan_is_no_progress():
    line = "validate step: 100  loss:  7.4101  memory: 41.10GiB(43.27%)  tps: 9,871"
    assert read("torchtitan", line) == [Marker(MarkerKind.EVALUATION_END, 100)]


# OLMo


def test_a_block_of_olmo_is_one_report_with_the_time_of_its_head():
    record = one(
        "olmo",
        OLMO.format(n=5),
        "    optim/total_grad_norm=0.5",
        "    train/CrossEntropyLoss=5.2",
        "    train/Perplexity=85,775",
        "    throughput/device/tokens_per_second=9,711",
        "    throughput/device/batches_per_second=0.25",
    )
    assert record == Progress(5, 10000, 4000, 5.2, 0.5, None, 9711, timestamp=1793607305.5)
    assert not progress("olmo", OLMO.format(n=5), "    train/CrossEntropyLoss=5.2")


def test_a_block_of_olmo_without_a_speed_is_told_when_the_next_begins():
    first, second = progress(
        "olmo",
        OLMO.format(n=1),
        "    train/CrossEntropyLoss=9.5",
        OLMO.format(n=2),
        "    train/CrossEntropyLoss=9.25",
        "    throughput/device/batches_per_second=0.25",
    )
    assert (first.iteration, first.loss, first.ms_per_iteration) == (1, 9.5, None)
    assert (second.iteration, second.loss, second.ms_per_iteration) == (2, 9.25, 4000)


def test_olmo_core_tells_each_iteration_and_the_values_of_some():
    lines = progress(
        "olmo",
        CORE.format(n=10, eta=",eta=0:02:58"),
        "    optim/LR (group 0)=1e-05",
        "    train/CE loss=8.1",
        "    throughput/device/BPS=0.5",
        "    throughput/device/BPS (actual avg)=0.4",
        CORE.format(n=11, eta=""),
    )
    assert [(line.iteration, line.ms_per_iteration, line.loss, line.learning_rate) for line in lines] == [
        (10, 2000, 8.1, 1e-5),
        (11, None, None, None),
    ]


def test_olmo_core_without_a_total_is_read():
    assert one("olmo", CORE.format(n=11, eta="").replace("/40", "/???")).total is None


def test_checkpoints_of_olmo_are_told_old_and_new():
    assert markers(
        "olmo",
        "olmo.train:1304\tINFO\tSaving unsharded checkpoint...",
        "olmo.train:1306\tINFO\tUnsharded checkpoint saved to /data/step500-unsharded",
        "INFO\tSaving checkpoint for step 20 to '/data/step20' asynchronously...",
        "INFO\tCheckpoint for step 20 saved successfully",
    ) == [
        (MarkerKind.CHECKPOINT_START, None),
        (MarkerKind.CHECKPOINT_END, 500),
        (MarkerKind.CHECKPOINT_START, 20),
        (MarkerKind.CHECKPOINT_END, 20),
    ]


# nanoGPT and what came of it


def test_nanogpt_ends_at_the_total_that_it_was_given():
    records = read(
        "nanogpt",
        "Overriding: max_iters = 40",
        "tokens per iteration will be: 16,384",
        "iter 39: loss 3.5000, time 136.17ms, mfu -100.00%",
        "step 40: train loss 3.4, val loss 3.6",
        "iter 40: loss 3.4800, time 611.40ms, mfu 17.20%, lr 6.00e-04, total time 5.1s",
    )
    assert records == [
        Marker(MarkerKind.START),
        Progress(39, 40, 136.17, 3.5),
        Marker(MarkerKind.EVALUATION_END, 40),
        Progress(40, 40, 611.4, 3.48, None, 6e-4),
        Marker(MarkerKind.LAST_ITERATION, 40),
    ]


def test_modded_nanogpt_is_healthy_while_its_mean_time_is_no_number_yet():
    first, later = progress(
        "modded-nanogpt",
        "step:1/60 train_loss:10.6800 train_time:0ms step_avg:nanms",
        "step:20/60 train_loss:8.4000 train_time:1410ms step_avg:141.00ms",
    )
    assert (first.iteration, first.ms_per_iteration, first.loss) == (1, None, 10.68)
    assert (later.total, later.ms_per_iteration) == (60, 141)


def test_modded_nanogpt_tells_no_progress_by_evaluations_and_warming_up():
    lines = ("step:0/60 val_loss:10.8 train_time:0ms step_avg:0.04ms", "warmup_step:10/20", "s:0 tel:10.9")
    assert {type(record) for record in read("modded-nanogpt", *lines)} == {Marker}
    assert one("modded-nanogpt", "s:12 trl:9.5") == Progress(12, loss=9.5)


def test_nanochat_tells_no_total_while_it_is_fine_tuned():
    pretrained, tuned = progress("nanochat", NANOCHAT.format(total="/21400"), NANOCHAT.format(total=""))
    assert pretrained == Progress(200, 21400, 1012.2, 5.12, throughput=517911)
    assert tuned == Progress(200, None, 1012.2, 5.12, throughput=517911)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "step    2/30 | loss 10.79 (+nanz)| norm 14.6 (-0.3z)| lr 4e-05 | 243.92 ms | 52% bf16 MFU | 21494 tok/s",
            Progress(2, 30, 243.92, 10.79, 14.6, 4e-5, 21494),
        ),
        (
            "step    2/30 | train loss 9.6 | norm 4.1 | lr 3.00e-04 | (170.62 ms | 24007 tok/s)",
            Progress(2, 30, 170.62, 9.6, 4.1, 3e-4, 24007),
        ),
        ("step 2: train loss 5.296 (took 1984.31 ms)", Progress(2, None, 1984.31, 5.296)),
    ],
)
def test_llm_c_is_read_in_its_three_languages(line, expected):
    assert read("llm.c", line) == [expected]
    assert not read("llm.c", line[:-6])


# LitGPT, MaxText, NeMo, Composer


@pytest.mark.parametrize(
    "line",
    [
        "Epoch 1 | iter 16 step 2 | loss train: 10.9, val: n/a | iter time: 297.02 ms (step) remaining time: 0:00:14",
        "iter 16 step 2: loss 10.9, iter time: 297.02ms (optimizer.step)",
    ],
)
def test_litgpt_is_read_old_and_new(line):
    assert one("litgpt", line) == Progress(16, None, 297.02, 10.9)


def test_maxtext_counts_from_zero_to_one_less_than_its_total():
    line = "completed step: {n}, seconds: 11.5, TFLOP/s/device: 311.7, loss: 5.1, lm_loss: 4.9, perplexity: 24.5"
    lines = (line.format(n=n) for n in (28, 29))
    assert read("maxtext", "Config param steps: 30", *lines) == [
        Progress(28, 30, 11500, 5.1, throughput=311.7),
        Progress(29, 30, 11500, 5.1, throughput=311.7),
        Marker(MarkerKind.LAST_ITERATION, 29),
    ]


def test_the_iteration_of_nemo_goes_on_where_that_of_the_line_begins_again():
    line = (
        "Training epoch 1, iteration {n}/59 | lr: 3e-05 | {told}reduced_train_loss: 5.1 | train_step_timing in s: 4.5"
    )
    assert one("nemo", line.format(n=2, told="global_step: 32 | ")) == Progress(32, 59, 4500, 5.1, None, 3e-5)
    assert one("nemo", line.format(n=0, told="")).iteration == 0


def test_the_bar_of_nemo_is_read_though_it_has_no_rate():
    line = (
        "Epoch 0: :   1%|          | 2/200 [00:04<05:57, v_num=, reduced_train_loss=10.7, train_step_timing in s=1.98]"
    )
    assert progress("nemo", line) == [Progress(2, 200, 1980, 10.7)]


def test_a_block_of_composer_is_told_at_its_head_and_its_speed_with_the_next():
    block = ("[batch={n}/40]:", "\t Train loss/train/total: 9.5", "\t Train throughput/batches_per_sec: 0.5")
    lines = [line.format(n=n) for n in (1, 2) for line in block]
    assert read("composer", *lines) == [
        Progress(1, 40),
        Detail(1, loss=9.5),
        Progress(2, 40, 2000),
        Detail(2, loss=9.5),
    ]


def test_the_epochs_of_composer_are_counted_through():
    assert [line.iteration for line in progress("composer", "[epoch=1][batch=40/40]:", "[epoch=2][batch=3/40]:")] == [
        40,
        43,
    ]


def test_an_evaluation_of_composer_is_no_progress():
    assert markers("composer", "[Eval batch=1/10] Eval on eval data:") == [(MarkerKind.EVALUATION, None)]


# LLaMA-Factory


def test_the_time_of_llama_factory_is_that_between_two_rows():
    rows = [ROW.format(n=n, loss='"loss": 1.5, ', percent=9.0, elapsed=at) for n, at in TIMES]
    assert [line.ms_per_iteration for line in progress("llama-factory", *rows)] == [None, 500, 360_000]


def test_the_row_without_a_loss_ends_a_training_and_that_of_an_evaluation_does_not():
    rows = (
        ROW.format(n=50, loss='"eval_loss": 1.6, ', percent=100.0, elapsed="0:01:00"),
        ROW.format(n=50, loss="", percent=100.0, elapsed="0:01:00"),
    )
    assert markers("llama-factory", *rows) == [(MarkerKind.EVALUATION_END, 50), (MarkerKind.TRAINING_DONE, None)]


# Hugging Face Trainer


@pytest.mark.parametrize("quote", ["", "'"])
def test_a_dict_adds_its_values_to_the_bar_though_they_are_text(quote):
    told = DICT.replace(": '", f": {quote}").replace("',", f"{quote},").replace("'}", f"{quote}}}")
    assert read("hf-trainer", bar(5), told)[1] == Detail(5, 2.5, 1.031, 5e-5)


def test_without_a_bar_the_iteration_is_that_of_the_fraction_of_an_epoch():
    told = (
        "  Num examples = 64",
        "  Num Epochs = 2",
        "  Total train batch size (w. parallel, distributed & accumulation) = 4",
        "  Total optimization steps = 30",
    )
    assert one("hf-trainer", STARTED, *told, DICT).iteration == 5
    assert one("hf-trainer", STARTED, *told, DICT).total == 30


def test_a_dict_before_the_first_bar_that_moved_counts_nothing():
    assert [line.iteration for line in progress("hf-trainer", bar(0), DICT, bar(3))] == [3]


def test_bars_that_ranks_dump_one_after_the_other_are_one_launch():
    dump = [bar(n, 4, "225.28s/it") for n in range(5)]
    lines = progress("hf-trainer", STARTED, STARTED, *dump, *dump, *dump)
    assert [line.iteration for line in lines] == [1, 2, 3, 4]
    assert lines[0].ms_per_iteration == 225280


def test_a_bar_that_begins_again_after_an_announcement_is_a_launch():
    lines = progress("hf-trainer", STARTED, bar(1), bar(30), STARTED, bar(0), bar(21))
    assert [line.iteration for line in lines] == [1, 30, 21]


def test_a_bar_that_begins_again_in_a_log_that_announces_nothing_is_a_launch():
    assert [line.iteration for line in progress("hf-trainer", bar(30), bar(0), bar(21))] == [30, 21]


def test_a_bar_that_is_drawn_again_may_tell_another_loss():
    drawn = bar(40)[:-1] + ", loss={}]"
    assert read("hf-trainer", drawn.format(0.5), drawn.format(0.625))[-1] == Detail(40, 0.625)


@pytest.mark.parametrize(
    "line",
    [
        bar(5, 8, name="Evaluating: "),
        bar(5, 48, "18898.58 examples/s", name="Adding EOS to train dataset: "),
        bar(5, 48, "12.5MB/s", name="model.safetensors: "),
        bar(5, 7, name="Loading checkpoint shards: "),
    ],
)
def test_bars_of_data_and_files_and_evaluations_are_no_progress(line):
    assert not progress("auto", line)


def test_a_bar_within_that_of_the_training_is_an_evaluation():
    assert [line.total for line in progress("hf-trainer", bar(15), bar(1, 1), bar(16))] == [40, 40]


def test_a_bar_that_goes_on_with_the_values_of_the_training_is_followed_instead_of_a_nameless_one_before():
    before = [bar(n, 900) for n in (450, 900)]
    training = [line for n in (5, 10, 15, 20) for line in (bar(n), DICT)]
    assert [(line.iteration, line.total) for line in progress("hf-trainer", *before, *training)][2:] == [
        (15, 40),
        (20, 40),
    ]


def test_a_second_training_that_nothing_announces_is_followed_once_its_values_come():
    first = [line for n in (20, 40) for line in (bar(n), DICT)]
    second = [line for n in (5, 10, 15, 20) for line in (bar(n, 80), DICT)]
    found = [(line.iteration, line.total) for line in progress("hf-trainer", *first, *second)]
    assert found == [(20, 40), (40, 40), (15, 80), (20, 80)]


def test_nameless_bars_of_evaluations_are_not_followed_though_late_values_stand_between_them():
    evaluation = [bar(2, 13), DICT, DICT, bar(9, 13)]
    lines = [line for n in (5, 10, 15, 20) for line in (bar(n), *evaluation)]
    assert [line.iteration for line in progress("hf-trainer", *lines)] == [5, 10, 15, 20]


def test_the_loss_of_one_step_in_a_bar_is_read():
    assert one("hf-trainer", STARTED, bar(5)[:-1] + ", lr=1e-5, step_loss=0.25]").loss == 0.25


@pytest.mark.parametrize(("module", "found"), [("trainer.py", "hf-trainer"), ("modeling_utils.py", "tqdm")])
def test_a_run_that_crashed_before_any_dict_is_known_by_the_trainer_in_its_traceback(module, found):
    parser = Parser()
    parser.feed("".join(bar(n) + "\n" for n in range(1, 6)).encode())
    assert parser.format == "tqdm"
    place = f'  File "/venv/transformers/{module}", line 1660, in step'
    parser.feed(f"Traceback (most recent call last):\n{place}\nValueError: x\n".encode())
    assert parser.format == found


@pytest.mark.parametrize(
    ("name", "dialect", "first", "last"),
    [
        ("hf-trainer/trl_sft.log", "hf-trainer", 1, 30),
        ("hf-trainer/bar_eval_checkpoint_info.log", "hf-trainer", 3, 32),
        ("hf-trainer/resumed_two_launches.log", "hf-trainer", 3, 40),
        ("hf-trainer/resumed_info_no_bar.log", "hf-trainer", 5, 40),
        ("litgpt/pretrain.log", "litgpt", 1, 40),
        ("llama-factory/trainer_log_finished.log", "llama-factory", 2, 50),
    ],
)
def test_what_frameworks_really_printed_is_read_from_first_to_last(name, dialect, first, last):
    found, lines = whole(name)
    assert (found, lines[0].iteration, lines[-1].iteration) == (dialect, first, last)


@pytest.mark.parametrize(
    ("text", "iteration", "total", "loss"),
    [
        ("step 5 loss 2.8787", 5, None, 2.8787),
        ("[2026-11-24 09:15:20] INFO: iter 15/200: loss=0.9644, lr=3e-4", 15, 200, 0.9644),
        ("Iteration 40 | train_loss: nan", 40, None, pytest.approx(float("nan"), nan_ok=True)),
    ],
)
def test_loops_of_peoples_own_that_print_a_step_and_its_loss_are_progress(text, iteration, total, loss):
    (line,) = Parser().feed(text.encode() + b"\n")
    assert (line.iteration, line.total, line.loss) == (iteration, total, loss)


@pytest.mark.parametrize(
    "text",
    ["step 80: val loss 2.3", "eval step 80 loss 2.3", "step 80 took 3 s, loss 2.3", "epoch 8 | iter 48/136 | loss 17"],
)
def test_what_an_evaluation_prints_or_counts_epochs_or_tells_more_is_no_line_of_such_a_loop(text):
    assert Parser().feed(text.encode() + b"\n") == []
