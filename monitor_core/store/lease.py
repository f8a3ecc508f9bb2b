"""The lease: of the monitors that share a database, the one that holds it watches and tells, and the others stand by.

One row says who holds it, until when, and its fence: a number that grows with every acquisition. The holder begins each
of its transactions by comparing the fence. They are BEGIN IMMEDIATE, so nobody can acquire the lease before such a
transaction has ended; and the write of a monitor that slept, and was replaced meanwhile, is refused and rolled back.

The times in the row are of the wall clock. Those who share an SQLite file share a machine, and so a clock, but that one
may be set. If it steps forward, a lease seems to have run out: another monitor takes over early, and the fence keeps
the first from writing. If it steps back, a lease would seem to last for as long as the step: one that ends much later
than it can have been taken for is not believed. The holder goes by the monotonic clock too, whichever runs out first.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from monitor_core.errors import LeaseLost
from monitor_core.store.tables import lease as table
from monitor_core.units import utc_date, utc_time

log = logging.getLogger(__name__)

TTL = 30.0  # seconds
_NAME = "monitor"
# A clock that was put back a little is no reason to replace a monitor that works.
_BELIEVED = 1.5
_MINE = table.c.name == _NAME


@dataclass(slots=True)
class Lease:
    """What a monitor holds while it is the one; `begin` gives it transactions as an engine would.

    `clock` gives seconds since 1970; the lease lasts for `ttl` seconds from each renewal.
    """

    engine: Engine
    fence: int
    clock: Callable[[], float]
    ttl: float
    _expires_at: float
    _ends_at: float
    _lost: bool = False

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a transaction; raise LeaseLost if another monitor has taken over."""
        with self.engine.begin() as connection:
            row = connection.execute(select(table).where(_MINE)).one_or_none()
            if row is None or row.fence != self.fence:
                raise self._lose("" if row is None else row.holder)
            yield connection

    def assert_held(self) -> None:
        """Raise LeaseLost if the lease has run out by our own clocks: another monitor may have taken over."""
        if self.clock() >= self._expires_at or time.monotonic() >= self._ends_at:
            raise LeaseLost("the lease has run out, and could not be renewed in time")

    def renew(self) -> None:
        """Let it last for its full time from now on; raise LeaseLost if another monitor has taken over."""
        with self.begin() as connection:
            now, ends_at = self.clock(), time.monotonic() + self.ttl
            connection.execute(update(table).where(_MINE).values(renewed_at=now, expires_at=now + self.ttl))
        self._expires_at, self._ends_at = now + self.ttl, ends_at

    def release(self) -> None:
        """Let another monitor take over at once."""
        with suppress(LeaseLost), self.begin() as connection:
            connection.execute(update(table).where(_MINE).values(expires_at=self.clock()))

    def _lose(self, holder: str) -> LeaseLost:
        """Return the error, and say so in the log the first time."""
        lost = LeaseLost(f"the lease is held by {holder or 'nobody'}")
        if not self._lost:
            log.warning("%s: nothing more is written or sent here", lost)
        self._lost = True
        return lost


def acquire(engine: Engine, *, clock: Callable[[], float] = time.time, ttl: float = TTL) -> Lease | None:
    """Return the lease if it is free; None while another monitor holds it."""
    with engine.begin() as connection:
        now, ends_at = clock(), time.monotonic() + ttl
        row = connection.execute(select(table).where(_MINE)).one_or_none()
        if row is not None and now < row.expires_at <= now + _BELIEVED * ttl:
            return None
        values = {"fence": 1 if row is None else row.fence + 1, "holder": _whoami(now)}
        values |= {"renewed_at": now, "expires_at": now + ttl}
        statement = upsert(table).values(name=_NAME, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    return Lease(engine, int(values["fence"]), clock, ttl, now + ttl, ends_at)


def holder(engine: Engine) -> str:
    """Return who holds the lease, or held it last, and since when; empty if nobody ever did."""
    with engine.begin() as connection:
        return connection.execute(select(table.c.holder).where(_MINE)).scalar_one_or_none() or ""


def _whoami(now: float) -> str:
    return f"process {os.getpid()} on {socket.gethostname()} since {utc_date(now)} {utc_time(now)}"
