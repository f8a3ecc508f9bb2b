"""A launch that is slower than the one before: its own baseline would take that for usual."""

from __future__ import annotations

from monitor_core.detect import sudden
from monitor_core.track.pace import WINDOW
from monitor_core.track.state import RunState

# Launches get other hosts and neighbours, and differ by a tenth and more without anything being wrong.
LEAST = 1.25


def follow(state: RunState, slow: float) -> None:
    """Compare the launch with the one before, if that had the same setup, until its own pace is well known."""
    pace, before = state.pace, state.pace.before
    if before is None or before.setup != state.setup or pace.usual is None or len(pace.accepted) >= WINDOW:
        pace.slower = False
    elif pace.slower:
        pace.slower = not sudden.recovered(pace, before.usual, slow)
    elif len(pace.accepted) >= sudden.SPAN:
        limit = max(slow, LEAST) * before.usual
        pace.slower = pace.usual > limit and pace.recent(sudden.SPAN) > limit
