"""What people would have been told of a log, as the bench counts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from monitor_core.model.incidents import ENDINGS, Kind, Severity
from monitor_core.replay.simulate import simulate
from monitor_core.thresholds import CATALOGUE, Preset, preset_values

PRESETS = tuple(Preset)


class Alarm(NamedTuple):
    """An incident that was told: its worst severity, since when it held, when it was told and told to be over.

    `detail` tells incidents of one kind apart. `limit` is the silence that made it, in seconds; None for other kinds.
    """

    kind: Kind
    severity: Severity
    since: float
    at: float
    iteration: int | None
    resolved_at: float | None
    limit: float | None
    detail: str

    @property
    def name(self):
        return f"{self.kind} {self.severity}"

    @property
    def until(self):
        """Return when it was told to be over; for ever if it never was."""
        return float("inf") if self.resolved_at is None else self.resolved_at


@dataclass(frozen=True)
class Verdict:
    """All that was told of a log, in time order, and what was said of its end."""

    alarms: tuple[Alarm, ...]
    state: str
    cause: str | None


def judge(recording, preset, *, check_interval=60.0, silence=0.0, **thresholds):
    """Poll a recording and return what was told; thresholds as typed: `stuck_floor="5s"`."""
    values = preset_values(preset)
    # What a preset has switched off stays off.
    values |= {name: CATALOGUE[name].read(text) for name, text in thresholds.items() if values[name] is not None}
    outcome = simulate(recording, values, preset, recording.format or "auto", check_interval, silence)
    failure = outcome.watch.state.failure
    known = failure is not None and not failure.resumed and outcome.state in {Kind.FAILED, Kind.STOPPED}
    return Verdict(
        reaching([_alarm(told) for told in outcome.told]), outcome.state, failure.failure.signature if known else None
    )


def _alarm(told):
    first, last = told.first, told.incident
    worst = max(first.severity, last.severity, key=lambda severity: severity.rank)
    limit = first.figure("limit") if first.kind is Kind.STUCK else None
    return Alarm(first.kind, worst, first.starts_at, told.at, told.iteration, told.resolved_at, limit, first.detail)


def reaching(alarms):
    """Return those that reach people: of what flaps, only that it does is told, and what is critical."""
    flaps = [alarm for alarm in alarms if alarm.kind is Kind.FLAPPING]
    return tuple(
        alarm
        for alarm in alarms
        if alarm.severity is Severity.CRITICAL
        or not any(flap.detail == alarm.kind and flap.at <= alarm.at < flap.until for flap in flaps)
    )


def calls(alarm):
    """Whether it asks anything of people, or says that the run is over."""
    return alarm.severity is not Severity.INFO or alarm.kind in ENDINGS


def counted(alarms):
    """Write how many there were of each kind and severity: `slow warning 3, stuck critical 1`."""
    names = [alarm.name for alarm in alarms]
    return ", ".join(f"{name} {names.count(name)}" for name in sorted(set(names))) or "-"


def moment(seconds):
    """Write a time since the beginning of a log: `12.25 h`."""
    return f"{seconds / 3600:.2f} h"


def tell(where, began, alarm):
    """Write an alarm as one line for whoever looks into it."""
    until = "" if alarm.resolved_at is None else f", over at {moment(alarm.resolved_at - began)}"
    return f"{where}: {alarm.name} at {moment(alarm.at - began)}, iteration {alarm.iteration}{until}"


def keep(folder, name, recording):
    """Write a log and its arrivals so that `trainstatus replay` takes them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    size, rows = 0, []
    for piece in recording.pieces:
        size += len(piece.lines)
        rows.append(f"{piece.at:.3f}\t{size}\n")
    (folder / f"{name}.log").write_bytes(b"".join(piece.lines for piece in recording.pieces))
    (folder / f"{name}.arrivals.tsv").write_text("".join(rows), encoding="ascii")
