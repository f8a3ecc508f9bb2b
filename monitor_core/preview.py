"""What thresholds would have done: stored records go through the same detectors again, with other values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor_core.incident.catalogue import MEANINGS, UNFOUND
from monitor_core.model.effect import Firings, KindEffect, Stall
from monitor_core.model.incidents import KINDS, UNSEEN, Incident, Kind, Severity, Subject, SubjectKind
from monitor_core.model.records import Point
from monitor_core.thresholds import Preset, Values
from monitor_core.track import memory
from monitor_core.track.marks import Mark, Marks, Said, What, before
from monitor_core.track.pace import remember
from monitor_core.track.silence import Silence
from monitor_core.track.state import RunState
from monitor_core.watch import Watch

_CRITICAL = "_critical"
# Judged by more than the progress of a run: what was told of it, whether its log could be read, its processes.
_BEYOND_RECORDS = UNSEEN | UNFOUND | {Kind.FLAPPING, Kind.NOT_EXITING}


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored of a run: its newest lines, oldest first, its state, and the rules by which it is judged.

    Its state knows what came after the last line, and until when somebody looked.
    """

    run: str
    preset: Preset
    points: Sequence[Point]
    state: RunState

    @property
    def until(self) -> float:
        """Return until when it is known what the run did."""
        return self.state.seen_at or self.points[-1].at

    @property
    def whole(self) -> bool:
        """Whether the lines begin with a launch, so that nothing before them matters."""
        return self.points[0].first

    @property
    def first_launch(self) -> bool:
        """Whether the lines begin with the first launch, so that nothing was known before them."""
        return self.whole and sum(point.first for point in self.points) >= self.state.launches


def kinds_of(threshold: str) -> tuple[Kind, ...]:
    """Return the kinds that a threshold decides and that records can tell of."""
    return tuple(
        kind
        for kind, meaning in MEANINGS.items()
        if threshold in meaning.thresholds and KINDS[kind].subject is SubjectKind.RUN and kind not in _BEYOND_RECORDS
    )


def decides(threshold: str, incident: Incident) -> bool:
    """Whether an incident is one that a threshold made: that of a critical level makes what has become so."""
    names = MEANINGS[incident.kind].thresholds
    return threshold in names and (not threshold.endswith(_CRITICAL) or incident.severity is Severity.CRITICAL)


def judged(past: Past, values: Values) -> list[Incident]:
    """Return the incidents that would have fired with these thresholds, in the order of their ends."""
    watch = Watch(Subject(SubjectKind.RUN, past.run), values, past.preset, state=_beginning(past))
    watch.state.announces_end = past.state.announces_end
    said = watch.state.marks.said
    for place, point in enumerate(past.points):
        marks = before(point.before, point.at) if place or past.whole else []
        _mark(watch, marks)
        said = next((Said.read(mark.value) for mark in marks if mark.what == What.SAID), said)
        watch.state.read_at = point.at
        watch.take(said.line(point, past.state.total), point.at)
    _mark(watch, past.state.marks.kept)
    watch.look(past.until)
    return [incident for incident in (*watch.closed, *watch.active) if incident.fired_at is not None]


def compare(
    threshold: str,
    since: float,
    until: float,
    now: Iterable[Incident],
    then: Iterable[Incident],
    real: Iterable[Incident],
) -> tuple[KindEffect, ...]:
    """Return what a new value of a threshold does to each kind: incidents `now` and `then`, and those that were real.

    Only what fired from `since` on counts.
    """
    held, other, known = (
        [incident for incident in found if decides(threshold, incident) and (incident.fired_at or 0.0) >= since]
        for found in (now, then, real)
    )
    return tuple(
        KindEffect(
            kind,
            _firings(kind, held, until),
            _firings(kind, other, until),
            tuple(_stall(threshold, one, other, until) for one in known if one.kind is kind),
        )
        for kind in kinds_of(threshold)
    )


def _beginning(past: Past) -> RunState:
    """What was learned before the lines begin is taken from what is known now."""
    if past.first_launch:
        return RunState()
    # The watch changes what it is given.
    known = memory.load(memory.dump(past.state))
    known.silence.pauses.last = None
    silence = Silence(longest=known.silence.longest, pauses=known.silence.pauses, lags=known.silence.lags)
    return RunState(settings=known.settings, silence=silence, marks=Marks(said=known.marks.said))


def _mark(watch: Watch, marks: Iterable[Mark]) -> None:
    for mark in marks:
        record = mark.record
        if record is not None:
            watch.state.read_at = mark.at
            watch.take(record, mark.at)
        elif mark.what != What.SAID:
            watch.look(mark.at, mark.at if mark.what == What.WRITTEN else None)
            _tell(watch, mark)


def _tell(watch: Watch, mark: Mark) -> None:
    state = watch.state
    if mark.what == What.LOOKED:
        state.clock.at = float(mark.value)
    elif mark.what == What.LAG:
        remember(state.silence.lags, float(mark.value))
    elif mark.what == What.BLOCK:
        state.silence.block = float(mark.value)
    elif mark.what == What.QUEUED:
        state.alive_at = mark.at
    elif mark.what == What.EXIT:
        state.exit(int(mark.value), mark.at)
        watch.look(mark.at)


def _firings(kind: Kind, incidents: Iterable[Incident], until: float) -> Firings:
    lasted = [_ended(one, until) - (one.fired_at or 0.0) for one in incidents if one.kind is kind]
    return Firings(len(lasted), sum(lasted))


def _stall(threshold: str, real: Incident, then: Iterable[Incident], until: float) -> Stall:
    """A trouble that another value finds in time is the same one, told at another moment."""
    begins, ends = real.starts_at, _ended(real, until)
    alike = ((one.fired_at or 0.0, _ended(one, until)) for one in then if one.kind is real.kind)
    same = [fired_at for fired_at, ended_at in alike if fired_at <= ends and ended_at >= begins]
    if not same:
        return Stall(real.number, missed=True)
    # When it became critical is not kept.
    later = None if threshold.endswith(_CRITICAL) else min(same) - (real.fired_at or 0.0)
    return Stall(real.number, missed=False, later=later)


def _ended(incident: Incident, until: float) -> float:
    return until if incident.ends_at is None else incident.ends_at
