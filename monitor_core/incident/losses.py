"""What is said of a loss that is no number, jumps, grows or stands still, and of iterations that fp16 skips."""

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

_NO_NUMBER = {
    "inf": "Loss is infinite",
    "missing": "No loss is printed",
    "zero": "Loss is 0 with NaN gradients",
    "gradients": "Gradients are NaN",
}


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


_GROWN = ("Loss grows", "its best")
_DIVERGED = {
    "spike": ("Loss has not come back", "its usual"),
    "first": ("Loss is far above its first ones", "the highest of them"),
}


def _diverged(incident: Incident, scene: Scene, now: float) -> Text:
    since = incident.counter("since_iteration") or 0
    best, last = incident.figure("best_loss") or 0.0, incident.figure("last_loss") or 0.0
    limit = incident.figure("limit")
    what, than = _DIVERGED.get(incident.said("why"), _GROWN)
    over = "" if limit is None else f" The limit is {ratio_text(limit)} {than}."
    return (
        Strong((f"{what} since iteration {count(since)}",)),
        " at ",
        Time(incident.starts_at),
        f"{on(scene)}: {significant(best)} → {significant(last)}, smoothed.{over}",
    )


def _back(incident: Incident, scene: Scene, now: float) -> Text:
    limit = incident.figure("limit")
    settled = incident.kind is Kind.LOSS_SPIKE and limit is not None and scene.loss is not None and scene.loss > limit
    loss = "Loss has come back"
    if scene.loss is not None:
        loss = f"Loss {'has settled' if settled else 'is back'} at {significant(scene.loss)}"
    return again(incident, scene, loss)


def _flat(incident: Incident, scene: Scene, now: float) -> Text:
    since, lines_held = incident.counter("since_iteration") or 0, incident.counter("lines") or 0
    last, limit = incident.figure("last_loss") or 0.0, incident.counter("limit")
    over = "" if limit is None else f" The limit is {limit}."
    return (
        Strong((f"Loss has not changed since iteration {count(since)}",)),
        " at ",
        Time(incident.starts_at),
        f"{on(scene)}: {significant(last)} on {count(lines_held)} lines.{over}",
    )


def _changes(incident: Incident, scene: Scene, now: float) -> Text:
    return again(incident, scene, "Loss changes again")


def _skipping(incident: Incident, scene: Scene, now: float) -> Text:
    since = incident.counter("since_iteration") or 0
    where: Text = (" at ", Time(incident.starts_at))
    if incident.said("what") == "scale":
        scales = (
            f"{significant(incident.figure('scale_before') or 0.0)} → {significant(incident.figure('scale') or 0.0)}"
        )
        return (Strong((f"Loss scale collapses since iteration {count(since)}",)), *where, f"{on(scene)}: {scales}.")
    limit = incident.figure("limit")
    over = "" if limit is None else f" The limit is {limit:.0%}."
    skipped, of = incident.counter("skipped") or 0, incident.counter("of") or 0
    return (
        Strong((f"Iterations are skipped since {count(since)}",)),
        *where,
        f"{on(scene)}: {count(skipped)} of the last {count(of)}.{over}",
    )


def _share(incident: Incident, now: float) -> str:
    share = incident.figure("share")
    return "" if share is None else f"{share:.0%}"


def _no_more_skipped(incident: Incident, scene: Scene, now: float) -> Text:
    what = "Loss scale holds again" if incident.said("what") == "scale" else "Few iterations are skipped"
    return again(incident, scene, what)


LOSSES: Mapping[Kind, Speech] = {
    Kind.LOSS_NAN: Speech(
        _nan, _nan, no_number, each(lines.iteration, _before, _clean_checkpoint, lines.to_redo, _next_checkpoint)
    ),
    Kind.LOSS_SPIKE: Speech(_spike, _back, worst_factor, each(lines.iteration, _above, _grad_norm, lines.checkpoint)),
    Kind.DIVERGED: Speech(_diverged, _back, worst_factor, each(lines.iteration, _grad_norm, lines.checkpoint)),
    Kind.LOSS_FLAT: Speech(_flat, _changes, no_number, each(lines.iteration, _grad_norm, lines.checkpoint)),
    Kind.SKIPPING: Speech(_skipping, _no_more_skipped, _share, each(lines.iteration, lines.loss, lines.checkpoint)),
}
