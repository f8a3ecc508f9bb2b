"""Logs that are written in blocks: what a program does not flush comes late, and several lines at once."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from monitor_core.model.records import Progress
from monitor_core.parse.parser import Parser
from monitor_core.track.clock import Window
from monitor_core.track.marks import What
from monitor_core.track.pace import remember
from monitor_core.track.state import RunState

# What a program that writes to a file holds back (https://docs.python.org/3/library/io.html#io.DEFAULT_BUFFER_SIZE).
BUFFER = 8192
# A log is written in blocks if several lines come at once and account for so much of the time since the one before.
_LEAST, _ACCOUNTED = 3, 0.7


def first_block(log: bytes, parser: Parser, gap: float) -> float:
    """Return of how many seconds a log tells that looks like the first block of one that comes in blocks, else 0.

    A block ends with the last line that fits into it, or with the first that does not. `parser` is a new one, `gap`
    the seconds between two lines.
    """
    lines = log.splitlines(keepends=True)
    if abs(len(log) - BUFFER) >= max(map(len, lines), default=0):
        return 0.0
    told = [line for line in lines if any(isinstance(record, Progress) for record in parser.feed(line))]
    return BUFFER / max(map(len, told), default=BUFFER) * gap


def learn(state: RunState, lines: Sequence[Progress], window: Window) -> None:
    """Learn from new lines how old the newest line of a healthy run gets before the next ones come."""
    if not lines or window.after is None:
        return
    times = state.took_each(lines)
    before = state.line_at if state.started else window.until - sum(times)
    before = window.after if before is None else before
    lag, spanned = window.after - before, window.until - before
    if lag > 0 and len(lines) >= _LEAST and len(lines) * median(times) >= _ACCOUNTED * spanned:
        remember(state.silence.lags, lag)
        state.marks.add(window.after, What.LAG, str(lag))
    hold_back(state, 0.0, window.after)


def hold_back(state: RunState, seconds: float, at: float) -> None:
    """Note for how many seconds lines may be held back from now on."""
    if seconds != state.silence.block:
        state.silence.block = seconds
        state.marks.add(at, What.BLOCK, str(seconds))
