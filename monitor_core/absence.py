"""Judges the hosts on the way to the logs: which of them gives no answer, since when, and whether that is told.

A host that gives no answer is one incident for all runs that are not seen without it. Where several hosts are reached
through one, and that one is away, it is the one that is told of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.announce import announce_all
from monitor_core.errors import CollectError, HostKeyChanged
from monitor_core.incident.lifecycle import step
from monitor_core.model.incidents import UNSEEN, Finding, Incident, Kind, Number, Severity, Subject, SubjectKind
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.store.queries import HostRow
from monitor_core.thresholds import seconds

# One lost poll is no news.
_FAILURES = 3


def answered(connection: Connection, roster: Roster, host: str, now: float) -> None:
    """Write down a good read of a host: it, and those on the way to it, are there."""
    queries.save_host(connection, HostRow(host, seen_at=now))
    _judge(connection, roster, roster.way(host), [], now)


def missed(connection: Connection, roster: Roster, host: str, error: CollectError, now: float) -> HostRow:
    """Write down a failed read of a host, and return what is known of it now; those before the failure are there."""
    row = queries.load_hosts(connection).get(host, HostRow(host))
    row = replace(row, failing_since=row.failing_since or now, failures=row.failures + 1, error=str(error))
    queries.save_host(connection, row)
    way = roster.way(host)
    away = error.host if error.host in way else host
    _judge(connection, roster, way[: way.index(away)], [], now)
    _judge(connection, roster, [away], _unseen(connection, roster, away, row, error, now), now)
    return row


def _unseen(
    connection: Connection, roster: Roster, away: str, row: HostRow, error: CollectError, now: float
) -> list[Finding]:
    """Only a good read closes what is known of a host: a changed key may well be followed by silence.

    `away` is the host that gave no answer: the one that was asked (`row`), or one on the way to it.
    """
    found = {incident.kind: _again(incident) for incident in _known(connection, away)}
    facts: dict[str, Number] = {"error": str(error), "failures": row.failures, "answered": row.seen_at is not None}
    since = row.seen_at or row.failing_since or 0.0
    failing_since = row.failing_since or since
    if isinstance(error, HostKeyChanged):
        facts["fingerprint"] = error.fingerprint
        shown = found[Kind.HOST_KEY].since if Kind.HOST_KEY in found else now
        found[Kind.HOST_KEY] = Finding(Kind.HOST_KEY, Severity.CRITICAL, shown, facts)
    elif row.failures >= _FAILURES and Kind.HOST_KEY not in found:
        patience = failing_since - since + _patience(connection, roster, row.name)
        found[Kind.UNREACHABLE] = Finding(Kind.UNREACHABLE, Severity.WARNING, since, facts, grace=patience)
    return list(found.values())


def _patience(connection: Connection, roster: Roster, host: str) -> float:
    """A host's own thresholds are the most patient ones of its runs."""
    subject, settings = Subject(SubjectKind.HOST, host), queries.load_settings(connection)
    sourced = roster.most_patient(subject, "unreachable", settings)
    return seconds(sourced.value if sourced is not None else None)


def _known(connection: Connection, host: str) -> list[Incident]:
    known = queries.active_incidents(connection, Subject(SubjectKind.HOST, host))
    return [incident for incident in known if incident.kind in UNSEEN]


def _judge(
    connection: Connection, roster: Roster, hosts: Iterable[str], findings: Sequence[Finding], now: float
) -> None:
    for host in hosts:
        stored = _known(connection, host)
        done = step(Subject(SubjectKind.HOST, host), stored, findings, now)
        announce_all(connection, roster, stored, (*done.closed, *done.active), now)


def _again(incident: Incident) -> Finding:
    return Finding(incident.kind, incident.severity, incident.starts_at, incident.facts, incident.detail)
