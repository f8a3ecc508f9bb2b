"""An error in the log, and whether the run went on after it."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.records import Failure
from monitor_core.parse.signatures import EXCEPTION

# A launcher that tees its ranks prints their last lines after the traceback: so few lines are no resumption.
_RESUMED_AFTER = 3
_OF_TOOLS = frozenset({"import", EXCEPTION})


@dataclass(slots=True)
class FailureSeen:
    """An error in the log: the root cause if one was seen, and how many lines and ends of pauses came after it.

    `source` is the file that told of it.
    """

    failure: Failure
    at: float
    iteration: int | None
    final: bool = False
    lines_since: int = 0
    source: str = ""

    def explained_by(self, failure: Failure) -> bool:
        """Whether a later root says more: one of a rank, where this is that of some tool which the job script ran."""
        return not self.final and self.failure.signature in _OF_TOOLS and not self.failure.rank and bool(failure.rank)

    def outlived_by(self, source: str, at: float) -> bool:
        """Whether a line came after it; of two files only their times tell which was first."""
        return source == self.source or at > self.at

    @property
    def survived(self) -> bool:
        """Whether the run gave a sign of life after it, be it one that a launcher may have printed late."""
        return not self.final and self.lines_since > 0

    @property
    def resumed(self) -> bool:
        """Whether the run went on after it."""
        return not self.final and self.lines_since >= _RESUMED_AFTER
