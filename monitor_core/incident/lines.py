"""The labelled lines that messages of several kinds share."""

from __future__ import annotations

from monitor_core.incident.phrases import named, short_name
from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import Incident, Kind
from monitor_core.model.message import Fact, Text, Time, TimeStyle
from monitor_core.units import NBSP, count, duration, progress, seconds_per_iteration, significant

_RUNS_NAMED = 3


def iteration(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say where the run is now."""
    return [] if scene.iteration is None else [Fact("Iteration", (progress(scene.iteration, scene.total),))]


def last_iteration(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say where the run was when it ended."""
    last = incident.counter("iteration")
    return [] if last is None else [Fact("Iteration", (progress(last, scene.total),))]


def loss(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say the last loss."""
    return [] if scene.loss is None else [Fact("Loss", (significant(scene.loss),))]


def speed(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say the usual time per iteration."""
    if scene.usual_ms is None:
        return []
    return [Fact("Speed", (f"{seconds_per_iteration(scene.usual_ms)}{NBSP}s per iteration",))]


def checkpoint(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say which checkpoint is the newest, and when it was complete."""
    if scene.checkpoint is None:
        return []
    at: Text = () if scene.checkpoint_at is None else (" at ", Time(scene.checkpoint_at, TimeStyle.MINUTES))
    return [Fact("Checkpoint", (count(scene.checkpoint), *at))]


def to_redo(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say what a new launch has to do again: the iterations since the newest checkpoint, and their time."""
    at = incident.counter("iteration")
    if scene.checkpoint is None or at is None or at <= scene.checkpoint:
        return []
    lost = at - scene.checkpoint
    took = "" if scene.usual_ms is None else f" ({duration(lost * scene.usual_ms / 1000)})"
    return [Fact("To redo", (f"{count(lost)}{NBSP}iterations{took}",))]


def runs_there(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Name the runs of a host that a trouble of its hardware may reach."""
    names = [short_name(name) for name, _, _ in scene.runs]
    return [Fact("Runs", (named(names, _RUNS_NAMED),))] if names else []


def eta(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say when the run would have been done and when it will be; the slip counts from the last good line."""
    usual = incident.figure("usual_ms") or scene.usual_ms
    if incident.said("closed_by") or usual is None:
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
