"""How people hold messages back for a while, and let them come again."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.announce import reconcile_mutes
from monitor_core.errors import CommandError
from monitor_core.incident.mutes import covers
from monitor_core.model.incidents import Incident, Mute, Subject
from monitor_core.model.views import MuteAnswer
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.targets import Targets, kind_of
from monitor_core.units import DURATION_EXAMPLES, compact_duration, utc_moment

_DEFAULT = 3600.0
_LONGEST = 30 * 86400.0


def mute(
    connection: Connection,
    roster: Roster,
    actor: str,
    target: str,
    now: float,
    *,
    kind: str = "",
    until: float | None = None,
    reason: str = "",
) -> MuteAnswer:
    """Make a mute of each thing that the target names, in place of one that covers the same.

    Without `until` it lasts an hour. Raises CommandError for an end in the past or more than 30 days away.
    """
    of, until = kind_of(kind), now + _DEFAULT if until is None else until
    if not now < until <= now + _LONGEST:
        longest = f"within {compact_duration(_LONGEST)}"
        raise CommandError(f"A mute ends {longest}, and not in the past (examples: {DURATION_EXAMPLES}).")
    subjects = Targets(roster).meant(connection, target)
    replaced = [
        before for before in queries.load_mutes(connection, now=now) if before.subject in subjects and before.kind == of
    ]
    for before in replaced:
        queries.end_mute(connection, before.number, now)
    new = [Mute(0, subject, of, until, actor, now, reason) for subject in subjects]
    made = [queries.add_mute(connection, each) for each in new]
    for each in made:
        old = "; ".join(_held(before) for before in replaced if before.subject == each.subject)
        queries.add_audit(
            connection, at=now, actor=actor, verb="mute", subject=_name(each.subject), old=old, new=_terms(each)
        )
    reconcile_mutes(connection, roster, now)
    return MuteAnswer(tuple(made), _firing(connection, roster, made))


def unmute(
    connection: Connection, roster: Roster, actor: str, target: str, now: float, *, kind: str = ""
) -> MuteAnswer:
    """End the mutes of what the target names; what is still wrong then is told once. Raises CommandError for none."""
    of, subjects = kind_of(kind), Targets(roster).meant(connection, target)
    held = queries.load_mutes(connection, now=now)
    ended = [mute for mute in held if mute.subject in subjects and of in {None, mute.kind}]
    if not ended:
        raise CommandError(_no_mute(roster, target, subjects, held))
    for mute in ended:
        queries.end_mute(connection, mute.number, now)
        queries.add_audit(connection, at=now, actor=actor, verb="unmute", subject=_name(mute.subject), old=_held(mute))
    firing = _firing(connection, roster, ended)
    reconcile_mutes(connection, roster, now)
    still = [mute for mute in held if mute not in ended and _covers_any(roster, mute, subjects)]
    return MuteAnswer(tuple(replace(mute, ended_at=now) for mute in ended), firing, tuple(still))


def _covers_any(roster: Roster, mute: Mute, subjects: list[Subject | None]) -> bool:
    """Return whether a mute covers, wholly or in part, what was named; None among it stands for all."""
    if mute.subject is None:
        return True
    return any(subject is not None and covers(mute, subject, roster.host_of(subject)) for subject in subjects)


def _firing(connection: Connection, roster: Roster, mutes: list[Mute]) -> tuple[Incident, ...]:
    return tuple(
        incident
        for incident in queries.active_incidents(connection)
        if any(
            covers(mute, incident.subject, roster.host_of(incident.subject)) and mute.kind in {None, incident.kind}
            for mute in mutes
        )
    )


def _no_mute(roster: Roster, target: str, subjects: list[Subject | None], held: list[Mute]) -> str:
    wider = [
        _name(mute.subject)
        for mute in held
        for subject in subjects
        if subject is not None and covers(mute, subject, roster.host_of(subject))
    ]
    more = f" It is covered by the mute of {wider[0]}." if wider else ""
    return f"{target} has no mute of its own.{more}"


def _terms(mute: Mute, by: str = "") -> str:
    """Return until when, what and why is muted, as the audit log has it."""
    of, reason = f" {mute.kind}" if mute.kind else "", f": {mute.reason}" if mute.reason else ""
    return f"until {utc_moment(mute.until)}{of}{by}{reason}"


def _held(mute: Mute) -> str:
    return _terms(mute, f" by {mute.by.partition(':')[2] or mute.by}")


def _name(subject: Subject | None) -> str:
    return "all" if subject is None else subject.name
