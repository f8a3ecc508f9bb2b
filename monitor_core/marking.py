"""How people take an incident, give it back, and mark one as a false alarm."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.announce import tell
from monitor_core.errors import CommandError
from monitor_core.model.incidents import Incident, IncidentState, Reason
from monitor_core.model.views import AckAnswer
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.targets import Targets, is_number, unresolved


def ack(connection: Connection, roster: Roster, actor: str, target: str, now: float) -> AckAnswer:
    """Take what fires on a run, or one incident by its number; raise CommandError if nothing fires there."""
    firing = _firing(connection, roster, target)
    fresh = [replace(i, acknowledged_by=actor, acknowledged_at=now) for i in firing if not i.acknowledged_by]
    taken = [_changed(connection, roster, actor, "ack", i, Reason.ACKNOWLEDGED, now) for i in fresh]
    return AckAnswer(tuple(taken), tuple(i for i in firing if i.acknowledged_by))


def unack(connection: Connection, roster: Roster, actor: str, target: str, now: float) -> AckAnswer:
    """Give back what was acknowledged; raise CommandError if nothing was."""
    held = [i for i in _firing(connection, roster, target) if i.acknowledged_by]
    if not held:
        raise CommandError(f"Nothing of {target} is acknowledged.")
    free = [replace(i, acknowledged_by="", acknowledged_at=None) for i in held]
    return AckAnswer(tuple(_changed(connection, roster, actor, "unack", i, Reason.UNACKNOWLEDGED, now) for i in free))


def _firing(connection: Connection, roster: Roster, target: str) -> list[Incident]:
    if is_number(target):
        found = [unresolved(connection, target)]
    else:
        subjects = Targets(roster).subjects(target)
        found = [i for i in queries.active_incidents(connection) if i.subject in subjects or None in subjects]
    firing = [incident for incident in found if incident.state is IncidentState.FIRING]
    if not firing:
        raise CommandError(f"Nothing fires on {target}.")
    return firing


def _changed(
    connection: Connection, roster: Roster, actor: str, verb: str, incident: Incident, reason: Reason, now: float
) -> Incident:
    """Store what a person has changed, write down who did, and let those who were told see it."""
    about = f"{incident.subject} {incident.kind}"
    queries.add_audit(connection, at=now, actor=actor, verb=verb, subject=f"incident {incident.number}", new=about)
    return tell(connection, roster, queries.save_incident(connection, incident), reason, now)
