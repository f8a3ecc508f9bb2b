"""What is asked of the tables. Each function works on a connection whose transaction its caller holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from monitor_core.model.incidents import (
    Delivery,
    DeliveryState,
    Incident,
    IncidentState,
    Mute,
    Receiver,
    Setting,
    Subject,
)
from monitor_core.model.records import LogCursor
from monitor_core.store import records, tables


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as stored: `state` and `parsers` are the texts of `track.memory` and of the parsers."""

    name: str
    host: str
    state: str
    parsers: str
    seen_at: float | None
    clock_skew: float | None


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


def drop_incident(connection: Connection, incident: Incident) -> None:
    """Forget an incident that never fired."""
    connection.execute(delete(tables.incidents).where(tables.incidents.c.number == incident.number))


def told(connection: Connection, incident: int) -> dict[Receiver, Delivery]:
    """Return, for each receiver that was told of an incident or is about to be, the newest delivery about it."""
    table = tables.deliveries
    live = [str(state) for state in (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.SENT)]
    query = select(table).where(table.c.incident == incident, table.c.state.in_(live)).order_by(table.c.number)
    return {delivery.receiver: delivery for delivery in map(records.delivery, connection.execute(query))}


def enqueue(connection: Connection, delivery: Delivery) -> None:
    """Add a delivery, unless what waits for the same incident and receiver will tell it anyway.

    A message is written when it is sent, so an edit has nothing to add to one that waits; any other reason takes the
    place of the one that waits, with its age and its patience.
    """
    waiting = told(connection, delivery.incident).get(delivery.receiver)
    if waiting is not None and waiting.state is DeliveryState.PENDING:
        if delivery.reason.edit:
            return
        change_delivery(connection, waiting.number, {"state": str(DeliveryState.SUPERSEDED)})
        delivery = replace(
            delivery,
            created_at=waiting.created_at,
            due_at=waiting.due_at if waiting.fallback_for else max(delivery.due_at, waiting.due_at),
            attempts=waiting.attempts,
            repeat=waiting.repeat,
        )
    connection.execute(insert(tables.deliveries).values(records.delivery_values(delivery)))


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


def due_deliveries(connection: Connection, notifier: str, now: float) -> list[Delivery]:
    """Return what one notifier may send now, oldest first: due, and none of its incident and receiver on its way."""
    table, other = tables.deliveries, tables.deliveries.alias()
    on_its_way = select(other.c.number).where(
        other.c.incident == table.c.incident,
        other.c.notifier == table.c.notifier,
        other.c.target == table.c.target,
        other.c.state == str(DeliveryState.SENDING),
    )
    query = select(table).where(
        table.c.notifier == notifier,
        table.c.state == str(DeliveryState.PENDING),
        or_(table.c.due_at <= now, table.c.fallback_for != ""),
        ~on_its_way.exists(),
    )
    return [records.delivery(row) for row in connection.execute(query.order_by(table.c.number))]


def delivery_states(connection: Connection, incident: int, receiver: str) -> set[DeliveryState]:
    """Return the states of all deliveries about an incident to a receiver, given as `notifier:target`."""
    notifier, _, target = receiver.partition(":")
    table = tables.deliveries
    query = select(table.c.state).where(
        table.c.incident == incident, table.c.notifier == notifier, table.c.target == target
    )
    return {DeliveryState(state) for state in connection.execute(query).scalars()}


def change_delivery(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Change columns of a delivery."""
    connection.execute(update(tables.deliveries).where(tables.deliveries.c.number == number).values(values))


def last_ref(connection: Connection, incident: int, receiver: Receiver) -> str:
    """Return the reference of the newest message that a receiver got about an incident; empty if it got none."""
    table = tables.deliveries
    query = (
        select(table.c.ref)
        .where(
            table.c.incident == incident,
            table.c.notifier == receiver.notifier,
            table.c.target == receiver.target,
            table.c.state == str(DeliveryState.SENT),
        )
        .order_by(table.c.number.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none() or ""


def delay_target(connection: Connection, receiver: Receiver, until: float) -> None:
    """Let everything that waits for a receiver wait until a moment: it has asked for a rest."""
    table = tables.deliveries
    connection.execute(
        update(table)
        .where(
            table.c.notifier == receiver.notifier,
            table.c.target == receiver.target,
            table.c.state == str(DeliveryState.PENDING),
            table.c.due_at < until,
        )
        .values(due_at=until)
    )


def next_due(connection: Connection, notifier: str) -> float | None:
    """Return when the next delivery of a notifier falls due."""
    table = tables.deliveries
    query = select(table.c.due_at).where(table.c.notifier == notifier, table.c.state == str(DeliveryState.PENDING))
    return connection.execute(query.order_by(table.c.due_at).limit(1)).scalar_one_or_none()


def recover_deliveries(connection: Connection, notifier: str) -> int:
    """After a start: whatever was on its way is sent again as a possible repeat. Return how many there were."""
    table = tables.deliveries
    changed = connection.execute(
        update(table)
        .where(table.c.notifier == notifier, table.c.state == str(DeliveryState.SENDING))
        .values(state=str(DeliveryState.PENDING), repeat=True)
    )
    return changed.rowcount


def _put(connection: Connection, table: Any, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    statement = upsert(table).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
