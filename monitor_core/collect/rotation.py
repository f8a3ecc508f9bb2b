"""Finds where a log goes on when the file at its path is not the one, or not in the state, that its cursor knows.

It was rotated, truncated, replaced, renamed from another path, or is seen for the first time. Such a file is a stray.
What its cursor has not read is looked for (`traces`), and proved by the bytes before the cursor; then `ways` tells
through which files the log is read, one after the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitor_core.collect.frames import Answer, FileFrame
from monitor_core.collect.lines import INSIDE_A_LINE
from monitor_core.collect.script import Hole, Question, Trace, literal
from monitor_core.model.records import LogCursor, LogRequest

# Bytes before the cursor by which a file is known again.
FINGERPRINT = 64

# What a writer leaves at the start of a file that was truncated under it.
_NULS = bytes(512)
# What rotation puts behind a name: .1, -20261124, .2026-11-24_10-00, -20261124.1
_ROTATED = re.compile(r"[.-](\d[\dT_:.-]*)")
_NUMBER = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class Stray:
    """A file that its cursor does not know. `run` is the place of the request, `own` the cursor of the file's path.

    `suspects` are the cursors, `own` among them, of which this file may be the continuation.
    """

    run: int
    frame: FileFrame
    own: LogCursor | None
    suspects: tuple[LogCursor, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Through which files a log is read: where to begin in each, in their order.

    `own` is how far the log had been read, `frame` the file that is now at its path. `cut`: more files follow than may
    be read at once.
    """

    run: int
    path: str
    own: LogCursor | None
    steps: tuple[LogCursor, ...]
    frame: FileFrame
    cut: bool = False

    def question(self, limit: int) -> Question:
        """Return what to ask the host."""
        return Question(
            tuple(literal(step.path) for step in self.steps), limit, {step.path: step for step in self.steps}
        )


@dataclass(frozen=True, slots=True)
class _Lead:
    """What a search found for one cursor: the file in which it goes on, and all files that might have been it."""

    home: FileFrame | None
    kin: tuple[FileFrame, ...]


def settled(run: int, request: LogRequest, files: Sequence[FileFrame]) -> list[Way]:
    """Return the ways of the logs of a run that simply go on where their cursors stand."""
    frames = [frame for frame in files if frame.number == run]
    pairs = [(frame, request.cursors[frame.path]) for frame in frames if frame.path in request.cursors]
    return [Way(run, frame.path, cursor, (cursor,), frame) for frame, cursor in pairs if _goes_on(frame, cursor)]


def strays(run: int, request: LogRequest, files: Sequence[FileFrame]) -> list[Stray]:
    """Return the files of a run that do not simply go on; one that is already read under another name is none."""
    known = settled(run, request, files)
    paths, seen = {way.path for way in known}, {way.frame.identity for way in known}
    loose = [cursor for path, cursor in request.cursors.items() if path not in paths]
    found = []
    for frame in files:
        if frame.number != run or frame.path in paths or (frame.identity in seen and _has_device(frame)):
            continue
        seen.add(frame.identity)
        suspects = tuple(each for each in loose if each.path == frame.path or each.identity == frame.identity)
        found.append(Stray(run, frame, request.cursors.get(frame.path), suspects))
    return found


def traces(found: Sequence[Stray]) -> list[Trace]:
    """Return what to search for: a trace for each cursor of which a stray may be the continuation."""
    return list(_searches(found).values())


def holes(found: Sequence[Stray]) -> list[Hole]:
    """Return the files that may be filled with NULs: a truncated one is, if its writer does not append."""
    return list(_holes(found).values())


def ways(found: Sequence[Stray], requests: Sequence[LogRequest], clues: Answer) -> list[Way]:
    """Return how the logs of all strays are read, older files first, from what the searches brought to light."""
    leads = {
        key: _lead(trace.cursor, tuple(kin for kin in clues.kin if kin.number == number))
        for number, (key, trace) in enumerate(_searches(found).items())
    }
    texts = {text.number: text.start for text in clues.texts}
    starts = {key: texts.get(number, 0) for number, key in enumerate(_holes(found))}
    matched = {(stray.run, stray.frame.path) for stray in found}
    routes = [_way(stray, requests[stray.run], leads, starts, matched) for stray in found]
    return sorted(routes, key=_order)


def _goes_on(frame: FileFrame, cursor: LogCursor) -> bool:
    kept = cursor.fingerprint
    return frame.goes_on and frame.data.startswith(kept) and not frame.data.startswith(_NULS, len(kept))


def _has_device(frame: FileFrame) -> bool:
    """Where the host cannot tell devices, equal inodes say nothing."""
    return not frame.identity.startswith("0:")


def _order(way: Way) -> tuple[bool, float]:
    """What goes on in a file that was known comes before what is new, and older files before younger ones."""
    return not any(step.fingerprint for step in way.steps[-1:]), way.frame.mtime


