"""The chart of a replay."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from monitor_core.incident.wording import measure
from monitor_core.model.incidents import ENDINGS, KINDS
from monitor_core.notify.charts import Alert, Chart, Clock, Span
from monitor_core.replay.recording import Recording
from monitor_core.replay.simulate import Outcome, Told
from monitor_core.thresholds import Values
from monitor_core.track.trace import Line
from monitor_core.units import count, counted


def word(told: Told) -> str:
    """Return what an incident was told as, in a few words: `STUCK 10m`."""
    return " ".join(part for part in (KINDS[told.incident.kind].word, measure(told.incident, held(told))) if part)


def held(told: Told) -> float:
    """Return the moment up to which an incident is known to have held."""
    return told.resolved_at if told.resolved_at is not None else told.at


def chart_of(name: str, values: Values, recording: Recording, outcome: Outcome) -> Chart:
    """Return the chart of a replayed log of that name, with what would have been told of it."""
    slow, trace = values["slow"], outcome.trace
    chart = Chart(
        name=name,
        lines=_spread(trace.lines),
        limit=None if slow is None else slow.amount,
        alerts=tuple(_alert(told, outcome.until) for told in outcome.told) if trace.lines else (),
        phases=tuple(_phases(outcome)),
        launches=trace.launches,
        state=outcome.state,
        facts=tuple(_facts(recording, outcome)),
        clock=Clock.ELAPSED if recording.synthetic else Clock.UTC,
        until=outcome.until,
        unit="line" if _counted_lines(recording) else "iteration",
    )
    timeless = not trace.lines or trace.lines[0].at == trace.lines[-1].at
    return _by_iteration(chart, outcome) if timeless else chart


def _alert(told: Told, until: float) -> Alert:
    incident = told.incident
    ended = incident.ends_at if incident.ends_at is not None else told.resolved_at
    end = incident.starts_at if incident.kind in ENDINGS else until if ended is None else ended
    since, usual = incident.starts_at, incident.figure("usual_ms")
    times = (since, told.at, max(since, end), told.worse_at)
    return Alert(word(told), incident.kind, incident.severity, *times, None if usual is None else usual / 1000)


def _phases(outcome: Outcome) -> Iterator[Span]:
    entered = outcome.trace.phases
    until = outcome.watch.state.end.at or outcome.until
    for phase, after in pairwise(entered):
        yield Span(phase.phase, phase.at, max(phase.at, after.at))
    for phase in entered[-1:]:
        yield Span(phase.phase, phase.at, max(phase.at, until))


def _facts(recording: Recording, outcome: Outcome) -> Iterator[str]:
    state = outcome.watch.state
    yield counted(len(outcome.told), "alert") if outcome.told else "no alerts"
    yield recording.format or "format not recognised"
    if _counted_lines(recording):
        yield counted(len(recording.progress), "line")
    elif state.iteration is not None:
        total = f" of {count(state.total)}" if state.total else ""
        yield f"iteration {count(state.iteration)}{total}"
    if state.launches > 1:
        yield f"{count(state.launches)} launches"


def _spread(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with those of one moment one after the other, by what they say of their times.

    Timestamps of whole seconds, and blocks of lines, put many at one moment.
    """
    spread: list[Line] = []
    for at, together in groupby(lines, key=lambda line: line.at):
        same = list(together)
        earliest = spread[-1].at if spread else -math.inf
        placed = at
        for index in range(len(same) - 1, -1, -1):
            same[index] = replace(same[index], at=max(placed, earliest))
            before = same[index - 1].iteration if index else same[index].iteration - 1
            placed -= (same[index].ms or 0.0) / 1000 * max(0, same[index].iteration - before)
        spread += same
    return spread


def _counted_lines(recording: Recording) -> bool:
    """Whether the log tells no iteration, so that its lines were counted."""
    return any(line.counted for line in recording.progress)


def _by_iteration(chart: Chart, outcome: Outcome) -> Chart:
    """Return the chart of a log whose lines have no times: iterations take their place."""
    lines = [replace(line, at=at) for line, at in zip(chart.lines, _counted(chart.lines), strict=True)]
    if not lines:
        return chart
    seen = [line.iteration for line in lines]

    def moment(told: Told) -> float:
        return lines[max(0, bisect_right(seen, told.iteration or 0) - 1)].at

    alerts = tuple(
        replace(alert, since=moment(told), told=moment(told), until=moment(told), worse=None)
        for alert, told in zip(chart.alerts, outcome.told, strict=True)
    )
    return replace(chart, lines=lines, alerts=alerts, phases=(), launches=(), clock=Clock.NONE, until=None)


def _counted(lines: Sequence[Line]) -> Iterator[float]:
    """Yield the iteration of each line, with those of earlier launches added."""
    at, before = 0.0, 0
    for line in lines:
        at += line.iteration - before if line.iteration >= before else 1
        before = line.iteration
        yield at
