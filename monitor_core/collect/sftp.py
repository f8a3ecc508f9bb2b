"""Reads logs of accounts that allow nothing but SFTP.

Version 3 of its protocol, the one that servers speak, tells neither the host's clock, which is taken to be ours, nor
inodes: a file is known again by its size, its mtime and the bytes before the cursor.
"""

from __future__ import annotations

import hashlib
import math
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import paramiko

from monitor_core.collect.frames import Answer, FileFrame, ProcessFrame, Refusal
from monitor_core.collect.listing import Listing
from monitor_core.collect.questions import BUDGET, Ask, Hole, Question, Roll, Trace
from monitor_core.collect.ssh import SshTransport
from monitor_core.collect.transport import Call, Deadline
from monitor_core.model.records import LogCursor

# So much a server gives at once.
_PIECE = 32 * 1024
# Parts of a file in which a hole is looked for, and how exactly its end is found, in bytes.
_SAMPLE, _NEAR = 512, 65536
# The identity of a file of which nothing shows that it is another than the one that a cursor knows.
_ANY = "0:0"
_MOST_ENDS = 10_000
_WHY = {FileNotFoundError: "missing", PermissionError: "denied"}


class Sftp:
    """The SFTP server of a host: a new one each time it is asked, like a shell."""

    def __init__(self, transport: SshTransport) -> None:
        self._transport = transport
        self._ends: dict[str, _Facts] = {}

    def ask(self, asked: Sequence[Ask], patience: float, deadline: Deadline) -> tuple[Answer, Call | None]:
        """Ask the host; see `Speaker`. Raises NoSftp too."""
        client = self._transport.sftp()
        client.sock.settimeout(patience)
        if len(self._ends) > _MOST_ENDS:
            self._ends.clear()
        visit = _Visit(client, deadline, self._ends)
        with self._transport.sentences():
            try:
                visit.look_at(asked)
            except TimeoutError:
                return visit.answer, self._transport.call_of(client)
            client.close()
        return visit.answer, None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is told of a file besides its bytes."""

    mode: int
    size: int
    mtime: float


@dataclass(frozen=True, slots=True)
class _Share:
    """How many bytes of a file may be read, and until when (monotonic)."""

    limit: int
    until: float


class _Late(Exception):  # noqa: N818 no error: what was read counts
    """The time for reading is over."""


@dataclass(slots=True)
class _Visit:
    """One look at files through an SFTP server; `ends` are the facts of files when they were read to their ends."""

    client: paramiko.SFTPClient
    deadline: Deadline
    ends: dict[str, _Facts]
    answer: Answer = field(default_factory=Answer)

    def look_at(self, asked: Sequence[Ask]) -> None:
        """Answer the questions; raise TimeoutError if the server is silent for too long."""
        share = BUDGET // max(1, len(asked))
        try:
            for place, each in enumerate(asked):
                if isinstance(each, Question):
                    self._look(each, share, self.deadline.reading / (len(asked) - place))
                elif isinstance(each, Trace):
                    self._trace(each)
                elif isinstance(each, Roll):
                    self.answer.processes.append(ProcessFrame(each.run, "no_shell"))
                else:
                    self._hole(each)
        except _Late:
            return
        self.answer.whole = True

    def _begin(self, run: int, what: str) -> None:
        """Say what is looked at next, if there is time for it."""
        self.answer.place = run, what
        if not self.deadline.reading:
            raise _Late

    def _look(self, question: Question, share: int, seconds: float) -> None:
        """Answer a question with not much more than so many bytes and in so much time, shared fairly by its files."""
        paths, refused = Listing(self.client, partial(self._begin, question.run)).paths(question)
        self._refuse(question, refused, "names")
        self._refuse(question, [path for path in paths if path in question.hung], "hangs")
        paths = [path for path in paths if path not in question.hung]
        ends_at = time.monotonic() + seconds
        for place, path in enumerate(paths):
            self._begin(question.run, path)
            now, files = time.monotonic(), len(paths) - place
            try:
                fair = _Share(min(question.limit, share // len(paths)), now + (ends_at - now) / files)
                self._read(question, path, fair)
            except TimeoutError:
                raise
            except OSError as error:
                self._refuse(question, [path], _WHY.get(type(error), "failed"))

    def _refuse(self, question: Question, paths: Iterable[str], why: str) -> None:
        for path in paths:
            self.ends.pop(path, None)
            self.answer.refusals.append(Refusal(question.run, why, path))

    def _read(self, question: Question, path: str, share: _Share) -> None:
        """Read what is new in a file; of one that its cursor does not know bring the facts alone."""
        facts, cursor = self._facts(path), question.cursors.get(path)
        if not stat.S_ISREG(facts.mode):
            self._refuse(question, [path], "directory" if stat.S_ISDIR(facts.mode) else "special")
            return
        known = cursor is not None and facts.size >= cursor.offset and self._go_on(question, cursor, facts, share)
        if not known:
            self.answer.files.append(_frame(question.run, path, facts))

    def _go_on(self, question: Question, cursor: LogCursor, facts: _Facts, share: _Share) -> bool:
        """Read on where a cursor stands; return whether the file is the one that it knows."""
        path, kept = cursor.path, cursor.fingerprint
        start = cursor.offset - len(kept)
        count = min(facts.size - start, len(kept) + share.limit)
        is_old = cursor.offset == facts.size and self.ends.get(path) == facts
        data = kept if is_old else self._bytes(path, start, count, share.until)
        if data is None:
            self.answer.torn.add((question.run, path))
            return True
        if not data.startswith(kept):
            return False
        if start + len(data) == facts.size:
            self.ends[path] = facts
        real_path = "" if kept else self.client.normalize(path)
        frame = _frame(question.run, path, facts, start)
        self.answer.files.append(replace(frame, goes_on=True, identity=cursor.identity, data=data, real_path=real_path))
        return True

    def _trace(self, trace: Trace) -> None:
        """Bring the files in which a cursor may go on, each with the bytes that are to tell."""
        cursor, begin = trace.cursor, partial(self._begin, trace.run)
        real, kept = cursor.real_path or cursor.path, len(cursor.fingerprint)
        for path in dict.fromkeys([*trace.paths, real, *Listing(self.client, begin).rotated(real)]):
            begin(path)
            try:
                facts = self._facts(path)
                if not stat.S_ISREG(facts.mode):
                    continue
                start = cursor.offset - kept
                data = self._bytes(path, start, kept, math.inf) if facts.size >= cursor.offset else b""
            except TimeoutError:
                raise
            except OSError:
                continue
            is_same = data == cursor.fingerprint and int(facts.mtime) >= int(cursor.mtime)
            frame = _frame(trace.run, path, facts, start)
            self.answer.kin.append(replace(frame, identity=_ANY if is_same else _other(path), data=data or b""))

    def _hole(self, hole: Hole) -> None:
        """Bring where the text of a file begins that is filled with NULs, more or less: by halves."""
        (path,), low = hole.paths, hole.start
        self._begin(hole.run, path)
        facts = self._facts(path)
        high = facts.size if self._is_blank(path, low) else low
        while high - low > _NEAR:
            self._begin(hole.run, path)
            middle = (low + high) // 2
            low, high = (middle, high) if self._is_blank(path, middle) else (low, middle)
        self.answer.texts.append(_frame(hole.run, path, facts, low))

    def _is_blank(self, path: str, start: int) -> bool:
        return not (self._bytes(path, start, _SAMPLE, math.inf) or b"").strip(b"\0")

    def _facts(self, path: str) -> _Facts:
        status = self.client.stat(path)
        return _Facts(status.st_mode or stat.S_IFREG, status.st_size or 0, float(status.st_mtime or time.time()))

    def _bytes(self, path: str, start: int, count: int, until: float) -> bytes | None:
        """Return bytes of a file, fewer if the time is over; None if the file has become shorter."""
        file, data, is_shorter = self.client.open(path), bytearray(), False
        file.seek(start)
        while len(data) < count and not is_shorter and (not data or time.monotonic() < until):
            piece = file.read(min(_PIECE, count - len(data)))
            data += piece
            is_shorter = not piece
        # Not where the server fell silent: this too waits for an answer.
        file.close()
        return None if is_shorter else bytes(data)


def _frame(run: int, path: str, facts: _Facts, start: int = 0) -> FileFrame:
    """Return what is known of a file whose bytes are not asked for."""
    return FileFrame(run, path, goes_on=False, identity=_ANY, size=facts.size, mtime=facts.mtime, start=start, data=b"")


def _other(path: str) -> str:
    """Return the identity of a file that is not the one that a cursor knows."""
    return f"0:{int.from_bytes(hashlib.blake2b(path.encode(), digest_size=6).digest())}"