def _searches(found: Sequence[Stray]) -> dict[tuple[int, str], Trace]:
    searches: dict[tuple[int, str], Trace] = {}
    for stray in found:
        for cursor in stray.suspects:
            before = searches.get((stray.run, cursor.path), Trace(cursor, ()))
            searches[stray.run, cursor.path] = replace(before, paths=(*before.paths, stray.frame.path))
    return searches


def _holes(found: Sequence[Stray]) -> dict[tuple[int, str], Hole]:
    searches = {}
    for run, frame, own in ((stray.run, stray.frame, stray.own) for stray in found):
        if own is not None and own.identity == frame.identity:
            known = frame.goes_on and frame.data.startswith(own.fingerprint)
            searches[run, frame.path] = Hole(frame.path, own.offset if known else 0)
    return searches


def _lead(cursor: LogCursor, kin: tuple[FileFrame, ...]) -> _Lead:
    """Choose the file in which a cursor goes on: the one that was renamed, a longer copy of it, or a copy put aside."""
    alike = [each for each in kin if each.data == cursor.fingerprint and each.size >= cursor.offset]
    sure = len(cursor.fingerprint) == FINGERPRINT
    newer = [each for each in alike if int(each.mtime) >= int(cursor.mtime) and _suffix(each, cursor) is not None]
    renamed = [each for each in (alike if cursor.fingerprint else newer) if each.identity == cursor.identity]
    replaced = [each for each in alike if sure and each.path == cursor.path]
    copied = sorted((each for each in newer if sure), key=lambda each: each.mtime)
    return _Lead(next(iter([*renamed, *replaced, *copied]), None), kin)


def _way(
    stray: Stray,
    request: LogRequest,
    leads: Mapping[tuple[int, str], _Lead],
    starts: Mapping[tuple[int, str], int],
    matched: set[tuple[int, str]],
) -> Way:
    frame, own = stray.frame, stray.own
    steps: list[tuple[LogCursor, int]] = []
    if own is not None:
        lead = leads[stray.run, own.path]
        if lead.home is not None and (stray.run, lead.home.path) not in matched:
            steps = [(_resumed(own, lead.home), lead.home.size), *_between(own, lead, frame)]
    # As long as the file at the path is empty, the log is where it was: its writer may not have moved on yet.
    if frame.size or own is None:
        last = _continued(stray, leads) or _begun(stray, request, starts.get((stray.run, frame.path), 0))
        steps.append((last, frame.size))
    taken = _within(steps, request.limit)
    return Way(stray.run, frame.path, own, taken, frame, cut=len(taken) < len(steps))


def _resumed(cursor: LogCursor, home: FileFrame) -> LogCursor:
    return replace(cursor, path=home.path, identity=home.identity)


def _between(own: LogCursor, lead: _Lead, frame: FileFrame) -> list[tuple[LogCursor, int]]:
    """Return the files that came and went since the cursor's own one was put aside under the same kind of name."""
    home = lead.home
    if home is None or not _suffix(home, own):
        return []
    # A file that is younger than the new one's last line is none of them: somebody else writes to it.
    ends = frame.mtime if frame.size else math.inf
    known = {home.identity, frame.identity}
    others = {each.identity: each for each in lead.kin if _suffix(each, own) and each.identity not in known}
    later = [each for each in others.values() if each.size and _is_later(each, home, own) and each.mtime <= ends]
    later.sort(key=lambda each: (each.mtime, -_rotations(each, own)))
    return [(LogCursor(each.path, each.identity, 0, real_path=own.real_path), each.size) for each in later]


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


def _continued(stray: Stray, leads: Mapping[tuple[int, str], _Lead]) -> LogCursor | None:
    """Return where to go on in a file that was renamed to its path, or replaced by a longer copy of itself."""
    frame, own = stray.frame, stray.own
    for cursor in stray.suspects:
        home = leads[stray.run, cursor.path].home
        truncated = cursor is own and frame.identity == cursor.identity
        if home is not None and (home.path, home.identity) == (frame.path, frame.identity) and not truncated:
            return replace(cursor, path=frame.path, identity=frame.identity, real_path=frame.path)
    return None


def _begun(stray: Stray, request: LogRequest, text: int) -> LogCursor:
    """Return where to begin in a file that is new: at its first text, or at first sight in its last part."""
    frame = stray.frame
    start = max(0, frame.size - request.backfill - 1) if stray.own is None else text
    partial = INSIDE_A_LINE if stray.own is None and start else b""
    return LogCursor(frame.path, frame.identity, start, partial=partial)


def _within(steps: Sequence[tuple[LogCursor, int]], limit: int) -> tuple[LogCursor, ...]:
    taken, room = [], limit
    for step, size in steps:
        if room <= 0:
            break
        taken.append(step)
        room -= size - step.offset
    return tuple(taken)
