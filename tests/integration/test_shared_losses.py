"""Losses of real runs and logs, kept outside the repository: what was injected is told, and nothing more."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from monitor_core.cli import main
from tests.support.losses import OF_LOSSES, first_sight, of_losses

SHARED = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared"))
RUNS = sorted(path.parent for path in (SHARED / "runs").glob("*/*/label.json"))
LOGS = sorted(path for path in (SHARED / "logs").glob("*/*") if path.suffix in {".log", ".txt", ".jsonl"})
OWN = sorted((Path(__file__).parents[1] / "data" / "logs").glob("*/*.log"))
KINDS = {"nan": "loss_nan", "loss_spike": "loss_spike"}
# Logs of ours whose loss is no number. Keras says so before the line that shows it, and stops: that is told.
NAN = {"nan.log", "nan_loss.log"}
pytestmark = pytest.mark.skipif(
    not RUNS, reason="no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"
)


@pytest.fixture
def told(capsys):
    def run(log, *options):
        main(["replay", str(log), "--json", *options])
        out = capsys.readouterr().out
        incidents = json.loads(out)["incidents"] if out.startswith("{") else []
        return [incident for incident in incidents if incident["kind"] in OF_LOSSES]

    return run


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_of_the_losses_of_a_run_what_was_injected_is_told_and_nothing_else(told, folder):
    label = json.loads((folder / "label.json").read_text())
    events = [event for event in label["events"] if event["kind"] in KINDS]
    incidents = told(folder / "train.log", "--arrivals", str(folder / "arrivals.tsv"), "--check-interval", "1s")
    assert [incident["kind"] for incident in incidents] == [KINDS[event["kind"]] for event in events]
    assert all(i["at"] >= e["from"] for i, e in zip(incidents, events, strict=True))


@pytest.mark.parametrize("log", [*LOGS, *OWN], ids=lambda log: f"{log.parent.name}/{log.name}")
def test_of_the_losses_of_a_healthy_log_nothing_is_told(log):
    incidents = of_losses(first_sight(log.read_bytes()))
    assert [incident.kind for incident in incidents] == (["loss_nan"] if log.name in NAN else [])
