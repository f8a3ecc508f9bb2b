"""How what a log says changes what is known of its run: record by record, in the order in which they came."""

from __future__ import annotations

from monitor_core.model.incidents import Kind, Phase
from monitor_core.model.records import Detail, Failure, Marker, MarkerKind, Progress, Record, Role
from monitor_core.track.failure import FailureSeen
from monitor_core.track.pace import Pace, sound_ms, took
from monitor_core.track.settings import settings_of
from monitor_core.track.state import RunState

# A first line that tells of no more iterations than this is the first of its training: it tells the log interval, too.
_LONGEST_STEP = 1000
# A line that comes so late after an end marker, in seconds, belongs to a new launch; before that it was printed late.
_PRINTED_LATE = 60.0
# A file that begins to print old iterations so many gaps after the newest line is one of a new launch.
_NEW_FILE = 2.0
_PAUSES = {
    MarkerKind.CHECKPOINT_START: Phase.CHECKPOINTING,
    MarkerKind.EVALUATION: Phase.EVALUATING,
}


def apply(state: RunState, record: Record, at: float, source: str = "", *, healthy: bool = True) -> bool:
    """Take one record into account; return whether it is a progress line that had not been seen.

    `source` is its file. `healthy`: the silence before it was not judged too long, so that it may be learned as usual.
    """
    if isinstance(record, Progress):
        return _take_progress(state, record, at, source, healthy=healthy)
    state.appear(at)
    if isinstance(record, Detail):
        _take_detail(state, record, at)
        return False
    state.marks.note(record, at)
    if isinstance(record, Marker):
        _take_marker(state, record, at)
    else:
        _take_failure(state, record, at, source)
    state.end.sign(at)
    return False


def _take_progress(state: RunState, line: Progress, at: float, source: str, *, healthy: bool) -> bool:
    state.lines += 1
    if _goes_back(state, line, at, state.sources.get(source)):
        state.launch(at)
    state.sources[source] = line.iteration
    if state.started and state.iteration is not None and line.iteration <= state.iteration:
        return False
    if state.launches == 0 or (state.end.at is not None and at - state.end.at > _PRINTED_LATE):
        state.launch(at - took(line, state.step))
    if healthy:
        _learn_pause(state, at)
    state.pace = _pace_of(state, line)
    if state.first_iteration is None:
        state.first_iteration, state.first_launch = line.iteration, state.launches
        state.step = line.iteration if 0 < line.iteration <= _LONGEST_STEP else 1
    if not state.started or state.line_at is None:
        _take_up(state, line)
    else:
        state.step = line.iteration - (state.iteration or 0)
        state.silence.learn_gap(at - (state.alive_at or state.line_at), healthy=healthy)
    _advance(state, line, at)
    _outlive(state, at, source)
    return True


def _goes_back(state: RunState, line: Progress, at: float, last: int | None) -> bool:
    """Whether a line is the first of a new launch, by its number; `last` is that of the one before in its file.

    A file that has told of none yet is another rank's, with what others have printed already, or, much later, that of
    a new launch.
    """
    if last is not None:
        return line.iteration <= last and not _is_copy(state, line, at)
    if not state.started or state.iteration is None or state.line_at is None or state.gap is None:
        return False
    return line.iteration <= state.iteration and at - state.line_at > _NEW_FILE * state.gap


def _is_copy(state: RunState, line: Progress, at: float) -> bool:
    """Whether a line that is one behind is another rank's copy of the line before, and not a new launch."""
    if state.iteration is None or state.line_at is None:
        return False
    return state.iteration - line.iteration <= state.step and at - state.line_at <= (state.gap or 0.0)


def _pace_of(state: RunState, line: Progress) -> Pace:
    """Return the pace that a line is compared with: another setup makes another one."""
    other = line.sequence_length != state.sequence_length or (state.pace.derived and sound_ms(line) is not None)
    if line.batch_size == state.batch_size and not other:
        return state.pace
    if other or not line.batch_size or not state.batch_size:
        return state.pace.renewed()
    return state.pace.scaled(line.batch_size / state.batch_size)


def _take_up(state: RunState, line: Progress) -> None:
    """Note the first line of a launch: what lies before it is no gap."""
    state.launch_iteration, state.silence.last_gap = line.iteration, None
    from_zero = state.first_iteration == 0
    state.relaunch.take_up(line.iteration, state.log_interval, state.checkpoint, from_zero=from_zero)


