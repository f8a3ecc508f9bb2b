"""What the frameworks of vision, speech and general training loops print is read as it is meant."""

from __future__ import annotations

import pytest

from monitor_core.model.records import Detail, Failure, Marker, MarkerKind, Progress
from monitor_core.parse import Parser


def read(name, *lines):
    return Parser(name).feed("".join(f"{line}\n" for line in lines).encode())


def progress(name, *lines):
    return [record for record in read(name, *lines) if isinstance(record, Progress)]


def kinds(name, *lines):
    return [record.kind for record in read(name, *lines) if isinstance(record, Marker)]


D2 = "[04/02 10:00:19 d2.utils.events]:  eta: 0:03:01  iter: {}  total_loss: 2.005  loss_cls: 0.61  \
time: 0.4100  last_time: 0.4162  data_time: 0.0051  lr: 0.00025  max_mem: 3211M"


# fairseq


@pytest.mark.parametrize(
    "line",
    [
        (
            '2026-03-08 12:32:33 | INFO | train_inner | {"epoch": 1, "loss": "11.446", "wps": "5120.0", '
            '"ups": "0.3", "wpb": "16384", "num_updates": "200", "lr": "4e-05", "gnorm": "1.777", "loss_scale": "4"}'
        ),
        (
            "2026-03-08 12:32:33 | INFO | train_inner | epoch 001:    200 / 2000 loss=11.446, nll_loss=9, wps=5120.0, "
            "ups=0.3, wpb=16384, num_updates=200, lr=4e-05, gnorm=1.777, loss_scale=4"
        ),
        (
            "[2026-03-08 12:32:33,000][train_inner][INFO] - "
            '{"loss": "11.446", "wps": "5120", "ups": "0.3", "wpb": "16384", "num_updates": "200", "lr": "4e-05", '
            '"gnorm": "1.777"}'
        ),
        (
            "2026-03-08 12:32:33 | epoch 001:    200 / 2000 loss=11.446, wps=5120, ups=0, wpb=16384, num_updates=200, "
            "lr=4e-05, gnorm=1.777"
        ),
    ],
    ids=["json", "text", "hydra", "old"],
)
def test_fairseq_tells_updates_and_their_time_by_the_words_in_them(line):
    (told,) = progress("fairseq", line)
    assert (told.iteration, told.ms_per_iteration, told.loss) == (200, pytest.approx(3200.0), 11.446)
    assert (told.grad_norm, told.learning_rate, told.timestamp) == (1.777, 4e-05, 1772973153.0)


def test_fairseq_tells_no_time_in_its_first_line():
    (told,) = progress("fairseq", '| train_inner | {"wps": "0", "ups": "0", "wpb": "16384", "num_updates": "1"}')
    assert told.ms_per_iteration is None


def test_fairseq_epochs_and_validations_are_no_progress():
    lines = [
        '| INFO | fairseq_cli.train | begin validation on "valid" subset',
        '| INFO | valid | {"epoch": 1, "valid_loss": "17.953", "valid_num_updates": "10"}',
        "| INFO | fairseq.checkpoint_utils | Preparing to save checkpoint for epoch 1 @ 100 updates",
        "| INFO | fairseq.checkpoint_utils | Saved checkpoint out/c1.pt (epoch 1 @ 100 updates, score 9.0)",
        '| INFO | train | {"epoch": 1, "train_loss": "19.351", "train_num_updates": "10", "train_wall": "667"}',
        "| INFO | fairseq_cli.train | Stopping training due to num_updates: 100 >= max_update: 100",
    ]
    assert progress("fairseq", *lines) == []
    assert kinds("fairseq", *lines) == [
        MarkerKind.EVALUATION,
        MarkerKind.EVALUATION_END,
        MarkerKind.CHECKPOINT_START,
        MarkerKind.CHECKPOINT_END,
        MarkerKind.TRAINING_DONE,
    ]
    assert read("fairseq", lines[-1])[0].total == 100


# mmengine


