"""The rule that opened an incident, in words with its numbers, and the thresholds that decide it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from monitor_core.incident.catalogue import MEANINGS
from monitor_core.incident.phrases import cause
from monitor_core.incident.sight import WHY_BLIND
from monitor_core.incident.training import gap, passed_limit
from monitor_core.model.decisions import HeldThreshold
from monitor_core.model.incidents import KINDS, Incident, Kind, Phase, Severity
from monitor_core.parse.signatures import EXIT_CODE
from monitor_core.thresholds import CATALOGUE
from monitor_core.units import NBSP, count, duration, ratio, seconds_per_iteration, significant

_WAITED_FOR = {
    Phase.STARTING: "no first line",
    Phase.CHECKPOINTING: "no end of the checkpoint",
    Phase.EVALUATING: "no end of the evaluation",
}


def deciding_thresholds(kind: Kind, severity: Severity) -> tuple[str, ...]:
    """Return the names of the thresholds by which a kind is judged, first the one that decided."""
    names = MEANINGS[kind].thresholds
    worse = [name for name in names if name.endswith("_critical") and severity is Severity.CRITICAL]
    return (*worse, *(name for name in names if name not in worse))


def decisive_first(incident: Incident, held: Sequence[HeldThreshold]) -> tuple[HeldThreshold, ...]:
    """Return the thresholds that held, first the one that the limit of a silence came from.

    A limit that is neither the duration of `stuck` nor its ratio to the usual gap comes from `stuck_floor`: the floor
    itself, or what a start or a pause may last in floors. Other kinds, and what is not known, stay as they are.
    """
    if incident.kind is not Kind.STUCK or not incident.said("phase"):
        return tuple(held)
    floor = [one for one in held if one.name == "stuck_floor"]
    first = [one for one in held if one not in floor and _gives(one, incident)][:1] or floor
    return (*first, *(one for one in held if one not in first))


def _gives(held: HeldThreshold, incident: Incident) -> bool:
    """A warning is by `stuck`; a critical one by its own, or by a duration of `stuck` that it is a multiple of."""
    value, limit = CATALOGUE[held.name].read(held.value), incident.figure("limit")
    critical = incident.severity is Severity.CRITICAL
    if held.name == "stuck_critical":
        limit = incident.figure("limit_critical") if critical else None
    elif critical and not value.is_duration:
        return False
    given = value.amount if value.is_duration else value.amount * (incident.figure("expected") or 0.0)
    return limit is not None and math.isclose(limit, given)


def rule(incident: Incident, now: float) -> str:
    """Return by what the incident was judged at `now`, without a point in time: `usual 0.408 s: 1.62x, limit 1.10x`.

    The incident has the facts and the severity of that moment.
    """
    return _RULES.get(incident.kind, _stated)(incident, now)


def _stuck(incident: Incident, now: float) -> str:
    phase, expected = incident.said("phase"), incident.figure("expected")
    waited = next((words for known, words in _WAITED_FOR.items() if known == phase), "no progress line")
    due = f", one was due every {gap(expected)}" if expected and phase == Phase.TRAINING else ""
    limit = passed_limit(incident)
    return f"{waited} for {duration(now - incident.starts_at)}{due}: limit {duration(limit or 0.0)}"


def _slow(incident: Incident, now: float) -> str:
    usual, took = incident.figure("usual_ms") or 0.0, incident.figure("now_ms") or 0.0
    lines = incident.counter("lines")
    of = "last line" if lines == 1 else "median of the last lines" if lines is None else f"median of {lines} lines"
    pace = f"{of} {_seconds(took)}, usual {_seconds(usual)}"
    return f"{pace}: {ratio(incident.figure('factor') or 1.0)}, limit {ratio(passed_limit(incident) or 1.0)}"


def _nan(incident: Incident, now: float) -> str:
    words = {"missing": "no loss on a line that told one before", "zero": "loss 0 with gradients that are no number"}
    value, before = incident.said("value"), incident.figure("before")
    what = words.get(value, "gradients that are no number" if value == "gradients" else f"loss {value or 'no number'}")
    return what if before is None else f"{what}, {significant(before)} before"


def _spike(incident: Incident, now: float) -> str:
    above, of = incident.counter("above") or 0, incident.counter("lines") or 0
    limit, usual = incident.figure("limit") or 0.0, incident.figure("usual_loss") or 0.0
    return f"{above} of the last {of} losses above {significant(limit)}, usual {significant(usual)}"


def _diverged(incident: Incident, now: float) -> str:
    last, best = incident.figure("last_loss") or 0.0, incident.figure("best_loss") or 0.0
    words = {
        "spike": "loss {} for 100 lines after a spike, usual {}",
        "first": "loss {}, the highest of the first 100 was {}",
    }
    pair = words.get(incident.said("why"), "smoothed loss {} for 200 lines, its best {}")
    factor, limit = incident.figure("factor") or 1.0, incident.figure("limit") or 1.0
    return f"{pair.format(significant(last), significant(best))}: {ratio(factor)}, limit {ratio(limit)}"


def _flat(incident: Incident, now: float) -> str:
    held, limit = incident.counter("lines") or 0, incident.counter("limit") or 0
    return f"loss {significant(incident.figure('last_loss') or 0.0)} on {count(held)} lines in a row: limit {limit}"


def _skipping(incident: Incident, now: float) -> str:
    if incident.said("what") == "scale":
        scale, before = incident.figure("scale") or 0.0, incident.figure("scale_before") or 0.0
        return f"loss scale {significant(before)}, then {significant(scale)} within 500 iterations"
    skipped, of = incident.counter("skipped") or 0, incident.counter("of") or 0
    share, limit = incident.figure("share") or 0.0, incident.figure("limit") or 0.0
    return f"{count(skipped)} of {count(of)} iterations skipped: {share:.0%}, limit {limit:.0%}"


def _ended(incident: Incident, now: float) -> str:
    name, rank, host = incident.said("cause"), incident.said("rank"), incident.said("failed_on")
    quoted = "" if name == EXIT_CODE else incident.said("text").strip("[]. ") or "the log says so"
    words = cause(incident) if name else ""
    on = (f" on rank {rank}" if rank else "") + (f" on {host}" if host else "")
    at = incident.counter("iteration")
    after = f", after iteration {count(at)}" if at is not None else ""
    return f"{words}{on}: {quoted}{after}" if words and quoted else f"{words or quoted}{on}{after}"


def _unreachable(incident: Incident, now: float) -> str:
    tries = incident.counter("failures") or 0
    silent = duration(now - incident.starts_at)
    return f"{tries} polls in a row without an answer, the last one {silent} before: {incident.said('error')}"


def _flapping(incident: Incident, now: float) -> str:
    times, since = incident.counter("times") or 0, duration(now - incident.starts_at)
    return f"{KINDS[Kind(incident.detail)].word} fired and resolved {times} times within {since}"


def _blind(incident: Incident, now: float) -> str:
    return f"nobody looked: {WHY_BLIND.get(incident.said('why'), 'it is not known why')}"


def _stated(incident: Incident, now: float) -> str:
    """What the facts say by themselves."""
    words = [incident.said(name) for name in ("what", "error", "text") if incident.said(name)]
    if words:
        return ": ".join(words)
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in incident.facts.items() if value is not None)


def _seconds(ms: float) -> str:
    return f"{seconds_per_iteration(ms)}{NBSP}s"


_RULES: Mapping[Kind, Callable[[Incident, float], str]] = {
    Kind.STUCK: _stuck,
    Kind.SLOW: _slow,
    Kind.LOSS_NAN: _nan,
    Kind.LOSS_SPIKE: _spike,
    Kind.DIVERGED: _diverged,
    Kind.LOSS_FLAT: _flat,
    Kind.SKIPPING: _skipping,
    Kind.FINISHED: _ended,
    Kind.STOPPED: _ended,
    Kind.FAILED: _ended,
    Kind.FLAPPING: _flapping,
    Kind.UNREACHABLE: _unreachable,
    Kind.BLIND: _blind,
}
