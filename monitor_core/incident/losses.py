"""What is said of a loss that is no number, jumps, or grows."""

from __future__ import annotations

from collections.abc import Mapping

from monitor_core.incident import lines
from monitor_core.incident.phrases import again, on
from monitor_core.incident.scene import Scene
from monitor_core.incident.speech import Speech, each, no_number
from monitor_core.incident.training import worst_factor
from monitor_core.model.incidents import Incident, Kind
from monitor_core.model.message import Fact, Strong, Text, Time, TimeStyle
from monitor_core.units import count, significant
from monitor_core.units import ratio as ratio_text

_NO_NUMBER = {"inf": "Loss is infinite", "missing": "No loss is printed"}


def _nan(incident: Incident, scene: Scene, now: float) -> Text:
    since = incident.counter("since_iteration") or 0
    what = _NO_NUMBER.get(incident.said("value"), "Loss is NaN")
    goes_on = " The run goes on." if (scene.iteration or 0) > since else ""
    return (
        Strong((f"{what} since iteration {count(since)}",)),
        " at ",
        Time(incident.starts_at),
        f"{on(scene)}.{goes_on}",
    )


def _before(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    loss, norms = incident.figure("before"), _grad_norms(incident)
    said = [*([f"loss {significant(loss)}"] if loss is not None else []), *([f"grad norm {norms}"] if norms else [])]
    return [Fact("Before", (", ".join(said),))] if said else []


def _grad_norms(incident: Incident) -> str:
    usual, last = incident.figure("grad_usual"), incident.figure("grad_last")
    if last is None:
        return ""
    return significant(last, 3) if usual is None else f"{significant(usual, 3)} → {significant(last, 3)}"


def _clean_checkpoint(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """A checkpoint that is newer than the trouble holds it."""
    since, newest = incident.counter("since_iteration"), scene.checkpoint
    if newest is None or since is None:
        return []
    at: Text = () if scene.checkpoint_at is None else (" at ", Time(scene.checkpoint_at, TimeStyle.MINUTES))
    return [Fact("Checkpoint", (count(newest), *at, ", clean" if newest < since else ", later than that"))]


def _next_checkpoint(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say when the next checkpoint would keep what should not be kept."""
    every, iteration = incident.counter("save_interval"), scene.iteration
    if not every or iteration is None:
        return []
    due = (iteration // every + 1) * every
    at: Text = ()
    if scene.line_at is not None and scene.usual_ms is not None:
        when = scene.line_at + (due - iteration) * scene.usual_ms / 1000
        at = (", about ", Time(when, TimeStyle.MINUTES))
    return [Fact("Careful", (f"checkpoint {count(due)}", *at, ", would hold NaN"))]


def _spike(incident: Incident, scene: Scene, now: float) -> Text:
    factor, since = incident.figure("factor") or 1.0, incident.counter("since_iteration") or 0
    usual, last = incident.figure("usual_loss") or 0.0, incident.figure("last_loss") or 0.0
    limit = incident.figure("limit")
    over = "" if limit is None else f" The limit is {significant(limit)}."
    return (
        Strong((f"Loss is {ratio_text(factor)} its usual since iteration {count(since)}",)),
        " at ",
        Time(incident.starts_at),
        f"{on(scene)}: {significant(usual)} → {significant(last)}.{over}",
    )


def _above(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    above, of = incident.counter("above"), incident.counter("lines")
    return [] if above is None or of is None else [Fact("Above it", (f"{above} of the last {of} lines",))]


def _grad_norm(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    norms = _grad_norms(incident)
    return [Fact("Grad norm", (norms,))] if norms else []


def _diverged(incident: Incident, scene: Scene, now: float) -> Text:
    since = incident.counter("since_iteration") or 0
    best, last = incident.figure("best_loss") or 0.0, incident.figure("last_loss") or 0.0
    limit = incident.figure("limit")
    over = "" if limit is None else f" The limit is {ratio_text(limit)} its best."
    return (
        Strong((f"Loss grows since iteration {count(since)}",)),
        " at ",
        Time(incident.starts_at),
        f"{on(scene)}: {significant(best)} → {significant(last)}, smoothed.{over}",
    )


def _back(incident: Incident, scene: Scene, now: float) -> Text:
    loss = "Loss has come back" if scene.loss is None else f"Loss is back at {significant(scene.loss)}"
    return again(incident, scene, loss)


LOSSES: Mapping[Kind, Speech] = {
    Kind.LOSS_NAN: Speech(
        _nan, _nan, no_number, each(lines.iteration, _before, _clean_checkpoint, lines.to_redo, _next_checkpoint)
    ),
    Kind.LOSS_SPIKE: Speech(_spike, _back, worst_factor, each(lines.iteration, _above, _grad_norm, lines.checkpoint)),
    Kind.DIVERGED: Speech(_diverged, _back, worst_factor, each(lines.iteration, _grad_norm, lines.checkpoint)),
}