def test_mmengine_iterations_under_mpirun_are_read():
    (told,) = progress(
        "mmengine",
        "Mon May 31 13:38:21 2021[1,0]<stderr>:2021-05-31 13:38:21,660 - mmseg - INFO - Iter [2/10]\tlr: 9.104e-03, "
        "eta: 0:00:47, time: 5.920, data_time: 1.256, memory: 11440, decode.loss_seg: 2.7530, loss: 2.7531",
    )
    assert (told.iteration, told.total, told.ms_per_iteration, told.loss) == (2, 10, 5920.0, 2.7531)


def test_mmengine_epochs_are_counted_through_from_one():
    line = "04/02 14:10:05 - mmengine - INFO - Epoch(train)  [{}][ 50/916]  lr: 2.0e-02  eta: 3:10:20  time: 0.4121  \
data_time: 0.0102  loss: 0.8342"
    first, second = progress(
        "mmengine", "train_cfg = dict(max_epochs=12, type='EpochBasedTrainLoop')", line.format(1), line.format(3)
    )
    assert (first.iteration, first.total) == (50, 12 * 916)
    assert (second.iteration, second.ms_per_iteration, second.loss) == (2 * 916 + 50, 412.1, 0.8342)


def test_mmengine_validates_in_lines_that_are_no_progress():
    lines = [
        "11/24 09:23:46 - mmengine - INFO - Saving checkpoint at 240 iterations",
        "11/24 09:23:46 - mmengine - INFO - Iter(val) [ 5/20]    eta: 0:00:00  time: 0.0192  data_time: 0.0059  ",
        "11/24 09:23:47 - mmengine - INFO - Iter(val) [20/20]    accuracy: 76.4062  data_time: 0.0054  time: 0.0182",
    ]
    assert progress("mmengine", *lines) == []
    assert kinds("mmengine", *lines) == [
        MarkerKind.CHECKPOINT_START,
        MarkerKind.EVALUATION,
        MarkerKind.EVALUATION_END,
    ]


def test_mmengine_is_done_with_its_last_iteration():
    line = "11/24 09:11:25 - mmengine - INFO - Iter(train) [{}/300]  lr: 5.0e-02  time: 0.0563  loss: 0.5389"
    assert kinds("mmengine", line.format(290)) == []
    assert kinds("mmengine", line.format(300)) == [MarkerKind.LAST_ITERATION]


# detectron2, YOLOX, maskrcnn-benchmark


def test_detectron2_tells_its_total_in_the_configuration_that_comes_last():
    lines = ["  MAX_ITER: 40000", "  MAX_ITER: 90000", D2.format(19)]
    (told,) = progress("detectron2", *lines)
    assert (told.iteration, told.total, told.ms_per_iteration, told.loss) == (19, 90000, 410.0, 2.005)


def test_detectron2_has_finished_only_when_it_saves_the_final_model():
    end = "[04/02 10:04:03 d2.engine.hooks]: Overall training speed: 198 iterations in 0:01:21 (0.4112 s / it)"
    save = "[04/02 10:04:01 fvcore.common.checkpoint]: Saving checkpoint to ./output/model_{}.pth"
    assert kinds("detectron2", save.format("0000999")) == [MarkerKind.CHECKPOINT_START]
    assert kinds("detectron2", save.format("final"), end) == [MarkerKind.TRAINING_DONE, MarkerKind.EXITING]


def test_yolox_epochs_are_counted_through():
    line = "2026-04-02 14:10:45 | INFO     | yolox.core.trainer:270 - epoch: {}/300, iter: 10/925, gpu mem: 5210Mb, \
iter_time: 0.416s, data_time: 0.002s, total_loss: 13.7, iou_loss: 4.1, lr: 1.250e-04, size: 640"
    first, third = progress("yolox", line.format(1), line.format(3))
    assert (first.iteration, first.total, first.ms_per_iteration, first.loss) == (10, 300 * 925, 416.0, 13.7)
    assert third.iteration == 2 * 925 + 10


