"""Follows Python tracebacks, of many ranks at once, from their first line to the exception."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from monitor_core.parse.tags import host_of, rank_of, tags_of

HEADER = b"Traceback (most recent call last)"
_FRAME = re.compile(rb'[ \t]{1,80}File "([^"\n]{1,1000})", line (\d{1,9})(?:, in (\S{1,200}))?')
# Code of others: installed packages, the standard library, the interpreter, and a PyTorch beside the user's code.
_OF_OTHERS = re.compile(
    rb"/(?:site|dist)-packages/|/lib/python\d|^<|/torch/(?:nn|distributed|autograd|utils|optim|cuda|_\w+)/"
)
# `ValueError: text`, `torch.OutOfMemoryError: text`, `struct.error: text`, `queue.Empty`; but not `WARNING: text`.
_EXCEPTION = re.compile(
    rb"(?:[A-Za-z_]\w{0,80}\.){0,12}(?![A-Z]+\b)(?:_?[A-Z]\w{0,80}|\w{0,80}error)(?:: |:?\s*$)", re.ASCII
)
# What a progress bar shows: it stays on the line on which the traceback begins.
_BAR = re.compile(rb"%\||(?:\xe2\x94\x81){5}")
_CHAIN = (
    b"During handling of the above exception, another exception occurred:",
    b"The above exception was the direct cause of the following exception:",
)
# A rank that is killed in the middle of its traceback never ends it: so many lines without a frame, and it is dropped.
_PATIENCE_LINES = 1000
_AT_MOST = 1024
# What it raises is printed and ignored (https://docs.python.org/3/reference/datamodel.html#object.__del__).
_FINALIZER = b"__del__"


class _Stage(StrEnum):
    """Where a traceback is: in its frames, past its exception, or past the line that announces a chained one."""

    FRAMES = "frames"
    AFTER = "after"
    CHAIN = "chain"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Ending:
    """The exception that ended a traceback; `chained`: it came of another one that is told just above it.

    `frame` is the deepest line of the user's own code: `train.py:88 in step`, empty if there is none.
    """

    text: bytes
    rank: str
    host: str
    chained: bool
    frame: str


@dataclass(slots=True)
class _Traceback:
    """One that is being followed. `margin`: bytes before the text of each line; `seen`: the number of its last frame.

    `headers`: how many began under the same tags and have not ended, as those of several unlabelled processes do.
    """

    margin: int
    seen: int
    stage: _Stage = _Stage.FRAMES
    framed: bool = False
    headers: int = 1
    chained: bool = False
    frame: str = ""

    def ends_with(self, text: bytes, number: int) -> bool:
        """Take the text of a line; return whether it is the exception."""
        if self.stage is _Stage.FRAMES:
            return self._frame(text, number)
        if text.strip():
            self.stage = _Stage.CHAIN if text.startswith(_CHAIN) else _Stage.OVER
        return False

    def _frame(self, text: bytes, number: int) -> bool:
        frame = _FRAME.match(text)
        if frame and not self.framed and frame[3] == _FINALIZER:
            self.stage = _Stage.OVER
            return False
        if frame:
            self.framed, self.seen = True, number
            self.frame = _user_frame(frame) or self.frame
        if not self.framed or not _EXCEPTION.match(text):
            return False
        self.headers -= 1
        if not self.headers:
            self.stage = _Stage.AFTER
        return True


def _user_frame(frame: re.Match[bytes]) -> str:
    """Return a frame in short, empty if it is of code that the user has not written."""
    path, line, function = frame.groups(default=b"")
    if _OF_OTHERS.search(path):
        return ""
    place = b"%s:%s" % (path.rpartition(b"/")[2], line)
    return (place + b" in " + function if function else place).decode("utf-8", "replace")


class Tracebacks:
    """The tracebacks that have begun and are not over, told apart by the tags that their lines begin with."""

    def __init__(self) -> None:
        self._open: dict[bytes, _Traceback] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def state(self) -> dict[str, Any]:
        """Return what must be kept across a restart, as values that JSON can hold."""
        return {tags.decode("latin-1"): asdict(item) for tags, item in self._open.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        self._open = {
            tags.encode("latin-1"): _Traceback(**{**item, "stage": _Stage(item["stage"])})
            for tags, item in state.items()
        }

    def feed(self, line: bytes, number: int) -> Ending | None:
        """Take the line of that number; return the exception if the line ends a traceback."""
        before, header, after = line.partition(HEADER)
        if header and after.strip() == b":":
            self._begin(before, number)
        elif self._open:
            return self._follow(line, number)
        return None

    def shows_source(self, line: bytes) -> bool:
        """Return whether the line is a frame: what stands in it is program text, not something that happened."""
        item = self._open.get(tags_of(line))
        return item is not None and item.stage is _Stage.FRAMES and line[item.margin :][:1].isspace()

    def _begin(self, before: bytes, number: int) -> None:
        tags = tags_of(before)
        words = before[len(tags) :].lstrip()
        if words and not _BAR.search(words):
            return  # a warning that shows a traceback: it has the logger's words before each line
        item = _Traceback(len(before) - len(words), number)
        earlier = self._open.pop(tags, None)
        if earlier and earlier.stage is _Stage.FRAMES:
            item.headers += earlier.headers
        item.chained = earlier is not None and earlier.stage is _Stage.CHAIN
        self._open[tags] = item
        if len(self._open) > _AT_MOST:
            del self._open[next(iter(self._open))]

    def _follow(self, line: bytes, number: int) -> Ending | None:
        tags = tags_of(line)
        item = self._open.get(tags)
        ends = item is not None and item.ends_with(line[item.margin :], number)
        if item and item.stage is _Stage.OVER:
            del self._open[tags]
        self._give_up(number)
        if not item or not ends:
            return None
        return Ending(line[item.margin :], rank_of(tags), host_of(tags), item.chained, item.frame)

    def _give_up(self, number: int) -> None:
        if number % _PATIENCE_LINES == 0:
            self._open = {tags: item for tags, item in self._open.items() if number - item.seen <= _PATIENCE_LINES}
