"""What a host's shell answered: marked lines, and between them bytes of files that are counted beforehand.

    TOKEN clock SECONDS
    TOKEN at RUN [PATH or the place of a pattern]
    TOKEN file RUN on|other|kin|text DEVICE:INODE SIZE MTIME EXACT_MTIME START COUNT PATH
    (COUNT bytes)
    TOKEN end [REAL_PATH]
    TOKEN refused RUN directory|special|denied|missing|failed|hangs PATH
    TOKEN process RUN pid|pids|none|jobs|ended|odd|unlisted|lacking|deaf|failed [WHAT]
    TOKEN done

RUN is the place of the request, or of the search, in the trip; `at` stands before what may hang. A file that the cursor
does not know (`other`) comes without bytes; `kin` and `text` answer a search (see trace.sh). Each marked line has a
line feed before and after it. Start-up files of the login shell may print whatever they like before and between: what
does not bear the token is nobody's, and a file whose bytes do not end at its mark is torn. Where the answer breaks off
within a file, what came of it counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FileFrame:
    """Facts of one file, and its bytes from `start` on.

    `run` is the place of the request, or of the search, in the trip. `goes_on`: the host took it for the file that the
    cursor knows. `real_path` is without symbolic links; it is told only of a file that is read from its beginning.
    """

    run: int
    path: str
    goes_on: bool
    identity: str
    size: int
    mtime: float
    start: int
    data: bytes
    real_path: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that the host could not read: why in one word, and which (a glob that matched nothing stays a glob)."""

    run: int
    why: str
    path: str


@dataclass(frozen=True, slots=True)
class ProcessFrame:
    """What was found of a process, `kind` in one word (see process.sh), or `no_shell`: nobody could look."""

    run: int
    kind: str
    text: str = ""


@dataclass(slots=True)
class Answer:
    """One answer of a host.

    `clock` is the host's own (seconds since 1970), None if it did not tell; we heard it at `heard_at` (monotonic).
    `files` were asked for, `kin` and `texts` were found by a search. `torn`: run and path of files that changed while
    they were read. `whole`: all has been answered; otherwise `place` is the run that it was at, and the path, the place
    of the pattern, or "" for all of it.
    """

    clock: float | None = None
    heard_at: float = 0.0
    files: list[FileFrame] = field(default_factory=list)
    kin: list[FileFrame] = field(default_factory=list)
    texts: list[FileFrame] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    processes: list[ProcessFrame] = field(default_factory=list)
    torn: set[tuple[int, str]] = field(default_factory=set)
    whole: bool = False
    place: tuple[int, str] | None = None

    def add(self, other: Answer) -> None:
        """Take over what a later answer brought."""
        if self.clock is None:
            self.clock, self.heard_at = other.clock, other.heard_at
        self.files += other.files
        self.kin += other.kin
        self.texts += other.texts
        self.refusals += other.refusals
        self.processes += other.processes
        self.torn |= other.torn

    def paths(self, run: int) -> set[str]:
        """Return the files of a run about which something has been said."""
        read = {(each.run, each.path) for each in self.files}
        refused = {(each.run, each.path) for each in self.refusals}
        return {path for of, path in read | refused | self.torn if of == run}


_FILE = re.compile(rb"file (\d+) (on|other|kin|text) (\d+:\d+) (\d+) (\d+) (\S+) (\d+) (\d+) (/[^\n]*)\n")
_END = re.compile(rb"end (/[^\n]*)?\n")
_REFUSED = re.compile(rb"refused (\d+) (\w+) ([^\n]*)\n")
_PROCESS = re.compile(rb"process (\d+) (\w+) ?([^\n]*)\n")
_AT = re.compile(rb"at (\d+)(?: ([^\n]*))?\n")
_CLOCK = re.compile(rb"clock (\d+(?:\.\d+)?)")
_SECONDS = re.compile(rb"\d+\.\d+")


def parse(raw: bytes, token: str) -> Answer:
    """Return what is marked with the token, and nothing else."""
    answer = Answer()
    mark = b"\n%s " % token.encode()
    place = raw.find(mark)
    while place >= 0:
        place = _take(answer, raw, place + len(mark), mark)
        place = raw.find(mark, place)
    return answer


def by_run(frames: Iterable[FileFrame]) -> dict[int, list[FileFrame]]:
    """Return the frames of each run."""
    parted: dict[int, list[FileFrame]] = {}
    for frame in frames:
        parted.setdefault(frame.run, []).append(frame)
    return parted


def _take(answer: Answer, raw: bytes, place: int, mark: bytes) -> int:
    """Take what is said at this place into the answer; return where to look for the next mark."""
    if header := _FILE.match(raw, place):
        return _take_file(answer, raw, header, mark)
    if refused := _REFUSED.match(raw, place):
        run, why, path = refused.groups()
        answer.refusals.append(Refusal(int(run), why.decode(), path.decode(errors="backslashreplace")))
    elif process := _PROCESS.match(raw, place):
        run, kind, text = process.groups()
        answer.processes.append(ProcessFrame(int(run), kind.decode(), text.decode(errors="replace")))
    elif at := _AT.match(raw, place):
        answer.place = int(at[1]), (at[2] or b"").decode(errors="backslashreplace")
    elif clock := _CLOCK.match(raw, place):
        answer.clock = float(clock[1])
    elif raw.startswith(b"done\n", place):
        answer.whole = True
    return place


def _take_file(answer: Answer, raw: bytes, header: re.Match[bytes], mark: bytes) -> int:
    run, how, identity, size, mtime, exact, start, count, path = header.groups()
    end = header.end() + int(count)
    name = path.decode(errors="backslashreplace")
    footer = _END.match(raw, end + len(mark)) if raw.startswith(mark, end) else None
    if footer is None and not _breaks_off(raw, header.end(), end, mark):
        answer.torn.add((int(run), name))
        return header.end() - 1
    if name.encode() != path:
        answer.refusals.append(Refusal(int(run), "name", name))
        return end
    frame = FileFrame(
        run=int(run),
        path=name,
        goes_on=how == b"on",
        identity=identity.decode(),
        size=int(size),
        mtime=_mtime(mtime, exact),
        start=int(start),
        data=raw[header.end() : end],
        real_path=_told(footer[1] or b"" if footer else b""),
    )
    {b"kin": answer.kin, b"text": answer.texts}.get(how, answer.files).append(frame)
    return end


def _breaks_off(raw: bytes, start: int, end: int, mark: bytes) -> bool:
    """Say whether the answer ends within bytes of a file, or in the mark after them."""
    place = raw.find(mark, start)
    return place < 0 or (place == end and b"\n" not in raw[end + len(mark) :])


def _told(path: bytes) -> str:
    text = path.decode(errors="ignore")
    return text if text.encode() == path else ""


def _mtime(whole: bytes, exact: bytes) -> float:
    """Return the time with its fraction where the host's `stat` can tell it."""
    return float(exact) if exact.partition(b".")[0] == whole and _SECONDS.fullmatch(exact) else float(whole)
