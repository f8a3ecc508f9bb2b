"""Flapping: a kind of trouble that comes and goes on a run, so that its messages say less than their number.

Icinga keeps the last 20 checks and calls an object flapping when more than 30 % of them were changes of its state,
until they are less than 25 % (https://icinga.com/docs/icinga-2/latest/doc/08-advanced-topics/#check-flapping). Here a
run is judged by the lines of its log and not by checks, so what counts are incidents: three that fired and resolved
are six changes, 30 % of 20. It is over when nothing has changed for a third of the window: 20 minutes of an hour, which
are 20 checks at the default interval.

Critical incidents are never held back: what was worth a warning flaps, what became worse is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor_core.incident.lifecycle import Step, resolve, step
from monitor_core.model.incidents import (
    ENDINGS,
    KINDS,
    Finding,
    Incident,
    Kind,
    Number,
    Severity,
    Subject,
    SubjectKind,
)

_EPISODES = 3
_CALM = 1 / 3
# Kinds of a run that are warnings at first and end by themselves.
FLAPPABLE = frozenset(
    kind
    for kind, spec in KINDS.items()
    if spec.subject is SubjectKind.RUN
    and Severity.WARNING in spec.severities
    and not spec.once
    and kind is not Kind.FLAPPING
)


def judge(subject: Subject, known: Sequence[Incident], window: float, now: float) -> Step:
    """Bring what flaps on a run up to `now`; an ending ends it too, for what comes then is another story.

    `known` are the incidents of the run that hold or ended within `window` seconds and that a look found firing, and
    all since the beginning of what flaps already.
    """
    flaps = [incident for incident in known if incident.kind is Kind.FLAPPING and incident.active]
    ended = next((incident.kind for incident in known if incident.kind in ENDINGS and incident.active), None)
    done = step(subject, flaps, () if ended else flapping(known, window, now), now)
    return Step(done.active, tuple(resolve(flap, now, closed_by=ended) for flap in done.closed))


def flapping(known: Sequence[Incident], window: float, now: float) -> list[Finding]:
    """Return the kinds of a run that flap at `now`, each with its name as `detail`; `known` is as in `judge`."""
    found = (_of_kind(kind, [i for i in known if i.kind is kind], known, window, now) for kind in FLAPPABLE)
    return [finding for finding in found if finding is not None]


def holding(flaps: Iterable[Incident], incident: Incident) -> int:
    """Return the number of the flapping incident that holds the messages of an incident back, 0 for none."""
    if incident.severity is Severity.CRITICAL:
        return 0
    return next((flap.number for flap in flaps if flap.active and flap.detail == incident.kind), 0)


def _of_kind(
    kind: Kind, episodes: Sequence[Incident], known: Sequence[Incident], window: float, now: float
) -> Finding | None:
    flaps = [incident for incident in known if incident.kind is Kind.FLAPPING and incident.detail == kind]
    holds = next((flap for flap in flaps if flap.active), None)
    since = holds.starts_at if holds is not None else max([now - window, *(flap.ended_at for flap in flaps)])
    recent = [episode for episode in episodes if (episode.fired_at or 0.0) >= since]
    over = [episode for episode in recent if not episode.active and not episode.said("closed_by")]
    calm = _CALM * window
    if not _changed_since(recent, now - calm) or (holds is None and len(over) < _EPISODES):
        return None
    began = min(episode.fired_at or now for episode in recent)
    facts: dict[str, Number] = {"times": len(over), **_measures(over), "calm": calm}
    return Finding(Kind.FLAPPING, Severity.WARNING, began, facts, str(kind))


def _changed_since(episodes: Iterable[Incident], moment: float) -> bool:
    """Return whether one has fired or ended since a moment."""
    return any(at >= moment for episode in episodes for at in (episode.fired_at, episode.ends_at) if at is not None)


def _measures(over: Sequence[Incident]) -> dict[str, Number]:
    factors = [worst for episode in over if (worst := episode.figure("worst")) is not None]
    worst = max(factors or [episode.ended_at - episode.starts_at for episode in over], default=None)
    return {"worst": worst, "limit": over[-1].figure("limit") if over else None}
