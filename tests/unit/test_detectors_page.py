"""docs/detectors.md: its tables are those of the code, and it speaks of every kind that is looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from monitor_core.incident.catalogue import UNFOUND
from monitor_core.incident.reference import page
from monitor_core.model.incidents import KINDS, Kind
from monitor_core.thresholds import CATALOGUE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/detectors.md").read_text()


def test_the_tables_are_what_the_code_says():
    program = [sys.executable, "-m", "monitor_core.incident.reference"]
    assert subprocess.run(program, input=PAGE, capture_output=True, text=True, check=True).stdout == PAGE


def test_a_table_that_is_empty_or_old_is_written_anew():
    empty = "before\n<!-- relations: from the code -->\n<!-- end -->\nbetween\n"
    old = empty + "<!-- relations: from the code -->\n| old |\n<!-- end -->\nafter\n"
    written = page(old)
    assert written.startswith(page(empty))
    assert "| old |" not in written
    assert written.count("| `comm_group` | - | - | `stuck` |") == 2
    assert ("between" in written, written.endswith("after\n")) == (True, True)


def test_every_kind_and_threshold_has_its_row():
    for name in (*Kind, *CATALOGUE):
        assert f"\n| `{name}`" in PAGE


def test_what_nothing_looks_for_yet_is_marked():
    rows = {line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| `")}
    assert {kind for kind in Kind if f"`{kind}`†" in rows} == UNFOUND


def test_the_words_around_the_tables_speak_of_what_is_looked_for():
    prose = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    silent = {KINDS[kind].word for kind in Kind if kind not in UNFOUND and KINDS[kind].word not in prose}
    assert silent == set()
