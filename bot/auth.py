"""Who may do what; it fails closed: whoever is not known to be allowed is not.

Reading is for everybody of our workspace. A mute or an acknowledgement is for operators, the run's owner, and whoever
types it in the run's alert channel. A threshold is for operators and the owner. What covers several runs needs the
right for each of them. People of another workspace (Slack Connect) and apps change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """What a command needs."""

    READ = "read"
    ACT = "act"
    TUNE = "tune"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as Slack says it: ids of the person, of their workspace, and of the channel they are in."""

    user: str
    team: str
    channel: str
    is_app: bool = False

    @property
    def actor(self) -> str:
        """Return the caller as the audit log names them."""
        return f"slack:{self.user}"


@dataclass(frozen=True, slots=True)
class Covered:
    """One run that a command would touch: whose it is, and where its alerts go."""

    owners: frozenset[str]
    channels: frozenset[str]


class Verdict(StrEnum):
    """Whether the caller may, or why not."""

    ALLOWED = "allowed"
    OUTSIDER = "not of our workspace"
    APP = "an app, not a person"
    NOT_THEIRS = "neither operator nor owner, nor in the alert channel"
    NOT_TUNER = "neither operator nor owner"


def judge(
    caller: Caller, right: Right, *, workspace: str, operators: frozenset[str], covered: Sequence[Covered] = ()
) -> Verdict:
    """Return whether the caller may. `operators` are people (groups resolved); without `covered` only they act."""
    if not workspace or caller.team != workspace or not caller.user:
        return Verdict.OUTSIDER
    if right is Right.READ:
        return Verdict.ALLOWED
    if caller.is_app:
        return Verdict.APP
    theirs = bool(covered) and all(_theirs(caller, right, run) for run in covered)
    if theirs or caller.user in operators:
        return Verdict.ALLOWED
    return Verdict.NOT_TUNER if right is Right.TUNE else Verdict.NOT_THEIRS


def _theirs(caller: Caller, right: Right, run: Covered) -> bool:
    return caller.user in run.owners or (right is Right.ACT and caller.channel != "" and caller.channel in run.channels)
