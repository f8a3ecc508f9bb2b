"""Makes the reading of one run out of what its host answered."""

from __future__ import annotations

from monitor_core.collect.frames import Answer, FileFrame, Refusal
from monitor_core.collect.lines import INSIDE_A_LINE, cut
from monitor_core.collect.script import is_glob
from monitor_core.model.records import Chunk, LogCursor, LogReading, LogRequest, LogTrouble

# Bytes before the cursor by which a file is known again.
_FINGERPRINT = 64

_REASONS = {
    "missing": "there is no {path}",
    "no match": "no file matches {path}",
    "denied": "{path} may not be read by the account that we use",
    "directory": "{path} is a folder; a glob of its files would be {path}/*",
    "special": "{path} is not a regular file",
    "name": "the name of {path} is not UTF-8",
    "pattern": "{path!r} is not an absolute path (examples: /data/llama/train.log, ~/logs/*.log)",
    "failed": "{path} could not be read: its disk failed, or its host lacks GNU stat and dd",
}


def log_reading(run: int, request: LogRequest, answer: Answer) -> LogReading:
    """Return the new lines of a run's files, or why there are none."""
    chunks = tuple(_chunk(frame, request) for frame in answer.files if frame.run == run)
    refusals = [refusal for refusal in answer.refusals if refusal.run == run]
    refused = {refusal.path for refusal in refusals}
    torn = any(of == run and path not in refused for of, path in answer.torn)
    if chunks or torn:
        return LogReading(request.run, chunks)
    return _without_chunks(request, refusals or [Refusal(run, "failed", request.patterns[0])])


def _without_chunks(request: LogRequest, refusals: list[Refusal]) -> LogReading:
    """Tell of the first file that is there but cannot be read; if there is none, of the first that is missing."""
    first = next((refusal for refusal in refusals if refusal.why != "missing"), refusals[0])
    trouble = LogTrouble.MISSING if first.why == "missing" else LogTrouble.UNREADABLE
    why = "no match" if first.why == "missing" and is_glob(first.path) else first.why
    return LogReading(request.run, trouble=trouble, detail=_REASONS[why].format(path=first.path))


def _chunk(frame: FileFrame, request: LogRequest) -> Chunk:
    if frame.goes_on:
        before = request.cursors[frame.path]
        lines, partial = cut(before.partial, frame.data[len(before.fingerprint) :])
    elif frame.start:
        lines, partial = cut(INSIDE_A_LINE, frame.data)
        lines = lines.removeprefix(b"\n")
    else:
        lines, partial = cut(b"", frame.data)
    offset = frame.start + len(frame.data)
    return Chunk(
        cursor=LogCursor(frame.path, frame.identity, offset, frame.data[-_FINGERPRINT:], partial),
        lines=lines,
        size=frame.size,
        mtime=frame.mtime,
        fresh=not frame.goes_on,
        more=offset < frame.size,
    )
