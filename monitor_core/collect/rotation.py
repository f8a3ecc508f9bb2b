"""Finds where a log goes on when the file at its path is not the one, or not in the state, that its cursor knows.

It was rotated, truncated, replaced, renamed from another path, or is seen for the first time. Such a file is a stray.
What its cursor has not read is searched for and proved by the bytes before the cursor; from what was found follows the
way of the log: the files through which it is read, one after the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from monitor_core.collect.frames import Answer, FileFrame, by_run
from monitor_core.collect.lines import INSIDE_A_LINE
from monitor_core.collect.questions import Hole, Trace
from monitor_core.model.records import LogCursor, LogRequest

# Bytes before the cursor by which a file is known again.
FINGERPRINT = 64

# What a writer leaves at the start of a file that was truncated under it.
_NULS = bytes(512)
# What rotation puts behind a name: .1, -20261124, .2026-11-24_10-00, -20261124.1
_ROTATED = re.compile(r"[.-](\d[\dT_:.-]*)")
_NUMBER = re.compile(r"\d{1,4}")


# The place of a request, and a path.
_Log = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Stray:
    """A file that its cursor does not know. `run` is the place of the request, `own` the cursor of the file's path.

    `suspects` are the cursors, `own` among them, of which this file may be the continuation.
    """

    run: int
    frame: FileFrame
    own: LogCursor | None
    suspects: tuple[LogCursor, ...]

    @property
    def is_truncated(self) -> bool:
        """Whether it is still the file that the cursor of its path knows."""
        return self.own is not None and self.own.identity == self.frame.identity


@dataclass(frozen=True, slots=True)
class Way:
    """Through which files a log is read: where to begin in each, in their order.

    `own` is how far the log had been read, `frame` the file that is now at its path.
    """

    run: int
    path: str
    own: LogCursor | None
    steps: tuple[LogCursor, ...]
    frame: FileFrame

    def request(self, request: LogRequest) -> LogRequest:
        """Return the request for just the files of the way, in which the cursors are those at their places."""
        cursors = {step.path: step for step in self.steps}
        return replace(request, patterns=tuple(cursors), cursors=cursors)


@dataclass(frozen=True, slots=True)
class _Lead:
    """What was found for one cursor: the file in which it goes on, and all files that might have been it."""

    home: FileFrame | None
    kin: Sequence[FileFrame]


class Search:
    """What is to be found out about strays: a trace for each cursor of which one may be the continuation, and holes.

    A truncated file has one, NULs at its start, if its writer does not append.
    """

    def __init__(self, strays: Sequence[Stray]) -> None:
        self._strays = strays
        self._traces: dict[_Log, Trace] = {}
        self._holes: dict[_Log, Hole] = {}
        for stray in strays:
            for cursor in stray.suspects:
                trace = self._traces.get((stray.run, cursor.path), Trace(len(self._traces), stray.run, (), cursor))
                self._traces[stray.run, cursor.path] = replace(trace, paths=(*trace.paths, stray.frame.path))
        for stray in strays:
            if stray.own is not None and stray.is_truncated:
                place = len(self._traces) + len(self._holes)
                self._holes[stray.run, stray.frame.path] = _hole(place, stray, stray.own)

    @property
    def questions(self) -> list[Trace | Hole]:
        """Return what to ask the host."""
        return [*self._traces.values(), *self._holes.values()]

    def ways(self, requests: Sequence[LogRequest], clues: Answer) -> list[Way]:
        """Return how the strays are read, what goes on before what is new, and older files before younger ones."""
        kin = by_run(clues.kin)
        texts = {text.run: text.start for text in clues.texts}
        found = _Found(
            leads={log: _lead(trace.cursor, kin.get(trace.run, [])) for log, trace in self._traces.items()},
            texts={log: texts.get(hole.run, 0) for log, hole in self._holes.items()},
            matched={(stray.run, stray.frame.path) for stray in self._strays},
        )
        return sorted((found.way(stray, requests[stray.run]) for stray in self._strays), key=_order)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search brought to light. `matched` are the logs at whose paths strays are."""

    leads: Mapping[_Log, _Lead]
    texts: Mapping[_Log, int]
    matched: AbstractSet[_Log]

    def way(self, stray: Stray, request: LogRequest) -> Way:
        """Return how a stray is read: after what was not read of the file that was at its path before."""
        frame = stray.frame
        steps = [] if stray.own is None else self._rest(stray, stray.own)
        # As long as the file at the path is empty, the log is where it was: its writer may not have moved on yet.
        if frame.size or stray.own is None:
            steps.append(self._continued(stray) or self._begun(stray, request))
        return Way(stray.run, frame.path, stray.own, tuple(steps), frame)

    def _rest(self, stray: Stray, own: LogCursor) -> list[LogCursor]:
        lead = self.leads[stray.run, own.path]
        if lead.home is None or (stray.run, lead.home.path) in self.matched:
            return []
        resumed = replace(own, path=lead.home.path, identity=lead.home.identity)
        return [resumed, *_between(own, lead.home, lead.kin, stray.frame)]

    def _continued(self, stray: Stray) -> LogCursor | None:
        """Return where to go on in a file that was renamed to its path, or replaced by a longer copy of itself."""
        frame = stray.frame
        for cursor in stray.suspects:
            home = self.leads[stray.run, cursor.path].home
            is_home = home is not None and (home.path, home.identity) == (frame.path, frame.identity)
            if is_home and not (cursor is stray.own and stray.is_truncated):
                return replace(cursor, path=frame.path, identity=frame.identity, real_path=frame.path)
        return None

    def _begun(self, stray: Stray, request: LogRequest) -> LogCursor:
        """Return where to begin in a file that is new: at its first text, or at first sight in its last part."""
        frame = stray.frame
        if stray.own is not None:
            return LogCursor(frame.path, frame.identity, self.texts.get((stray.run, frame.path), 0))
        start = max(0, frame.size - request.backfill - 1)
        return LogCursor(frame.path, frame.identity, start, partial=INSIDE_A_LINE if start else b"")


