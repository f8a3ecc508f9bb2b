"""Ultralytics YOLO (https://github.com/ultralytics/ultralytics) and YOLOv5: a bar for each epoch, drawn many times.

Only the parts of the loss are printed. Epochs and places begin at one.
"""

from __future__ import annotations

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, Rule, marker, progress, redrawn

# `1/5  0G  6.1  4.6  4.0  8  96: 8% ━─────────── 1/12 2.1it/s 0.3s<5.2s`, before 8.3.200 a bar of tqdm.
_BAR = (
    r"^ {0,20}(?P<epoch>\d{1,9})/(?P<epochs>\d{1,9}) {1,20}[\d.]{1,12}[GM]B?\b[^:|]{1,200}: {1,20}\d{1,3}%\D{1,400}"
    r"(?P<batch>[1-9]\d{0,14})/(?P<batches>\d{1,15})(?: \[[\d:]{1,12}<[\d:?]{1,12},)?"
    r"(?: {1,20}(?:(?P<it_per_s>\d[\d.]{0,12})it/s|(?P<s>\d[\d.]{0,12})s/it))?"
)


def _bar(literal: str) -> Rule:
    return redrawn(progress(literal, _BAR, first_epoch=1, expression=True))


DIALECT = Dialect(
    "ultralytics",
    title="Ultralytics YOLO, YOLOv5",
    example="""\
        1/5      1.21G      6.302      4.609       4.06          8        640: 16% ━━────────── 2/12 3.7it/s 0.5s<2.7s
      1/5      1.21G      6.302      4.609       4.06          8        640:  16%|█▌   | 2/12 [00:00<00:02, 3.7it/s]""",
    rules=(
        _bar("━"),
        _bar("%|"),
        marker(MarkerKind.START, "Starting training for ", rb"Starting training for \d{1,9} epochs\.\.\."),
        marker(
            MarkerKind.EVALUATION, "mAP50", rb"^ {0,20}Class {1,20}Images {1,20}.{1,120}mAP50-95\S{0,20} {0,20}\d{1,3}%"
        ),
        marker(MarkerKind.TRAINING_DONE, " epochs completed in ", rb"\b\d{1,9} epochs completed in [\d.]{1,12} hours"),
    ),
)
