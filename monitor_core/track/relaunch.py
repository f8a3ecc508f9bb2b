"""Where a new launch took up its run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Relaunch:
    """What a launch of a run goes on from.

    `left_at` is the last iteration that an earlier launch told, `resumed` the one from which this launch went on; both
    are None until there is one to tell.
    """

    left_at: int | None = None
    resumed: int | None = None

    @property
    def redone(self) -> int | None:
        """Return how many iterations are done again that an earlier launch had done."""
        if self.left_at is None or self.resumed is None:
            return None
        return max(0, self.left_at - self.resumed)

    def take_up(self, iteration: int, step: int, checkpoint: int | None, *, from_zero: bool) -> None:
        """Note the first line of a launch: it comes `step` iterations after the resume, or within them after a save.

        `from_zero`: the first iteration has the number 0, and a line is printed before its iteration is counted.
        """
        if self.left_at is None:
            return
        earliest = iteration if from_zero else max(0, iteration - step)
        saved = checkpoint is not None and earliest <= checkpoint < iteration
        self.resumed = checkpoint if saved else earliest
