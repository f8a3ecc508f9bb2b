"""What is said of a training: that it is stuck, slow, or has ended."""

from __future__ import annotations

from collections.abc import Mapping

from monitor_core.incident import lines
from monitor_core.incident.phrases import again, cause, ended_with, on, several
from monitor_core.incident.scene import Scene
from monitor_core.incident.speech import Speech, each, no_number
from monitor_core.model.incidents import KINDS, Incident, Kind, Phase, Severity
from monitor_core.model.message import Fact, Strong, Text, Time, TimeStyle
from monitor_core.parse.signatures import EXIT_CODE, describe
from monitor_core.track.departure import GONE_AFTER_LAST
from monitor_core.units import NBSP, compact_duration, count, duration, seconds_per_iteration, significant
from monitor_core.units import ratio as ratio_text

_SILENT_IN = {
    Phase.STARTING: "No first line since ",
    Phase.CHECKPOINTING: "No end of the checkpoint since ",
    Phase.EVALUATING: "No end of the evaluation since ",
}
_WHOLE_SECONDS = 10
# A pace that is so near the one before is that pace.
_NEAR = 1.1


def _stuck(incident: Incident, scene: Scene, now: float) -> Text:
    phase = incident.said("phase")
    began = next((words for known, words in _SILENT_IN.items() if known == phase), "No new line since ")
    expected, limit = incident.figure("expected"), passed_limit(incident) or 0.0
    due = f"One was due every {gap(expected)}; the" if expected and phase == Phase.TRAINING else "The"
    return (Strong((began, Time(incident.starts_at))), f"{on(scene)}. {due} limit is {duration(limit)}.")


def passed_limit(incident: Incident) -> float | None:
    """Return the limit that was passed: that of its severity."""
    critical = incident.figure("limit_critical") if incident.severity is Severity.CRITICAL else None
    return critical or incident.figure("limit")


def gap(seconds: float) -> str:
    """Write the gap in which a line is due."""
    return duration(seconds) if seconds >= _WHOLE_SECONDS else f"{significant(seconds, 2)}{NBSP}s"


def _lines_again(incident: Incident, scene: Scene, now: float) -> Text:
    return again(incident, scene, "New lines again")


# What is said of a slowdown that did not begin all at once.
_SLOW_BY = {
    "drift": "Little by little takes {} as long",
    "relaunch": "Takes {} as long as the launch before,",
}


def _slow(incident: Incident, scene: Scene, now: float) -> Text:
    factor, limit = incident.figure("factor") or 1.0, passed_limit(incident) or 1.0
    since = incident.counter("since_iteration")
    from_ms, to_ms = incident.figure("usual_ms") or 0.0, incident.figure("now_ms") or 0.0
    began = f" since iteration {count(since)}" if since is not None else ""
    slow = _SLOW_BY.get(incident.said("how"), "Takes {} as long").format(ratio_text(factor))
    pace = f"{seconds_per_iteration(from_ms)} → {seconds_per_iteration(to_ms)}{NBSP}s per iteration"
    pace += ", by the times of its lines" if incident.facts.get("derived") else ""
    return (
        Strong((f"{slow}{began}",)),
        " at ",
        Time(incident.starts_at),
        f"{on(scene)}: {pace}. The limit is {ratio_text(limit)}.",
    )


def _back_to_pace(incident: Incident, scene: Scene, now: float) -> Text:
    if scene.ms is None:
        return again(incident, scene, "Over")
    kept = incident.said("how") == "relaunch" and scene.ms > (incident.figure("usual_ms") or 0.0) * _NEAR
    words = "Taken for usual in this launch: {}" if kept else "Back to {}"
    return again(incident, scene, words.format(f"{seconds_per_iteration(scene.ms)}{NBSP}s per iteration"))


def worst_factor(incident: Incident, now: float) -> str:
    """Return how many times the usual it is, or was at its worst."""
    factor = incident.figure("factor" if incident.active else "worst")
    return "" if factor is None else ratio_text(factor)


