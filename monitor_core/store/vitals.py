"""What the database tells of the monitor itself. Each function works on a transaction that its caller holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection, and_, func, or_, select, text

from monitor_core.model.deliveries import DeliveryState
from monitor_core.model.views import ReceiverHealth
from monitor_core.store.tables import attempts, deliveries, lease

_WAITING = (str(DeliveryState.PENDING), str(DeliveryState.SENDING))


def receivers(connection: Connection) -> list[ReceiverHealth]:
    """Return how it stands with each receiver that a delivery was made for."""
    of = (deliveries.c.notifier, deliveries.c.target)
    # A fallback delivery waits on purpose until it is known whether it is needed.
    waits = and_(deliveries.c.state.in_(_WAITING), or_(deliveries.c.fallback_for == "", deliveries.c.attempts > 0))
    query = select(
        *of,
        func.count().filter(waits),
        func.min(deliveries.c.created_at).filter(waits),
        func.max(deliveries.c.sent_at),
    ).group_by(*of)
    known = {(row[0], row[1]): ReceiverHealth(*row) for row in connection.execute(query)}
    for notifier, target, at, error in _last_errors(connection):
        known[notifier, target] = replace(known[notifier, target], failed_at=at, error=error)
    return [known[key] for key in sorted(known)]


def _last_errors(connection: Connection) -> Iterator[tuple[str, str, float, str]]:
    """Yield the newest error of each receiver, and when that was."""
    of = (deliveries.c.notifier, deliveries.c.target)
    # SQLite takes the other columns from the row that has the maximum: https://www.sqlite.org/lang_select.html
    query = select(*of, func.max(attempts.c.at), attempts.c.error).join(attempts).where(attempts.c.error != "")
    for row in connection.execute(query.group_by(*of)):
        yield row[0], row[1], row[2], row[3]


def lease_holder(connection: Connection) -> tuple[str, float | None]:
    """Return who has, or last had, the lease, and until when; nobody where there never was one."""
    row = connection.execute(select(lease.c.holder, lease.c.expires_at).order_by(lease.c.expires_at.desc())).first()
    return ("", None) if row is None else (row.holder, row.expires_at)


def size(connection: Connection) -> int:
    """Return the size of the database in bytes."""
    pages = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    return int(connection.execute(pages).scalar_one())
