"""A slowdown that begins with some line and lasts: a one-sided CUSUM on the log of the ratio to the usual time.

After Page (1954): each line adds ln(t / usual) - k, clipped, and the sum may not fall below zero. With k = ln(slow) / 2
a slowdown of the threshold itself is found soonest; with the clip and the limit in units of k, at least seven slow
lines in near succession are needed, so that single spikes and short pauses never alert. A run whose times vary more has
a larger k (`noise`).
"""

from __future__ import annotations

import math

from monitor_core.detect import noise
from monitor_core.track.gauge import Measure
from monitor_core.track.pace import WINDOW, Pace, remember

_ALARM = 14.7
# The baseline stands still while the sum is over a quarter of the alarm: a slowdown must not become the usual.
_FREEZE = 0.25
# It does not stand still for ever: what has not been borne out after so many lines is the usual.
_PATIENCE = 100
# The lines since the onset must bear an alarm out, nearly: about the threshold itself their median scatters.
_NEARLY = 0.9
# Their median must be so many standard errors above the usual.
_ERRORS = 4.0
# So many lines arm the CUSUM; with fewer, six of the last eight lines must be beyond the simple limit.
_ENOUGH = 50
_LAST, _OF_LAST, SIMPLE = 8, 6, 1.15
# Recovery and the critical level are judged over so many lines.
SPAN = 20
# The standard error of a median, to that of a mean.
_OF_MEDIAN = 1.25
_REMEASURED_AFTER = 10
# The sum grows to so many alarms, so that it falls again as soon as the lines do.
_MOST = 1.5


def follow(pace: Pace, measured: Measure, slow: float) -> None:
    """Take a time into account."""
    remember(pace.times, measured.ms)
    pace.lines += 1
    if pace.usual is not None:
        _accumulate(pace, measured, noise.step(pace, slow))
        _judge(pace, slow)
    if pace.firing or (armed(pace) and suspects(pace, slow)):
        return
    pace.accept(measured.ms)
    if pace.lines % _REMEASURED_AFTER == 0:
        noise.measure(pace, slow)


def suspects(pace: Pace, slow: float) -> bool:
    """Whether the last lines look slow."""
    return pace.sum > _FREEZE * _ALARM * noise.step(pace, slow)


def armed(pace: Pace) -> bool:
    """Before so many lines are known, the baseline takes in every line: it must not freeze on the first few."""
    return len(pace.accepted) >= _ENOUGH


def factor(pace: Pace) -> float:
    """Return how many times the usual an iteration takes since the onset, over the last lines at most."""
    assert pace.usual is not None
    return pace.recent(lines(pace)) / pace.usual


def lines(pace: Pace) -> int:
    """Return how many lines the factor is made of."""
    return min(SPAN, max(1, pace.since.lines))


def over(pace: Pace, slow: float) -> bool:
    """Whether a slowdown that was found is over."""
    return (
        pace.usual is None or pace.since.at is None or (pace.since.lines >= SPAN and recovered(pace, pace.usual, slow))
    )


def recovered(pace: Pace, usual: float, slow: float) -> bool:
    """Whether the last lines are back below the midpoint of 1 and the threshold."""
    return pace.recent(SPAN) < usual * (1 + slow) / 2


def _accumulate(pace: Pace, measured: Measure, k: float) -> None:
    assert pace.usual is not None
    ratio = math.log(measured.ms / pace.usual)
    if pace.sum <= 0 < ratio - k and not pace.firing:
        pace.since.begin(measured.at, measured.iteration)
    pace.since.lines += 1
    pace.sum = min(max(0.0, pace.sum + min(ratio, noise.CLIP * k) - k), _MOST * _ALARM * k)


def _judge(pace: Pace, slow: float) -> None:
    if pace.firing:
        pace.firing = not over(pace, slow)
        pace.sum = pace.sum if pace.firing else 0.0
    elif armed(pace):
        pace.firing = pace.sum > _ALARM * noise.step(pace, slow) and _borne_out(pace, slow)
        if not pace.firing and suspects(pace, slow) and pace.since.lines > _PATIENCE:
            pace.sum, pace.accepted = 0.0, [*pace.accepted, *pace.times[-_PATIENCE:]][-WINDOW:]
    else:
        pace.firing = len(pace.times) > _LAST and _simply_slow(pace, slow)


def _borne_out(pace: Pace, slow: float) -> bool:
    """Whether the lines since the onset are slow by themselves, and by more than their number lets them scatter."""
    assert pace.usual is not None
    count = min(len(pace.times), max(1, pace.since.lines))
    ratio = pace.recent(count) / pace.usual
    error = _OF_MEDIAN * pace.noise / math.sqrt(count)
    return math.log(ratio) >= max(_NEARLY * math.log(slow), pace.lean + _ERRORS * error)


def _simply_slow(pace: Pace, slow: float) -> bool:
    assert pace.usual is not None
    limit = max(slow, SIMPLE, math.exp(2 * noise.step(pace, slow))) * pace.usual
    return sum(ms > limit for ms in pace.times[-_LAST:]) >= _OF_LAST
