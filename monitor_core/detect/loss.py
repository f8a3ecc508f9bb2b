"""A loss that jumps, grows, or stands still, against what this launch has shown.

All is judged on logarithms: the noise of a loss is in proportion to it, and a mean of logarithms is not moved by a
single value however high. Where a loss is zero or less, as in reinforcement learning, ratios say nothing, and nothing
is judged.
"""

from __future__ import annotations

import math
import statistics

from monitor_core.detect.norms import norms
from monitor_core.model.incidents import Finding, Kind, Number, Severity
from monitor_core.thresholds import Values
from monitor_core.track.losses import Flat, Level, Sample
from monitor_core.track.state import RunState

# A normal distribution's standard deviation is so many times its median deviation.
_SIGMA = 1.4826
# No loss is so even that half a percent means something; no jump by less than five percent is one.
_LEAST_DEVIATION, _LEAST_JUMP = 0.005, math.log(1.05)
_WINDOW, _ENOUGH, _LATEST = 128, 64, 10
# A loss that has jumps of its own now and then is not judged by its median alone: its third highest value counts, too.
_OWN_JUMPS = 3
# The limit is made anew after so many lines: it changes slowly, and takes time.
_RENEWED = 8
_ABOVE, _SUSPECT, _BACK = 5, 3, 1
# After so many lines above the limit it is not a jump that passes.
_PASSES_WITHIN = 100
# The first iterations learn fast, warm up, and say little of what is usual: a jump is judged from the 100th on, what
# takes long from the 200th.
_SETTLED, _WARM = 100, 200
# Smoothed as by a mean over the last 50 lines: that scatters a tenth as much as a line does.
_SMOOTHING, _SCATTER = 0.02, 0.1
_DEVIATIONS, _GROWN_LINES, _RISEN_AGAIN = 6.0, 200, 1.5
_FIRST, _FAR, _FAR_LINES = 100, math.log(10.0), 3
# A value of so few digits may stay the same by rounding. A log whose bar shows a loss now and then holds it for long.
_DIGITS, _LEAST_CHANGES, _LONGER = 3, 50, 5


def spike(state: RunState, values: Values, _now: float) -> Finding | None:
    """Return a finding from when half of the last ten losses are too high until they are back or have settled."""
    level = _followed(state, values)
    if not level.firing or level.lost or level.center is None or level.limit is None:
        return None
    above = [loss for loss in level.last if loss > level.limit]
    last = math.exp(statistics.median(above or level.last))
    usual = math.exp(level.center)
    facts: dict[str, Number] = {
        "factor": last / usual,
        "usual_loss": usual,
        "last_loss": last,
        "limit": math.exp(level.limit),
        "above": len(above),
        "lines": len(level.last),
    }
    return _finding(state, Kind.LOSS_SPIKE, level.since_at, level.since_iteration, facts)


def diverged(state: RunState, values: Values, _now: float) -> Finding | None:
    """Return a finding from when a loss has grown for long, has not come back, or is ten times its first ones."""
    level, ratio = _followed(state, values), values["diverged"]
    if ratio is None or not (level.lost or level.growing or level.far >= _FAR_LINES):
        return None
    now, limit = statistics.median(level.last), ratio.amount
    if level.lost and level.center is not None:
        why, best, at, iteration = "spike", level.center, level.since_at, level.since_iteration
    elif level.growing and level.best is not None:
        why, best, at, iteration = "growth", level.best, level.grown_at, level.grown_iteration
        now = level.smooth
    else:
        why, best, at, iteration = "first", level.first or 0.0, level.far_at, level.far_iteration
        limit = math.exp(_FAR)
    facts: dict[str, Number] = {
        "why": why,
        "factor": math.exp(now - best),
        "best_loss": math.exp(best),
        "last_loss": math.exp(now),
        "limit": limit,
    }
    return _finding(state, Kind.DIVERGED, at, iteration, facts)


def flat(state: RunState, values: Values, _now: float) -> Finding | None:
    """Return a finding while the loss has been the same to the last digit for so many lines."""
    limit, seen = values["loss_flat"], state.losses.flat
    if limit is None or seen.loss is None or not _stands(seen, limit.amount):
        return None
    facts: dict[str, Number] = {"last_loss": seen.loss, "lines": seen.held, "limit": int(limit.amount)}
    return _finding(state, Kind.LOSS_FLAT, seen.since_at, seen.since_iteration, facts)


def _stands(seen: Flat, lines: float) -> bool:
    if seen.held < max(lines, _LONGER * seen.longest) or seen.changes < _LEAST_CHANGES or seen.age < _WARM:
        return False
    # Zero says as much as the loss that it fell from.
    return _digits(seen.loss or seen.before or 0.0) >= _DIGITS