def settled(run: int, request: LogRequest, frames: Sequence[FileFrame]) -> list[Way]:
    """Return the ways of the logs of a run that simply go on where their cursors stand."""
    pairs = [(frame, request.cursors[frame.path]) for frame in frames if frame.path in request.cursors]
    return [Way(run, frame.path, cursor, (cursor,), frame) for frame, cursor in pairs if _goes_on(frame, cursor)]


def strays(run: int, request: LogRequest, frames: Sequence[FileFrame]) -> list[Stray]:
    """Return the files of a run that do not simply go on; one that is already read under another name is none."""
    known = settled(run, request, frames)
    paths, seen = {way.path for way in known}, {way.frame.identity for way in known}
    loose = [cursor for path, cursor in request.cursors.items() if path not in paths]
    found = []
    for frame in frames:
        if frame.path not in paths and (frame.identity not in seen or _has_no_device(frame)):
            seen.add(frame.identity)
            suspects = tuple(each for each in loose if each.path == frame.path or each.identity == frame.identity)
            found.append(Stray(run, frame, request.cursors.get(frame.path), suspects))
    return found


def _goes_on(frame: FileFrame, cursor: LogCursor) -> bool:
    kept = cursor.fingerprint
    return frame.goes_on and frame.data.startswith(kept) and not frame.data.startswith(_NULS, len(kept))


def _has_no_device(frame: FileFrame) -> bool:
    """Where the host cannot tell devices, equal inodes say nothing."""
    return frame.identity.startswith("0:")


def _order(way: Way) -> tuple[bool, float]:
    return not any(step.fingerprint for step in way.steps[-1:]), way.frame.mtime


def _hole(place: int, stray: Stray, own: LogCursor) -> Hole:
    frame = stray.frame
    is_known = frame.goes_on and frame.data.startswith(own.fingerprint)
    return Hole(place, stray.run, (frame.path,), own.offset if is_known else 0)


def _lead(cursor: LogCursor, kin: Sequence[FileFrame]) -> _Lead:
    """Choose the file in which a cursor goes on: the renamed one, a longer copy in its place, or a copy put aside."""
    alike = [each for each in kin if each.data == cursor.fingerprint and each.size >= cursor.offset]
    after = [each for each in alike if _suffix(each, cursor) is not None and int(each.mtime) >= int(cursor.mtime)]
    renamed = [each for each in (alike if cursor.fingerprint else after) if each.identity == cursor.identity]
    if renamed or len(cursor.fingerprint) < FINGERPRINT:
        return _Lead(next(iter(renamed), None), kin)
    in_place = [each for each in alike if each.path == cursor.path]
    return _Lead(next(iter([*in_place, *sorted(after, key=lambda each: each.mtime)]), None), kin)


def _between(own: LogCursor, home: FileFrame, kin: Sequence[FileFrame], frame: FileFrame) -> list[LogCursor]:
    """Return the files that came and went since the cursor's own one was put aside under the same kind of name."""
    if not _suffix(home, own):
        return []
    # A file that is younger than the last line of the new one is none of them: somebody else writes to it.
    ends = frame.mtime if frame.size else math.inf
    others = {each.identity: each for each in kin if _suffix(each, own) and each.identity != frame.identity}
    later = [each for each in others.values() if each.size and _is_later(each, home, own) and each.mtime <= ends]
    later.sort(key=lambda each: (each.mtime, -_rotations(each, own)))
    return [LogCursor(each.path, each.identity, 0, real_path=own.real_path) for each in later]


def _is_later(one: FileFrame, other: FileFrame, cursor: LogCursor) -> bool:
    """Say whether a rotated file was put aside after another."""
    numbers = _rotations(one, cursor), _rotations(other, cursor)
    return one.mtime >= other.mtime and numbers[0] < numbers[1] if all(numbers) else one.mtime > other.mtime


def _suffix(frame: FileFrame, cursor: LogCursor) -> str | None:
    """Return what rotation put behind the name of the cursor's file, None if it is named otherwise."""
    name = cursor.real_path or cursor.path
    if frame.path == name:
        return ""
    match = _ROTATED.fullmatch(frame.path.removeprefix(name)) if frame.path.startswith(name) else None
    return match[1] if match else None


def _rotations(frame: FileFrame, cursor: LogCursor) -> int:
    """Return how often a file was put aside, 0 where its name does not tell it: it grows with each rotation."""
    suffix = _suffix(frame, cursor) or ""
    return int(suffix) if _NUMBER.fullmatch(suffix) else 0
