"""The labelled facts of a message: most useful first, people last."""

from __future__ import annotations

from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import ENDINGS, KINDS, Incident, Kind, Severity
from monitor_core.model.message import Fact, Person, Text, Time, TimeStyle
from monitor_core.units import NBSP, count, duration, progress, seconds_per_iteration, significant

_RUNS_SHOWN = 10
_HOST_KINDS = frozenset({Kind.UNREACHABLE, Kind.HOST_KEY})


def facts(incident: Incident, scene: Scene, now: float) -> tuple[Fact, ...]:
    """Return the labelled facts, most useful first, people last."""
    if not incident.active and not KINDS[incident.kind].once:
        found = [*_over(incident), *_redone(incident, scene), *_eta(incident, scene, now), *_acknowledged(incident)]
    elif incident.kind in _HOST_KINDS:
        found = _last_seen(scene)
    elif incident.kind is Kind.MONITOR_ERROR:
        found = []
    else:
        found = [
            *_iteration(incident, scene),
            *_loss(incident, scene),
            *_eta(incident, scene, now),
            *_checkpoint(incident, scene),
        ]
    people = [Fact("Owner", (owner(incident, scene),), person=True)] if scene.owner and incident.active else []
    return (*found, *people)


def since_fact(incident: Incident, scene: Scene) -> Fact:
    """Return since when it holds, for messages whose sentence speaks of a person."""
    where = f" on {scene.host}" if scene.host else ""
    label = "Silent" if incident.kind is Kind.STUCK else "Since"
    before = "since " if incident.kind is Kind.STUCK else ""
    return Fact(label, (before, Time(incident.starts_at), where))


def owner(incident: Incident, scene: Scene) -> Person:
    """Critical incidents that nobody has taken mention their owner; everything else names them."""
    untaken = incident.active and not incident.taken_by and not incident.muted
    return Person(scene.owner, mention=untaken and incident.severity is Severity.CRITICAL)


def person(actor: str) -> Person:
    """Return who did something, from the actor `slack:U012ALICE` or `shell:alice`."""
    return Person(actor.partition(":")[2] or actor)


def _over(incident: Incident) -> list[Fact]:
    took = duration(incident.ended_at - incident.starts_at, exact=True)
    label = {Kind.STUCK: "Silent", Kind.SLOW: "Slow", Kind.UNREACHABLE: "Unseen", Kind.HOST_KEY: "Unseen"}.get(
        incident.kind, "Lasted"
    )
    return [Fact(label, (Time(incident.starts_at), " to ", Time(incident.ended_at), f" ({took})"))]


def _acknowledged(incident: Incident) -> list[Fact]:
    if not incident.acknowledged_by or incident.acknowledged_at is None:
        return []
    at = Time(incident.acknowledged_at, TimeStyle.MINUTES)
    return [Fact("Acknowledged", ("by ", person(incident.acknowledged_by), " at ", at))]


def _iteration(incident: Incident, scene: Scene) -> list[Fact]:
    iteration = incident.counter("iteration") if incident.kind in ENDINGS else scene.iteration
    if iteration is None or incident.kind is Kind.FINISHED:
        return []
    return [Fact("Iteration", (progress(iteration, scene.total),))]


def _loss(incident: Incident, scene: Scene) -> list[Fact]:
    found = [] if scene.loss is None else [Fact("Loss", (significant(scene.loss),))]
    if scene.usual_ms is not None and incident.kind in {Kind.FINISHED, Kind.STOPPED}:
        found.append(Fact("Speed", (f"{seconds_per_iteration(scene.usual_ms)}{NBSP}s per iteration",)))
    return found


def _checkpoint(incident: Incident, scene: Scene) -> list[Fact]:
    if scene.checkpoint is None:
        return []
    at: Text = () if scene.checkpoint_at is None else (" at ", Time(scene.checkpoint_at, TimeStyle.MINUTES))
    found = [Fact("Checkpoint", (count(scene.checkpoint), *at))]
    iteration = incident.counter("iteration")
    if incident.kind is Kind.FAILED and iteration is not None and iteration > scene.checkpoint:
        found.append(Fact("To redo", (f"{count(iteration - scene.checkpoint)}{NBSP}iterations",)))
    return found


def _eta(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Return when the run would have been done and when it will be; the slip counts from the last good line."""
    usual = incident.figure("usual_ms") or scene.usual_ms
    if incident.kind not in _SLIPS or incident.said("closed_by") or usual is None:
        return []
    if scene.total is None or scene.iteration is None or scene.line_at is None or scene.iteration >= scene.total:
        return []
    due = scene.line_at + (scene.total - scene.iteration) * usual / 1000
    before, after = _SLIPS[incident.kind](incident, scene, due, usual, now)
    tail = ")" if not incident.active else " and growing)" if incident.kind is Kind.STUCK else ") if it stays"
    style = TimeStyle.MINUTES
    shown = (Time(before, style), " → ", Time(after, style), f" (+{duration(after - before)}{tail}")
    return [Fact("ETA", shown)] if after > before else []


def _slip_of_silence(incident: Incident, scene: Scene, due: float, usual: float, now: float) -> tuple[float, float]:
    """Once lines come again they say where the run stands, iterations to be redone included."""
    at = incident.counter("iteration") or scene.iteration or 0
    before = incident.starts_at + ((scene.total or 0) - at) * usual / 1000
    if not incident.active and (scene.line_at or 0.0) >= incident.ended_at:
        return before, due
    silent = (now if incident.active else incident.ended_at) - incident.starts_at
    return before, before + silent


def _slip_of_pace(incident: Incident, scene: Scene, due: float, usual: float, now: float) -> tuple[float, float]:
    if not incident.active:
        return due, due
    left = (scene.total or 0) - (scene.iteration or 0)
    return due, due + left * usual / 1000 * ((incident.figure("factor") or 1.0) - 1)


_SLIPS = {Kind.STUCK: _slip_of_silence, Kind.SLOW: _slip_of_pace}


def _redone(incident: Incident, scene: Scene) -> list[Fact]:
    """A launch that went on from a checkpoint does again what came after it."""
    at = incident.counter("iteration")
    if scene.resumed is None or at is None or at <= scene.resumed:
        return []
    return [Fact("Redone", (f"{count(at - scene.resumed)}{NBSP}iterations, from {count(scene.resumed)} on",))]


def _last_seen(scene: Scene) -> list[Fact]:
    shown = [
        Fact(name, (progress(iteration, total) if iteration is not None else "no line seen",))
        for name, iteration, total in scene.runs[:_RUNS_SHOWN]
    ]
    more = len(scene.runs) - len(shown)
    return [*shown, Fact("And", (f"{more} more",))] if more > 0 else shown
