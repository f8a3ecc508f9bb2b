"""Estimators of TensorFlow 1 (https://github.com/tensorflow/estimator), and the loops of object detection and slim."""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, context, marker, progress

# Logged by TensorFlow's own logger, by absl, or by both.
_LOGGED = r"(?:\bINFO:tensorflow:|\b[a-z_]{1,40}\.py:\d{1,6}\] )"

DIALECT = Dialect(
    "tensorflow",
    title="TensorFlow estimators",
    example="""\
INFO:tensorflow:global_step/sec: 12.3148
INFO:tensorflow:loss = 2.3021, step = 1200 (8.121 sec)
INFO:tensorflow:Saving checkpoints for 2000 into /data/out/model.ckpt.""",
    rules=(
        progress(
            ", step = ",
            _LOGGED + r"loss = (?P<loss>[-+.\w]{1,30}), step = (?P<iteration>\d{1,15})"
            r"(?: \((?P<interval_s>\d{1,9}\.\d{1,9}) sec\))?",
            expression=True,
        ),
        progress(
            ": loss = ",
            _LOGGED + r"global step (?P<iteration>\d{1,15}): loss = (?P<loss>[-+.\w]{1,30})"
            r" \((?P<s>\d{1,9}\.\d{1,9}) sec/step\)",
            expression=True,
        ),
        progress(
            " per-step time ",
            _LOGGED
            + r"Step (?P<iteration>\d{1,15}) per-step time (?P<s>\d{1,9}\.\d{1,9})s(?: loss=(?P<loss>[-+.\w]{1,30}))?",
            expression=True,
        ),
        context("global_step/sec: ", "global_step/sec: {it_per_s}"),
        context("num_train_steps", r"\bnum_train_steps(?: =|:) (?P<total>[1-9]\d{0,14})\s{0,9}$", expression=True),
        marker(MarkerKind.START, "Create CheckpointSaverHook."),
        marker(
            MarkerKind.CHECKPOINT_START,
            "Saving checkpoints for ",
            rb"Saving checkpoints for (?:step )?(?P<iteration>\d{1,15})\b",
        ),
        marker(MarkerKind.EVALUATION, "Starting evaluation at "),
        marker(MarkerKind.EVALUATION_END, "Finished evaluation at "),
        marker(MarkerKind.TRAINING_DONE, "Loss for final step: "),
    ),
)