def _finished(incident: Incident, scene: Scene, now: float) -> Text:
    at = Time(incident.starts_at, TimeStyle.MINUTES)
    text = incident.said("text")
    seen = (
        "exit code 0" if incident.said("cause") == EXIT_CODE else text if text == GONE_AFTER_LAST else "end marker seen"
    )
    return (Strong((f"{_iterations(incident)}, ended ", at)), f"{on(scene)}: {seen}.")


def _took(incident: Incident, now: float) -> str:
    started = incident.figure("started_at")
    return "" if started is None else f"in {duration(incident.starts_at - started)}"


def _iterations(incident: Incident) -> str:
    iteration, total = incident.counter("iteration"), incident.counter("total")
    if iteration is None:
        return f"0{NBSP}iterations"
    done = count(iteration) if total is None else f"{count(iteration)} / {count(total)}"
    return f"{done}{NBSP}iterations"


def _stopped(incident: Incident, scene: Scene, now: float) -> Text:
    at = Time(incident.starts_at, TimeStyle.MINUTES)
    name, reason = incident.said("cause"), incident.said("reason")
    said = incident.said("text").strip("[]. ") if name in {"", EXIT_CODE} else describe(name)
    if name == EXIT_CODE and not reason:
        return (Strong((f"Ended after {_iterations(incident)}, ", at)), f"{on(scene)}: {said}, no end marker.")
    why = f"{reason} ({said})" if name == EXIT_CODE else reason or said
    return (Strong((f"Stopped after {_iterations(incident)}, ", at)), f"{on(scene)}: {why}.")


def _failed(incident: Incident, scene: Scene, now: float) -> Text:
    rank, code = incident.said("rank"), incident.counter("exit_code")
    words = cause(incident) + (f" on rank {rank}" if rank else "")
    told = incident.said("cause") == EXIT_CODE or code is None
    ended = "No progress line came after it." if told else f"Its process ended with {code}."
    return (
        Strong((words[:1].upper() + words[1:],)),
        f"{_failed_on(incident, scene)} at ",
        Time(incident.starts_at),
        f". {ended}",
    )


def _failed_on(incident: Incident, scene: Scene) -> str:
    """Return the host of the process that failed, where the log names it; else that of the log."""
    host = incident.said("failed_on")
    return f" on {host}" if host else on(scene)


