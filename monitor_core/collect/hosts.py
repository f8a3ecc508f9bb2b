"""Reads the logs of one host: all that is asked in one trip, only new bytes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from monitor_core.collect.frames import Answer, FileFrame, Refusal, parse
from monitor_core.collect.local import LocalTransport
from monitor_core.collect.network import Network
from monitor_core.collect.reading import log_reading
from monitor_core.collect.script import BUDGET, Question, is_path, literal, program, words
from monitor_core.collect.transport import Transport
from monitor_core.config.models import Host
from monitor_core.errors import Unreachable
from monitor_core.model.records import HostReading, LogCursor, LogRequest
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

        A file that turns out to be another one than its cursor knows is read from its beginning, in a second trip.
        Raises Unreachable and HostKeyChanged. What is wrong with single logs stands in their readings.
        """
        ends_at = time.monotonic() + deadline
        answer = self._ask([_question(run, request) for run, request in enumerate(requests)], deadline)
        answer.refusals += _no_paths(requests)
        others = [frame for frame in answer.files if _is_another(frame, requests[frame.run])]
        if others:
            again = [_from_beginning(frame, requests[frame.run]) for frame in others]
            second = self._ask(again, max(0.0, ends_at - time.monotonic()))
            answer.files = [frame for frame in answer.files if frame not in others]
            answer.files += [replace(frame, goes_on=False) for frame in second.files]
            answer.refusals += second.refusals
            answer.torn |= second.torn
        return HostReading(answer.clock, tuple(log_reading(run, each, answer) for run, each in enumerate(requests)))

    def close(self) -> None:
        """Let go of the connection; a read under way in another thread ends with Unreachable."""
        self._transport.close()

    def _ask(self, questions: Sequence[Question], deadline: float) -> Answer:
        token = secrets.token_hex(8)
        raw = self._transport.run(program(token, questions), deadline=deadline, cap=_CAP)
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


def _question(run: int, request: LogRequest) -> Question:
    return Question(run, words(request.patterns), request.backfill, request.limit, request.cursors)


def _no_paths(requests: Sequence[LogRequest]) -> list[Refusal]:
    patterns = [(run, pattern) for run, request in enumerate(requests) for pattern in request.patterns]
    return [Refusal(run, "pattern", pattern) for run, pattern in patterns if not is_path(pattern)]


def _is_another(frame: FileFrame, request: LogRequest) -> bool:
    """Say whether a file only looks like the one that was read before: its bytes are not those of then."""
    return frame.goes_on and not frame.data.startswith(request.cursors[frame.path].fingerprint)


def _from_beginning(frame: FileFrame, request: LogRequest) -> Question:
    start = LogCursor(path=frame.path, identity=frame.identity, offset=0)
    return Question(frame.run, (literal(frame.path),), request.backfill, request.limit, {frame.path: start})


def _excerpt(raw: bytes) -> str:
    said = redact(raw.decode(errors="replace")).split()
    text = "".join(character for character in " ".join(said) if character.isprintable())[:_EXCERPT]
    return f"; it said: {text}" if text else ""
