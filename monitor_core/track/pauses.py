"""Pauses that a log does not mark, learned from the run itself: how long they last, and after which iterations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

# So many of the newest tell after which iterations more will come.
_KEPT = 16
# After so many that nothing foretold, one may come at any time.
_HABIT = 3


class Pause(NamedTuple):
    """The run was silent for so many seconds after the line of an iteration, and went on."""

    iteration: int
    seconds: float


@dataclass(slots=True)
class Pauses:
    """The unmarked pauses of a run: the newest of them, and how many came unforeseen.

    `foreseen` is how long one lasted, in seconds, that may come again after the newest line; 0 if none is expected.
    `last` is the iteration after which the newest came, learned or not. `longest_short` is the longest gap, in seconds,
    that was longer than usual and not too long; 0 while lines come evenly.
    """

    seen: list[Pause] = field(default_factory=list)
    surprises: int = 0
    foreseen: float = 0.0
    last: int | None = None
    longest_short: float = 0.0

    def end(self, pause: Pause, *, regular: bool) -> None:
        """Note a pause that has just ended; only a regular one is expected again."""
        self.last = pause.iteration
        if regular:
            self.surprises += not self.foreseen
            self.seen = [*self.seen, pause][-_KEPT:]

    def foresee(self, iteration: int, step: int) -> None:
        """Note the newest line; the next is due `step` iterations later."""
        due = (p for p in self.seen if self.surprises >= _HABIT or self._again(p, iteration, step))
        self.foreseen = max((pause.seconds for pause in due), default=0.0)

    def _again(self, pause: Pause, iteration: int, step: int) -> bool:
        """Whether a pause may come again after an iteration, give or take one line: bars are not drawn at each.

        A training pauses at round numbers: at multiples of an iteration where it did so once, or as far after the last
        time as that was after the time before.
        """
        since = iteration - pause.iteration
        earlier = (other.iteration for other in self.seen if other.iteration < pause.iteration)
        return _near_multiple(iteration, pause.iteration, step) or any(
            abs(since - (pause.iteration - before)) <= step for before in earlier
        )


def _near_multiple(number: int, of: int, tolerance: int) -> bool:
    return of > 0 and (number + tolerance) % of <= 2 * tolerance
