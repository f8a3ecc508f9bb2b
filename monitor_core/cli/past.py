"""The verbs that tell what happened and why: history, why, audit, false-alarm."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from monitor_core.cli.asking import actor, answer
from monitor_core.cli.text import table, who
from monitor_core.control import Control
from monitor_core.errors import CommandError
from monitor_core.model import account
from monitor_core.model.incidents import KINDS
from monitor_core.model.message import Text
from monitor_core.model.past import Audit, History, PastIncident, Why
from monitor_core.model.views import FalseAlarmAnswer
from monitor_core.notify.render import Wording, plain
from monitor_core.units import duration, parse_duration, utc_moment


def history(arguments: argparse.Namespace, _extension: object) -> int:
    """List incidents, newest first."""

    def act(control: Control) -> History:
        since = control.clock() - _seconds(arguments.since) if arguments.since else 0.0
        return control.history(arguments.run or "", since=since, limit=arguments.limit)

    return answer(arguments, act, _history)


def why(arguments: argparse.Namespace, _extension: object) -> int:
    """Tell why an incident was told, to whom, and what became of it."""
    return answer(arguments, lambda control: control.why(arguments.incident), told_why)


def audit(arguments: argparse.Namespace, _extension: object) -> int:
    """List who did what, newest first."""
    return answer(arguments, lambda control: control.audit(arguments.limit), _audit)


def false_alarm(arguments: argparse.Namespace, _extension: object) -> int:
    """Mark an incident as a false alarm, or undo that."""

    def act(control: Control) -> FalseAlarmAnswer:
        return control.false_alarm(actor(), arguments.incident, undo=arguments.undo or arguments.word is not None)

    return answer(arguments, act, _marked)


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError(f"{error}.") from error


def _history(found: History, now: float) -> str:
    if not found.incidents:
        return "Nothing has happened."
    rows: list[tuple[str, ...]] = [
        ("INCIDENT", "SINCE", "LASTED", "STATE", "SEVERITY", "RUN", "HOST", "ACKNOWLEDGED", "FALSE ALARM")
    ]
    rows += [_row(incident) for incident in found.incidents]
    return "\n".join([*table(rows), *_more(found.more)])


def _row(incident: PastIncident) -> tuple[str, ...]:
    lasted = "-" if incident.lasted is None else duration(incident.lasted)
    return (
        str(incident.number),
        utc_moment(incident.starts_at),
        f"{lasted} so far" if incident.lasted is not None and incident.ends_at is None else lasted,
        KINDS[incident.kind].word,
        str(incident.severity),
        incident.run or "-",
        incident.host or "-",
        who(incident.acknowledged_by) or "-",
        who(incident.false_alarm_by) or "-",
    )


def told_why(found: Why, now: float) -> str:
    """Return the account of an incident."""
    wording = Wording("→")
    parts = [
        [account.title(found), *_lines(wording, account.rules(found))],
        _titled("What was decided", _lines(wording, account.decisions(found))),
        _titled("Attempts and their answers", _lines(wording, account.answers(found))),
        _titled("What people did", _lines(wording, map(account.deed, found.people))),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _audit(found: Audit, now: float) -> str:
    wording = Wording("→")
    lines = _lines(wording, map(account.deed, found.entries))
    return "\n".join([*lines, *_more(found.more)]) or "Nobody has done anything yet."


def _marked(done: FalseAlarmAnswer, now: float) -> str:
    incident = done.incident
    what = f"Incident {incident.number} ({KINDS[incident.kind].word} of {incident.subject.name or 'trainstatus'})"
    if not incident.false_alarm_by:
        return f"{what} is no longer marked as a false alarm."
    by = who(incident.false_alarm_by)
    return f"{what} is marked as a false alarm." if done.changed else f"{what} was already marked by {by}."


def _titled(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _lines(wording: Wording, texts: Iterable[Text]) -> list[str]:
    return [plain(wording.pieces(text)) for text in texts]


def _more(number: int) -> list[str]:
    return [f"and {number} more"] if number else []
