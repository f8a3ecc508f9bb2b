"""How long a healthy run may be silent, by what it is doing."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.incidents import Phase
from monitor_core.thresholds import Value, Values
from monitor_core.track.pauses import Pause
from monitor_core.track.state import RunState

# What a run does when its iteration is a multiple of a setting; the start of an evaluation has no marker, and that of a
# checkpoint may be in another rank's log.
_DUE = {"eval_interval": Phase.EVALUATING, "save_interval": Phase.CHECKPOINTING}

# In stuck_floors, for the default floor of 120 s: 1800 s without a word until the first iteration (torch and FlagScale
# wait as long) and 7200 s in all (DLRover), 900 s in a checkpoint (DLRover) or an evaluation.
_STARTING_FLOORS = 15.0
_STARTING_FLOORS_IN_ALL = 60.0
_PAUSE_FLOORS = 7.5
_CRITICAL_FLOORS = 5.0
# The default ratios, 5 to 2: holds where one threshold is a ratio and the other a duration.
_GROWTH = 2.5
# A pause may last three times as long as the longest of its kind before it counts as silence.
_PAUSE_FACTOR = 3.0
# What no line marks may last twice as long as the longest of its kind before.
_UNMARKED_FACTOR = 2.0
# Where lines come in blocks, the next one may take half as long again as the longest before.
_BLOCK_FACTOR = 1.5
# A run that does not work for three times as long as it pauses does not pause: it stalls.
_WORK = 3.0
# A silence counts as a pause once it has lasted for such a part of what would be too long, and so many usual gaps.
_PART, _LONG = 0.5, 1.5
# A run whose lines come so much later now and then may have lines that come still later: twice as late as the latest
# that was not told, and as many gaps as are critical.
_UNEVEN = 1.25


@dataclass(frozen=True, slots=True)
class Limits:
    """From `since` on (our clock), silence longer than `warning` or `critical` (seconds) is judged.

    `expected` is the gap in which a line was due, in seconds, where it is known.
    """

    since: float
    warning: float
    critical: float
    expected: float | None


def patience(values: Values) -> float:
    """Return how many seconds of silence are never too long, whatever a run does."""
    floor, warning = values["stuck_floor"], values["stuck"]
    if floor is None or warning is None:
        return 0.0
    return min(floor.amount, warning.amount) if warning.is_duration else floor.amount


def silence_limits(state: RunState, values: Values) -> Limits | None:
    """Return the limits that hold in the run's phase; None where silence says nothing."""
    floor = values["stuck_floor"]
    warning, critical = values["stuck"], values["stuck_critical"]
    if floor is None or warning is None or critical is None or state.alive_at is None or state.end.reached:
        return None
    usual, lag = state.gap, state.silence.lag
    if not state.started or not state.rhythm or usual is None:
        return _starting(state, state.alive_at, warning, critical, floor.amount)
    held_back = _held_back(state, floor.amount)
    pause = max(_pause(state, floor.amount), _unmarked(state, warning))
    limit = max(_limit(warning, usual, max(floor.amount, held_back)), pause, _uneven(state, warning, critical, usual))
    longer = limit if warning.is_duration and not critical.is_duration else max(pause, _BLOCK_FACTOR * lag)
    worse = max(_limit(critical, usual, _CRITICAL_FLOORS * floor.amount), longer * _growth(warning, critical), limit)
    return Limits(since=state.alive_at, warning=limit, critical=worse, expected=usual)


def _starting(state: RunState, since: float, warning: Value, critical: Value, floor: float) -> Limits:
    """What a run writes before its second line buys it time, though not for ever."""
    written = max(0.0, (state.written_at or since) - since)
    due = _limit(warning, state.gap or 0.0, 0.0) if state.started else 0.0
    limit = max(due, min(written + _STARTING_FLOORS * floor, _STARTING_FLOORS_IN_ALL * floor))
    return Limits(since=since, warning=limit, critical=limit * _growth(warning, critical), expected=None)


def follow(state: RunState, values: Values, _at: float) -> None:
    """Learn from the gap before the last progress line, if it was long: a pause that no line marked.

    What was long enough to be critical was a stall, and so was what came soon after the pause before it.
    """
    floor, warning, critical = values["stuck_floor"], values["stuck"], values["stuck_critical"]
    if floor is None or warning is None or critical is None or state.iteration is None:
        return
    silence, pauses = state.silence, state.silence.pauses
    usual, gap, held_back = silence.usual_gap or 0.0, silence.last_gap or 0.0, _held_back(state, floor.amount)
    limit = max(_limit(warning, usual, floor.amount), held_back)
    if state.warm and gap > max(held_back, _UNEVEN * usual):
        if gap < limit:
            pauses.longest_short = max(pauses.longest_short, gap)
        if max(_PART * limit, _LONG * usual) < gap < _limit(critical, usual, _CRITICAL_FLOORS * floor.amount):
            _end_of_pause(state, gap, usual)
    pauses.foresee(state.iteration, state.step)


def _end_of_pause(state: RunState, gap: float, usual: float) -> None:
    before = (state.iteration or 0) - state.step
    pauses = state.silence.pauses
    began = pauses.last or state.launch_iteration or 0
    worked = (before - began) / state.step * usual
    pauses.end(Pause(before, gap), regular=worked >= _WORK * gap)


def _held_back(state: RunState, floor: float) -> float:
    """Return for how long the newest line may be all there is to see, where a log is written in blocks."""
    return _BLOCK_FACTOR * max(state.silence.lag, min(state.silence.block, _STARTING_FLOORS * floor))


def _unmarked(state: RunState, warning: Value) -> float:
    """Return how long a pause may last that came after such iterations before; 0 if none is to be expected."""
    silence = state.silence
    return 0.0 if silence.odd_gap or warning.is_duration else _UNMARKED_FACTOR * silence.pauses.foreseen


def _uneven(state: RunState, warning: Value, critical: Value, usual: float) -> float:
    """Return how long a line may be waited for at any time, where some came late already though not too late."""
    longest = state.silence.pauses.longest_short
    if warning.is_duration or not longest:
        return 0.0
    return max(_UNMARKED_FACTOR * longest, _growth(warning, critical) * warning.amount * usual)


def _limit(value: Value, usual: float, least: float) -> float:
    return value.amount if value.is_duration else max(least, value.amount * usual)


def _growth(warning: Value, critical: Value) -> float:
    """Return how many times the warning's limit the critical one is, where that is not a ratio to the usual gap."""
    if warning.is_duration == critical.is_duration:
        return max(1.0, critical.amount / warning.amount)
    return _GROWTH


def _pause(state: RunState, floor: float) -> float:
    """Return how long a pause that is known to go on, or known to come after this iteration, may last; 0 for none."""
    phases = [p for name, p in _DUE.items() if state.phase is p or _is_due(state, state.settings.get(name, 0))]
    longest = (_PAUSE_FACTOR * state.silence.longest.get(phase, 0.0) for phase in phases)
    return max((max(_PAUSE_FLOORS * floor, pause) for pause in longest), default=0.0)


def _is_due(state: RunState, every: int) -> bool:
    return every > 0 and not state.silence.odd_gap and bool(state.iteration) and (state.iteration or 0) % every == 0
