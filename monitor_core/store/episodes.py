"""What became of incidents: those of a run that came and went, and those that fired in a span of time."""

from __future__ import annotations

from sqlalchemy import Connection, select

from monitor_core.model.incidents import Incident, IncidentState, Kind, Subject, SubjectKind
from monitor_core.store import records
from monitor_core.store.tables import incidents as table


def flapping(connection: Connection, subject: Subject) -> list[Incident]:
    """Return what flaps on a run now: the incidents that hold back the messages of their kind."""
    query = select(table).where(
        table.c.state == str(IncidentState.FIRING),
        table.c.subject == str(subject),
        table.c.kind == str(Kind.FLAPPING),
    )
    return [records.incident(row) for row in connection.execute(query)]


def of_subject(connection: Connection, subject: Subject, since: float) -> list[Incident]:
    """Return the incidents of a run that hold, or ended after a moment, and that a look found firing."""
    query = select(table).where(
        table.c.state.in_([str(IncidentState.FIRING), str(IncidentState.RESOLVED)]),
        table.c.subject == str(subject),
        table.c.told_for > 0,
        table.c.ends_at.is_(None) | (table.c.ends_at > since),
    )
    return [records.incident(row) for row in connection.execute(query.order_by(table.c.number))]


def fired_between(connection: Connection, begin: float, end: float) -> list[Incident]:
    """Return the incidents of runs that fired in a span of time, oldest first."""
    query = select(table).where(
        table.c.fired_at > begin, table.c.fired_at <= end, table.c.subject.startswith(f"{SubjectKind.RUN}:")
    )
    return [records.incident(row) for row in connection.execute(query.order_by(table.c.fired_at))]
