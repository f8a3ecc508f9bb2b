"""Makes the reading of one run out of what its host answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor_core.collect.frames import Answer, FileFrame, Refusal
from monitor_core.collect.lines import INSIDE_A_LINE, cut
from monitor_core.collect.questions import is_glob
from monitor_core.collect.rotation import FINGERPRINT, Way
from monitor_core.model.records import Chunk, LogCursor, LogReading, LogRequest, LogTrouble

_REASONS = {
    "hangs": "{path} did not answer; its file system may hang",
    "late": "there was no time left for {path} in the last look at its host",
    "no session": "its host let us in, but opened no further session for {path} (MaxSessions of its SSH server)",
    "names": "{path} cannot be followed: by SFTP, all names in its folder have to be UTF-8",
    "missing": "there is no {path}",
    "no match": "no file matches {path}",
    "denied": "{path} may not be read by the account that we use",
    "directory": "{path} is a folder; a glob of its files would be {path}/*",
    "special": "{path} is not a regular file",
    "name": "the name of {path} is not UTF-8",
    "pattern": "{path!r} is not an absolute path (examples: /data/llama/train.log, ~/logs/*.log)",
    "failed": "{path} could not be read: its disk failed, or its host has neither GNU's, BusyBox's nor BSD's tools",
}


def log_reading(run: int, request: LogRequest, answer: Answer, chunks: Sequence[Chunk]) -> LogReading:
    """Return the new lines of a run's files, or why there are none."""
    refusals = [refusal for refusal in answer.refusals if refusal.run == run]
    refused = {refusal.path for refusal in refusals}
    torn = any(of == run and path not in refused for of, path in answer.torn)
    if chunks or torn:
        return LogReading(request.run, tuple(chunks))
    return _without_chunks(request, refusals or [Refusal(run, "failed", request.patterns[0])])


def reason(why: str, path: str) -> str:
    """Return a refusal as a sentence for people."""
    return _REASONS[why].format(path=path)


def chunk(way: Way, frames: Iterable[FileFrame]) -> Chunk | None:
    """Join what came on the way of a log; None if one of its files is not any more what was asked for."""
    came = {frame.path: frame for frame in frames}
    if not all(_is_as_asked(step, came.get(step.path)) for step in way.steps):
        return None
    at, frame, fresh = way.own or LogCursor(way.path, "", 0), way.frame, False
    pieces: list[bytes] = []
    for place, step in enumerate(way.steps):
        if place and at.offset < frame.size:
            return _chunk(at, pieces, frame, fresh=fresh, more=True)
        frame, fresh = came[step.path], not step.fingerprint and step is not way.own
        lines, at = _read_on(at, step, frame, follows=place > 0)
        pieces.append(lines)
    return _chunk(at, pieces, frame, fresh=fresh, more=bool(way.steps) and at.offset < frame.size)


def _is_as_asked(step: LogCursor, frame: FileFrame | None) -> bool:
    return frame is not None and frame.goes_on and frame.data.startswith(step.fingerprint)


def _chunk(at: LogCursor, pieces: Sequence[bytes], frame: FileFrame, *, fresh: bool, more: bool) -> Chunk:
    return Chunk(at, b"".join(pieces), frame.size, frame.mtime, fresh=fresh, more=more)


def _read_on(at: LogCursor, step: LogCursor, frame: FileFrame, *, follows: bool) -> tuple[bytes, LogCursor]:
    """Return the lines of one file, and how far the log has been read with them."""
    data = frame.data[len(step.fingerprint) :]
    if step.fingerprint or step.partial:
        partial = step.partial
    else:
        data = data.lstrip(b"\0")
        begins = frame.start + len(frame.data) - len(data)
        partial = at.partial if begins == at.offset or (follows and not begins) else b""
    lines, rest = cut(partial, data)
    if step.partial == INSIDE_A_LINE and not step.fingerprint:
        lines = lines.removeprefix(b"\n")
    return lines, LogCursor(
        at.path,
        frame.identity,
        frame.start + len(frame.data),
        frame.data[-FINGERPRINT:],
        rest,
        mtime=frame.mtime,
        real_path=step.real_path or frame.real_path,
    )


def _without_chunks(request: LogRequest, refusals: list[Refusal]) -> LogReading:
    """Tell of the first file that is there but cannot be read; if there is none, of the first that is missing."""
    first = next((refusal for refusal in refusals if refusal.why != "missing"), refusals[0])
    trouble = LogTrouble.MISSING if first.why == "missing" else LogTrouble.UNREADABLE
    why = "no match" if first.why == "missing" and is_glob(first.path) else first.why
    return LogReading(request.run, trouble=trouble, detail=reason(why, first.path))
