"""What is written down as it happens. Each function works on a connection whose transaction its caller holds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, true

from monitor_core.model.decisions import (
    FIRST_KEPT,
    LAST_KEPT,
    Attempt,
    Decision,
    HeldThreshold,
    Judgement,
    Outcome,
)
from monitor_core.model.deliveries import Delivery, Reason
from monitor_core.model.incidents import Incident, Severity, Subject
from monitor_core.model.past import AuditEntry
from monitor_core.store import records, tables


def add_decisions(connection: Connection, decisions: Iterable[Decision]) -> None:
    """Write decisions down."""
    rows = [{**asdict(decision), "reason": decision.reason or ""} for decision in decisions]
    if rows:
        connection.execute(insert(tables.decisions), rows)


def add_judgement(connection: Connection, judgement: Judgement) -> None:
    """Write down by what an incident was opened, or got worse."""
    values = asdict(judgement)
    values |= {name: json.dumps(values[name]) for name in ("facts", "thresholds")}
    connection.execute(insert(tables.judgements).values(values))


def add_attempt(connection: Connection, delivery: Delivery, attempt: Attempt) -> None:
    """Write down a try of a delivery and its answer; of many, the first and the last are kept."""
    table = tables.attempts
    connection.execute(insert(table).values(delivery=delivery.number, **asdict(attempt)))
    if delivery.attempts > FIRST_KEPT + LAST_KEPT:
        of = select(table.c.number).where(table.c.delivery == delivery.number)
        first = of.order_by(table.c.number).limit(FIRST_KEPT)
        last = of.order_by(table.c.number.desc()).limit(LAST_KEPT)
        connection.execute(
            delete(table).where(
                table.c.delivery == delivery.number, table.c.number.not_in(first), table.c.number.not_in(last)
            )
        )


def decisions(connection: Connection, incident: int) -> list[Decision]:
    """Return what was decided about an incident, oldest first."""
    table = tables.decisions
    rows = connection.execute(select(table).where(table.c.incident == incident).order_by(table.c.number))
    return [
        Decision(
            row.incident,
            row.at,
            Reason(row.reason) if row.reason else None,
            Outcome(row.outcome),
            row.receiver,
            row.why,
            row.by,
            row.delivery,
        )
        for row in rows
    ]


def judgements(connection: Connection, incident: int) -> list[Judgement]:
    """Return by what an incident was opened and got worse, oldest first."""
    table = tables.judgements
    rows = connection.execute(select(table).where(table.c.incident == incident).order_by(table.c.number))
    return [
        Judgement(
            row.incident,
            row.at,
            Severity(row.severity),
            json.loads(row.facts),
            tuple(HeldThreshold(**threshold) for threshold in json.loads(row.thresholds)),
        )
        for row in rows
    ]


def deliveries(connection: Connection, incident: int) -> list[tuple[Delivery, tuple[Attempt, ...]]]:
    """Return the deliveries of an incident, oldest first, each with its attempts."""
    table, tried = tables.deliveries, tables.attempts
    rows = connection.execute(select(table).where(table.c.incident == incident).order_by(table.c.number))
    found = [records.delivery(row) for row in rows]
    of = tried.join(table, table.c.number == tried.c.delivery)
    query = select(tried).select_from(of).where(table.c.incident == incident).order_by(tried.c.number)
    attempts = defaultdict(list)
    for row in connection.execute(query):
        attempts[row.delivery].append(Attempt(row.at, row.error, row.retry_at))
    return [(delivery, tuple(attempts[delivery.number])) for delivery in found]


def incidents(
    connection: Connection, subjects: Collection[Subject] | None, since: float, limit: int
) -> tuple[list[Incident], int]:
    """Return the newest incidents that held at or after `since`, and how many more there are.

    `subjects` are those that they may be about, None for any.
    """
    table = tables.incidents
    about = true() if subjects is None else table.c.subject.in_([str(subject) for subject in subjects])
    asked = and_(about, or_(table.c.ends_at.is_(None), table.c.ends_at >= since))
    rows = connection.execute(select(table).where(asked).order_by(table.c.number.desc()).limit(limit))
    found = [records.incident(row) for row in rows]
    return found, _count(connection, table.c.number, asked) - len(found)


def audit(connection: Connection, limit: int) -> tuple[list[AuditEntry], int]:
    """Return the newest entries of the audit log, and how many more there are."""
    table = tables.audit
    rows = connection.execute(select(table).order_by(table.c.number.desc()).limit(limit))
    found = [_entry(row) for row in rows]
    return found, _count(connection, table.c.number, true()) - len(found)


def audit_of(
    connection: Connection, incident: int, names: Collection[str], since: float, until: float
) -> list[AuditEntry]:
    """Return what people did about an incident, oldest first, and the mutes of these names from `since` to `until`."""
    table = tables.audit
    muted = and_(
        table.c.verb.in_(["mute", "unmute"]), table.c.subject.in_(names), table.c.at >= since, table.c.at <= until
    )
    asked = or_(table.c.subject == f"incident {incident}", muted)
    return [_entry(row) for row in connection.execute(select(table).where(asked).order_by(table.c.number))]


def _count(connection: Connection, column: ColumnElement[int], asked: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count(column)).where(asked)).scalar_one()


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.at, row.actor, row.verb, row.subject, row.old, row.new, row.refused)
