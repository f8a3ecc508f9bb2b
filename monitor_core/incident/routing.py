"""Who is told: from an incident and a reason to deliveries, each decision with its reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor_core.model.incidents import (
    ENDINGS,
    Delivery,
    DeliveryState,
    Incident,
    Kind,
    Reason,
    Receiver,
    Severity,
    SubjectKind,
)

_TELLS = frozenset({Reason.FIRING, Reason.ESCALATED, Reason.MUTE_ENDED})


@dataclass(frozen=True, slots=True)
class Route:
    """A receiver as configured.

    It gets incidents from `severity` up, and endings always, of runs that match one of the patterns `runs`, and of
    hosts with such a run. `edits`: it can be sent changes of a message. `instead_of` names a notifier (empty: none):
    this receiver is told only if that one could not be within `fallback_after` seconds.
    """

    receiver: Receiver
    severity: Severity = Severity.INFO
    runs: tuple[str, ...] = ("*",)
    edits: bool = False
    instead_of: str = ""
    fallback_after: float = 0.0

    def wants(self, incident: Incident, runs: Collection[str]) -> bool:
        """Return whether this receiver is told of the incident; `runs` are those that it is about."""
        if incident.kind is Kind.MONITOR_ERROR and incident.detail.partition(" ")[2] == str(self.receiver):
            return False
        if incident.subject.kind is not SubjectKind.SELF and not any(
            fnmatchcase(run, pattern) for run in runs for pattern in self.runs
        ):
            return False
        return incident.kind in ENDINGS or incident.severity.rank >= self.severity.rank


def deliveries(
    incident: Incident,
    reason: Reason,
    routes: Sequence[Route],
    runs: Collection[str],
    told: Mapping[Receiver, Delivery],
    now: float,
) -> list[Delivery]:
    """Return the deliveries that follow from a reason.

    `told` holds the newest delivery about this incident for each receiver that was told of it, or is about to be.
    A muted incident makes none but the edit that says so and the resolve.
    """
    if incident.muted and reason in _TELLS | {Reason.REFRESH}:
        return []
    if reason in _TELLS:
        return _fresh(incident, reason, [route for route in routes if route.wants(incident, runs)], now)
    editors = {route.receiver for route in routes if route.edits}
    receivers = [r for r in told if (r in editors or not reason.edit) and not _waits(told[r])]
    return [_delivery(incident, reason, receiver, now) for receiver in receivers]


def _fresh(incident: Incident, reason: Reason, routes: Sequence[Route], now: float) -> list[Delivery]:
    first = [_delivery(incident, reason, route.receiver, now) for route in routes if not route.instead_of]
    firsts = {delivery.receiver.notifier: str(delivery.receiver) for delivery in first}
    second = [
        _delivery(
            incident,
            reason,
            route.receiver,
            now,
            wait=route.fallback_after if route.instead_of in firsts else 0.0,
            fallback_for=firsts.get(route.instead_of, ""),
        )
        for route in routes
        if route.instead_of
    ]
    return first + second


def _waits(delivery: Delivery) -> bool:
    """Return whether a fallback receiver has not been told yet."""
    return bool(delivery.fallback_for) and delivery.attempts == 0 and delivery.state is not DeliveryState.SENT


def _delivery(
    incident: Incident, reason: Reason, receiver: Receiver, now: float, *, wait: float = 0.0, fallback_for: str = ""
) -> Delivery:
    return Delivery(
        key=f"{incident.number}-{reason}-{_stamp(incident, reason, now)}-{receiver}",
        incident=incident.number,
        receiver=receiver,
        reason=reason,
        state=DeliveryState.PENDING,
        created_at=now,
        due_at=now + wait,
        fallback_for=fallback_for,
    )


def _stamp(incident: Incident, reason: Reason, now: float) -> str:
    """What makes a reason a new one: an incident fires and resolves once for each severity, an edit may come again."""
    once = {Reason.FIRING, Reason.ESCALATED, Reason.RESOLVED}
    return str(incident.severity) if reason in once else f"{now:.3f}"
