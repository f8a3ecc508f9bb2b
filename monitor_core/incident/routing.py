"""Who is told: from an incident and a reason to deliveries, and to the decisions that somebody is not told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor_core.model.decisions import Decision, Outcome, place
from monitor_core.model.deliveries import Delivery, DeliveryState, Reason, Receiver
from monitor_core.model.incidents import ENDINGS, KINDS, Incident, Kind, Mute, Severity, SubjectKind
from monitor_core.units import utc_moment

_TELLS = frozenset({Reason.FIRING, Reason.ESCALATED, Reason.MUTE_ENDED, Reason.CALM})
_QUIET_IF_HELD_BACK = _TELLS | {Reason.REFRESH}


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

    def refusal(self, incident: Incident, runs: Collection[str]) -> str:
        """Return why this receiver is not told of the incident, empty if it is; `runs` are those that it is about."""
        if incident.kind is Kind.MONITOR_ERROR and incident.detail.partition(" ")[2] == str(self.receiver):
            return "is what it is about"
        if incident.subject.kind is not SubjectKind.SELF and not any(
            fnmatchcase(run, pattern) for run in runs for pattern in self.runs
        ):
            return f"wants only the runs {', '.join(self.runs)}"
        if incident.kind in ENDINGS or incident.severity.rank >= self.severity.rank:
            return ""
        return f"wants {self.severity}" + ("" if self.severity is Severity.CRITICAL else " and worse")


@dataclass(frozen=True, slots=True)
class Decided:
    """What follows from a reason: the deliveries, and the decisions that somebody is not told."""

    deliveries: tuple[Delivery, ...] = ()
    untold: tuple[Decision, ...] = ()


def decide(
    incident: Incident,
    reason: Reason,
    routes: Sequence[Route],
    runs: Collection[str],
    told: Mapping[Receiver, Delivery],
    now: float,
    *,
    mute: Mute | None = None,
) -> Decided:
    """Return what follows from a reason.

    `told` holds the newest delivery about this incident for each receiver that was told of it, or is about to be.
    `mute` is the one that holds a muted incident back; it leaves only the edit that says so, and the resolve. So does
    what flaps.
    """
    if incident.muted and reason in _QUIET_IF_HELD_BACK:
        return Decided(untold=(_muted(incident, reason, mute, now),))
    if incident.held and reason in _QUIET_IF_HELD_BACK:
        why = f"it is held back while incident {incident.held} ({KINDS[Kind.FLAPPING].word}) fires"
        return Decided(untold=(Decision(incident.number, now, reason, Outcome.INHIBITED, why=why),))
    if reason in _TELLS:
        return _fresh(incident, reason, routes, runs, now)
    editors = {route.receiver for route in routes if route.edits}
    receivers = [r for r in told if (r in editors or not reason.edit) and not _waits(told[r])]
    others = [] if reason.edit else [route.receiver for route in routes if route.receiver not in receivers]
    return Decided(
        tuple(_delivery(incident, reason, receiver, now) for receiver in receivers),
        tuple(
            Decision(incident.number, now, reason, Outcome.UNTOLD, str(receiver), _never(told.get(receiver)))
            for receiver in others
        ),
    )


def _fresh(incident: Incident, reason: Reason, routes: Sequence[Route], runs: Collection[str], now: float) -> Decided:
    if not routes:
        nobody = Decision(incident.number, now, reason, Outcome.UNWANTED, why="nobody is there to be told")
        return Decided(untold=(nobody,))
    asked = [(route, route.refusal(incident, runs)) for route in routes]
    return Decided(
        tuple(_new(incident, reason, [route for route, why in asked if not why], now)),
        tuple(
            Decision(incident.number, now, reason, Outcome.UNWANTED, str(route.receiver), why)
            for route, why in asked
            if why
        ),
    )


def _muted(incident: Incident, reason: Reason, mute: Mute | None, now: float) -> Decision:
    why, by = f"mute {incident.muted}", ""
    if mute is not None:
        why += f" until {utc_moment(mute.until)}" + (f" ({mute.reason})" if mute.reason else "")
        by = mute.by
    return Decision(incident.number, now, reason, Outcome.MUTED, why=why, by=by)


def _never(waiting: Delivery | None) -> str:
    return "was not told of it" if waiting is None else f"is told only if {place(waiting.fallback_for)} cannot be"


def _new(incident: Incident, reason: Reason, routes: Sequence[Route], now: float) -> list[Delivery]:
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
