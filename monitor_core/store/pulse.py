"""Until when it is known that somebody looked: one column of the lease, whoever holds it."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from monitor_core.store.tables import lease as table

_NAME = "monitor"


def looked_at(connection: Connection) -> float | None:
    """Return until when somebody looked, in seconds since 1970; None if nobody ever did."""
    return connection.execute(select(table.c.looked_at).where(table.c.name == _NAME)).scalar_one_or_none()


def save_look(connection: Connection, at: float) -> None:
    """Note that somebody looked until a moment; who holds the lease, if anybody does, stays as it is."""
    nobody = {"name": _NAME, "holder": "", "fence": 0, "renewed_at": 0.0, "expires_at": 0.0}
    statement = upsert(table).values(**nobody, looked_at=at)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"looked_at": at}))
