"""Durations, numbers and times as people write and read them (the rules are in docs: numbers, durations, times)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

NBSP = "\u00a0"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SIZES = ("B", "kB", "MB", "GB", "TB")
DURATION_EXAMPLES = "30s, 20m, 1h30m"


def parse_duration(text: str) -> float:
    """Return the seconds that `30s`, `20m`, `1h30m` or `2d` mean; raise ValueError for anything else."""
    plain = text.strip().lower().replace(" ", "")
    if not _DURATION.fullmatch(plain):
        raise ValueError(f"{text!r} is not a duration (examples: {DURATION_EXAMPLES})")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(plain))


def duration(seconds: float, *, exact: bool = False) -> str:
    """Write a duration, rounded down: `41 s`, `6m 12s`, `53m`, `1h 56m`, `14h`, `3d 4h`; `exact` keeps the seconds."""
    total = max(0, int(seconds))
    if total < 60:  # noqa: PLR2004 a minute
        return f"{total}{NBSP}s"
    days, rest = divmod(total, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    if total >= 48 * 3600:
        return _two(days, "d", hours, "h")
    hours += 24 * days
    if total >= 10 * 3600:
        return _two(hours, "h", minutes if exact else 0, "m")
    if hours:
        return _two(hours, "h", minutes, "m")
    return _two(minutes, "m", secs if exact or minutes < 10 else 0, "s")  # noqa: PLR2004 minutes


def _two(large: int, its_unit: str, small: int, unit: str) -> str:
    return f"{large}{its_unit} {small}{unit}" if small else f"{large}{its_unit}"


def compact_duration(seconds: float) -> str:
    """Write a duration the way a person types it: `20m`, `1h30m`, `2.5s`; the inverse of `parse_duration`, to 1 ms."""
    seconds = round(seconds, 3)
    if seconds != int(seconds):
        return f"{seconds:.3f}".rstrip("0") + "s"
    parts, rest = [], int(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def counted(number: int, word: str) -> str:
    """Write how many there are of something: `1 run`, `2 runs`."""
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def count(number: int) -> str:
    """Write a counter with thousands commas: `12,400`."""
    return f"{number:,}"


def progress(iteration: int, total: int | None) -> str:
    """Write where a run is: `12,400 / 50,000 (24.8%)`."""
    if not total:
        return count(iteration)
    return f"{count(iteration)} / {count(total)} ({100 * iteration / total:.1f}%)"


def ratio(value: float) -> str:
    """Write a ratio: `1.62x`."""
    return f"{value:.2f}x"


def significant(value: float, digits: int = 4) -> str:
    """Write a number with so many significant digits, without an exponent where it can be avoided."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinite"
    if value and not 1e-4 <= abs(value) < 1e6:  # noqa: PLR2004 beyond this an exponent reads better
        return f"{value:.{digits - 1}e}"
    decimals = digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)
    return f"{value:,.{max(0, decimals)}f}"


def seconds_per_iteration(ms: float) -> str:
    """Write a time per iteration in seconds, three digits: `0.408`, `11.1`."""
    return significant(ms / 1000, 3)


def size(octets: float) -> str:
    """Write how much room files take: `82 GB`, `1.9 TB`."""
    power = min((len(str(int(octets))) - 1) // 3, len(_SIZES) - 1)
    number = octets / 1000**power
    return f"{number:,.{1 if power and number < 10 else 0}f}{NBSP}{_SIZES[power]}"  # noqa: PLR2004 two digits at least


def utc_time(epoch: float, *, seconds: bool = True) -> str:
    """Write a point in time for those whose zone is unknown: `09:52:35 UTC`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%H:%M:%S UTC" if seconds else "%H:%M UTC")


def utc_date(epoch: float) -> str:
    """Write a day: `Tue 24 Nov`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%a %d %b")


def utc_moment(epoch: float) -> str:
    """Write a point in time that is to be understood for ever: `2026-11-24 09:52 UTC`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M UTC")
