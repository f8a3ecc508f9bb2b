"""What is said of the GPUs and disks of a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor_core.incident import lines
from monitor_core.incident.phrases import again, first_sentence, lasts, on, several
from monitor_core.incident.scene import Scene
from monitor_core.incident.speech import Sentence, Speech, each
from monitor_core.model.incidents import Incident, Kind
from monitor_core.model.message import Fact, Strong, Text, Time
from monitor_core.units import NBSP, count, size


def _gpu(incident: Incident) -> str:
    index = incident.said("gpu")
    return f"GPU {index}" if index else "A GPU"


def _since(words: str, incident: Incident, scene: Scene, rest: str) -> Text:
    return (Strong((f"{words} since ", Time(incident.starts_at))), f"{on(scene)}: {rest}")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _limit(incident: Incident, write: Callable[[float], str]) -> str:
    limit = incident.figure("limit")
    return "" if limit is None else f" The limit is {write(limit)}."


def _lost(incident: Incident, scene: Scene, now: float) -> Text:
    seen, gpus = incident.counter("seen") or 0, incident.counter("gpus") or 0
    error = incident.said("error")
    said = f" It says: {first_sentence(error)}." if error else ""
    return _since(f"{_gpu(incident)} is gone", incident, scene, f"the driver sees {seen} of {gpus}.{said}")


def _missing(incident: Incident, now: float) -> str:
    seen, gpus = incident.counter("seen") or 0, incident.counter("gpus") or 0
    return f"{gpus - seen} of {gpus}"


def _idle(incident: Incident, scene: Scene, now: float) -> Text:
    rest = f"{_percent(incident.figure('busy') or 0.0)} busy.{_limit(incident, _percent)}"
    return _since(f"{_gpu(incident)} does nothing", incident, scene, rest)


def _spins(incident: Incident, scene: Scene, now: float) -> Text:
    watts, usual = incident.figure("watts") or 0.0, incident.figure("usual_watts") or 0.0
    power = f" at {_percent(watts / usual)} of its usual power" if usual else ""
    rest = f"{_percent(incident.figure('busy') or 0.0)} busy{power}, as while it waits for others."
    return _since(f"{_gpu(incident)} spins", incident, scene, rest)


def _power(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    watts, usual = incident.figure("watts"), incident.figure("usual_watts")
    if watts is None:
        return []
    return [Fact("Power", (f"{watts:.0f}{NBSP}W" + ("" if usual is None else f", usually {usual:.0f}{NBSP}W"),))]


def _throttled(incident: Incident, scene: Scene, now: float) -> Text:
    clock, full = incident.counter("clock_mhz") or 0, incident.counter("full_mhz") or 0
    why = incident.said("reason") or "the driver does not say why"
    return _since(
        f"{_gpu(incident)} is throttled", incident, scene, f"{count(clock)} of {count(full)}{NBSP}MHz, {why}."
    )


def _clock(incident: Incident, now: float) -> str:
    clock, full = incident.figure("clock_mhz"), incident.figure("full_mhz")
    return "" if clock is None or not full else f"to {_percent(clock / full)}"


def _temperature(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    celsius = incident.counter("celsius")
    return [] if celsius is None else [Fact("Temperature", (f"{celsius}{NBSP}°C",))]


def _memory_errors(incident: Incident, scene: Scene, now: float) -> Text:
    errors, what = incident.counter("errors") or 0, incident.said("what") or "memory errors"
    return _since(f"Memory of {_gpu(incident)} fails", incident, scene, f"{count(errors)} {what}.")


def _errors(incident: Incident, now: float) -> str:
    return several(incident.counter("errors") or 0, "error")


def _imbalance(incident: Incident, scene: Scene, now: float) -> Text:
    what, unit = incident.said("what") or "power", incident.said("unit")
    value, others = incident.figure("value") or 0.0, incident.figure("others") or 0.0
    rest = f"{what} {value:,.0f}{NBSP}{unit}, the others {others:,.0f}{NBSP}{unit}.{_limit(incident, _apart)}"
    return _since(f"{_gpu(incident)} differs from the others", incident, scene, rest)


def _apart(share: float) -> str:
    return f"{_percent(share)} apart"


def _apart_now(incident: Incident, now: float) -> str:
    value, others = incident.figure("value"), incident.figure("others")
    return "" if value is None or not others else _percent(abs(value / others - 1))


def _xid(incident: Incident, scene: Scene, now: float) -> Text:
    code, meaning = incident.said("xid"), incident.said("meaning")
    return (
        Strong((f"Xid {code} of {_gpu(incident)} at ", Time(incident.starts_at))),
        f"{on(scene)}" + (f": {meaning}." if meaning else "."),
    )


def _code(incident: Incident, now: float) -> str:
    return incident.said("xid")


def _disk(incident: Incident, scene: Scene, now: float) -> Text:
    free, whole = incident.figure("free") or 0.0, incident.figure("size") or 0.0
    rest = f"{size(free)} of {size(whole)}.{_limit(incident, _percent)}"
    share = f"{100 * free / whole:.1f}%" if whole else "Little"
    return _since(f"{share} of {incident.said('path')} free", incident, scene, rest)


def _share_free(incident: Incident, now: float) -> str:
    free, whole = incident.figure("free"), incident.figure("size")
    return "" if free is None or not whole else f"{int(100 * free / whole)}% free"


def _checkpoints_that_fit(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    each, free = incident.figure("checkpoint_size"), incident.figure("free")
    if not each or free is None:
        return []
    return [Fact("Checkpoints", (f"{size(each)} each, {int(free // each)} more fit",))]


def _resolved(words: Callable[[Incident], str]) -> Sentence:
    def say(incident: Incident, scene: Scene, now: float) -> Text:
        return again(incident, scene, words(incident))

    return say


HARDWARE: Mapping[Kind, Speech] = {
    Kind.GPU_LOST: Speech(
        _lost, _resolved(lambda i: f"All {i.said('gpus')} GPUs are there again"), _missing, each(lines.runs_there)
    ),
    Kind.GPU_IDLE: Speech(_idle, _resolved(lambda i: f"{_gpu(i)} works again"), lasts, each(_power, lines.runs_there)),
    Kind.GPU_SPIN: Speech(_spins, _resolved(lambda i: f"{_gpu(i)} works again"), lasts, each(_power, lines.runs_there)),
    Kind.GPU_THROTTLE: Speech(
        _throttled,
        _resolved(lambda i: f"{_gpu(i)} is not throttled any more"),
        _clock,
        each(_temperature, _power, lines.runs_there),
    ),
    Kind.GPU_ECC: Speech(
        _memory_errors, _resolved(lambda i: f"No new memory error of {_gpu(i)}"), _errors, each(lines.runs_there)
    ),
    Kind.GPU_IMBALANCE: Speech(
        _imbalance,
        _resolved(lambda i: f"{_gpu(i)} is like the others again"),
        _apart_now,
        each(_temperature, lines.runs_there),
    ),
    Kind.GPU_XID: Speech(_xid, _resolved(lambda i: f"No new Xid of {_gpu(i)}"), _code, each(lines.runs_there)),
    Kind.DISK_LOW: Speech(
        _disk,
        _resolved(lambda i: f"There is room on {i.said('path')} again"),
        _share_free,
        each(_checkpoints_that_fit, lines.runs_there),
    ),
}
