"""docs/log-formats.md says what the dialects are, and each dialect reads its own example."""

from __future__ import annotations

from pathlib import Path

from monitor_core.parse import DIALECTS
from monitor_core.parse.reference import page, tells

PAGE = (Path(__file__).parents[2] / "docs/log-formats.md").read_text()


def test_the_page_is_what_the_dialects_say():
    assert page(PAGE) == PAGE


def test_what_a_dialect_tells_is_said_in_words():
    assert tells(DIALECTS["hf-trainer"])[:4] == ["iteration", "total", "time per iteration", "loss"]
    assert {"start", "checkpoints", "evaluations", "end"} <= {*tells(DIALECTS["megatron"])}
