"""How long an iteration takes, and which of the figures that a line prints can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor_core.model.records import Progress

# Medians over 200 lines follow a run's phases and still stand against half of them being odd.
WINDOW = 200
# No iteration takes longer than eleven days: a line that says so is garbage. So are `nan`, `inf` and what is negative.
_LONGEST_MS = 1e9
# No line tells of more than a week.
_LONGEST = 7 * 86400.0


def remember(values: list[float], value: float) -> None:
    """Append to a list that keeps the last `WINDOW` values."""
    values.append(value)
    del values[:-WINDOW]


def sound_ms(line: Progress) -> float | None:
    """Return the line's time per iteration in ms, None where it says none that can be true."""
    ms = line.ms_per_iteration
    return ms if ms is not None and 0 < ms < _LONGEST_MS else None


def covered(iteration: int, before: int | None, step: int) -> int:
    """Return of how many iterations a line tells when the one before told of `before`; a repeated line of none."""
    return step if before is None or iteration < before else iteration - before


def took(line: Progress, iterations: int) -> float:
    """Return how many seconds so many iterations took by what the line says."""
    return min((sound_ms(line) or 0.0) / 1000 * iterations, _LONGEST)


@dataclass(slots=True)
class Pace:
    """How long an iteration takes: the last times (ms), and what the slow detector has gathered from them.

    `usual` is the baseline in ms (None before the warm-up is over). `sum` is the CUSUM statistic; `since_*` say where
    it left zero; `firing` freezes the baseline. `skipped`: the line before was left out, since it covered a pause.
    `mean_count` and `mean_sum` cover all lines, for the seed preset.
    """

    times: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    usual: float | None = None
    sum: float = 0.0
    since_at: float | None = None
    since_iteration: int | None = None
    since_lines: int = 0
    firing: bool = False
    skipped: bool = False
    mean_count: int = 0
    mean_sum: float = 0.0
