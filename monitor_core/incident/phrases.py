"""Words that the sentences of several kinds share."""

from __future__ import annotations

from collections.abc import Sequence

from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import KINDS, Incident, Kind
from monitor_core.model.message import Strong, Text, Time
from monitor_core.model.words import taken_up
from monitor_core.parse.signatures import EXIT_CODE, describe
from monitor_core.units import NBSP, duration

# Names and sentences from outside that a message of a phone's width can hold.
_NAME, _ERROR = 24, 72


def on(scene: Scene) -> str:
    """Return where it is: ` on gpu-07`; empty where no host is meant."""
    return f" on {scene.host}" if scene.host else ""


def short_name(name: str, limit: int = _NAME) -> str:
    """Cut the middle out of a long name: `moe-16x3b…seed3`."""
    if len(name) <= limit:
        return name
    head = (limit - 1) // 2 + (limit - 1) % 2
    return f"{name[:head]}…{name[-(limit - 1 - head) :]}"


def first_sentence(text: str) -> str:
    """Return the first sentence of what somebody else said, without its full stop, cut between words if it is long."""
    first = text.split(". ", 1)[0].rstrip(". ")
    if len(first) <= _ERROR:
        return first
    head = first[:_ERROR]
    return f"{head.rpartition(' ')[0] or head}…"


def cause(incident: Incident) -> str:
    """Return what the cause of an ending means, in lower case."""
    name, code = incident.said("cause"), incident.counter("exit_code")
    return incident.said("text") if name == EXIT_CODE and code is None else describe(name, code)


def advice(text: str) -> str:
    """Return what is said beyond the first sentence: what to do."""
    return text.partition(". ")[2].rstrip(". ")


def several(number: int, one: str, many: str = "") -> str:
    """Write `1 run`, `6 runs`, with a space that does not break; `many` where it is not made with an s."""
    return f"{number}{NBSP}{one if number == 1 else many or one + 's'}"


def named(names: Sequence[str], shown: int) -> str:
    """Write the first names of a list and how many there are more."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")


def lasts(incident: Incident, now: float) -> str:
    """Return for how long it has held, or held."""
    return duration((incident.ends_at if incident.ends_at is not None else now) - incident.starts_at)


def ended_with(incident: Incident, scene: Scene) -> Text:
    """Return what is said of a trouble that an ending closed; empty if none did."""
    closed_by = incident.said("closed_by")
    if not closed_by:
        return ()
    words = f"Over, since the run is {KINDS[Kind(closed_by)].word}: "
    return (Strong((words, Time(incident.ended_at))), f"{on(scene)}.")


def again(incident: Incident, scene: Scene, words: str) -> Text:
    """Return `words` with when it ended, and the launch that ended it: `New lines again` since 10:46:10 on gpu-07."""
    launched = scene.launched_at is not None and incident.starts_at <= scene.launched_at <= incident.ended_at
    how = taken_up(scene.resumed, scene.redone) if launched else ""
    tail = f"{on(scene)}: {how}." if how else f"{on(scene)}."
    return ended_with(incident, scene) or (Strong((f"{words} since ", Time(incident.ended_at))), tail)
