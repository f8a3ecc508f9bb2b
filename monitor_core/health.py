"""How the monitor itself does: what the database tells of it, and what only the running process knows."""

from __future__ import annotations

from sqlalchemy import Connection

from monitor_core import __version__
from monitor_core.model.incidents import SELF
from monitor_core.model.views import Health, HostHealth, ReceiverHealth, Running
from monitor_core.roster import Roster
from monitor_core.store import queries, vitals


def health(connection: Connection, roster: Roster, now: float, running: Running | None) -> Health:
    """Return how it stands at `now`; `running` is None outside of the monitor."""
    rows = queries.load_hosts(connection)
    watched = dict.fromkeys(run.host for run in roster.config.runs.values())
    hosts = [rows.get(name, queries.HostRow(name)) for name in watched]
    holder, lease_until = vitals.lease_holder(connection)
    return Health(
        now=now,
        version=__version__,
        running=running,
        holder=holder,
        lease_until=lease_until,
        hosts=tuple(
            HostHealth(row.name, bool(row.seen_at) and not row.failures, row.seen_at, row.error) for row in hosts
        ),
        receivers=tuple(_receivers(connection, roster)),
        incidents=tuple(queries.active_incidents(connection, SELF)),
        seen_at=max((row.seen_at for row in hosts if row.seen_at), default=None),
        database_bytes=vitals.size(connection),
    )


def _receivers(connection: Connection, roster: Roster) -> list[ReceiverHealth]:
    """Return those who are configured, and those for whom something still waits though they no longer are."""
    known = {(each.notifier, each.target): each for each in vitals.receivers(connection)}
    configured = [(receiver.notifier, receiver.target) for receiver in roster.receivers()]
    gone = [key for key, each in known.items() if each.waiting and key not in configured]
    return [known.get(key, ReceiverHealth(*key)) for key in (*configured, *gone)]
