"""An error in the log, and whether the run went on after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from monitor_core.model.records import Failure, Role
from monitor_core.parse.signatures import CAUGHT, CHILD_FAILED, DEEPSPEED_EXIT, PLANNED, SIGNATURES, Evidence
from monitor_core.parse.stamps import seconds_between

# So few lines are no resumption, nor are many that come within so many seconds: a launcher that tees its ranks prints
# their last lines after the traceback, and a program that dies empties its buffers.
_RESUMED_AFTER = 3
_FLUSHED = 10.0
# A settled run that goes on for so many lines has left the failure behind: a later one has another cause.
_FORGOTTEN_AFTER = 50
_OF_TOOLS = CAUGHT | {"import"}
# What says more of the cause than what was seen first counts if no more seconds lie between them.
_NEAR = 300.0
# Slurm says these of its own accord. It signals the job before it prints them, and kills it 30 s later: what the job
# prints meanwhile as it dies is no cause.
_ORDERS = frozenset({"slurm_time_limit", "slurm_preempted"})
_DYING = 60.0
# These lines are written by a launcher that has taken the run down: only a new launch resumes from there.
_FINAL = frozenset({CHILD_FAILED, DEEPSPEED_EXIT})
# Launchers whose lines name a process by its rank.
_NAME_RANKS = frozenset({CHILD_FAILED, "mpi_exit"})


@dataclass(slots=True)
class FailureSeen:
    """An error in the log: the root cause if one was seen, and how many lines and ends of pauses came after it.

    `later` of them came so much later that they were not printed before it. `source` is the file that told of it.
    `first`: no end of the run had been announced before it.
    """

    failure: Failure
    at: float
    iteration: int | None
    final: bool = False
    lines_since: int = 0
    later: int = 0
    source: str = ""
    first: bool = False

    @classmethod
    def of(cls, failure: Failure, at: float, iteration: int | None, source: str, *, first: bool) -> Self:
        """Return a failure that was met at a moment, after an iteration."""
        return cls(failure, at, iteration, failure.signature in _FINAL, source=source, first=first)

    def followed_by(self, later: FailureSeen) -> FailureSeen:
        """Return which of two failures is the cause: this one, or a later line, which may say more of either."""
        if self._explained_by(later):
            return replace(later, final=self.final or later.final, first=self.first)
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
            return told is Evidence.FOLLOWED or self._dies_of(later) or _is_earlier(later.failure, self.failure)
        if told == new:
            return self._of_a_tool(later.failure) or _is_earlier(later.failure, self.failure)
        return new > told and (self._is_near(later) or _is_earlier(later.failure, self.failure))

    def _dies_of(self, later: FailureSeen) -> bool:
        """Whether it only says that something died, just before Slurm said that it had ended the job."""
        ordered = later.failure.signature in _ORDERS and later.at - self.at <= _DYING
        return ordered and not self.final and self.failure.signature in CAUGHT

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

    def outlive(self, read_at: float | None) -> None:
        """Note a sign of life after it, in what was read at `read_at`; None where it is not known when it came."""
        self.lines_since += 1
        self.later += read_at is None or read_at > self.at + _FLUSHED

    @property
    def survived(self) -> bool:
        """Whether the run gave a sign of life after it, be it one that a launcher may have printed late."""
        return not self.final and self.lines_since > 0

    @property
    def resumed(self) -> bool:
        """Whether the run went on after it."""
        return not self.final and self.later >= _RESUMED_AFTER

    @property
    def forgotten(self) -> bool:
        """Whether the run has gone on for so long that it is another one's past."""
        return not self.final and self.later > _FORGOTTEN_AFTER


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
