"""docs/log-formats.md says what the dialects are, and each dialect reads its own example."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor_core.model.records import Progress
from monitor_core.parse import DIALECTS, Parser
from monitor_core.parse.reference import page, tells

PAGE = (Path(__file__).parents[2] / "docs/log-formats.md").read_text()


def test_the_page_is_what_the_dialects_say():
    assert page(PAGE) == PAGE


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_the_example_of_a_dialect_is_progress_in_it(dialect):
    records = Parser((dialect,)).feed(f"{dialect.example}\n".encode())
    assert any(isinstance(record, Progress) for record in records)
    assert dialect.title


def test_what_a_dialect_tells_is_said_in_words():
    assert tells(DIALECTS["hf-trainer"])[:4] == ["iteration", "total", "time per iteration", "loss"]
    assert {"start", "checkpoints", "evaluations", "end"} <= {*tells(DIALECTS["megatron"])}