def _advance(state: RunState, line: Progress, at: float) -> None:
    state.losses.take(line, at, state.covered(line), line.iteration - (state.launch_iteration or 0))
    state.launch_lines += 1
    relaunched = state.launch_lines == 1 and state.launches > 1
    outrun = state.total is not None and line.iteration > state.total
    state.total = line.total or (None if relaunched or outrun else state.total)
    state.iteration, state.batch_size = line.iteration, line.batch_size
    state.sequence_length = line.sequence_length
    state.ms = sound_ms(line) or (state.ms if state.pace.times else None)
    state.loss = state.loss if line.loss is None else line.loss
    state.first_loss = line.loss if state.first_loss is None else state.first_loss
    state.line_at = state.alive_at = at
    state.stuck_since = state.end.pause = None
    state.end.sign(at)
    state.enter(Phase.TRAINING, at)
    state.silence.end_with_line()
    state.pace.measure(line, at, state.step, pause=state.covers_pause)


def _outlive(state: RunState, at: float, source: str) -> None:
    """A run that goes on for long enough after an error has survived it."""
    if state.failure is not None and state.failure.outlived_by(source, at):
        state.failure.outlive(state.read_at)
        if state.failure.forgotten:
            state.failure = None


def _take_detail(state: RunState, detail: Detail, at: float) -> None:
    state.losses.add(detail, at, detail.iteration - (state.launch_iteration or 0))
    if detail.loss is not None:
        state.loss = detail.loss
        state.first_loss = detail.loss if state.first_loss is None else state.first_loss


def _take_marker(state: RunState, marker: Marker, at: float) -> None:
    state.total = state.total or marker.total
    if marker.kind is MarkerKind.SETTING:
        _begin(state, at)
        state.settings |= settings_of([marker])
    elif marker.kind is MarkerKind.REVISED:
        state.forget(at)
    elif marker.kind is MarkerKind.START:
        _begin(state, at)
    elif marker.kind in _PAUSES:
        _pause(state, _PAUSES[marker.kind], at)
    elif marker.kind is MarkerKind.CHECKPOINT_END:
        state.checkpoint, state.checkpoint_at = marker.iteration, at
        _resume(state, Phase.CHECKPOINTING, at)
    elif marker.kind is MarkerKind.EVALUATION_END:
        _learn_interval(state, marker.iteration or 0)
        _resume(state, Phase.EVALUATING, at)
    elif marker.kind is MarkerKind.LAST_ITERATION:
        _end(state, Kind.FINISHED, at, "", marked=False)
    elif marker.kind is MarkerKind.TRAINING_DONE:
        _end(state, Kind.FINISHED, at, marker.text)
    elif marker.kind is MarkerKind.EXITING:
        done = state.total is not None and state.iteration is not None and state.iteration >= state.total
        _end(state, Kind.FINISHED if done else Kind.STOPPED, at, marker.text)


def _begin(state: RunState, at: float) -> None:
    """A start-up line came: a new launch, unless this one has neither printed progress yet nor ended."""
    over = state.end.at is not None or (state.failure is not None and state.failure.final)
    if state.started or over:
        state.launch(at)


def _pause(state: RunState, phase: Phase, at: float) -> None:
    state.end.pause = phase if state.end.kind is not None else None
    if state.phase is not phase:
        _learn_pause(state, at)
        state.enter(phase, at)
    state.alive_at = at
    state.silence.odd_gap = True


def _learn_pause(state: RunState, at: float) -> None:
    """A pause whose end has no marker is over with what comes next."""
    if state.phase in _PAUSES.values() and state.phase_at is not None:
        state.silence.learn_pause(state.phase, at - state.phase_at)


def _resume(state: RunState, phase: Phase, at: float) -> None:
    state.end.pause = None
    began = state.phase_at if state.phase is phase else state.alive_at
    if began is not None:
        state.silence.learn_pause(phase, at - began)
    state.alive_at = at
    state.silence.odd_gap = True
    if state.failure is not None:
        state.failure.outlive(state.read_at)
    state.enter(Phase.TRAINING if state.started else Phase.STARTING, at)


def _learn_interval(state: RunState, iteration: int) -> None:
    """The start of an evaluation has no marker, but the next one is due after as many iterations as this one."""
    interval = iteration - state.evaluated
    if interval > 0:
        state.settings["eval_interval"] = min(interval, state.settings.get("eval_interval", interval))
        state.evaluated = iteration


def _end(state: RunState, kind: Kind, at: float, text: str, *, marked: bool = True) -> None:
    if state.end.announce(kind, at, text, marked=marked):
        state.enter(Phase.ENDING, at)


def _take_failure(state: RunState, failure: Failure, at: float, source: str) -> None:
    if failure.role is Role.CONTEXT:
        return
    seen = FailureSeen.of(failure, at, state.iteration, source, first=state.end.kind is None)
    state.failure = seen if state.failure is None else state.failure.followed_by(seen)
