"""An error in the log, and whether the run went on after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from monitor_core.model.records import Failure, Role
from monitor_core.parse.signatures import CAUGHT, CHILD_FAILED, DEEPSPEED_EXIT, PLANNED, SIGNATURES, Evidence
from monitor_core.parse.stamps import seconds_between

# A launcher that tees its ranks prints their last lines after the traceback: so few lines are no resumption.
_RESUMED_AFTER = 3
_OF_TOOLS = CAUGHT | {"import"}
# What says more of the cause than what was seen first counts if no more seconds lie between them.
_NEAR = 300.0
# These lines are written by a launcher that has taken the run down: only a new launch resumes from there.
_FINAL = frozenset({CHILD_FAILED, DEEPSPEED_EXIT})
# Launchers whose lines name a process by its rank.
_NAME_RANKS = frozenset({CHILD_FAILED, "mpi_exit"})


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

    @classmethod
    def of(cls, failure: Failure, at: float, iteration: int | None, source: str) -> Self:
        """Return a failure that was met at a moment, after an iteration."""
        return cls(failure, at, iteration, failure.signature in _FINAL, source=source)

    def followed_by(self, later: FailureSeen) -> FailureSeen:
        """Return which of two failures is the cause: this one, or a later line, which may say more of either."""
        if self._explained_by(later):
            return replace(later, final=self.final or later.final)
        if not later.final and self.resumed:
            return later
        if later.final:
            self.final, self.at = True, later.at if self.lines_since else self.at
        self._learn(later.failure)
        return self

    def _explained_by(self, later: FailureSeen) -> bool:
        """Whether a later line says more, or the same of an earlier time."""
        told, new = _evidence(self.failure), _evidence(later.failure)
        if new is Evidence.FOLLOWED or self.resumed:
            return False
        if later.failure.signature in PLANNED:
            return told is Evidence.FOLLOWED or _is_earlier(later.failure, self.failure)
        if told == new:
            return self._of_a_tool(later.failure) or _is_earlier(later.failure, self.failure)
        return new > told and (self._is_near(later) or _is_earlier(later.failure, self.failure))

    def _of_a_tool(self, failure: Failure) -> bool:
        """Whether it is the error of some tool which the job script ran, where a later one is that of a rank."""
        return not self.final and self.failure.signature in _OF_TOOLS and not self.failure.rank and bool(failure.rank)

    def _is_near(self, later: FailureSeen) -> bool:
        one, other = self.failure.timestamp, later.failure.timestamp
        apart = later.at - self.at if one is None or other is None else abs(seconds_between(one, other))
        return apart <= _NEAR

    def _learn(self, failure: Failure) -> None:
        """Take what a launcher says of the process that failed, where the line itself did not tell."""
        mine = self.failure
        rank = mine.rank or (failure.rank if failure.signature in _NAME_RANKS else "")
        if failure.exit_code is None or mine.signature in PLANNED or failure.rank not in {"", rank}:
            return
        code = failure.exit_code if mine.exit_code is None else mine.exit_code
        self.failure = replace(mine, rank=rank, host=mine.host or failure.host, exit_code=code)

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


def _evidence(failure: Failure) -> Evidence:
    """Return how much a failure says; one of an older catalogue says what its role does."""
    known = SIGNATURES.get(failure.signature)
    if failure.role is Role.CASCADE:
        return Evidence.FOLLOWED
    return known.evidence if known else Evidence.CAUSED


def _is_earlier(one: Failure, other: Failure) -> bool:
    """Whether the first is the earlier by the times that both lines show."""
    if one.timestamp is None or other.timestamp is None:
        return False
    return seconds_between(one.timestamp, other.timestamp) > 0
