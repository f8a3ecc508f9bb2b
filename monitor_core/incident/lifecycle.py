"""The life of an incident: pending, firing, resolved; and what is worth telling about a step of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import KINDS, SELF, Finding, Incident, IncidentState, Kind, Number, Subject

# A shown duration ages: the message is edited whenever it has grown by half, but not for less than a minute.
_GROWTH = 1.5
_LEAST_REFRESH = 60.0
# What closed an incident, where it was no ending.
UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True)
class Step:
    """The incidents of a subject after one look: those still active, and those that have just been closed."""

    active: tuple[Incident, ...]
    closed: tuple[Incident, ...] = ()


def step(subject: Subject, active: Sequence[Incident], found: Iterable[Finding], now: float) -> Step:
    """Bring the incidents of a subject up to what is found at `now` (seconds since 1970).

    An ending that is not certain yet opens nothing anew, and closes nothing either. What is part of another trouble
    ends with it.
    """
    findings = {(finding.kind, finding.detail): finding for finding in found}
    certain = [finding for finding in findings.values() if now >= finding.since + finding.grace]
    ended = _kinds(certain, "ends")
    inhibited = _kinds(findings.values(), "inhibits")
    held = ended.keys() | inhibited.keys() | _kinds(findings.values(), "ends").keys()
    after, closed = [], []
    for incident in active:
        finding = findings.pop((incident.kind, incident.detail), None)
        if incident.kind in inhibited and incident.kind not in ended:
            after.append(incident)
        elif finding is None or incident.kind in ended:
            closed.append(resolve(incident, now, closed_by=ended.get(incident.kind)))
        else:
            after.append(_update(incident, finding, now))
    new = [finding for finding in findings.values() if finding.kind not in held]
    there = {incident.kind for incident in after} | {finding.kind for finding in new}
    closed += [resolve(incident, now) for incident in after if not _whole(incident.kind, there)]
    after = [incident for incident in after if _whole(incident.kind, there)]
    after += [_open(subject, finding, now) for finding in new if _whole(finding.kind, there)]
    return Step(tuple(after), tuple(closed))


def next_change(active: Iterable[Incident], graces: Iterable[Finding]) -> float | None:
    """Return when the first pending incident will have held for its grace."""
    due = {(finding.kind, finding.detail): finding.since + finding.grace for finding in graces}
    pending = (i for i in active if i.state is IncidentState.PENDING)
    return min((due[key] for i in pending if (key := (i.kind, i.detail)) in due), default=None)


def resolve(incident: Incident, now: float, *, closed_by: Kind | None = None) -> Incident:
    """Return the incident closed at `now`; `closed_by` is the ending that closed it, if one did."""
    facts = incident.facts if closed_by is None else {**incident.facts, "closed_by": str(closed_by)}
    return replace(incident, state=IncidentState.RESOLVED, ends_at=now, facts=facts)


def released(incident: Incident) -> Incident:
    """Return the incident as one that needs somebody: what people said of it does not survive that it gets worse."""
    return replace(incident, acknowledged_by="", acknowledged_at=None, false_alarm_by="", false_alarm_at=None)


def unwatched(incident: Incident, now: float) -> Incident:
    """Return the incident closed at `now`, since nobody looks any more at what it is about."""
    closed = resolve(incident, now)
    # What troubled the monitor itself is simply over.
    return closed if incident.subject == SELF else replace(closed, facts={**incident.facts, "closed_by": UNWATCHED})


def told_reason(before: Incident | None, after: Incident, now: float) -> Reason | None:
    """Decide what people must be told about an incident that was `before` (None: unknown) when they last could be."""
    fired_before = before is not None and before.state is IncidentState.FIRING
    if after.state is IncidentState.FIRING and not fired_before:
        return Reason.FIRING
    if not fired_before or before is None:
        return None
    if after.state is IncidentState.RESOLVED:
        return None if KINDS[after.kind].once else Reason.RESOLVED
    if after.severity.rank > before.severity.rank:
        return Reason.ESCALATED
    return Reason.REFRESH if _aged(after, now) else None


def _whole(kind: Kind, there: Collection[Kind]) -> bool:
    """Return whether a kind may hold beside those that are there: a part needs its whole."""
    return KINDS[kind].part_of is None or KINDS[kind].part_of in there


def _kinds(findings: Iterable[Finding], relation: str) -> dict[Kind, Kind]:
    """Return which kinds the findings end or inhibit, each with the kind that does so."""
    return {kind: finding.kind for finding in findings for kind in getattr(KINDS[finding.kind], relation)}


def _aged(incident: Incident, now: float) -> bool:
    if KINDS[incident.kind].once:
        return False
    return now - incident.starts_at >= max(_GROWTH * incident.told_for, incident.told_for + _LEAST_REFRESH)


def _open(subject: Subject, finding: Finding, now: float) -> Incident:
    incident = Incident(
        subject=subject,
        kind=finding.kind,
        severity=finding.severity,
        state=IncidentState.PENDING,
        starts_at=finding.since,
        detail=finding.detail,
    )
    return _update(incident, finding, now)


def _with_worst(incident: Incident, finding: Finding) -> Mapping[str, Number]:
    """A slowdown is remembered at its worst."""
    factor, worst = finding.facts.get("factor"), incident.facts.get("worst")
    if not isinstance(factor, float):
        return finding.facts
    return {**finding.facts, "worst": max(factor, worst) if isinstance(worst, float) else factor}


def _update(incident: Incident, finding: Finding, now: float) -> Incident:
    """An incident keeps its worst severity."""
    incident = replace(incident, facts=_with_worst(incident, finding))
    if finding.severity.rank > incident.severity.rank:
        incident = released(replace(incident, severity=finding.severity))
    if incident.state is IncidentState.PENDING:
        fires = now >= finding.since + finding.grace
        incident = replace(incident, starts_at=finding.since)
        return replace(incident, state=IncidentState.FIRING, fired_at=now) if fires else incident
    return incident
