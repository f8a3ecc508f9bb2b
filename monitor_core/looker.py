"""One look at a run: what has come of its logs since the last, judged, before anything is written down."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from monitor_core.errors import CollectError
from monitor_core.model.incidents import Incident, Subject, SubjectKind
from monitor_core.model.records import HostReading, LogCursor, LogReading, LogRequest, LogTrouble, ProcessQuery, Sign
from monitor_core.parse.parser import Parser
from monitor_core.roster import Roster
from monitor_core.sighting import Sight, followed
from monitor_core.store.queries import RunRow
from monitor_core.thresholds import Values, seconds
from monitor_core.track import memory
from monitor_core.track.clock import Window
from monitor_core.track.state import RunState
from monitor_core.watch import Watch

log = logging.getLogger(__name__)


class Reader(Protocol):
    """Reads the logs of one host; raises CollectError."""

    def read(self, requests: Sequence[LogRequest], *, deadline: float = ...) -> HostReading:
        """Bring the new bytes of the logs asked for."""

    def close(self) -> None:
        """Let go of the connection."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What is known of a run before a look at it: its row, its cursors, its incidents, and the thresholds that hold.

    `begun` is its first sight as far as it has come.
    """

    row: RunRow | None
    cursors: Mapping[str, LogCursor]
    incidents: tuple[Incident, ...]
    values: Values
    begun: Sight | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a run came to, before it is written down.

    `stored` are its incidents as they were, `more` whether its logs have bytes that did not fit, `first` whether it had
    never been seen, `trouble` why its log could not be read, `deadline` when a verdict changes if no line comes, `skew`
    how many seconds the host's clock is ahead. `begun` is a first sight that is not complete: then nothing was judged.
    """

    watch: Watch
    stored: tuple[Incident, ...]
    cursors: Mapping[str, LogCursor]
    more: bool
    first: bool
    trouble: str
    deadline: float | None
    skew: float
    begun: Sight | None = None


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at the runs of one host through its reader; writes nothing."""

    roster: Roster
    reader: Reader

    def read(self, briefs: Mapping[str, Brief]) -> HostReading:
        """Bring what is new of the logs of runs, and whether their processes are there; raise CollectError."""
        logs = (self._request(run, brief.cursors) for run, brief in briefs.items())
        return self.reader.read([replace(log, process=self._process(log.run, briefs[log.run])) for log in logs])

    def look(self, answer: LogReading, brief: Brief, skew: float, now: float) -> Look:
        """Return what an answer comes to; with `skew`, the seconds that the host's clock is ahead, at `now`."""
        sight = brief.begun.going_on(brief.incidents) if brief.begun else Sight(self._watch(answer.run, brief))
        if answer.trouble is not None:
            # Half of a first sight cannot be judged: it begins anew.
            sight = Sight(self._watch(answer.run, brief))
            grace = seconds(brief.values["log_missing"])
            sight.watch.miss(answer.trouble, answer.detail, now, grace)
            return _come_to(sight, brief, (sight.watch.state.missing_since or now) + grace, skew, answer.detail)
        request = self._request(answer.run, brief.cursors)
        sight.take(answer, request, skew)
        written = None if sight.written is None else sight.written - skew
        if sight.first and (sight.more or written is None):
            return replace(_come_to(sight, brief, None, skew), begun=sight)
        self._learn_heads(sight, request)
        if sight.first and written is not None:
            sight.watch.anchor(Window(None, min(written, now), skew))
        sight.watch.look(now, written, _on_our_clock(answer.sign, skew))
        return _come_to(sight, brief, sight.watch.deadline(), skew)

    def look_through(self, answer: LogReading, brief: Brief, skew: float, now: float) -> Look:
        """Look until all has been seen: a person waits for it."""
        look = self.look(answer, brief, skew, now)
        while look.begun and look.more:
            brief = replace(brief, cursors=look.begun.cursors, begun=look.begun)
            try:
                more = self.reader.read([self._request(answer.run, brief.cursors)]).logs[0]
                answer = replace(more, sign=answer.sign)
            except CollectError as error:
                detail = f"Only a part of it could be read: {error}"
                answer = LogReading(answer.run, trouble=LogTrouble.UNREADABLE, detail=detail)
            look = self.look(answer, brief, skew, now)
        return look

    def _learn_heads(self, sight: Sight, request: LogRequest) -> None:
        """Read the beginnings of files where their last parts left something open; without them it stays open."""
        heads = sight.heads(request)
        if heads is None:
            return
        try:
            sight.learn(self.reader.read([heads]).logs[0])
        except CollectError as error:
            log.warning("run=%s the beginning of its log could not be read: %s", request.run, error)

    def _watch(self, name: str, brief: Brief) -> Watch:
        row, layout = brief.row, self.roster.format(name)
        kept = {} if row is None else json.loads(row.parsers)
        return Watch(
            Subject(SubjectKind.RUN, name),
            brief.values,
            self.roster.preset(name),
            layout,
            state=RunState() if row is None else memory.load(row.state),
            parsers={path: Parser.restore(parser, layout) for path, parser in kept.items()},
            active=followed(brief.incidents),
        )

    def _request(self, run: str, cursors: Mapping[str, LogCursor]) -> LogRequest:
        return LogRequest(run, self.roster.run(run).logs, cursors)

    def _process(self, run: str, brief: Brief) -> ProcessQuery | None:
        """Return by what its process is asked for; where Slurm is to tell how it ended, with its jobs."""
        process = self.roster.run(run).process
        if process is None or not process.slurm:
            return None if process is None else process.query
        known = brief.row.known() if brief.row else None
        return (known or RunState()).process.ask(process.query)


def _come_to(sight: Sight, brief: Brief, deadline: float | None, skew: float, trouble: str = "") -> Look:
    return Look(
        sight.watch,
        brief.incidents,
        sight.cursors,
        more=sight.more,
        first=sight.first,
        trouble=trouble,
        deadline=deadline,
        skew=skew,
    )


def _on_our_clock(sign: Sign | None, skew: float) -> Sign | None:
    return sign if sign is None or sign.ended_at is None else replace(sign, ended_at=sign.ended_at - skew)
