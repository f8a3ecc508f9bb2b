"""Polls a recording as the monitor would have, and says what it would have told."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from monitor_core.detect.ending import verdict
from monitor_core.incident.lifecycle import told_reason
from monitor_core.model.incidents import ENDINGS, Incident, IncidentState, Kind, Reason, Subject, SubjectKind
from monitor_core.replay.recording import Piece, Recording
from monitor_core.thresholds import Preset, Values
from monitor_core.track.clock import Window
from monitor_core.track.state import WARM_UP
from monitor_core.watch import Watch

_SUBJECT = Subject(SubjectKind.RUN, "replay")
_Key = tuple[Kind, float]


@dataclass(slots=True)
class Told:
    """An incident as people would have been told of it: `at` and `resolved_at` are times of polls.

    `first` is the incident as it was when it fired, `incident` as it was last.
    """

    first: Incident
    incident: Incident
    at: float
    iteration: int | None
    resolved_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay came to: the run as it was last seen, and what would have been told, in time order."""

    watch: Watch
    told: tuple[Told, ...]

    @property
    def state(self) -> str:
        """Return the phase, or the ending."""
        kind = verdict(self.watch.state)
        return str(kind) if kind is not None else str(self.watch.state.phase)


def simulate(
    recording: Recording,
    values: Values,
    preset: Preset,
    format: str,
    check_interval: float,
    silence: float,
) -> Outcome:
    """Poll the recording every `check_interval` seconds and at each deadline, and `silence` seconds beyond its end."""
    watch = Watch(_SUBJECT, values, preset, format)
    told: dict[_Key, Told] = {}
    if not recording.pieces:
        return Outcome(watch, ())
    pieces = iter(_joined(recording.pieces))
    end = max(recording.pieces[-1].at, recording.exited[0] if recording.exited else 0.0) + silence
    piece, written, after, now = next(pieces, None), None, None, recording.pieces[0].at
    while True:
        while piece is not None and piece.at <= now:
            watch.feed("", piece.lines, Window(after, piece.at))
            after, written, piece = piece.at, piece.at, next(pieces, None)
        if recording.exited and recording.exited[0] <= now and watch.state.exit_code is None:
            watch.state.exit(recording.exited[1], recording.exited[0])
        watch.look(now, written)
        after = now
        _note(told, watch, now)
        if now >= end:
            break
        now = min(_next(watch, now, check_interval), end)
    _settle(watch)
    _note(told, watch, now)
    return Outcome(watch, tuple(sorted(told.values(), key=lambda entry: entry.at)))


def median_ms(recording: Recording) -> float | None:
    """Return the median time per iteration of the last launch without its first iterations, in ms."""
    launch: list[tuple[int, float]] = []
    for record in recording.progress:
        if launch and record.iteration < launch[-1][0]:
            launch.clear()
        if record.ms_per_iteration is not None:
            launch.append((record.iteration, record.ms_per_iteration))
    warm = [ms for iteration, ms in launch if iteration >= launch[0][0] + WARM_UP]
    return statistics.median(warm or [ms for _, ms in launch]) if launch else None


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield pieces of one moment as one."""
    pending: list[bytes] = []
    for number, piece in enumerate(pieces):
        pending.append(piece.lines)
        if number + 1 == len(pieces) or pieces[number + 1].at > piece.at:
            yield Piece(piece.at, b"".join(pending))
            pending.clear()


def _next(watch: Watch, now: float, check_interval: float) -> float:
    deadline = watch.deadline()
    return min(now + check_interval, deadline) if deadline is not None and deadline > now else now + check_interval


def _settle(watch: Watch) -> None:
    """A recording has no later lines: an ending that waits for them has settled."""
    watch.active = tuple(
        replace(incident, state=IncidentState.FIRING)
        if incident.kind in ENDINGS and incident.state is IncidentState.PENDING
        else incident
        for incident in watch.active
    )


def _note(told: dict[_Key, Told], watch: Watch, now: float) -> None:
    """Take down what a poll would have told; what opened and closed between two polls is told to nobody."""
    for incident in watch.active:
        if told_reason(None, incident, now) is Reason.FIRING:
            entry = told.setdefault(_key(incident), Told(incident, incident, now, watch.state.iteration))
            entry.incident = incident
    for incident in watch.closed:
        known = told.get(_key(incident))
        if known is not None and known.resolved_at is None:
            known.incident, known.resolved_at = incident, now
    watch.closed.clear()


def _key(incident: Incident) -> _Key:
    return (incident.kind, incident.starts_at)
