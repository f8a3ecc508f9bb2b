"""Reads the logs of one host: all that is asked in one trip, only new bytes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from monitor_core.collect import rotation
from monitor_core.collect.frames import Answer, Refusal, by_run, parse
from monitor_core.collect.local import LocalTransport
from monitor_core.collect.network import Network
from monitor_core.collect.reading import chunk, log_reading
from monitor_core.collect.rotation import Search, Stray, Way
from monitor_core.collect.script import BUDGET, Question, is_path, literals, reading, tracing, words
from monitor_core.collect.transport import Transport
from monitor_core.config.models import Host
from monitor_core.errors import Unreachable
from monitor_core.model.records import Chunk, HostReading, LogRequest
from monitor_core.redact import redact

# Besides the bytes of logs: marks, and what start-up files of a login shell print.
_CAP = 2 * BUDGET
_EXCERPT = 160


class HostReader:
    """Reads the logs of one host and keeps the connection to it from one read to the next.

    `hosts` are all that are configured: the host may be reached through others of them. Readers of one `network` share
    the connections to these.
    """

    def __init__(self, host: Host, hosts: Mapping[str, Host], network: Network | None = None) -> None:
        self._name = host.name or host.address
        self._transport = _open(host, hosts, network or Network())

    def read(self, requests: Sequence[LogRequest], *, deadline: float = 20.0) -> HostReading:
        """Read what is new in all logs that are asked for, within `deadline` seconds.

        Files that do not simply go on (new, rotated, truncated) are read in a second trip; where a log had been read
        before, what follows is searched for in between. Raises Unreachable and HostKeyChanged. What is wrong with
        single logs stands in their readings.
        """
        ends_at = time.monotonic() + deadline
        answer = self._ask(partial(reading, questions=[*map(_question, requests)]), ends_at)
        answer.refusals += _no_paths(requests)
        chunks: list[list[Chunk]] = [[] for _ in requests]
        strays: list[Stray] = []
        files = by_run(answer.files)
        for run, request in enumerate(requests):
            chunks[run] += _chunks(rotation.settled(run, request, files.get(run, [])))
            strays += rotation.strays(run, request, files.get(run, []))
        if strays:
            self._follow(strays, requests, answer, chunks, ends_at)
        logs = (log_reading(run, request, answer, chunks[run]) for run, request in enumerate(requests))
        return HostReading(answer.clock, tuple(logs))

    def close(self) -> None:
        """Let go of the connection; a read under way in another thread ends with Unreachable."""
        self._transport.close()

    def _follow(
        self,
        strays: Sequence[Stray],
        requests: Sequence[LogRequest],
        answer: Answer,
        chunks: Sequence[list[Chunk]],
        ends_at: float,
    ) -> None:
        """Read strays; add what came to the chunks of their runs, and what is wrong with them to the answer."""
        search, clues = Search(strays), Answer()
        if search.traces:
            clues = self._ask(partial(tracing, traces=search.traces, holes=search.holes), ends_at)
        ways = search.ways(requests, clues)
        questions = [_question(way.request(requests[way.run]), literals) for way in ways]
        second = self._ask(partial(reading, questions=questions), ends_at)
        files = by_run(second.files)
        for number, way in enumerate(ways):
            refused = [replace(each, run=way.run) for each in second.refusals if each.run == number]
            answer.refusals += refused
            if (read := chunk(way, files.get(number, []))) is not None:
                chunks[way.run].append(read)
            elif not refused:
                answer.torn.add((way.run, way.path))

    def _ask(self, program: Callable[[str], bytes], ends_at: float) -> Answer:
        token = secrets.token_hex(8)
        deadline = max(0.0, ends_at - time.monotonic())
        raw = self._transport.run(program(token), deadline=deadline, cap=_CAP)
        answer = parse(raw, token)
        if not answer.clock:
            raise Unreachable(f"{self._name} let us in, but its shell did not run our commands{_excerpt(raw)}")
        if not answer.whole:
            raise Unreachable(f"{self._name} stopped in the middle of its answer")
        return answer


def _open(host: Host, hosts: Mapping[str, Host], network: Network) -> Transport:
    if host.transport == "local":
        return LocalTransport()
    from monitor_core.collect.ssh import SshTransport  # noqa: PLC0415 paramiko takes 160 ms to import

    return SshTransport(host, hosts, network)


def _question(request: LogRequest, quote: Callable[[Iterable[str]], tuple[str, ...]] = words) -> Question:
    return Question(quote(request.patterns), request.limit, request.cursors)


def _chunks(ways: Iterable[Way]) -> list[Chunk]:
    return [read for way in ways if (read := chunk(way, [way.frame])) is not None]


def _no_paths(requests: Sequence[LogRequest]) -> list[Refusal]:
    patterns = [(run, pattern) for run, request in enumerate(requests) for pattern in request.patterns]
    return [Refusal(run, "pattern", pattern) for run, pattern in patterns if not is_path(pattern)]


def _excerpt(raw: bytes) -> str:
    said = redact(raw.decode(errors="replace")).split()
    text = "".join(character for character in " ".join(said) if character.isprintable())[:_EXCERPT]
    return f"; it said: {text}" if text else ""
