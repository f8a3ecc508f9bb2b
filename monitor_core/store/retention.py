"""What is removed when its time is over. Each function works on a connection whose transaction its caller holds.

Those that drop remove up to `most` rows that are older than `before` (seconds since 1970), with what belongs to them,
and return how many there were.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, select

from monitor_core.model.deliveries import DeliveryState
from monitor_core.model.incidents import IncidentState, Subject, SubjectKind
from monitor_core.store.tables import audit, deliveries, hosts, incidents, mutes, runs

_TABLES = {SubjectKind.RUN: runs, SubjectKind.HOST: hosts}
_HOLDING = [str(IncidentState.PENDING), str(IncidentState.FIRING)]
_UNDELIVERED = [str(DeliveryState.PENDING), str(DeliveryState.SENDING)]


def drop_incidents(connection: Connection, *, before: float, most: int) -> int:
    """Remove resolved incidents, unless one that holds refers to them or something about them has to be delivered."""
    held = select(incidents.c.held).where(incidents.c.state.in_(_HOLDING))
    waiting = select(deliveries.c.number).where(
        deliveries.c.incident == incidents.c.number, deliveries.c.state.in_(_UNDELIVERED)
    )
    over = select(incidents.c.number).where(
        incidents.c.ends_at < before,
        incidents.c.state.not_in(_HOLDING),
        incidents.c.number.not_in(held),
        ~waiting.exists(),
    )
    chosen = over.order_by(incidents.c.ends_at).limit(most)
    return connection.execute(delete(incidents).where(incidents.c.number.in_(chosen))).rowcount


def drop_audit(connection: Connection, *, before: float, most: int) -> int:
    """Remove what people did long ago."""
    oldest = select(audit.c.number, audit.c.at).order_by(audit.c.number).limit(most).subquery()
    chosen = select(oldest.c.number).where(oldest.c.at < before)
    return connection.execute(delete(audit).where(audit.c.number.in_(chosen))).rowcount


def drop_mutes(connection: Connection, *, before: float, most: int) -> int:
    """Remove mutes that have ended."""
    chosen = select(mutes.c.number).where(func.coalesce(mutes.c.ended_at, mutes.c.until) < before).limit(most)
    return connection.execute(delete(mutes).where(mutes.c.number.in_(chosen))).rowcount


def forgotten(connection: Connection, kind: SubjectKind, *, before: float, configured: Collection[str]) -> list[str]:
    """Return the runs or hosts that are not configured, not seen since `before`, and have no incident that holds."""
    table = _TABLES[kind]
    others = set(connection.execute(select(table.c.name)).scalars()) - set(configured)
    unseen = select(table.c.name).where(table.c.name.in_(others), func.coalesce(table.c.seen_at, 0.0) < before)
    holding = set(connection.execute(select(incidents.c.subject).where(incidents.c.state.in_(_HOLDING))).scalars())
    return [name for name in connection.execute(unseen).scalars() if str(Subject(kind, name)) not in holding]


def drop_forgotten(
    connection: Connection, kind: SubjectKind, *, before: float, configured: Collection[str], most: int
) -> int:
    """Remove the runs or hosts that nobody has configured for long, with their cursors and what is left of progress."""
    names = forgotten(connection, kind, before=before, configured=configured)[:most]
    table = _TABLES[kind]
    return connection.execute(delete(table).where(table.c.name.in_(names))).rowcount
