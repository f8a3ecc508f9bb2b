"""What the connections of one process share: machines on the way, turns to log in, and passphrases."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from monitor_core.collect.hops import Hop, Route
from monitor_core.collect.keyring import Keyring
from monitor_core.errors import CollectError, HostKeyChanged, Unreachable

# sshd's own MaxStartups begins to drop connections at 10 that have not logged in yet, whosever they are.
_AT_ONCE = 4
# How long a machine on the way may take to let us in, and how long its refusal counts for all who come next.
_DEADLINE, _REMEMBERED = 20.0, 5.0
# How long it may take to answer before it counts as dead for all.
_PING = 5.0


class Passage(Protocol):
    """A connection to a machine on the way."""

    @property
    def alive(self) -> bool:
        """Return whether it is open, as far as is known."""

    def open_within(self, route: Route, deadline: float) -> None:
        """Connect and log in; raise CollectError."""

    def ping(self) -> None:
        """Return when the other side has answered, or the connection has ended."""

    def close(self) -> None:
        """End it, and whatever waits for it."""


@dataclass(eq=False, slots=True)
class Bastion:
    """The last machine of a way, its connection, and how many use it. It is `settled` once it is open or has failed."""

    way: Route
    passage: Passage
    users: int = 0
    settled: bool = False
    error: CollectError | None = None
    failed_at: float = 0.0

    @property
    def usable(self) -> bool:
        """Return whether another user may come: it is being opened, is open, or has just failed for all."""
        if not self.settled:
            return True
        return self.passage.alive if self.error is None else time.monotonic() < self.failed_at + _REMEMBERED


@dataclass(slots=True)
class Network:
    """Given to all readers of one process. `given_up` tells whether who waits has been closed meanwhile; see `wake`.

    The times `ends_at` are of the monotonic clock.
    """

    keyring: Keyring = field(default_factory=Keyring)
    _bastions: dict[Route, Bastion] = field(default_factory=dict)
    _logging_in: Counter[Hashable] = field(default_factory=Counter)
    _narrow: set[Hashable] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def wake(self) -> None:
        """Let those who wait see whether they have been closed."""
        with self._changed:
            self._changed.notify_all()

    @contextlib.contextmanager
    def turn(self, machine: Hashable, ends_at: float, given_up: Callable[[], bool]) -> Iterator[None]:
        """Wait for the turn to log in to a machine, and hold it; raise TimeoutError if it does not come."""
        with self._changed:
            free = self._changed.wait_for(
                lambda: given_up() or self._logging_in[machine] < (1 if machine in self._narrow else _AT_ONCE),
                ends_at - time.monotonic(),
            )
            if not free or given_up():
                raise TimeoutError
            self._logging_in[machine] += 1
        try:
            yield
        finally:
            with self._changed:
                self._logging_in[machine] -= 1
                self._changed.notify_all()

    def narrow(self, machine: Hashable) -> None:
        """From now on let one at a time log in to a machine: it drops connections."""
        with self._changed:
            self._narrow.add(machine)

    def enter(self, way: Route, make: Callable[[], Passage], ends_at: float, given_up: Callable[[], bool]) -> Bastion:
        """Return the last machine of the way, opened by whoever comes first and shared by all; see `leave`.

        Raises CollectError if it cannot be reached, and TimeoutError if it is not open in time.
        """
        with self._changed:
            bastion = self._bastions.get(way)
            if bastion is None or not bastion.usable:
                bastion = self._bastions[way] = Bastion(way, make())
                threading.Thread(target=self._open, args=(bastion,), name="bastion", daemon=True).start()
            bastion.users += 1
            self._changed.wait_for(lambda: given_up() or bastion.settled, ends_at - time.monotonic())
        if bastion.settled and bastion.error is None and not given_up():
            return bastion
        self.leave(bastion)
        if bastion.error is not None and not given_up():
            raise _through(way[-1], bastion.error) from bastion.error
        raise TimeoutError

    def leave(self, bastion: Bastion) -> None:
        """Use a machine no more; the last one closes its connection."""
        with self._changed:
            bastion.users -= 1
            last = not bastion.users
            if last and bastion.error is None and self._bastions.get(bastion.way) is bastion:
                del self._bastions[bastion.way]
        if last:
            bastion.passage.close()

    def doubt(self, bastion: Bastion) -> None:
        """Let a machine on the way show that it still answers; if it does not, its connection ends for all."""
        threading.Thread(target=_ping, args=(bastion.passage,), name="ping", daemon=True).start()

    def _open(self, bastion: Bastion) -> None:
        error: CollectError | None = None
        try:
            bastion.passage.open_within(bastion.way, _DEADLINE)
        except CollectError as met:
            error = met
        with self._changed:
            bastion.error, bastion.settled, bastion.failed_at = error, True, time.monotonic()
            self._changed.notify_all()


def _ping(passage: Passage) -> None:
    watch = threading.Timer(_PING, passage.close)
    watch.daemon = True
    watch.start()
    passage.ping()
    watch.cancel()


def _through(hop: Hop, error: CollectError) -> CollectError:
    text, host = f"through {hop.label}: {error}", error.host or hop.name
    return (
        HostKeyChanged(text, error.fingerprint, host) if isinstance(error, HostKeyChanged) else Unreachable(text, host)
    )
