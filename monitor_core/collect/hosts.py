"""Reads the logs of one host: all that is asked in one trip, only new bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from monitor_core.collect import rotation
from monitor_core.collect.aside import Aside
from monitor_core.collect.frames import Answer, Refusal, by_run
from monitor_core.collect.local import LocalTransport
from monitor_core.collect.network import Network
from monitor_core.collect.processes import sign
from monitor_core.collect.questions import Question, is_path, roll
from monitor_core.collect.reading import chunk, log_reading
from monitor_core.collect.rotation import Search, Stray, Way
from monitor_core.collect.shell import Shell
from monitor_core.collect.transport import Deadline
from monitor_core.collect.trip import Speaker, Trip
from monitor_core.config.models import Host
from monitor_core.errors import Unreachable
from monitor_core.model.records import Chunk, HostReading, LogRequest

# A read under way ends at once when its connection is closed.
_LAST_WAIT = 2.0


class HostReader:
    """Reads the logs of one host and keeps the connection to it from one read to the next; one read at a time.

    `hosts` are all that are configured: the host may be reached through others of them. Readers of one `network` share
    the connections to these. By `clock` what hangs is asked for again.
    """

    def __init__(
        self,
        host: Host,
        hosts: Mapping[str, Host],
        network: Network | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = host.name or host.address
        self._speaker = _speaker(host, hosts, network or Network())
        self._aside = Aside(clock)
        self._late: set[str] = set()
        self._turn = threading.Lock()

    def read(self, requests: Sequence[LogRequest], *, deadline: float = 20.0) -> HostReading:
        """Read what is new in all logs that are asked for, within `deadline` seconds.

        Whether processes are there is asked after the logs, so that what they wrote last is known when they are missed.
        Files that do not simply go on (new, rotated, truncated) are read in a second trip; where a log had been read
        before, what follows is searched for in between. A file that hangs is left alone until it answers. Raises
        Unreachable and HostKeyChanged. What is wrong with single logs stands in their readings.
        """
        limit = Deadline(deadline)
        if not self._turn.acquire(timeout=limit.left):
            raise Unreachable(f"{self._name} is still busy with another read after {deadline:.3g} s")
        try:
            with self._speaker.watch(limit):
                return self._read(requests, limit)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Let go of the connection; a read under way in another thread ends with Unreachable."""
        self._speaker.close()
        if self._turn.acquire(timeout=_LAST_WAIT):
            self._aside.end_calls()
            self._turn.release()

    def _read(self, requests: Sequence[LogRequest], deadline: Deadline) -> HostReading:
        began_at = time.monotonic()
        runs = [request.run for request in requests]
        self._aside.review(runs)
        trip = Trip(self._speaker, self._aside, runs, deadline)
        rolls = {
            len(requests) + run: query for run, request in enumerate(requests) if (query := request.process) is not None
        }
        asked = [roll(place, place - len(requests), query) for place, query in rolls.items()]
        answer = trip.ask([*self._questions(requests), *asked])
        answer.refusals += _no_paths(requests)
        chunks: list[list[Chunk]] = [[] for _ in requests]
        strays: list[Stray] = []
        files = by_run(answer.files)
        for run, request in enumerate(requests):
            chunks[run] += _chunks(rotation.settled(run, request, files.get(run, [])))
            strays += rotation.strays(run, request, files.get(run, []))
        if strays:
            _follow(trip, strays, requests, answer, chunks)
        self._late = trip.late
        # To whole seconds: only a wait for what hangs is worth it.
        since = round((began_at + time.monotonic()) / 2 - answer.heard_at)
        clock = None if answer.clock is None else answer.clock + since
        logs = [log_reading(run, request, answer, chunks[run]) for run, request in enumerate(requests)]
        for place, query in rolls.items():
            run = place - len(requests)
            logs[run] = replace(logs[run], sign=replace(sign(query, place, answer), of=query.of))
        return HostReading(clock, tuple(logs))

    def _questions(self, requests: Sequence[LogRequest]) -> list[Question]:
        """Return what is to be asked; what there was no time for in the last trip comes first."""
        asked = [_question(run, run, request) for run, request in enumerate(requests)]
        return sorted(asked, key=lambda question: requests[question.run].run not in self._late)


def _follow(
    trip: Trip, strays: Sequence[Stray], requests: Sequence[LogRequest], answer: Answer, chunks: Sequence[list[Chunk]]
) -> None:
    """Read strays; add what came to the chunks of their runs, and what is wrong with them to the answer."""
    ways = _ways(trip, strays, requests, answer)
    asked = [_question(place, way.run, way.request(requests[way.run]), exact=True) for place, way in enumerate(ways)]
    second = trip.ask(asked) if asked else Answer()
    files = by_run(second.files)
    for place, way in enumerate(ways):
        refused = [replace(each, run=way.run) for each in second.refusals if each.run == place]
        answer.refusals += refused
        if (read := chunk(way, files.get(place, []))) is not None:
            chunks[way.run].append(read)
        elif not refused:
            answer.torn.add((way.run, way.path))


def _ways(trip: Trip, strays: Sequence[Stray], requests: Sequence[LogRequest], answer: Answer) -> list[Way]:
    """Return how strays are read; one for which a search got no answer now is refused."""
    search = Search(strays)
    clues = trip.ask(search.questions) if search.questions else Answer()
    lost = {each.run: each.why for each in clues.refusals}
    refused = {
        (each.request, path): lost[each.run] for each in search.questions if each.run in lost for path in each.paths
    }
    answer.refusals += [Refusal(run, why, path) for (run, path), why in refused.items()]
    return [way for way in search.ways(requests, clues) if (way.run, way.path) not in refused]


def _speaker(host: Host, hosts: Mapping[str, Host], network: Network) -> Speaker:
    if host.transport == "local":
        return Shell(host.name, LocalTransport())
    from monitor_core.collect.remote import Remote  # noqa: PLC0415 paramiko takes 160 ms to import

    return Remote(host, hosts, network)


def _question(run: int, of: int, request: LogRequest, *, exact: bool = False) -> Question:
    patterns = tuple(pattern for pattern in request.patterns if is_path(pattern))
    return Question(run, of, patterns, request.limit, request.cursors, exact=exact)


def _chunks(ways: Iterable[Way]) -> list[Chunk]:
    return [read for way in ways if (read := chunk(way, [way.frame])) is not None]


def _no_paths(requests: Sequence[LogRequest]) -> list[Refusal]:
    patterns = [(run, pattern) for run, request in enumerate(requests) for pattern in request.patterns]
    return [Refusal(run, "pattern", pattern) for run, pattern in patterns if not is_path(pattern)]
