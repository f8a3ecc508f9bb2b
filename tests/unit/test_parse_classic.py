"""Paddle, MindSpore, MXNet, HugeCTR, boosted trees, MLPerf's lines and plain bars: what they say, and what not."""

from __future__ import annotations

import pytest

from monitor_core.model.records import Marker, MarkerKind, Progress
from monitor_core.parse import Parser


def lines(*texts):
    return "".join(text + "\n" for text in texts).encode()


def progress(dialect, *texts):
    return [record for record in Parser(dialect).feed(lines(*texts)) if isinstance(record, Progress)]


def told(dialect, *texts):
    """What is told of iterations: each with its total."""
    return [(record.iteration, record.total) for record in progress(dialect, *texts)]


def kinds(dialect, *texts):
    return [record.kind for record in Parser(dialect).feed(lines(*texts)) if isinstance(record, Marker)]


def bar(name, count, length):
    return f"{name}{count * 100 // length:3d}%|###       | {count}/{length} [00:15<00:18,  2.00it/s, loss=2.31]"


def bars(name, length):
    return [bar(name, count, length) for count in range(length + 1)]


SEG = (
    "2026-11-02 08:15:42 [INFO]\t[TRAIN] epoch: 3, iter: {}/80000, loss: 1.0382, lr: 0.009963, batch_cost: 1.1021,"
    " reader_cost: 0.00013, ips: 1.8148 samples/sec | ETA 24:23:22"
)
CLAS = "[2026/11/02 08:15:42] ppcls INFO: epoch:{}   train step:{:<4} lr: 0.100000, loss:  7.2 batch_cost: 0.11679 s,"
NEW_CLAS = (
    "[2026/11/02 08:15:42] ppcls INFO: [{}][Epoch {}/90][Iter: {}/5005]lr(Cosine): 0.1, CELoss: 6.9, loss: 6.9,"
    " batch_cost: 0.31s, reader_cost: 0.01, ips: 819.4 samples/s, eta: 0:05:11"
)
DET = "[11/02 08:15:42] ppdet.engine INFO: Epoch: [{}] [{:>2}/50] learning_rate: 0.001 loss_cls: 0.9 loss: 2.6"
DET += " eta: 0:00:10 batch_cost: 0.2111 data_cost: 0.0012 ips: 37.8967 images/s"
NLP = (
    "[2026-11-02 08:15:42,008] [    INFO] - loss: 3.2, learning_rate: 2.9e-05, global_step: {}, interval_runtime: 2.5,"
)
NLP += " interval_samples_per_second: 3.5, interval_steps_per_second: 4.4, progress_or_epoch: 0.02"


def test_paddleseg_counts_through_all_epochs():
    (line,) = progress("paddle", SEG.format(120))
    assert (line.iteration, line.total, line.ms_per_iteration, line.loss) == (120, 80000, pytest.approx(1102.1), 1.0382)
    assert (line.learning_rate, line.throughput) == (0.009963, 1.8148)
    assert line.timestamp is not None


def test_paddledetection_tells_a_place_in_an_epoch():
    assert told("paddle", DET.format(0, 40), DET.format(1, 0), DET.format(2, 20)) == [
        (40, None),
        (50, None),
        (120, None),
    ]


def test_the_new_paddleclas_tells_how_many_epochs_there_are_and_its_evaluation_is_no_progress():
    texts = (NEW_CLAS.format("Train", 1, 10), NEW_CLAS.format("Eval", 1, 20), NEW_CLAS.format("Train", 2, 5))
    assert told("paddle", *texts) == [(10, 450450), (5010, 450450)]


def test_an_epoch_of_the_old_paddleclas_is_as_long_as_its_last_line_told():
    texts = [CLAS.format(epoch, step) for epoch in (0, 1, 2) for step in (10, 20, 30)]
    assert [iteration for iteration, _ in told("paddle", *texts)] == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_paddle_launch_tells_the_end():
    assert kinds("paddle", "LAUNCH INFO 2026-11-02 08:15:42,474 Pod completed") == [MarkerKind.TRAINING_DONE]


