"""Sample runs, incidents and mutes, and what an answer about them shows."""

from __future__ import annotations

from bot.answers import Answer
from bot.grammar import parse
from bot.overview import overview
from bot.words import Names
from monitor_core.model.incidents import Incident, IncidentState, Kind, Mute, Phase, Severity, Subject, SubjectKind
from monitor_core.model.views import HostView, Overview, RunView
from tests.support import slack_rules

NOW = 1795515350.0  # 10:15:50 UTC, Tue 24 Nov
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NO_BREAK = "\u00a0"
AT_1115, AT_1215 = "<!date^1795518950^{time}|11:15 UTC>", "<!date^1795522550^{time}|12:15 UTC>"
YESTERDAY = "<!date^1795428950^{date_short_pretty} {time}|Mon 23 Nov 10:15 UTC>"


def run(name: str, state: str = "training", **more) -> RunView:
    usual = {"iteration": 12400, "total": 50000, "seen_at": NOW - 9, "eta": NOW + HOUR, "last_line_at": NOW - 35}
    facts = {"host": "gpu-07", "address": "192.0.2.7", "owner": "U034BOB", "phase": Phase.TRAINING, **usual, **more}
    return RunView(name=name, state=state, **facts)


def incident(kind: Kind = Kind.STUCK, severity: Severity = Severity.CRITICAL, name: str = "moe", **more) -> Incident:
    facts = {"starts_at": NOW - 23 * MINUTE, "number": 4127, **more}
    return Incident(Subject(SubjectKind.RUN, name), kind, severity, IncidentState.FIRING, **facts)


def mute(name: str = "moe", **more) -> Mute:
    facts = {"until": NOW + 2 * HOUR, "by": "slack:U012ALICE", "created_at": NOW, "reason": "fan <swap>", **more}
    return Mute(1, Subject(SubjectKind.RUN, name), facts.pop("kind", None), **facts)


def host(name: str = "gpu-07", *, answers: bool = True, runs=("moe",), **more) -> HostView:
    return HostView(name, "192.0.2.7", answers, NOW - 9, runs, **more)


def seen(*runs: RunView, hosts=(), **more) -> str:
    return shown(overview(Overview(NOW, runs, hosts or (host(),), **more)))


def shown(answer: Answer) -> str:
    """Every text of the answer, one block a paragraph; what Slack would not take fails here."""
    assert slack_rules.check_blocks(answer.blocks) == []
    assert slack_rules.size(answer.blocks) < 10_000
    assert 0 < len(answer.text) <= 300
    assert "Optional" not in answer.text
    return "\n".join(text["text"] for text in slack_rules.texts(answer.blocks))


def buttons(answer: Answer) -> dict[str, str]:
    elements = [element for block in answer.blocks for element in block.get("elements", [])]
    return {e["text"]["text"]: e["value"] for e in elements if e["type"] == "button"}


NAMES = Names(("moe", "dense-13b"), ("gpu-07",))


def understood(answer: Answer) -> None:
    """Every button that runs a command holds one that is understood."""
    for command in buttons(answer).values():
        assert parse(command, now=NOW, names=NAMES)
