"""What `control` answers to those who ask what happened and why: plain values that Slack and the shell lay out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor_core.model.decisions import Attempt, Decision, HeldThreshold
from monitor_core.model.deliveries import DeliveryState, Reason
from monitor_core.model.incidents import Incident, IncidentState, Kind, Number, Severity


@dataclass(frozen=True, slots=True)
class PastIncident:
    """One incident of the history. `run` is empty where it is about a host, `host` too where it is about the monitor.

    `lasted` is how many seconds it held, or holds; None for an ending, which is told once.
    """

    number: int
    kind: Kind
    severity: Severity
    state: IncidentState
    run: str
    host: str
    starts_at: float
    fired_at: float | None
    ends_at: float | None
    lasted: float | None
    acknowledged_by: str
    acknowledged_at: float | None
    false_alarm_by: str
    false_alarm_at: float | None

    @property
    def name(self) -> str:
        """Return what it is about, as people call it."""
        return self.run or self.host or "trainstatus"


@dataclass(frozen=True, slots=True)
class History:
    """Incidents, newest first, at `now`; `more` is how many older ones there are that were asked for too."""

    now: float
    incidents: tuple[PastIncident, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did, or tried to do, what; `refused` says why not, empty if it was done."""

    at: float
    actor: str
    verb: str
    subject: str
    old: str
    new: str
    refused: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What people did, newest first, at `now`; `more` is how many older entries there are."""

    now: float
    entries: tuple[AuditEntry, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """By what an incident was opened, or got worse, at `at`: the rule in words, its numbers, and the thresholds then.

    The first threshold is the one that decided.
    """

    at: float
    severity: Severity
    rule: str
    facts: Mapping[str, Number]
    thresholds: tuple[HeldThreshold, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery with its answers: `tried` is how often, `attempts` the first and the last tries, oldest first.

    `receiver` and `fallback_for` are `notifier:target`; the latter is empty unless this one stands in for another.
    """

    number: int
    receiver: str
    reason: Reason
    state: DeliveryState
    created_at: float
    due_at: float
    sent_at: float | None
    tried: int
    ref: str
    fallback_for: str
    repeat: bool
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Why an incident was told, to whom, and what became of it; `people` is what they did about it, oldest first."""

    now: float
    incident: Incident
    host: str
    judgements: tuple[Judged, ...]
    decisions: tuple[Decision, ...]
    deliveries: tuple[Told, ...]
    people: tuple[AuditEntry, ...]