def test_paddle_fit_prints_its_evaluation_as_its_training_which_is_no_progress():
    step = "step {}/{} [====>......] - loss: 0.8483 - acc: 0.7000 - 25ms/step"
    texts = ["Epoch 1/2", step.format(20, 40), step.format(40, 40)]
    texts += ["Eval begin...", step.format(8, 8), "Eval samples: 32", "Epoch 2/2", step.format(20, 40)]
    assert told("paddle", *texts) == [(20, 80), (40, 80), (60, 80)]
    assert {line.ms_per_iteration for line in progress("paddle", *texts)} == {25.0}


def test_an_evaluation_that_was_cut_off_hides_nothing_of_the_next_training():
    begin = (
        "The loss value printed in the log is the current step, and the metric is the average value of previous steps."
    )
    assert told("paddle", "Eval begin...", begin, "Epoch 1/2", "step 20/40 - loss: 0.48 - 26ms/step") == [(20, 80)]


def test_a_restart_in_an_evaluation_of_paddle_still_hides_it():
    parser = Parser("paddle")
    parser.feed(lines("Epoch 1/2", "step 20/40 - loss: 0.48 - 26ms/step", "Eval begin..."))
    assert Parser.restore(parser.state()).feed(lines("step 8/8 - loss: 0.1 - 25ms/step")) == []


def test_paddlenlp_tells_the_time_of_an_interval():
    texts = ("[INFO] -   Total optimization steps = 1000.0", NLP.format(10), NLP.format(20))
    assert told("paddlenlp", *texts) == [(10, 1000), (20, 1000)]
    assert progress("paddlenlp", *texts)[1].ms_per_iteration == 250
    assert progress("paddlenlp", *texts)[1].loss == 3.2


def test_a_paddlenlp_line_of_an_evaluation_or_the_end_is_no_progress():
    texts = (
        "[    INFO] - eval_loss: 2.1, eval_runtime: 12.0, epoch: 0.2",
        "[    INFO] - train_runtime: 93.1, train_loss: 2.0",
    )
    assert told("paddlenlp", *texts) == []
    assert kinds("paddlenlp", *texts) == [MarkerKind.EVALUATION_END, MarkerKind.TRAINING_DONE]


def test_mindspore_counts_epochs_through_whose_length_it_never_tells():
    texts = [
        f"epoch: {epoch} step: {step}, loss is {loss}"
        for epoch, step, loss in ((1, 1, 2.2), (1, 2, 2.1), (2, 1, "nan"))
    ]
    assert [iteration for iteration, _ in told("mindspore", *texts)] == [1, 2, 3]


def test_a_line_per_epoch_of_mindspore_counts_its_steps():
    texts = [f"epoch: {epoch} step: 1875, loss is 0.2" for epoch in (1, 2, 3)]
    assert [iteration for iteration, _ in told("mindspore", *texts)] == [1875, 3750, 5625]


def test_the_time_that_mindspore_tells_after_an_epoch_is_that_of_the_next_line():
    texts = (
        "epoch: 1 step: 1, loss is 2.2",
        "Train epoch time: 612.3 ms, per step time: 122.4 ms",
        "epoch: 2 step: 1, loss is 2.1",
    )
    assert [line.ms_per_iteration for line in progress("mindspore", *texts)] == [None, 122.4]


def test_mindformers_tells_both_totals_and_a_norm_in_brackets():
    head = "mindformers - INFO - { Epoch:[  2/  3], step:[   20/ 6500], loss: 8.900, per_step_time: 810ms, lr: 1.2e-05,"
    (line,) = progress(
        "mindspore", head + " overflow cond: False, global_norm: [2.101], train_throughput_per_npu: 171.21T"
    )
    assert (line.iteration, line.total, line.ms_per_iteration, line.loss) == (6520, 19500, 810.0, 8.9)
    assert (line.grad_norm, line.throughput) == (2.101, 171.21e12)


@pytest.mark.parametrize(
    "place", ["Epoch[{}] Batch [{}]\tSpeed", "Epoch[{}] Batch [0-{}]\tSpeed", "[Epoch {}][Batch {}], Speed"]
)
def test_mxnet_prints_a_place_in_an_epoch_in_several_layouts(place):
    texts = [
        place.format(epoch, batch) + ": 2510.11 samples/sec\tcross-entropy=6.5"
        for epoch in (0, 1)
        for batch in (20, 40)
    ]
    assert [iteration for iteration, _ in told("mxnet", *texts)] == [20, 40, 60, 80]
    assert {(line.loss, line.throughput) for line in progress("mxnet", *texts)} <= {(6.5, 2510.11)}


