"""Asks a host by a program that its shell runs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from monitor_core.collect.frames import Answer, parse
from monitor_core.collect.questions import BUDGET, Ask
from monitor_core.collect.script import program
from monitor_core.collect.transport import Call, Deadline, NoShell, ProgramCall, Transport
from monitor_core.errors import Unreachable
from monitor_core.redact import redact

# Besides the bytes of logs: marks, and what start-up files of a login shell print.
_CAP = 2 * BUDGET
_EXCERPT = 160
# An answer that begins late is heard for so long at least: most are over by then.
_MOMENT = 0.5


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came: `ended` if the program did, `hangs` if it was silent for too long, neither if the time was over."""

    raw: bytes
    began_at: float
    ended: bool = False
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """The shell of a host; `name` is the host's."""

    name: str
    transport: Transport

    def ask(self, asked: Sequence[Ask], patience: float, deadline: Deadline) -> tuple[Answer, Call | None]:
        """Ask the host; see `Speaker`."""
        token = secrets.token_hex(8)
        call = self.transport.start(program(token, asked))
        try:
            heard = self._listen(call, token.encode(), patience, deadline)
            answer = self._answer(heard, token)
        except BaseException:
            call.end()
            raise
        if heard.hangs:
            return answer, call
        call.end()
        return answer, None

    def watch(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Make sure that nothing within lasts much longer than the deadline."""
        return self.transport.watch(deadline)

    def close(self) -> None:
        """Let go of the connection."""
        self.transport.close()

    def _listen(self, call: ProgramCall, token: bytes, patience: float, deadline: Deadline) -> _Heard:
        """Listen until the program ends or hangs, or the time is over; patience begins with its first word."""
        pieces: list[bytes] = []
        size, began_at, seconds = 0, 0.0, deadline.left
        while seconds > 0:
            piece = call.listen(seconds)
            if not piece:
                hangs = piece is None and seconds == patience
                return _Heard(b"".join(pieces), began_at, ended=piece is not None, hangs=hangs)
            pieces.append(piece)
            size += len(piece)
            if size > _CAP:
                raise Unreachable(f"{self.name} printed more than {_CAP} bytes at once")
            if not began_at and token in b"".join(pieces[-2:]):
                began_at = time.monotonic()
                over_at = began_at + max(deadline.reading, _MOMENT)
            seconds = min(patience, over_at - time.monotonic()) if began_at else deadline.left
        return _Heard(b"".join(pieces), began_at)

    def _answer(self, heard: _Heard, token: str) -> Answer:
        answer = parse(heard.raw, token)
        answer.heard_at = heard.began_at
        if answer.clock is None and heard.ended:
            raise NoShell(f"{self.name} let us in, but its shell did not run our commands{_excerpt(heard.raw)}")
        if answer.clock is None:
            raise self.transport.silent()
        if heard.ended and not answer.whole:
            raise Unreachable(f"{self.name} stopped in the middle of its answer")
        return answer


def _excerpt(raw: bytes) -> str:
    said = redact(raw.decode(errors="replace")).split()
    text = "".join(character for character in " ".join(said) if character.isprintable())[:_EXCERPT]
    return f"; it said: {text}" if text else ""
