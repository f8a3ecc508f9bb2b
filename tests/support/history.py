"""A log and what happens to it: written, rotated, truncated, deleted, replaced; and what a reader must be given of it.

Each file is made of segments: what was written to an inode until it was truncated. They follow each other in the order
in which they were written. The reader is promised every whole line, once and in order, with these exceptions:

- What stood only in a file that is gone (deleted, overwritten, or truncated without a copy) when the reader looks next.
- Files that came and went after such a file: the way to them leads over it.
- Copies and replacements of a file of which fewer than 64 bytes had been read.

The inodes of files that are gone are used again, but for those of which the reader saw nothing: nothing tells them from
the new.
"""

from __future__ import annotations

import itertools
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

_KNOWN_AGAIN = 64
_YEAR_2023 = 1_700_000_000


@dataclass(eq=False)
class Segment:
    """`hole` is how many NULs stand before its text; `place` where it can be found, `is_copy` if only in a copy.

    `known`: the reader has seen some of its text. `successor` is what was written after a truncation.
    """

    place: Path | None
    hole: int = 0
    text: bytearray = field(default_factory=bytearray)
    is_copy: bool = False
    known: bool = False
    successor: Segment | None = None

    @property
    def size(self):
        return self.hole + len(self.text) if self.text else 0


class History:
    """A log in a folder, and its one writer."""

    def __init__(self, folder, *, appends):
        self.path = folder / "train.log"
        self._appends = appends
        self._segments = []
        self._writer = self._written = None
        self._ticks = itertools.count(_YEAR_2023)
        self._numbers = itertools.count()
        self._held = []

    def end(self):
        """Let go of all files."""
        self.close()
        for each in self._held:
            each.close()

    def close(self):
        """Let the writer close its log; what it writes next it writes to what is at the path then."""
        if self._writer:
            self._writer.close()
            # Whoever opens an empty file begins at its start.
            self._written.hole *= bool(self._written.text)
        self._writer = None

    def write(self, text):
        if not self._writer:
            if not self.here():
                self.path.touch()
                self._segments.append(Segment(self.path))
            self._writer, self._written = self._open(), self.here()
        self._writer.write(text)
        self._written.text += text
        self._date(self._writer.fileno())

    def write_lines(self, count):
        for _ in range(count):
            self.write(self._line())

    def write_piece(self, ends):
        self.write(self._line().rstrip() + b"\n" * ends)

    def rotate(self, *, create, reopen):
        here = self.here()
        if not here:
            return
        self._shift()
        here.place = self.path.rename(f"{self.path}.1")
        if reopen:
            self.close()
        if create:
            self.path.touch()
            self._date(self.path)
            self._segments.append(Segment(self.path))

    def truncate(self, *, copy):
        here = self.here()
        if not here or not here.text:
            return
        here.place, here.is_copy = None, True
        if copy:
            self._shift()
            here.place = Path(shutil.copyfile(self.path, f"{self.path}.1"))
            self._date(here.place)
        os.truncate(self.path, 0)
        self._date(self.path)
        writes_here = self._writer is not None and self._written is here
        here.successor = Segment(self.path, self._writer.tell() if writes_here and not self._appends else 0)
        self._segments.append(here.successor)
        if writes_here:
            self._written = here.successor

    def delete(self):
        if here := self.here():
            self.close()
            self._bury(here)
            self.path.unlink()

    def replace(self):
        """Move a new log over the old one."""
        text = self._line()
        if here := self.here():
            self._bury(here)
        self.close()
        self._overwrite(text)
        self._segments.append(Segment(self.path, 0, bytearray(text)))

    def sync(self):
        """Move a copy of the log over it, as rsync does."""
        if self.here():
            self.close()
            self._overwrite(self.path.read_bytes())

    def forget(self):
        """Delete the oldest of the rotated logs."""
        old = max((each for each in self._segments if each.place), key=lambda each: _number(each.place), default=None)
        if old and _number(old.place):
            if self._written is old:
                self.close()
            place = old.place
            self._bury(old)
            place.unlink()

    def here(self):
        """Return the segment that is at the path, if one is."""
        return next((each for each in self._segments if each.place == self.path), None)

    def after(self, segment):
        return self._segments[self._segments.index(segment) + 1 :]

    def _bury(self, segment):
        if not segment.known:
            self._held.append(segment.place.open())
        segment.place = None

    def _line(self):
        """Return a line of which any part tells which it is, and long enough for its file to be known again."""
        return b"line" + b" %06d" % next(self._numbers) * 9 + b"\n"

    def _open(self):
        if self._appends:
            return self.path.open("ab", buffering=0)
        writer = self.path.open("r+b", buffering=0)
        writer.seek(0, os.SEEK_END)
        return writer

    def _shift(self):
        rotated = [each for each in self._segments if each.place and each.place != self.path]
        for each in sorted(rotated, key=lambda each: -_number(each.place)):
            each.place = each.place.rename(f"{self.path}.{_number(each.place) + 1}")

    def _overwrite(self, text):
        new = self.path.with_name(".new")
        new.write_bytes(text)
        self._date(new)
        new.rename(self.path)

    def _date(self, file):
        os.utime(file, (next(self._ticks),) * 2)


def _number(place):
    return int(place.suffix[1:]) if place.suffix != ".log" else 0


class Reader:
    """What a reader of a history must be given. It stands in a segment, of which it has read `_size` bytes."""

    def __init__(self, history):
        self._history = history
        self._segment, self._size, self._taken, self._partial = None, 0, 0, b""

    def read(self):
        """Return the lines that must come now; None if there is no log."""
        while self._segment and not self._size and self._segment.successor:
            self._segment = self._segment.successor
        here = self._history.here()
        if not here:
            return None
        if self._segment is None:
            return self._take([here])
        if here is self._segment:
            return self._take([])
        if self._is_lost():
            return self._take([here], lost=True) if here.text else b""
        return self._take([each for each in self._history.after(self._segment) if each.place and each.text])

    def knows_again(self):
        """Say whether the segment would be known again in another inode."""
        return self._segment is None or self._size >= _KNOWN_AGAIN

    def _is_lost(self):
        return not self._segment.place or (self._segment.is_copy and not self.knows_again())

    def _take(self, following, *, lost=False):
        stream = self._partial
        if self._segment and not lost:
            stream += self._segment.text[self._taken :]
            self._stand(self._segment)
        for each in following:
            if not (each.hole == self._size or (not lost and not each.hole)):
                stream = stream[: stream.rfind(b"\n") + 1]
            stream += each.text
            self._stand(each)
        end = stream.rfind(b"\n") + 1
        self._partial = stream[end:]
        return bytes(stream[:end])

    def _stand(self, segment):
        self._segment, self._size, self._taken = segment, segment.size, len(segment.text)
        segment.known = bool(segment.text)
