"""Writes down what became of incidents, and the deliveries that follow: one transaction with what caused them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.incident.flapping import FLAPPABLE, holding, judge
from monitor_core.incident.lifecycle import released, told_reason, unwatched
from monitor_core.incident.mutes import muting
from monitor_core.incident.routing import decide
from monitor_core.incident.rules import deciding_thresholds
from monitor_core.model.decisions import Decision, Judgement, Outcome
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import KINDS, UNSEEN, Incident, IncidentState, Kind, Mute, SubjectKind
from monitor_core.roster import Roster
from monitor_core.store import episodes, ledger, outbox, queries
from monitor_core.thresholds import Values, seconds


def announce(
    connection: Connection, roster: Roster, before: Incident | None, after: Incident, now: float, *, quiet: bool = False
) -> Incident:
    """Store an incident as it has become and enqueue what people must be told; return it with its number.

    `before` is the incident as it was stored, None for a new one. `quiet`: it is recorded, and nobody is told.
    A pending incident is not stored: it is found again at the next look, with the same onset. What flaps is held back
    until it is calm, or critical.
    """
    if after.state is IncidentState.PENDING:
        return after
    reason = None if quiet else told_reason(before, after, now)
    mutes = queries.load_mutes(connection, now=now)
    if before is None:
        mute = muting(mutes, after, roster.host_of(after.subject), now)
        after = replace(after, muted=mute.number if mute else 0)
    elif reason is not None and after.muted and muting(mutes, after, roster.host_of(after.subject), now) is None:
        # Its mute has ended while nobody could see whether it still held: what is told now says so.
        after = replace(after, muted=0)
    if after.active and after.kind in FLAPPABLE:
        after = replace(after, held=holding(episodes.flapping(connection, after.subject), after))
    after = queries.save_incident(connection, after)
    if before is None:
        _write_judgement(connection, roster, after, now if after.fired_at is None else after.fired_at)
    elif reason is Reason.ESCALATED:
        _write_judgement(connection, roster, after, now)
    if reason is not None:
        after = tell(connection, roster, after, reason, now)
    elif before is None:
        why = "it had ended before its log was first looked at" if quiet else "it was over before the next look"
        ledger.add_decisions(connection, [Decision(after.number, now, Reason.FIRING, Outcome.RECORDED, why=why)])
    return reconcile_mute(connection, roster, after, mutes, now)


def _write_judgement(connection: Connection, roster: Roster, incident: Incident, at: float) -> None:
    """Keep the numbers and the thresholds of that moment: both change, and the incident goes on."""
    names, settings = deciding_thresholds(incident.kind, incident.severity), queries.load_settings(connection)
    held = roster.held(incident.subject, names, settings)
    ledger.add_judgement(connection, Judgement(incident.number, at, incident.severity, incident.facts, held))


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
        after = announce(connection, roster, before.get(incident.number), changed, now, quiet=incident.kind in quiet)
        if after.state is IncidentState.FIRING and after.number not in before:
            _write_inhibited(connection, after, stored, now)


def announce_flapping(
    connection: Connection, roster: Roster, announced: Sequence[Incident], values: Values, now: float
) -> None:
    """Say what has begun to flap on a run; when that is over, what it held back and still fires is told once.

    `announced` are the run's incidents before and after a look: without one that may flap, or does, nothing is to say.
    """
    if not any(incident.kind in FLAPPABLE | {Kind.FLAPPING} for incident in announced):
        return
    subject, window = announced[0].subject, seconds(values["flapping"])
    before = {flap.number: flap for flap in episodes.flapping(connection, subject)}
    since = min([now - window, *(flap.starts_at for flap in before.values())])
    known = episodes.of_subject(connection, subject, since)
    done = judge(subject, known, window, now)
    for flap in (*done.closed, *done.active):
        announce(connection, roster, before.get(flap.number), flap, now)
    over = {flap.number for flap in done.closed}
    for incident in known:
        if incident.active and incident.held in over:
            freed = queries.save_incident(connection, replace(incident, held=0))
            tell(connection, roster, freed, Reason.CALM, now)


def _write_inhibited(connection: Connection, by: Incident, stored: Sequence[Incident], now: float) -> None:
    """Write down which incidents of the subject are not judged any more while a new one fires."""
    why = f"it is not judged while incident {by.number} ({KINDS[by.kind].word}) fires"
    ledger.add_decisions(
        connection,
        [
            Decision(incident.number, now, None, Outcome.INHIBITED, why=why)
            for incident in stored
            if incident.kind in KINDS[by.kind].inhibits
        ],
    )


def _with_people(incident: Incident, fresh: Incident) -> Incident:
    """A person may have acknowledged, muted or marked it since it was loaded."""
    kept = replace(
        incident,
        muted=fresh.muted,
        told_for=fresh.told_for,
        acknowledged_by=fresh.acknowledged_by,
        acknowledged_at=fresh.acknowledged_at,
        false_alarm_by=fresh.false_alarm_by,
        false_alarm_at=fresh.false_alarm_at,
    )
    return released(kept) if incident.severity.rank > fresh.severity.rank else kept


def tell(connection: Connection, roster: Roster, incident: Incident, reason: Reason, now: float) -> Incident:
    """Enqueue the deliveries of one reason and write down what was decided for each receiver.

    Return the incident with the duration that people now know.
    """
    told = outbox.told(connection, incident.number)
    routes, runs = roster.routes(incident), roster.runs_of(incident.subject)
    mute = queries.load_mute(connection, incident.muted) if incident.muted else None
    decided = decide(incident, reason, routes, runs, told, now, mute=mute)
    enqueued = [outbox.enqueue(connection, delivery) for delivery in decided.deliveries]
    ledger.add_decisions(connection, (*enqueued, *decided.untold))
    return queries.save_incident(connection, replace(incident, told_for=max(0.0, now - incident.starts_at)))


def reconcile_mute(
    connection: Connection, roster: Roster, incident: Incident, mutes: Sequence[Mute], now: float, *, seen: bool = True
) -> Incident:
    """Bring an incident in line with the mutes in force; when silence ends and it still holds, it is told once.

    If a person has taken it, or calls it a false alarm, its message is only brought up to date. `seen`: whether it is
    known that it still holds.
    """
    if incident.state is not IncidentState.FIRING:
        return incident
    mute = muting(mutes, incident, roster.host_of(incident.subject), now)
    number = mute.number if mute else 0
    if number == incident.muted or not (number or seen):
        return incident
    was = incident.muted
    incident = queries.save_incident(connection, replace(incident, muted=number))
    if not number:
        taken = incident.acknowledged_by or incident.false_alarm_by
        return tell(connection, roster, incident, Reason.REFRESH if taken else Reason.MUTE_ENDED, now)
    return incident if was else tell(connection, roster, incident, Reason.MUTED, now)


def reconcile_mutes(connection: Connection, roster: Roster, now: float) -> None:
    """Bring all incidents in line with the mutes in force.

    Of a run that cannot be seen nobody knows whether it is still wrong: where its mute has ended, the next look tells.
    """
    mutes, incidents = queries.load_mutes(connection, now=now), queries.active_incidents(connection)
    away = {i.subject.name for i in incidents if i.kind in UNSEEN and i.subject.kind is SubjectKind.HOST}
    for incident in incidents:
        of_run = incident.subject.kind is SubjectKind.RUN
        unseen = of_run and not away.isdisjoint(roster.way(roster.host_of(incident.subject)))
        reconcile_mute(connection, roster, incident, mutes, now, seen=not unseen)


def close_unwatched(connection: Connection, roster: Roster, now: float) -> None:
    """Close what still holds on runs, hosts and receivers that are no longer configured; who was told is told so."""
    for incident in queries.active_incidents(connection):
        if not roster.watches(incident):
            announce(connection, roster, incident, unwatched(incident, now), now)