def test_the_ssd_of_mlperf_tells_iterations_and_milliseconds():
    text = "INFO:root:[Training][Iteration 150][Epoch 2, Batch 35/115] lr: 1, training time: 230.9 [ms], loss=9.1"
    (line,) = progress("mxnet", text)
    assert (line.iteration, line.ms_per_iteration, line.loss) == (150, 230.9, 9.1)


def test_the_time_of_hugectr_covers_as_many_iterations_as_its_line_says():
    text = "[HCTR][08:00:05.201][INFO][RK0][main]: Iter: 3000 Time(1000 iters): 3.53s Loss: 0.138 lr:0.001"
    texts = ("[HUGECTR][INFO]: Use non-epoch mode with number of iterations: 5000", text)
    (line,) = progress("hugectr", *texts)
    assert (line.iteration, line.total, line.ms_per_iteration, line.loss) == (3000, 5000, 3.53, 0.138)


@pytest.mark.parametrize(
    ("texts", "iterations"),
    [
        (
            [
                "Epoch: 0 Iteration: 19 ",
                "Epoch: 0 Iteration: 39 ",
                "Epoch: 1 Iteration: 19 ",
                "Epoch: 1 Iteration: 39 ",
            ],
            [19, 39, 59, 79],
        ),
        (["Training Epoch: 0 Training Iteration: 22 ", "Training Epoch: 1 Training Iteration: 23 "], [22, 23]),
        (["Iteration: 1 ", "Iteration: 2 "], [1, 2]),
        (["Epoch: 0 Iteration: 19 ", "Epoch: 0 Iteration: 20 Validation Iteration: 3 "], [19]),
    ],
)
def test_an_iteration_of_dllogger_is_one_of_its_epoch_or_of_all(texts, iterations):
    logged = [f"DLL 2026-11-02 08:15:42.226566 - {text} train.loss : 6.9" for text in texts]
    assert [iteration for iteration, _ in told("dllogger", *logged)] == iterations


def test_dllogger_has_a_line_of_no_step_at_the_end():
    texts = ("PARAMETER arch : resnet", "Epoch: 0  val.top1 : 0.6", " e2e_train_time : 582.1  final_loss : 8.1")
    assert kinds("dllogger", *(f"DLL 2026-11-02 08:15:42.226566 - {text}" for text in texts)) == [
        MarkerKind.TRAINING_DONE
    ]


def test_the_time_that_rnnt_tells_is_that_since_its_epoch_began():
    text = (
        "DLL 2026-11-02 08:15:42 - epoch 8 | iter   48/136 | loss  171.41 | utts/s   116 | took 17.76 s | lrate 7e-03"
    )
    (line,) = progress("dllogger", text)
    assert (line.iteration, line.ms_per_iteration, line.loss, line.learning_rate) == (1000, 370.0, 171.41, 0.007)


def mllog(key, metadata):
    return f':::MLLOG {{"time_ms": 1793607342000, "key": "{key}", "value": null, "metadata": {{{metadata}}}}}'


def test_mlperf_tells_when_a_run_has_reached_its_target():
    assert kinds("mllog", mllog("run_stop", '"lineno": 1, "status": "success"')) == [MarkerKind.TRAINING_DONE]
    assert kinds("mllog", mllog("run_stop", '"lineno": 1, "status": "aborted"')) == [MarkerKind.EXITING]


def test_the_lines_of_mlperf_count_in_the_log_of_a_framework():
    head = "HCTR: Iter: {} Time(1000 iters): 3.53s Loss: 0.138 lr:0.001"
    parser = Parser()
    records = parser.feed(lines(head.format(1000), head.format(2000), mllog("run_stop", '"status": "success"')))
    assert parser.format == "hugectr"
    assert [record.kind for record in records if isinstance(record, Marker)] == [MarkerKind.TRAINING_DONE]


def test_the_loss_of_boosted_trees_is_a_loss_of_the_training_data():
    text = "[5]\ttraining's auc: 0.94\ttraining's binary_logloss: 0.584756\tvalid_1's binary_logloss: 0.6"
    assert [line.loss for line in progress("lightgbm", text)] == [0.584756]
    assert [line.loss for line in progress("lightgbm", "[5]\tvalid_0's binary_logloss: 0.558675")] == [None]
    assert [line.loss for line in progress("xgboost", "[5]\ttrain-auc:0.93\ttrain-logloss:0.53\teval-logloss:0.6")] == [
        0.53
    ]


