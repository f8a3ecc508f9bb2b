"""What the documents promise is there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from monitor_core.cli.arguments import parser
from monitor_core.model.decisions import Attempt, Decision, HeldThreshold, Outcome
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import Incident, Mute
from monitor_core.model.past import Audit, AuditEntry, History, Judged, PastIncident, Told, Why
from monitor_core.model.views import (
    AckAnswer,
    AlertResult,
    Diagnosis,
    FalseAlarmAnswer,
    Health,
    HostHealth,
    LogTail,
    MuteAnswer,
    Overview,
    ReceiverHealth,
    RunView,
    ThresholdChange,
    ThresholdView,
    Verdict,
)

ROOT = Path(__file__).parents[2]
COMMANDS = (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize(
    "answer",
    [
        *(RunView, Overview, Incident, Mute, MuteAnswer, AckAnswer, ThresholdView, ThresholdChange, FalseAlarmAnswer),
        *(History, PastIncident, Audit, AuditEntry, Why, Judged, HeldThreshold, Decision, Told, Attempt),
        *(Verdict, LogTail, Health, HostHealth, ReceiverHealth, AlertResult, Diagnosis),
    ],
)
def test_every_field_of_an_answer_in_json_is_documented(answer):
    json_part = COMMANDS.split("## JSON")[1]
    missing = [field.name for field in dataclasses.fields(answer) if f"`{field.name}`" not in json_part]
    assert missing == []


def test_every_verb_of_the_shell_is_documented():
    (verbs,) = (action for action in parser()._actions if action.dest == "verb")
    missing = [verb for verb in verbs.choices if f"`{verb}" not in COMMANDS]
    assert missing == []


@pytest.mark.parametrize("word", [*Reason, *Outcome])
def test_every_reason_and_outcome_is_documented(word):
    assert f"`{word}`" in COMMANDS


@pytest.mark.parametrize(
    "page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/commands.md", "docs/operations.md"]
)
def test_links_lead_to_files_that_exist(page):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []
