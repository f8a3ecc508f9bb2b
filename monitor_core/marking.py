"""How people take an incident, give it back, and mark one as a false alarm."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.announce import tell
from monitor_core.errors import CommandError
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import KINDS, Incident, IncidentState
from monitor_core.model.views import AckAnswer, FalseAlarmAnswer
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.targets import Targets, incident, is_number, unresolved


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


def false_alarm(connection: Connection, roster: Roster, actor: str, target: str, now: float) -> FalseAlarmAnswer:
    """Mark an incident, also one that is over, as a false alarm; whoever marked it first is named."""
    found = incident(connection, target)
    if found.false_alarm_by:
        return FalseAlarmAnswer(found, changed=False)
    marked = replace(found, false_alarm_by=actor, false_alarm_at=now)
    return FalseAlarmAnswer(_changed(connection, roster, actor, "false-alarm", marked, Reason.FALSE_ALARM, now))


def no_false_alarm(connection: Connection, roster: Roster, actor: str, target: str, now: float) -> FalseAlarmAnswer:
    """Undo the mark of an incident as a false alarm; raise CommandError if it has none."""
    found = incident(connection, target)
    if not found.false_alarm_by:
        raise CommandError(f"Incident {found.number} is not marked as a false alarm.")
    plain = replace(found, false_alarm_by="", false_alarm_at=None)
    undone = _changed(connection, roster, actor, "false-alarm undo", plain, Reason.FALSE_ALARM_UNDONE, now)
    return FalseAlarmAnswer(undone)


def _firing(connection: Connection, roster: Roster, target: str) -> list[Incident]:
    if is_number(target):
        found = [unresolved(connection, target)]
    else:
        subjects = Targets(roster).subjects(target)
        found = [i for i in queries.active_incidents(connection) if i.subject in subjects or None in subjects]
    firing = [i for i in found if i.state is IncidentState.FIRING]
    if not firing:
        raise CommandError(f"Nothing fires on {target}.")
    return firing


def _changed(
    connection: Connection, roster: Roster, actor: str, verb: str, changed: Incident, reason: Reason, now: float
) -> Incident:
    """Store what a person has changed, write down who did, and let those who were told see it."""
    about = f"{KINDS[changed.kind].word} of {changed.subject.name or 'trainstatus'}"
    queries.add_audit(connection, at=now, actor=actor, verb=verb, subject=f"incident {changed.number}", new=about)
    return tell(connection, roster, queries.save_incident(connection, changed), reason, now)
