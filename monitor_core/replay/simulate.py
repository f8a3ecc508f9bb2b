"""Polls a recording as the monitor would have, and says what it would have told."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

from monitor_core.detect.ending import verdict
from monitor_core.incident.flapping import judge
from monitor_core.incident.lifecycle import told_reason
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import Incident, Kind, Phase, Subject, SubjectKind
from monitor_core.parse.dialects import Format
from monitor_core.replay.recording import Piece, Recording
from monitor_core.thresholds import Preset, Values, seconds
from monitor_core.track.clock import Window
from monitor_core.track.state import WARM_UP
from monitor_core.track.trace import Trace
from monitor_core.watch import Watch

_SUBJECT = Subject(SubjectKind.RUN, "replay")
_Key = tuple[Kind, str, float]


@dataclass(slots=True)
class Told:
    """An incident as people would have been told of it: `at`, `worse_at` and `resolved_at` are times of polls.

    `first` is the incident as it was when it fired, `incident` as it was last. `worse_at` is when it became critical
    after a warning.
    """

    first: Incident
    incident: Incident
    at: float
    iteration: int | None
    resolved_at: float | None = None
    worse_at: float | None = None

    @property
    def changed_at(self) -> float:
        """Return when there was last something to tell."""
        return self.at if self.resolved_at is None else self.resolved_at


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay came to: the run as it was last seen, and what would have been told, in time order.

    `trace` is how it came there, `until` the time of the last look.
    """

    watch: Watch
    told: tuple[Told, ...]
    trace: Trace
    until: float

    @property
    def state(self) -> str:
        """Return the phase, or the ending; of a process that left without a word nothing is known."""
        state = self.watch.state
        return str(verdict(state) or (Phase.UNKNOWN if state.end.reached else state.phase))


def simulate(
    recording: Recording,
    values: Values,
    preset: Preset,
    format: Format,
    check_interval: float,
    silence: float,
) -> Outcome:
    """Poll the recording every `check_interval` seconds and at each deadline, and `silence` seconds beyond its end."""
    trace = Trace()
    watch = Watch(_SUBJECT, values, preset, format, trace=trace)
    told: dict[_Key, Told] = {}
    pieces = deque(recording.pieces)
    exited = recording.exited
    now, end = recording.began, recording.ended + silence
    while True:
        _read(watch, pieces, now)
        if exited is not None and exited[0] <= now and watch.state.end.exit_code is None:
            watch.state.exit(exited[1], exited[0])
        watch.look(now, watch.state.written_at)
        _note(told, watch, now)
        _note_flapping(told, watch, now)
        if now >= end:
            break
        now = min(_next(watch, now, check_interval), end)
    watch.settle(now)
    _note(told, watch, now)
    return Outcome(watch, tuple(sorted(told.values(), key=lambda entry: entry.at)), trace, now)


def median_ms(recording: Recording) -> float | None:
    """Return the median time per iteration of the last launch without its first iterations, in ms."""
    launch = [(r.iteration, r.ms_per_iteration) for r in recording.launch if r.ms_per_iteration is not None]
    warm = [ms for iteration, ms in launch if iteration >= launch[0][0] + WARM_UP]
    return statistics.median(warm or [ms for _, ms in launch]) if launch else None


def _read(watch: Watch, pieces: deque[Piece], now: float) -> None:
    """Bring what has been written since the last poll, as one read does."""
    new = []
    while pieces and pieces[0].at <= now:
        new.append(pieces.popleft())
    if not new:
        return
    lines, after, until = b"".join(piece.lines for piece in new), watch.state.seen_at, new[-1].at
    watch.feed("", lines, Window(after, until) if after is not None else None)
    if after is None:
        watch.anchor(Window(None, until))
    watch.state.written_at = until


def _next(watch: Watch, now: float, check_interval: float) -> float:
    deadline = watch.deadline()
    return min(now + check_interval, deadline) if deadline is not None and deadline > now else now + check_interval


def _note(told: dict[_Key, Told], watch: Watch, now: float) -> None:
    """Take down what a poll would have told; what opened and closed between two polls is told to nobody."""
    for incident in watch.active:
        if told_reason(None, incident, now) is Reason.FIRING:
            entry = told.setdefault(_key(incident), Told(incident, incident, now, watch.state.iteration))
            if incident.severity.rank > entry.incident.severity.rank:
                entry.worse_at = now
            entry.incident = incident
    for incident in watch.closed:
        known = told.get(_key(incident))
        if known is not None and known.resolved_at is None:
            known.incident, known.resolved_at = incident, now
    watch.closed.clear()


def _note_flapping(told: dict[_Key, Told], watch: Watch, now: float) -> None:
    """Take down what would have been said of a kind that comes and goes; what that holds back stays in the list."""
    window = seconds(watch.values["flapping"])
    if not window or not any(entry.changed_at >= now - window for entry in told.values()):
        return
    done = judge(_SUBJECT, [entry.incident for entry in told.values()], window, now)
    for flap in done.active:
        told.setdefault(_key(flap), Told(flap, flap, now, watch.state.iteration)).incident = flap
    for flap in done.closed:
        entry = told[_key(flap)]
        entry.incident, entry.resolved_at = flap, now


def _key(incident: Incident) -> _Key:
    return (incident.kind, incident.detail, incident.starts_at)
