"""Fixtures of the unit tests."""

from __future__ import annotations

import json

import pytest

from monitor_core.cli import main
from tests.support.training import START


@pytest.fixture
def replay(capsys):
    def run(log, *options, status=0):
        assert main(["replay", str(log), *options, "--json"]) == status
        return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)

    return run


@pytest.fixture
def written(tmp_path):
    """Write a log (and when its bytes came) and return the options that replay it."""

    def write(pieces, end=None):
        log, rows, text = tmp_path / "train.log", [], ""
        for at, piece in pieces:
            text += piece
            rows.append(f"{START + at:.3f}\t{len(text.encode())}")
        log.write_text(text)
        arrivals = tmp_path / "arrivals.tsv"
        arrivals.write_text("\n".join([*rows, *([] if end is None else [f"end\t{end}"])]) + "\n")
        return log, "--arrivals", str(arrivals)

    return write