def test_maskrcnn_benchmark_tells_its_newest_values_and_not_the_means():
    line = "2026-01-05 12:01:20,233 maskrcnn_benchmark.trainer INFO: eta: 1 day, 8:58:12  iter: 20  loss: 1.8200 \
(1.9131)  loss_mask: 0.6812 (0.6904)  time: 0.3512 (0.3604)  data: 0.0041 (0.0102)  lr: 0.007173  max mem: 3012"
    (told,) = progress("maskrcnn-benchmark", line)
    assert (told.iteration, told.ms_per_iteration, told.loss, told.learning_rate) == (20, 351.2, 1.82, 0.007173)


# MetricLogger, timm


@pytest.mark.parametrize("head", ["Epoch: [2]", "Epoch: [2/10]", "Train: data epoch: [2]"])
def test_metric_logger_epochs_are_counted_through_from_zero(head):
    (told,) = progress(
        "metric-logger", f"{head}  [ 10/118]  eta: 0:00:21  lr: 0.0001  loss: 5.1 (5.2)  time: 0.2051  data: 0.0031"
    )
    assert (told.iteration, told.ms_per_iteration, told.loss) == (246, 205.1, 5.1)


def test_metric_logger_tells_its_epochs_in_its_arguments():
    (told,) = progress(
        "metric-logger",
        "Namespace(lr=0.0001, batch_size=2, lr_epochs=7, epochs=10, lr_drop=200)",
        "Epoch: [0]  [ 10/118]  eta: 0:00:21  loss: 5.1 (5.2)  time: 0.2051",
    )
    assert told.total == 1180


@pytest.mark.parametrize("head", ["Test:", "Evaluation", "Eval: data epoch: [2]", "Val:"])
def test_metric_logger_evaluations_are_no_progress(head):
    line = f"{head}  [ 0/10]  eta: 0:00:04  loss: 4.9 (4.9)  time: 0.4  data: 0.2"
    assert progress("metric-logger", line) == []
    assert kinds("metric-logger", line, f"{head} Total time: 0:00:02 (0.2 s / it)") == [
        MarkerKind.EVALUATION,
        MarkerKind.EVALUATION_END,
    ]


def test_metric_logger_ends_with_the_time_that_training_took():
    assert kinds("metric-logger", "Training time 1 day, 2:13:00") == [MarkerKind.TRAINING_DONE]


def test_timm_epochs_are_counted_through_and_tests_are_no_progress():
    line = "Train: {} [  50/1251 (  4%)]  Loss: 6.40 (6.52)  Time: 0.186s,  688.17/s  (0.190s,  673.68/s)  LR: 1.0e-05"
    test = "Test: [   0/48]  Time: 0.310 (0.310)  Loss:   6.700 ( 6.700)  Acc@1:   0.781 (  0.781)"
    first, second = progress(
        "timm", "Scheduled epochs: 90. LR stepped per epoch.", line.format(0), test, line.format(1)
    )
    assert (first.iteration, first.total, first.ms_per_iteration, first.loss) == (50, 90 * 1251, 186.0, 6.4)
    assert (second.iteration, second.learning_rate) == (1301, 1e-05)
    assert kinds("timm", test) == [MarkerKind.EVALUATION]


# Keras, TensorFlow


BAR = "━" * 20


def test_keras_bars_are_counted_through_and_a_bar_drawn_again_says_nothing_new():
    told = progress(
        "keras",
        "Epoch 2/3",
        f" 1/20 {BAR} 1s 54ms/step - accuracy: 0.5 - loss: 0.70",
        f"20/20 {BAR} 0s 54ms/step - accuracy: 0.5 - loss: 0.68",
        f"20/20 {BAR} 1s 55ms/step - accuracy: 0.5 - loss: 0.68 - val_accuracy: 0.6 - val_loss: 0.63",
    )
    assert [(each.iteration, each.total, each.ms_per_iteration, each.loss) for each in told] == [
        (21, 60, 54.0, 0.7),
        (40, 60, 54.0, 0.68),
    ]


