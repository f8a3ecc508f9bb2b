"""Writes down what became of incidents, and the deliveries that follow: one transaction with what caused them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.incident.lifecycle import told_reason
from monitor_core.incident.mutes import muting
from monitor_core.incident.routing import deliveries
from monitor_core.model.incidents import Incident, IncidentState, Kind, Mute, Reason
from monitor_core.roster import Roster
from monitor_core.store import outbox, queries


def announce(
    connection: Connection, roster: Roster, before: Incident | None, after: Incident, now: float, *, quiet: bool = False
) -> Incident:
    """Store an incident as it has become and enqueue what people must be told; return it with its number.

    `before` is the incident as it was stored, None for a new one. `quiet`: it is recorded, and nobody is told.
    A pending incident is not stored: it is found again at the next look, with the same onset.
    """
    if after.state is IncidentState.PENDING:
        return after
    reason = None if quiet else told_reason(before, after, now)
    mutes = queries.load_mutes(connection, now=now)
    if before is None:
        mute = muting(mutes, after, roster.host_of(after.subject), now)
        after = replace(after, muted=mute.number if mute else 0)
    after = queries.save_incident(connection, after)
    if reason is not None:
        after = tell(connection, roster, after, reason, now)
    return reconcile_mute(connection, roster, after, mutes, now)


def announce_all(
    connection: Connection,
    roster: Roster,
    stored: Sequence[Incident],
    incidents: Sequence[Incident],
    now: float,
    *,
    quiet: Collection[Kind] = (),
) -> None:
    """Announce the incidents of a subject after a look; `stored` are those that it had before, `quiet` kinds untold."""
    before = {incident.number: incident for incident in stored}
    for incident in incidents:
        if incident.state is IncidentState.RESOLVED and incident.fired_at is None:
            continue
        fresh = queries.load_incident(connection, incident.number) if incident.number else None
        changed = incident if fresh is None else _with_people(incident, fresh)
        announce(connection, roster, before.get(incident.number), changed, now, quiet=incident.kind in quiet)


def _with_people(incident: Incident, fresh: Incident) -> Incident:
    """A person may have acknowledged or muted it since it was loaded."""
    worse = incident.severity.rank > fresh.severity.rank
    return replace(
        incident,
        muted=fresh.muted,
        told_for=fresh.told_for,
        acknowledged_by="" if worse else fresh.acknowledged_by,
        acknowledged_at=None if worse else fresh.acknowledged_at,
    )


def tell(connection: Connection, roster: Roster, incident: Incident, reason: Reason, now: float) -> Incident:
    """Enqueue the deliveries of one reason; return the incident with the duration that people now know."""
    told = outbox.told(connection, incident.number)
    routes, runs = roster.routes(incident), roster.runs_of(incident.subject)
    for delivery in deliveries(incident, reason, routes, runs, told, now):
        outbox.enqueue(connection, delivery)
    return queries.save_incident(connection, replace(incident, told_for=max(0.0, now - incident.starts_at)))


def reconcile_mute(
    connection: Connection, roster: Roster, incident: Incident, mutes: Sequence[Mute], now: float
) -> Incident:
    """Bring an incident in line with the mutes in force; when silence ends and it still holds, it is told once."""
    if incident.state is not IncidentState.FIRING:
        return incident
    mute = muting(mutes, incident, roster.host_of(incident.subject), now)
    number = mute.number if mute else 0
    if number == incident.muted:
        return incident
    was = incident.muted
    incident = queries.save_incident(connection, replace(incident, muted=number))
    if not number:
        return tell(connection, roster, incident, Reason.MUTE_ENDED, now)
    return incident if was else tell(connection, roster, incident, Reason.MUTED, now)


def reconcile_mutes(connection: Connection, roster: Roster, now: float) -> None:
    """Bring all incidents in line with the mutes in force."""
    mutes = queries.load_mutes(connection, now=now)
    for incident in queries.active_incidents(connection):
        reconcile_mute(connection, roster, incident, mutes, now)
