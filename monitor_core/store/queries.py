"""What is asked of the tables. Each function works on a connection whose transaction its caller holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from monitor_core.model.incidents import Incident, IncidentState, Mute, Setting, Subject
from monitor_core.model.records import LogCursor
from monitor_core.store import records, tables
from monitor_core.track import memory
from monitor_core.track.state import RunState


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as stored: `state` and `parsers` are the texts of `track.memory` and of the parsers."""

    name: str
    host: str
    state: str
    parsers: str
    seen_at: float | None
    clock_skew: float | None

    def known(self) -> RunState | None:
        """Return what is known of the run; None if the text cannot be read, which the poller tells."""
        try:
            return memory.load(self.state)
        except ValidationError:
            return None


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host as stored: when it last answered, since when and how often it has not, and what it said instead."""

    name: str
    seen_at: float | None = None
    failing_since: float | None = None
    failures: int = 0
    error: str = ""


def load_runs(connection: Connection) -> dict[str, RunRow]:
    """Return all runs that have been seen."""
    rows = connection.execute(select(tables.runs))
    return {row.name: RunRow(row.name, row.host, row.state, row.parsers, row.seen_at, row.clock_skew) for row in rows}


def load_run(connection: Connection, name: str) -> RunRow | None:
    """Return one run, or None if it has not been seen."""
    row = connection.execute(select(tables.runs).where(tables.runs.c.name == name)).one_or_none()
    return None if row is None else RunRow(row.name, row.host, row.state, row.parsers, row.seen_at, row.clock_skew)


def save_run(connection: Connection, run: RunRow) -> None:
    """Insert or replace a run."""
    values: dict[str, Any] = {"host": run.host, "state": run.state, "parsers": run.parsers}
    values |= {"seen_at": run.seen_at, "clock_skew": run.clock_skew}
    _put(connection, tables.runs, {"name": run.name}, values)


def load_cursors(connection: Connection, run: str) -> dict[str, LogCursor]:
    """Return how far each log of a run has been read."""
    rows = connection.execute(select(tables.cursors).where(tables.cursors.c.run == run))
    return {row.path: records.cursor(row) for row in rows}


def save_cursors(connection: Connection, run: str, cursors: Iterable[LogCursor]) -> None:
    """Insert or replace cursors."""
    for cursor in cursors:
        values: dict[str, Any] = {"identity": cursor.identity, "offset": cursor.offset}
        values |= {"fingerprint": cursor.fingerprint, "partial": cursor.partial}
        values |= {"mtime": cursor.mtime, "real_path": cursor.real_path}
        _put(connection, tables.cursors, {"run": run, "path": cursor.path}, values)


def load_hosts(connection: Connection) -> dict[str, HostRow]:
    """Return all hosts that have been polled."""
    rows = connection.execute(select(tables.hosts))
    return {row.name: HostRow(row.name, row.seen_at, row.failing_since, row.failures, row.error) for row in rows}


def save_host(connection: Connection, host: HostRow) -> None:
    """Insert or replace a host."""
    values: dict[str, Any] = {"seen_at": host.seen_at, "failing_since": host.failing_since}
    values |= {"failures": host.failures, "error": host.error}
    _put(connection, tables.hosts, {"name": host.name}, values)


def active_incidents(connection: Connection, subject: Subject | None = None) -> list[Incident]:
    """Return the incidents that still hold, of one subject or of all, oldest first."""
    table = tables.incidents
    query = select(table).where(table.c.state != str(IncidentState.RESOLVED)).order_by(table.c.number)
    if subject is not None:
        query = query.where(table.c.subject == str(subject))
    return [records.incident(row) for row in connection.execute(query)]


def load_incident(connection: Connection, number: int) -> Incident | None:
    """Return one incident."""
    row = connection.execute(select(tables.incidents).where(tables.incidents.c.number == number)).one_or_none()
    return None if row is None else records.incident(row)


def save_incident(connection: Connection, incident: Incident) -> Incident:
    """Insert or update an incident and return it with its number."""
    values = records.incident_values(incident)
    if incident.number:
        connection.execute(update(tables.incidents).where(tables.incidents.c.number == incident.number).values(values))
        return incident
    number = connection.execute(insert(tables.incidents).values(values)).inserted_primary_key
    assert number is not None
    return replace(incident, number=number[0])


def load_mutes(connection: Connection, *, now: float) -> list[Mute]:
    """Return the mutes in force."""
    table = tables.mutes
    rows = connection.execute(
        select(table).where(table.c.ended_at.is_(None), table.c.until > now).order_by(table.c.until)
    )
    return [records.mute(row) for row in rows]


def load_mute(connection: Connection, number: int) -> Mute | None:
    """Return one mute."""
    row = connection.execute(select(tables.mutes).where(tables.mutes.c.number == number)).one_or_none()
    return None if row is None else records.mute(row)


def add_mute(connection: Connection, mute: Mute) -> Mute:
    """Insert a mute and return it with its number."""
    values = {
        "subject": "" if mute.subject is None else str(mute.subject),
        "kind": "" if mute.kind is None else str(mute.kind),
        "until": mute.until,
        "by": mute.by,
        "created_at": mute.created_at,
        "reason": mute.reason,
        "ended_at": mute.ended_at,
    }
    number = connection.execute(insert(tables.mutes).values(values)).inserted_primary_key
    assert number is not None
    return replace(mute, number=number[0])


def end_mute(connection: Connection, number: int, now: float) -> None:
    """End a mute before its time."""
    connection.execute(update(tables.mutes).where(tables.mutes.c.number == number).values(ended_at=now))


def load_settings(connection: Connection) -> list[Setting]:
    """Return what people have set."""
    return [Setting(r.scope, r.name, r.value, r.by, r.at) for r in connection.execute(select(tables.settings))]


def save_setting(connection: Connection, setting: Setting) -> None:
    """Insert or replace a setting."""
    values = {"value": setting.value, "by": setting.by, "at": setting.at}
    _put(connection, tables.settings, {"scope": setting.scope, "name": setting.name}, values)


def drop_setting(connection: Connection, scope: str, name: str) -> None:
    """Undo a setting."""
    table = tables.settings
    connection.execute(delete(table).where(table.c.scope == scope, table.c.name == name))


def add_audit(
    connection: Connection,
    *,
    at: float,
    actor: str,
    verb: str,
    subject: str,
    old: str = "",
    new: str = "",
    refused: str = "",
) -> None:
    """Write down who did, or tried to do, what."""
    values = {"at": at, "actor": actor, "verb": verb, "subject": subject, "old": old, "new": new, "refused": refused}
    connection.execute(insert(tables.audit).values(values))


def _put(connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    connection.execute(_upsert(table, tuple(key), tuple(values)), {**key, **values})


@cache
def _upsert(table: Table, key: tuple[str, ...], values: tuple[str, ...]) -> Insert:
    """Return the statement, which is the same for each row: to build it takes longer than to run it."""
    statement = upsert(table)
    fresh = {name: statement.excluded[name] for name in values}
    return statement.on_conflict_do_update(index_elements=key, set_=fresh)