@pytest.mark.parametrize(
    ("dialect", "text", "end"),
    [
        ("lightgbm", "[{}]\tvalid_0's l2: 0.5", "Early stopping, best iteration is:"),
        ("lightgbm", "[{}]\tvalid_0's l2: 0.5", "Did not meet early stopping. Best iteration is:"),
        ("xgboost", "[{}]\ttrain-rmse:0.5", "Stopping. Best iteration:"),
    ],
)
def test_the_best_round_is_told_again_and_is_no_new_training(dialect, text, end):
    texts = (text.format(19), text.format(20), end, text.format(13), text.format(1))
    assert [iteration for iteration, _ in told(dialect, *texts)] == [19, 20, 1]
    assert kinds(dialect, *texts) == [MarkerKind.TRAINING_DONE]


def test_lightgbm_of_the_command_line_tells_the_time_since_its_start():
    texts = []
    for number in (1, 2):
        texts.append(f"[LightGBM] [Info] Iteration:{number}, training binary_logloss : 0.6{number}")
        texts.append(f"[LightGBM] [Info] 0.{number}5 seconds elapsed, finished iteration {number}")
    found = [(line.iteration, line.loss, line.ms_per_iteration) for line in progress("lightgbm", *texts)]
    assert found == [(1, 0.61, None), (2, 0.62, pytest.approx(100))]


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("paddle", SEG.format(120)[:55]),
        ("mindspore", "epoch: 1 step: 10, loss is "),
        ("hugectr", "Iter: 1000 Time(1000 iters): 3.53"),
        ("lightgbm", "[10]\ttraining's binary_log"),
        ("xgboost", "[10]\ttrain-rm"),
        ("paddlenlp", NLP.format(120)[:85]),
    ],
)
def test_a_line_that_was_cut_says_nothing(dialect, text):
    assert progress(dialect, text) == []


@pytest.mark.parametrize(
    "name",
    [
        "Sanity Checking DataLoader 0: ",
        "Map: ",
        "Loading checkpoint shards: ",
        "Validation DataLoader 0: ",
        "Epoch 1 val: ",
        "Preprocessing: ",
    ],
)
def test_bars_of_something_else_are_no_training(name):
    assert progress("tqdm", *bars(name, 5)) == []


def test_bars_of_epochs_are_counted_through():
    assert told("tqdm", *bars("Epoch 1/2: ", 3), *bars("Epoch 2/2: ", 3)) == [(count, 6) for count in range(1, 7)]


def test_a_bar_of_an_epoch_that_is_drawn_empty_under_its_old_name_is_no_progress():
    texts = [*bars("Epoch 0: ", 3), *bars("Epoch 1: ", 3), bar("Epoch 1: ", 0, 3), *bars("Epoch 2: ", 3)]
    assert [iteration for iteration, _ in told("tqdm", *texts)] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_full_bar_that_begins_again_is_the_next_epoch_and_then_no_total_is_known():
    assert told("tqdm", *bars("", 3), *bars("", 3)) == [(1, 3), (2, 3), (3, 3), (4, None), (5, None), (6, None)]


def test_a_bar_of_epochs_around_those_of_iterations_tells_how_many_there_are():
    texts = [
        bar("Epoch: ", 0, 2),
        *bars("Iteration: ", 3),
        bar("Epoch: ", 1, 2),
        *bars("Iteration: ", 3),
        bar("Epoch: ", 2, 2),
    ]
    assert told("tqdm", *texts) == [(count, 6) for count in range(1, 7)]


def test_a_bar_that_begins_again_before_it_was_full_is_a_new_training():
    assert [iteration for iteration, _ in told("tqdm", *bars("", 5)[:4], *bars("", 5))] == [1, 2, 3, 1, 2, 3, 4, 5]


def test_a_bar_behind_the_prefix_of_a_launcher_and_before_other_output_is_read():
    text = (
        "Mon Nov  2 09:15:20 2026[1,0]<stderr>:"
        + bar("Iteration: ", 22, 1147)
        + "Mon Nov  2 09:15:21 2026[1,0]<stdout>:"
    )
    (line,) = progress("tqdm", text)
    assert (line.iteration, line.total, line.ms_per_iteration, line.loss) == (22, 1147, 500.0, 2.31)