def test_keras_evaluations_draw_bars_that_are_no_progress():
    lines = [f"20/20 {BAR} 1s 54ms/step - loss: 0.68", f"5/5 {BAR} 0s 3ms/step - accuracy: 0.5 - loss: 0.6"]
    assert progress("keras", *lines) == []
    assert [each.iteration for each in progress("keras", "Epoch 1/1", *lines, *lines)] == [20]


@pytest.mark.parametrize(
    ("line", "ms"),
    [
        ("  19/20 [===========================>..] - ETA: 0s - loss: 0.68", None),
        ("19/20 [============================>.] - 1s 54ms/step - loss: 0.68 - acc: 0.5", 54.0),
        ("19/20 - 5s - loss: 0.68 - accuracy: 0.5", None),
        ("19/20 - 5s - 2s/step - accuracy: 0.5 - loss: 0.68", 2000.0),
    ],
)
def test_keras_lines_of_all_ages_are_read(line, ms):
    (told,) = progress("keras", "[1,0]<stdout>:Epoch 1/3", line)
    assert (told.iteration, told.ms_per_iteration, told.loss) == (19, ms, 0.68)


def test_keras_stops_at_a_loss_that_is_no_number():
    lines = ["Epoch 1/4", f"10/20 {BAR} 0s 54ms/step - loss: 0.7132Batch 10: Invalid loss, terminating training"]
    assert kinds("keras", *lines) == [MarkerKind.EXITING]


def test_tensorflow_tells_the_time_since_its_last_line():
    (first, second, *copies) = progress(
        "tensorflow",
        "INFO:tensorflow:loss = 11.13, step = 0",
        "INFO:tensorflow:global_step/sec: 12.5",
        "INFO:tensorflow:loss = 9.1, step = 100 (8.000 sec)",
        "I0802 10:53:22.388701 140419828713280 basic_session_run_hooks.py:260] loss = 9.1, step = 100 (8.000 sec)",
    )
    assert (first.iteration, first.loss, first.ms_per_iteration) == (0, 11.13, None)
    assert (second.iteration, second.loss, second.ms_per_iteration) == (100, 9.1, 80.0)
    assert [copy.iteration for copy in copies] == [100]


def test_a_loss_and_a_step_that_tensorflow_has_not_logged_are_not_its():
    assert progress("tensorflow", "loss = 2.298487901687622, step = 0") == []


def test_tensorflow_saves_evaluates_and_ends():
    assert kinds(
        "tensorflow",
        "INFO:tensorflow:Create CheckpointSaverHook.",
        "INFO:tensorflow:Saving checkpoints for 2000 into /data/out/model.ckpt.",
        "INFO:tensorflow:Loss for final step: 10.4.",
        "INFO:tensorflow:Starting evaluation at 2026-08-02T11:04:50Z",
        "INFO:tensorflow:Finished evaluation at 2026-08-02-11:05:04",
    ) == [
        MarkerKind.START,
        MarkerKind.CHECKPOINT_START,
        MarkerKind.TRAINING_DONE,
        MarkerKind.EVALUATION,
        MarkerKind.EVALUATION_END,
    ]


# Ultralytics, Lightning


@pytest.mark.parametrize(
    ("bar", "ms"),
    [
        ("16% ━━────────── 2/12 4.0it/s 0.5s<2.7s", 250.0),
        ("16% ━━────────── 2/12 1.5s/it 3.0s<15.0s", 1500.0),
        (" 16%|█▌        | 2/12 [00:00<00:02,  4.00it/s]", 250.0),
        ("16% ━━────────── 2/12  0.2s", None),
    ],
)
def test_ultralytics_bars_of_old_and_new_are_counted_through(bar, ms):
    line = f"        3/5      1.21G      6.302      4.609       4.06          8        640: {bar}"
    told = progress("ultralytics", line, line)
    assert [(each.iteration, each.total, each.ms_per_iteration) for each in told] == [(26, 60, ms)]


