"""Log lines that can be read on a phone."""

from __future__ import annotations

import pytest

from monitor_core.incident.excerpt import shorten

PROGRESS = (
    " [2026-11-24 10:53:26.386773] iteration       28/     122 | consumed samples:         7168 |"
    " elapsed time per iteration (ms): 150.0 | lm loss: 2.485714E+00 | loss scale: 1.0 | grad norm: 0.4 |"
)


def test_of_a_progress_line_the_counter_and_the_loss_stay():
    assert shorten(PROGRESS) == "10:53:26 iteration 28/122 | … | lm loss: 2.485714E+00"


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ("  two   spaces\tand a tab ", "two spaces and a tab"),
        ("2026/11/24 10:53:26,123 started", "10:53:26 started"),
        ("a path /data/ 3 stays", "a path /data/ 3 stays"),
        ("", ""),
    ],
)
def test_spaces_and_dates_are_shortened(line, short):
    assert shorten(line) == short


def test_a_long_line_loses_its_middle_and_fits():
    short = shorten("begin " + "x" * 200 + " end")
    assert short.startswith("begin ")
    assert short.endswith(" end")
    assert "…" in short
    assert len(short) <= 64
