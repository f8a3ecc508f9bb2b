"""Logs of losses: lines as frameworks print them, and what a watch finds in them."""

from __future__ import annotations

from monitor_core.collect.lines import cut
from monitor_core.model.incidents import Kind
from monitor_core.track.clock import Window
from monitor_core.watch import Watch
from tests.support.training import RUN, START, values

OF_LOSSES = (Kind.LOSS_NAN, Kind.LOSS_SPIKE, Kind.DIVERGED, Kind.LOSS_FLAT, Kind.SKIPPING)
HOUR = 3600.0
_PIECE = 256 * 1024


def megatron(iteration, loss=2.0, *, norm="0.412", scale="1.0", skipped=0, nan=0, more=""):
    """Return a progress line; without a loss field if `loss` is None, without a norm if that is."""
    told = "" if loss is None else f" lm loss: {loss if isinstance(loss, str) else format(loss, '.6E')} |"
    norms = "" if norm is None else f" grad norm: {norm} |"
    return (
        f" iteration {iteration:8d}/ 1000000 | elapsed time per iteration (ms): 100.0 |{told}"
        f"{more} loss scale: {scale} |{norms} number of skipped iterations: {skipped:3d} |"
        f" number of nan iterations: {nan:3d} |"
    )


def series(losses, *, step=1, **how):
    """Return a line for each loss, `step` iterations apart."""
    return [megatron(step * number, loss, **how) for number, loss in enumerate(losses, 1)]


def watched(lines, **thresholds):
    """Return a watch that has read the lines."""
    return first_sight("".join(f"{line}\n" for line in lines).encode(), **thresholds)


def first_sight(log, **thresholds):
    """Return a watch that has read a log, piece by piece, and has seen it for the first time."""
    watch, rest = Watch(RUN, values(**thresholds)), b""
    for start in range(0, len(log), _PIECE):
        lines, rest = cut(rest, log[start : start + _PIECE])
        watch.feed("log", lines, None)
    watch.feed("log", rest, None)
    watch.anchor(Window(None, START + HOUR))
    watch.look(START + HOUR, START + HOUR)
    return watch


def found(lines, **thresholds):
    """Return the incidents of the loss, in the order of their beginnings."""
    return of_losses(watched(lines, **thresholds))


def of_losses(watch):
    """Return the incidents of the loss that a watch has seen, in the order of their beginnings."""
    incidents = [incident for incident in (*watch.closed, *watch.active) if incident.kind in OF_LOSSES]
    return sorted(incidents, key=lambda incident: incident.starts_at)


def kinds(lines, **thresholds):
    """Return their kinds."""
    return [str(incident.kind) for incident in found(lines, **thresholds)]