def _digits(loss: float) -> int:
    """Return how many digits of a loss were printed, without zeros at either end."""
    return len(f"{abs(loss):.12g}".partition("e")[0].replace(".", "").strip("0"))


def _finding(state: RunState, kind: Kind, at: float, iteration: int, facts: dict[str, Number]) -> Finding:
    severity = Severity.CRITICAL if kind is Kind.DIVERGED else Severity.WARNING
    where = {"since_iteration": iteration, "iteration": state.iteration, "total": state.total}
    return Finding(kind, severity, at, {**facts, **norms(state.losses), **where})


def _followed(state: RunState, values: Values) -> Level:
    """Take the losses that have come since into account."""
    losses = state.losses
    for sample in losses.new:
        if sample.loss <= 0:
            losses.level = Level()
        else:
            _take(losses.level, sample, values)
    losses.new.clear()
    return losses.level


def _take(level: Level, sample: Sample, values: Values) -> None:
    loss = math.log(sample.loss)
    level.count += 1
    level.last.append(loss)
    del level.last[:-_LATEST]
    _judge_jump(level, loss, sample, values)
    _judge_growth(level, loss, sample, values)
    _judge_distance(level, loss, sample)


def _judge_jump(level: Level, loss: float, sample: Sample, values: Values) -> None:
    deviations, ratio = values["loss_spike"], values["diverged"]
    above = 0 if level.limit is None else sum(one > level.limit for one in level.last)
    if level.firing:
        _judge_return(level, above, math.inf if ratio is None else math.log(ratio.amount))
        return
    if above < _SUSPECT and deviations is not None:
        _accept(level, loss, sample, deviations.amount)
    if above == 1 and level.limit is not None and loss > level.limit:
        level.since_at, level.since_iteration = sample.at, sample.iteration
    if above >= _ABOVE:
        level.firing, level.lines = True, above


def _accept(level: Level, loss: float, sample: Sample, deviations: float) -> None:
    level.usual.append(loss)
    del level.usual[:-_WINDOW]
    if len(level.usual) < _ENOUGH or sample.age < _SETTLED:
        return
    if level.limit is None or level.count % _RENEWED == 0:
        ordered = sorted(level.usual)
        level.center = statistics.median(ordered)
        spread = statistics.median([abs(one - level.center) for one in ordered])
        mean = statistics.fmean(ordered)
        level.scatter = math.sqrt(statistics.fmean([(one - mean) ** 2 for one in ordered]))
        jump = max(deviations * max(_SIGMA * spread, _LEAST_DEVIATION), _LEAST_JUMP)
        level.limit = max(level.center + jump, ordered[-_OWN_JUMPS] + _LEAST_JUMP)


def _judge_return(level: Level, above: int, ratio: float) -> None:
    """What does not come back is lost if it is far away, until half of the way back, and else the new usual."""
    level.lines += 1
    if above <= _BACK:
        level.firing = level.lost = False
    elif level.lines >= _PASSES_WITHIN:
        away = statistics.median(level.last) - (level.center or 0.0)
        level.lost = away >= (ratio / 2 if level.lost else ratio)
        if not level.lost:
            level.firing, level.center, level.limit, level.usual = False, None, None, []


def _judge_growth(level: Level, loss: float, sample: Sample, values: Values) -> None:
    ratio = values["diverged"]
    level.smooth += (loss - level.smooth) * max(_SMOOTHING, 1 / level.count)
    if ratio is None or sample.age < _WARM or level.count < _ENOUGH:
        return
    if level.best is None or level.smooth < level.best:
        level.best, level.risen, level.peak = level.smooth, max(level.risen, level.peak), 0.0
    grown, limit = level.smooth - level.best, _growth_limit(level, math.log(ratio.amount))
    level.peak = max(level.peak, grown)
    level.growing = level.growing and grown > limit / 2
    if not level.growing and grown <= limit:
        level.grown = 0
        return
    if not level.grown:
        level.grown_at, level.grown_iteration = sample.at, sample.iteration
    level.grown += 1
    level.growing = level.growing or level.grown >= _GROWN_LINES


def _growth_limit(level: Level, ratio: float) -> float:
    """Return how far a smoothed loss may rise: beyond what chance does, and what it has come back from before."""
    return max(ratio, _DEVIATIONS * _SCATTER * level.scatter, _RISEN_AGAIN * level.risen)


def _judge_distance(level: Level, loss: float, sample: Sample) -> None:
    if level.count <= _FIRST:
        level.first = loss if level.first is None else max(level.first, loss)
    elif level.first is not None and loss > level.first + _FAR:
        if not level.far:
            level.far_at, level.far_iteration = sample.at, sample.iteration
        level.far += 1
    elif max(level.last[-_FAR_LINES:]) <= (level.first or 0.0) + _FAR:
        level.far = 0
