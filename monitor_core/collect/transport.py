"""How a program gets to a shell: over SSH, or on this machine. What is under way is a call."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from monitor_core.errors import CollectError, Unreachable

# Silence for so long within an answer is no slow disk any more.
_PATIENCE = 5.0
_QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a read is over, in `seconds` from now on.

    `ends_at` is that moment on the monotonic clock. `patience` is for how many seconds a program that has begun to
    answer may say nothing. So much time is kept for what follows a silence: it must still be found out whether only a
    file hangs, or the host is gone.
    """

    seconds: float
    ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends_at", time.monotonic() + self.seconds)

    @property
    def patience(self) -> float:
        """Return for how many seconds a program may be silent."""
        return min(_PATIENCE, self.seconds * _QUARTER)

    @property
    def left(self) -> float:
        """Return how many seconds are left, at least 0."""
        return max(0.0, self.ends_at - time.monotonic())

    @property
    def reading(self) -> float:
        """Return for how many seconds bytes may still be read, at least 0."""
        return max(0.0, self.left - self.patience)


class NoShell(Unreachable):
    """The host let us in, but no shell ran the program."""


class NoSftp(Unreachable):
    """The host let us in, but it has no SFTP server for us."""


class NoSession(CollectError):  # noqa: N818 like Unreachable
    """The host let us in, and its connection answers, but it opens no further session on it."""


class Call(Protocol):
    """What is under way on a host and may hang there."""

    @property
    def lost(self) -> bool:
        """Say whether nobody can answer any more: the connection is gone."""

    @property
    def stirs(self) -> bool:
        """Say, without waiting, whether something came since it was listened to, or it ended."""

    def end(self) -> None:
        """End it, as far as the host is able to, and let go of what it holds here."""


class ProgramCall(Call, Protocol):
    """A program that runs on a host."""

    def listen(self, seconds: float) -> bytes | None:
        """Return what it printed, b"" at its end, None if nothing came for so many seconds; raise Unreachable."""


class Transport(Protocol):
    """A way to the shell of one host."""

    def watch(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Make sure that nothing within lasts longer than the deadline; all else happens within."""

    def start(self, program: bytes) -> ProgramCall:
        """Let `/bin/sh` run the program; raise Unreachable, HostKeyChanged and NoSession."""

    def silent(self) -> Unreachable:
        """Give up a host that did not answer before the deadline; return what is to be raised."""

    def close(self) -> None:
        """Let go of connections and of all that is under way; may be called from any thread."""
