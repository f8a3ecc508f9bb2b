"""What hangs on a host is set aside, so that the rest is read without it, until it answers again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile

from monitor_core.collect.transport import Call

# Besides the call that reads: servers allow 10 on a connection, some fewer.
_MOST_CALLS = 3
# When it is asked for anew, though what asked before has not come back: after 1, 2, 4, ... minutes, then every hour.
_RETRY, _RETRY_CAP = 60.0, 3600.0


@dataclass(slots=True)
class _Hung:
    """One thing that hangs; `run` met it. `waits`: it is left alone. `call` waits for its answer, if there is room."""

    run: str
    call: Call | None = None
    tries: int = 0
    again_at: float = 0.0
    waits: bool = True

    @property
    def stirs(self) -> bool:
        return self.call is not None and self.call.stirs

    def wake(self) -> None:
        """Let it be asked for again."""
        if self.call:
            self.call.end()
        self.call, self.waits = None, False


class Aside:
    """What hangs on one host, by name: a path, or a pattern in whose folders the host hangs.

    The call that met it stays open, as long as there is room, and is what tells that it answers again: asking over and
    over would leave a hung process on the host each time. `clock` gives seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._hung: dict[str, _Hung] = {}
        self._room = _MOST_CALLS

    @property
    def waiting(self) -> frozenset[str]:
        """Return the names that are to be left alone."""
        return frozenset(name for name, hung in self._hung.items() if hung.waits)

    def put(self, names: Iterable[str], run: str, call: Call) -> None:
        """Set aside what hangs, with the call that hangs at it."""
        kept: Call | None = call
        if len({id(hung.call) for hung in self._hung.values() if hung.call}) >= self._room:
            call.end()
            kept = None
        for name in names:
            hung = self._hung.setdefault(name, _Hung(run))
            hung.call, hung.waits = kept, True
            hung.again_at = self._clock() + min(_RETRY * 2.0**hung.tries, _RETRY_CAP)
            hung.tries += 1

    def review(self, runs: Collection[str]) -> None:
        """Before a trip for these runs: wake what answers, and what had no room to wait; else one whose time has come.

        What was woken for the trip before and has not been set aside again is well.
        """
        self._hung = {name: hung for name, hung in self._hung.items() if hung.waits}
        for hung in self._hung.values():
            if hung.call and hung.call.lost:
                hung.call = None
        asked = [hung for hung in self._hung.values() if hung.run in runs]
        if any(hung.stirs for hung in asked):
            woken = [hung for hung in asked if hung.stirs or not hung.call]
        else:
            due = [hung for hung in asked if hung.again_at <= self._clock()]
            woken = sorted(due, key=lambda hung: hung.again_at)[:1]
        for hung in woken:
            hung.wake()

    def forget(self, names: Iterable[str]) -> None:
        """Take back that something was set aside: the whole host hangs."""
        for name in names:
            self._hung.pop(name, None)

    def make_room(self) -> None:
        """End all calls, since the server allows no further one; from now on keep fewer."""
        if ended := self.end_calls():
            self._room = min(self._room, ended - 1)

    def end_calls(self) -> int:
        """End all calls; return how many there were."""
        calls = {id(hung.call): hung.call for hung in self._hung.values() if hung.call}
        for hung in self._hung.values():
            hung.call = None
        for call in calls.values():
            call.end()
        return len(calls)

    def nearness(self, patterns: Iterable[str]) -> int:
        """Return how many folders the patterns share with what hangs, from the root on; the home may be any folder."""
        return max((_shared(pattern, name) for pattern in patterns for name in self._hung), default=0)


def _shared(one: str, other: str) -> int:
    if one.startswith("~/") or other.startswith("~/"):
        return 1
    pairs = zip(one.split("/")[1:-1], other.split("/")[1:-1], strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
