"""Looks at hosts when a person asks: a verdict for each run, or the last lines of a log. Nothing is written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from monitor_core.collect.lines import cut
from monitor_core.detect.ending import learns
from monitor_core.detect.ending import verdict as ending_of
from monitor_core.errors import CollectError, Unreachable
from monitor_core.incident.excerpt import shorten
from monitor_core.looker import Look, Reader
from monitor_core.model.incidents import KINDS, Incident, IncidentState, Kind, Severity
from monitor_core.model.records import Chunk, HostReading, LogRequest
from monitor_core.model.views import LEARNING, LogTail, Verdict
from monitor_core.poller import Poller
from monitor_core.redact import REDACTED, redact
from monitor_core.units import counted, duration, progress
from monitor_core.watch import Watch

# A read of the poller may take longer: one that waits for its turn behind a look that hangs still gets it.
PATIENCE = 15.0
UNKNOWN = 3
_STATUS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
_UNSEEN = frozenset({Kind.LOG_MISSING, Kind.LOG_UNREADABLE})
_TAIL = 32 * 1024  # bytes of each file from which its last lines are taken
_SKEW = 1.0  # seconds; less is no news


@dataclass(frozen=True, slots=True)
class _Hurried:
    """A reader whose reads all together end by `ends_at`, a time of the monotonic clock."""

    reader: Reader
    ends_at: float

    def read(self, requests: Sequence[LogRequest], *, deadline: float = PATIENCE) -> HostReading:
        return self.reader.read(requests, deadline=max(0.0, min(deadline, self.ends_at - time.monotonic())))

    def close(self) -> None:
        """Leave the connection to whoever keeps it."""


@dataclass(slots=True)
class HostSight:
    """Looks at hosts over the connections of a poller, one at a time for each host, `patience` seconds long at most."""

    poller: Poller
    patience: float = PATIENCE
    _turns: dict[str, threading.Lock] = field(default_factory=dict)

    def check(self, runs: Sequence[str]) -> list[Verdict]:
        """Look at runs and judge them; a host that cannot be read makes its runs unknown."""
        on = [(self.poller.roster.run(run).host, run) for run in runs]
        return [
            verdict
            for host in dict.fromkeys(host for host, _ in on)
            for verdict in self._check(host, [run for its, run in on if its == host])
        ]

    def tail(self, run: str, lines: int, *, width: int = 0) -> LogTail:
        """Return the last lines of the run's newest log; `width` shortens each to so many characters, 0 none."""
        host = self.poller.roster.run(run).host
        request = LogRequest(run, self.poller.roster.run(run).logs, backfill=_TAIL)
        try:
            with self._turn(host) as reader:
                before = self.poller.clock()
                reading = reader.read([request])
        except CollectError as error:
            return LogTail(run, host, self.poller.clock(), trouble=_of(host, error))
        now = self.poller.clock()
        answer = reading.logs[0]
        if not answer.chunks:
            return LogTail(run, host, now, trouble=answer.detail or "its log was cut while it was read")
        newest = max(answer.chunks, key=lambda chunk: chunk.mtime)
        written_at = newest.mtime - reading.skew((before + now) / 2)
        shown = _lines(newest)[-lines:]
        hidden = sum(line.count(REDACTED) for line in shown)
        cut_lines = tuple(shorten(line, width) if width else line for line in shown)
        return LogTail(run, host, now, newest.cursor.path, min(written_at, now), cut_lines, hidden)

    def _check(self, host: str, runs: Sequence[str]) -> list[Verdict]:
        try:
            with self._turn(host) as reader:
                looks = replace(self.poller, readers={host: reader}).peek(host, runs)
        except CollectError as error:
            return [Verdict(run, host, UNKNOWN, "unknown", _of(host, error)) for run in runs]
        return [_verdict(run, host, looks.get(run), self.poller.clock()) for run in runs]

    @contextmanager
    def _turn(self, host: str) -> Iterator[Reader]:
        """Give the reader of a host to one look at a time; raise Unreachable when its time is over."""
        ends_at = time.monotonic() + self.patience
        late = Unreachable(f"{host} has not answered within {self.patience:g} s")
        turn = self._turns.setdefault(host, threading.Lock())
        if not turn.acquire(timeout=self.patience):
            raise late
        try:
            yield _Hurried(self.poller.readers[host], ends_at)
        except Unreachable as error:
            raise (late if time.monotonic() >= ends_at else error) from error
        finally:
            turn.release()


def _of(host: str, error: CollectError) -> str:
    """Return what is wrong with a host, its name first."""
    return str(error) if str(error).startswith(f"{host} ") else f"{host}: {error}"


def _lines(chunk: Chunk) -> list[str]:
    """Return the lines of a chunk that say something, the unfinished one too, without secrets."""
    unfinished, _ = cut(chunk.cursor.partial, b"\n")
    text = redact((chunk.lines + unfinished).decode(errors="replace"))
    return [line for line in text.splitlines() if line.strip()]


def _verdict(name: str, host: str, look: Look | None, now: float) -> Verdict:
    if look is None:
        text = "could not be judged; the log of trainstatus says why"
        return Verdict(name, host, UNKNOWN, "unknown", text)
    state = look.watch.state
    ending = ending_of(state)
    word = str(ending) if ending is not None else str(state.phase)
    learning = learns(state)
    process = state.process.text
    seen = Verdict(name, host, UNKNOWN, "unknown", look.trouble, state.iteration, state.total, state.line_at, look.skew)
    if look.trouble:
        return seen
    firing = [i for i in look.watch.active if i.state is IncidentState.FIRING and i.kind not in _UNSEEN]
    status = max((_STATUS[incident.severity] for incident in firing), default=0)
    at = _unrecognised(look.watch) if state.iteration is None else progress(state.iteration, state.total)
    parts = [*(_said(incident, now) for incident in firing), *(() if firing else (LEARNING if learning else word,)), at]
    if state.line_at is not None and ending is None:
        parts.append(f"last line {duration(now - state.line_at)} ago")
    if process:
        parts.append(f"its process is {process}")
    if abs(look.skew) >= _SKEW:
        parts.append(f"the clock of {host} is {duration(abs(look.skew))} {'ahead' if look.skew > 0 else 'behind'}")
    return replace(seen, status=status, state=word, text=", ".join(parts), learning=learning, process=process)


def _unrecognised(watch: Watch) -> str:
    """Say that no line told progress; of a format of one's own, which may be wrong, how many lines were read."""
    if isinstance(watch.format, str) or not watch.unrecognised:
        return "no progress line yet"
    return f"format {watch.format[0].name} matches none of {counted(watch.unrecognised, 'line')}"


def _said(incident: Incident, now: float) -> str:
    text = incident.facts.get("text")
    why = f" ({text})" if text else ""
    return f"{KINDS[incident.kind].word} for {duration(now - incident.starts_at)}{why}"
