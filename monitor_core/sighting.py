"""A sight of a run's logs, made of what one poll brings; the first one of as many pieces as the logs take.

Until its last piece is there it is kept in memory alone: nothing of it can be judged by the clock, and where the
monitor goes away in the middle it begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from monitor_core.model.incidents import Incident, Kind
from monitor_core.model.records import Chunk, LogCursor, LogReading, LogRequest
from monitor_core.track.clock import Window
from monitor_core.watch import Watch

# The beginning of a file, and of all files of a run together, in bytes: start-up dumps of the largest are 100 KB long.
_HEAD, _HEADS = 256 * 1024, 4 * 2**20


@dataclass(slots=True)
class Sight:
    """What has been seen of a run since it was last written down.

    `cursors` say how far its logs have been read, `behind` which files were not read from their beginning, `chunks` are
    the last that came, and `first` says that nothing has been judged yet.
    """

    watch: Watch
    cursors: dict[str, LogCursor] = field(default_factory=dict)
    behind: set[str] = field(default_factory=set)
    chunks: Sequence[Chunk] = ()
    first: bool = field(init=False)

    def __post_init__(self) -> None:
        self.first = not self.watch.state.seen_at

    @property
    def more(self) -> bool:
        """Whether some file has bytes that did not fit."""
        return any(chunk.more for chunk in self.chunks)

    @property
    def written(self) -> float | None:
        """Return the newest mtime by the host's clock; None if nothing came, as of a file that was cut meanwhile."""
        return max((chunk.mtime for chunk in self.chunks), default=None)

    def going_on(self, incidents: Sequence[Incident]) -> Self:
        """Take the incidents as they are stored now: somebody may have acknowledged one since the last piece."""
        new = (incident for incident in self.watch.active if not incident.number)
        self.watch.active = (*followed(incidents), *new)
        return self

    def take(self, answer: LogReading, request: LogRequest, skew: float) -> None:
        """Feed the watch with what was read, the file that was written last at the end.

        A run that dies says why in its last words, often in another file than its progress.
        """
        after = self.watch.state.seen_at
        told = self.watch.state.sources
        for chunk in sorted(answer.chunks, key=lambda each: (each.mtime, each.cursor.path not in told)):
            if chunk.lines:
                window = Window(after, chunk.mtime - skew, skew) if after else None
                self.watch.feed(chunk.cursor.path, chunk.lines, window)
            if chunk.fresh and chunk.size > request.backfill and chunk.cursor.path not in request.cursors:
                self.behind.add(chunk.cursor.path)
        self.cursors |= {chunk.cursor.path: chunk.cursor for chunk in answer.chunks}
        self.chunks = answer.chunks

    def heads(self, request: LogRequest) -> LogRequest | None:
        """Return what to ask for of the beginnings of files, None if they are not needed."""
        lacking = sorted(path for path in self.behind if self.watch.lacks_head(path))
        if not lacking:
            return None
        starts = {path: LogCursor(path, self.cursors[path].identity, 0) for path in lacking}
        return LogRequest(request.run, tuple(lacking), starts, backfill=0, limit=min(_HEAD, _HEADS // len(lacking)))

    def learn(self, answer: LogReading) -> None:
        """Take from the beginnings of files what their last parts did not tell."""
        for chunk in answer.chunks:
            if chunk.cursor.path in self.behind:
                self.watch.learn_head(chunk.cursor.path, chunk.lines)
        self.behind.clear()


def followed(incidents: Sequence[Incident]) -> tuple[Incident, ...]:
    """Return those that a run's log decides; that a kind flaps follows from what was told of the run."""
    return tuple(incident for incident in incidents if incident.kind is not Kind.FLAPPING)