def test_ultralytics_validates_in_bars_that_are_no_progress():
    line = (
        "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 50% ━━━ 1/2 9.4it/s"
    )
    assert progress("ultralytics", line) == []
    assert kinds("ultralytics", line, "5 epochs completed in 0.003 hours.") == [
        MarkerKind.EVALUATION,
        MarkerKind.TRAINING_DONE,
    ]


def bar(epoch, count, length, values=""):
    return f"Epoch {epoch}:  10%|█    | {count}/{length} [00:01<00:07,  8.00it/s{values}]"


def test_lightning_bars_are_counted_through_epochs_of_which_the_last_is_shorter():
    told = progress(
        "lightning", *(bar(*place) for place in [(0, 16, 16), (1, 0, 16), (1, 16, 16), (2, 0, 8), (2, 8, 8)])
    )
    assert [each.iteration for each in told] == [16, 32, 40]


def test_lightning_draws_a_bar_before_it_knows_the_loss_of_the_iteration():
    first, again = read("lightning", bar(0, 2, 80, ", train_loss=1.5"), bar(0, 2, 80, ", train_loss=1.1"))
    assert isinstance(first, Progress)
    assert (first.iteration, first.ms_per_iteration) == (2, 125.0)
    assert isinstance(again, Detail)
    assert (again.iteration, again.loss) == (2, 1.1)


@pytest.mark.parametrize(("reached", "total"), [("max_epochs=3", 240), ("max_steps=200", 200)])
def test_lightning_tells_its_total_at_the_end(reached, total):
    *_, end = read("lightning", bar(0, 2, 80), f"{bar(2, 80, 80)}`Trainer.fit` stopped: `{reached}` reached.")
    assert (end.kind, end.total) == (MarkerKind.TRAINING_DONE, total)


def test_lightning_validates_in_bars_that_are_no_progress():
    lines = [
        "Sanity Checking DataLoader 0:  50%|█████     | 1/2 [00:00<00:00, 20.01it/s]",
        "Validation DataLoader 0:  85%|████████▌ | 17/20 [00:00<00:00, 23.63it/s]",
    ]
    assert progress("lightning", *lines) == []
    assert kinds("lightning", *lines) == [MarkerKind.EVALUATION]


def test_lightning_stops_on_a_signal():
    assert kinds("lightning", f"{bar(1, 7, 80)}[rank: 0] Received SIGTERM: 15") == [MarkerKind.EXITING]


def test_a_traceback_that_begins_behind_a_bar_is_followed():
    records = read(
        "lightning",
        f"{bar(1, 7, 80)}Traceback (most recent call last):",
        '  File "train.py", line 12, in step',
        "    raise RuntimeError('boom')",
        "RuntimeError: boom",
    )
    assert [record.text for record in records if isinstance(record, Failure)] == ["RuntimeError: boom"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("detectron2", [D2.format(19), D2.format(39)]),
        ("lightning", ["GPU available: True (cuda), used: True", bar(0, 1, 80), bar(0, 2, 80)]),
        ("lightning", [bar(0, 1, 80, ", v_num=0"), bar(0, 2, 80, ", v_num=0")]),
        ("tqdm", [bar(0, 1, 80), bar(0, 2, 80)]),
    ],
)
def test_a_format_is_recognised_by_what_only_it_prints(name, lines):
    parser = Parser()
    parser.feed("".join(f"{line}\n" for line in lines).encode())
    assert parser.format == name


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("fairseq", '| train_inner | {"epoch": 1, "update": 0.1, "loss": "11.4'),
        ("mmengine", "04/02 14:10:05 - mmengine - INFO - Epoch(train)  [1][ 50/9"),
        ("detectron2", "eta: 0:03:01  iter: 1"),
        ("yolox", "epoch: 1/300, iter: 10/9"),
        ("metric-logger", "Epoch: [0]  [  10/11"),
        ("timm", "Train: 0 [  50/12"),
        ("keras", f" 1/20 {BAR}"),
        ("ultralytics", "        3/5      1.21G      6.302      4.609"),
    ],
)
def test_a_line_that_was_cut_tells_nothing(name, line):
    assert progress(name, line) == []