def _raised(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say in which line of the user's own code an exception came up."""
    frame = incident.said("frame")
    return [Fact("Raised", ("at ", frame))] if frame else []


def _not_exiting(incident: Incident, scene: Scene, now: float) -> Text:
    processes, limit = incident.counter("processes"), incident.figure("limit")
    there = "its processes" if processes is None else several(processes, "process", "processes")
    waited = "" if limit is None else f" The limit is {duration(limit)}."
    return (
        Strong(("Ended at ", Time(incident.starts_at), f", but {there} have not exited")),
        f"{on(scene)}.{waited}",
    )


def _processes(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    pids = incident.said("pids")
    return [Fact("Processes", (pids,))] if pids else []


def _gone(incident: Incident, scene: Scene, now: float) -> Text:
    return again(incident, scene, "Its processes are gone")


def _comm_hang(incident: Incident, scene: Scene, now: float) -> Text:
    ranks, arrived = incident.counter("ranks"), incident.counter("arrived")
    operation, missing = incident.said("operation"), incident.said("missing")
    waiting = f"{arrived} of {ranks} are in {operation}" if ranks and arrived is not None else f"in {operation}"
    absent = f"; not there: rank {missing}" if missing else ""
    return (
        Strong(("Ranks wait for each other since ", Time(incident.starts_at))),
        f"{on(scene)}: {waiting}{absent}.",
    )


def _group(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    group, sequence = incident.said("group"), incident.counter("sequence")
    call = [] if sequence is None else [Fact("Call", (f"number {count(sequence)} of the group",))]
    return [*([Fact("Group", (group,))] if group else []), *call]


def _ranks_again(incident: Incident, scene: Scene, now: float) -> Text:
    return again(incident, scene, "No rank waits any more")


_UNITS = {Kind.SLOW: ratio_text, Kind.LOSS_SPIKE: ratio_text}
# Their limit is of another sort than what says how bad they were.
_OTHER_LIMITS = {Kind.LOSS_SPIKE, Kind.LOSS_FLAT, Kind.SKIPPING}


def _flapping(incident: Incident, scene: Scene, now: float) -> Text:
    kind, times = Kind(incident.detail), incident.counter("times") or 0
    worst, limit = incident.figure("worst"), None if kind in _OTHER_LIMITS else incident.figure("limit")
    unit = _UNITS.get(kind, duration)
    up_to = (
        "" if worst is None else f": up to {unit(worst)}" + ("" if limit is None else f", the limit is {unit(limit)}")
    )
    fired = f"{KINDS[kind].word} fired and resolved {times} times since "
    return (Strong((fired, Time(incident.starts_at, TimeStyle.MINUTES))), f"{on(scene)}{up_to}.")


def _held(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    kind, calm = Kind(incident.detail), incident.figure("calm") or 0.0
    found = [
        Fact("Held", (f"its {KINDS[kind].word} warnings; all else still comes",)),
        Fact("Ends", (f"after {duration(calm)} without a change, with one message",)),
    ]
    quiet = _quiet_at(kind, incident.figure("worst"))
    return [*found, Fact("Quiet at", (quiet,))] if quiet else found


def _quiet_at(kind: Kind, worst: float | None) -> str:
    """Return the threshold with which none of it would have been told, somewhat above the worst that was."""
    if worst is None:
        return ""
    ways = {
        Kind.SLOW: f"slow {worst + 0.05:.2f}",
        Kind.STUCK: f"stuck {compact_duration(60 * (worst // 60 + 1))}",
        Kind.LOG_MISSING: f"log_missing {compact_duration(60 * (worst // 60 + 1))}",
        Kind.LOG_UNREADABLE: f"log_missing {compact_duration(60 * (worst // 60 + 1))}",
    }
    return f"threshold {ways[kind]}" if kind in ways else ""


def _calm(incident: Incident, scene: Scene, now: float) -> Text:
    kind, times = Kind(incident.detail), incident.counter("times") or 0
    return ended_with(incident, scene) or (
        Strong((f"{KINDS[kind].word} is calm again since ", Time(incident.ended_at))),
        f"{on(scene)}: it fired and resolved {times} times.",
    )


_PROGRESS = each(lines.iteration, lines.loss, lines.eta, lines.checkpoint)
_RESULT = each(lines.loss, lines.speed, lines.checkpoint)
TRAINING: Mapping[Kind, Speech] = {
    Kind.STUCK: Speech(_stuck, _lines_again, facts=_PROGRESS, lasting=lines.eta, lasted="Silent"),
    Kind.SLOW: Speech(_slow, _back_to_pace, worst_factor, _PROGRESS, lines.eta, "Slow"),
    Kind.FINISHED: Speech(_finished, _finished, _took, _RESULT),
    Kind.STOPPED: Speech(_stopped, _stopped, no_number, each(lines.last_iteration, _RESULT)),
    Kind.FAILED: Speech(
        _failed, _failed, no_number, each(_raised, lines.last_iteration, lines.loss, lines.checkpoint, lines.to_redo)
    ),
    Kind.NOT_EXITING: Speech(_not_exiting, _gone, facts=each(lines.iteration, _processes)),
    Kind.COMM_GROUP: Speech(_comm_hang, _ranks_again, facts=each(_group, lines.iteration, lines.checkpoint)),
    Kind.FLAPPING: Speech(_flapping, _calm, facts=_held),
}
