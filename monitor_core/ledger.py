"""What happened and why, from what was written down as it happened."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.incident.rules import decisive_first, rule
from monitor_core.model.decisions import Attempt, Judgement
from monitor_core.model.deliveries import Delivery
from monitor_core.model.incidents import KINDS, Incident, Subject, SubjectKind
from monitor_core.model.past import Audit, AuditEntry, History, Judged, PastIncident, Told, Why
from monitor_core.roster import Roster
from monitor_core.store import ledger
from monitor_core.targets import Targets


def history(connection: Connection, roster: Roster, target: str, since: float, limit: int, now: float) -> History:
    """Return the newest incidents that held since then: all, or those of a run and its host, of a host and its runs."""
    subjects = _subjects(roster, target) if target else None
    found, more = ledger.incidents(connection, subjects, since, limit)
    return History(now, tuple(_past(roster, incident, now) for incident in found), more)


def audit(connection: Connection, limit: int, now: float) -> Audit:
    """Return the newest entries of the audit log."""
    found, more = ledger.audit(connection, limit)
    return Audit(now, tuple(found), more)


def why(connection: Connection, roster: Roster, incident: Incident, now: float) -> Why:
    """Return all that was written down about an incident.

    One that was stored before judgements were written down shows the numbers that it has now.
    """
    number, host = incident.number, roster.host_of(incident.subject)
    judgements = ledger.judgements(connection, number) or [_judged_last(incident)]
    return Why(
        now=now,
        incident=incident,
        host=host,
        judgements=tuple(_judged(incident, judgement) for judgement in judgements),
        decisions=tuple(ledger.decisions(connection, number)),
        deliveries=tuple(_told(*sent) for sent in ledger.deliveries(connection, number)),
        people=tuple(_people(connection, incident, host, now)),
    )


def _subjects(roster: Roster, target: str) -> set[Subject] | None:
    named = Targets(roster).subjects(target)
    if None in named:
        return None
    known = {subject for subject in named if subject is not None}
    hosts = {Subject(SubjectKind.HOST, roster.host_of(subject)) for subject in known}
    runs = {Subject(SubjectKind.RUN, run) for subject in known for run in roster.runs_of(subject)}
    return hosts | runs


def _past(roster: Roster, incident: Incident, now: float) -> PastIncident:
    lasted = (incident.ends_at if incident.ends_at is not None else now) - incident.starts_at
    return PastIncident(
        number=incident.number,
        kind=incident.kind,
        severity=incident.severity,
        state=incident.state,
        run=incident.subject.name if incident.subject.kind is SubjectKind.RUN else "",
        host=roster.host_of(incident.subject),
        starts_at=incident.starts_at,
        fired_at=incident.fired_at,
        ends_at=incident.ends_at,
        lasted=None if KINDS[incident.kind].once else max(0.0, lasted),
        acknowledged_by=incident.acknowledged_by,
        acknowledged_at=incident.acknowledged_at,
        false_alarm_by=incident.false_alarm_by,
        false_alarm_at=incident.false_alarm_at,
    )


def _judged_last(incident: Incident) -> Judgement:
    at = incident.fired_at if incident.fired_at is not None else incident.ended_at
    return Judgement(incident.number, at, incident.severity, incident.facts)


def _judged(incident: Incident, judgement: Judgement) -> Judged:
    then = replace(incident, facts=judgement.facts, severity=judgement.severity)
    said, thresholds = rule(then, judgement.at), decisive_first(then, judgement.thresholds)
    return Judged(judgement.at, judgement.severity, said, judgement.facts, thresholds)


def _told(delivery: Delivery, attempts: tuple[Attempt, ...]) -> Told:
    return Told(
        number=delivery.number,
        receiver=str(delivery.receiver),
        reason=delivery.reason,
        state=delivery.state,
        created_at=delivery.created_at,
        due_at=delivery.due_at,
        sent_at=delivery.sent_at,
        tried=delivery.attempts,
        ref=delivery.ref,
        fallback_for=delivery.fallback_for,
        repeat=delivery.repeat,
        attempts=attempts,
    )


def _people(connection: Connection, incident: Incident, host: str, now: float) -> list[AuditEntry]:
    names = {incident.subject.name, host, "all"} - {""}
    until = incident.ends_at if incident.ends_at is not None else now
    return ledger.audit_of(connection, incident.number, names, incident.starts_at, until)
