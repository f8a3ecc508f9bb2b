"""What is said of each kind of incident: one function for each sentence, and the tables that choose it."""

from __future__ import annotations

from collections.abc import Callable

from monitor_core.incident.lifecycle import UNWATCHED
from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import KINDS, Incident, Kind, Phase, Severity
from monitor_core.model.message import Strong, Text, Time, TimeStyle
from monitor_core.parse.signatures import describe
from monitor_core.units import NBSP, count, duration, seconds_per_iteration, significant
from monitor_core.units import ratio as ratio_text

_RUNS_SHOWN = 10
# The cause of an ending that only the exit code tells of.
_EXIT = "exit_code"
_ERROR = 200


Sentence = Callable[[Incident, Scene, float], Text]


def sentence(incident: Incident, scene: Scene, now: float) -> Text:
    """Return the one or two sentences that say what holds, since when, where, and what was expected."""
    if incident.active or KINDS[incident.kind].once:
        return _FIRING[incident.kind](incident, scene, now)
    if incident.said("closed_by") == UNWATCHED:
        return (Strong(("No longer watched since ", Time(incident.ended_at))), f"{_on(scene)}.")
    return _RESOLVED[incident.kind](incident, scene, now)


def plain(text: Text) -> Text:
    """Return the text without emphasis."""
    return tuple(inner for span in text for inner in (span.spans if isinstance(span, Strong) else (span,)))


def _on(scene: Scene) -> str:
    return f" on {scene.host}" if scene.host else ""


_SILENT_IN = {
    Phase.STARTING: "No first line since ",
    Phase.CHECKPOINTING: "No end of the checkpoint since ",
    Phase.EVALUATING: "No end of the evaluation since ",
}


def _stuck(incident: Incident, scene: Scene, now: float) -> Text:
    phase = incident.said("phase")
    began = next((words for known, words in _SILENT_IN.items() if known == phase), "No new line since ")
    expected, limit = incident.figure("expected"), passed_limit(incident) or 0.0
    due = f"One was due every {gap(expected)}; the" if expected and phase == Phase.TRAINING else "The"
    return (Strong((began, Time(incident.starts_at))), f"{_on(scene)}. {due} limit is {duration(limit)}.")


def passed_limit(incident: Incident) -> float | None:
    """Return the limit that was passed: that of its severity."""
    critical = incident.figure("limit_critical") if incident.severity is Severity.CRITICAL else None
    return critical or incident.figure("limit")


def gap(seconds: float) -> str:
    """Write the gap in which a line is due."""
    return duration(seconds) if seconds >= 10 else f"{significant(seconds, 2)}{NBSP}s"  # noqa: PLR2004 whole seconds suffice


def _slow(incident: Incident, scene: Scene, now: float) -> Text:
    factor, limit = incident.figure("factor") or 1.0, passed_limit(incident) or 1.0
    since = incident.counter("since_iteration")
    from_ms, to_ms = incident.figure("usual_ms") or 0.0, incident.figure("now_ms") or 0.0
    began = f" since iteration {count(since)}" if since is not None else ""
    pace = f"{seconds_per_iteration(from_ms)} → {seconds_per_iteration(to_ms)}{NBSP}s per iteration"
    return (
        Strong((f"Takes {ratio_text(factor)} as long{began}",)),
        " at ",
        Time(incident.starts_at),
        f"{_on(scene)}: {pace}. The limit is {ratio_text(limit)}.",
    )


def _finished(incident: Incident, scene: Scene, now: float) -> Text:
    at = Time(incident.starts_at, TimeStyle.MINUTES)
    seen = "exit code 0" if incident.said("cause") == _EXIT else "end marker seen"
    return (Strong((f"{_iterations(incident)}, ended ", at)), f"{_on(scene)}: {seen}.")


def _iterations(incident: Incident) -> str:
    iteration, total = incident.counter("iteration"), incident.counter("total")
    if iteration is None:
        return f"0{NBSP}iterations"
    done = count(iteration) if total is None else f"{count(iteration)} / {count(total)}"
    return f"{done}{NBSP}iterations"


def _stopped(incident: Incident, scene: Scene, now: float) -> Text:
    at = Time(incident.starts_at, TimeStyle.MINUTES)
    name = incident.said("cause")
    said = incident.said("text").strip("[]. ") if name in {"", _EXIT} else describe(name)
    if name == _EXIT:
        return (Strong((f"Ended after {_iterations(incident)}, ", at)), f"{_on(scene)}: {said}, no end marker.")
    return (Strong((f"Stopped as planned after {_iterations(incident)}, ", at)), f"{_on(scene)}: {said}.")


def _failed(incident: Incident, scene: Scene, now: float) -> Text:
    rank = incident.said("rank")
    name = incident.said("cause")
    cause = (incident.said("text") if name == _EXIT else describe(name)) + (f" on rank {rank}" if rank else "")
    return (
        Strong((cause[:1].upper() + cause[1:],)),
        f"{_on(scene)} at ",
        Time(incident.starts_at),
        ". No progress line came after it.",
    )


def _unreachable(incident: Incident, scene: Scene, now: float) -> Text:
    tries = incident.counter("failures") or 0
    return (
        Strong((f"SSH gave no answer {tries} times; last answer ", Time(incident.starts_at))),
        f" from {_host(scene)}: {scene.error or incident.said('error')}. {_unknown(scene)}",
    )


def _host_key(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong(("Another host key since ", Time(incident.starts_at))),
        f" from {_host(scene)}; it was not accepted. {scene.error or incident.said('error')} {_unknown(scene)}",
    )


def _host(scene: Scene) -> str:
    """Return the host with its address, unless its error names that anyway."""
    named = scene.address in {"", scene.host} or scene.address in scene.error
    return scene.host if named else f"{scene.host} ({scene.address})"


def _unknown(scene: Scene) -> str:
    number = len(scene.runs)
    runs = f"Its {number}{NBSP}runs are" if number != 1 else "Its run is"
    return f"{runs} unknown, not stuck: I cannot see {'their logs' if number != 1 else 'its log'}."


def _no_log(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong(("No log to read since ", Time(incident.starts_at))),
        f"{_on(scene)}: {incident.said('error')} The run is unknown, not stuck.",
    )


def _monitor_error(incident: Incident, scene: Scene, now: float) -> Text:
    return (Strong((f"{incident.said('what')} since ", Time(incident.starts_at))), f": {incident.said('error')}")


def _test(incident: Incident, scene: Scene, now: float) -> Text:
    asked = f" asked for by {incident.said('by')} at "
    return (
        Strong(("This is a test,",)),
        asked,
        Time(incident.starts_at),
        ". Nothing is wrong.",
    )


def _again(words: str) -> Sentence:
    def say(incident: Incident, scene: Scene, now: float) -> Text:
        closed_by = incident.said("closed_by")
        if closed_by:
            return (
                Strong((f"Over, since the run is {KINDS[Kind(closed_by)].word}: ", Time(incident.ended_at))),
                _on(scene),
                ".",
            )
        return (Strong((words, Time(incident.ended_at))), f"{_on(scene)}.")

    return say


def _back_to_pace(incident: Incident, scene: Scene, now: float) -> Text:
    if incident.said("closed_by") or scene.ms is None:
        return _again("Over since ")(incident, scene, now)
    pace = f"Back to {seconds_per_iteration(scene.ms)}{NBSP}s per iteration since "
    return (Strong((pace, Time(incident.ended_at))), f"{_on(scene)}.")


def _answers(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong((f"{scene.host} answers again since ", Time(incident.ended_at))),
        ". Its logs are read from where I stopped.",
    )


_FIRING: dict[Kind, Sentence] = {
    Kind.STUCK: _stuck,
    Kind.SLOW: _slow,
    Kind.FINISHED: _finished,
    Kind.STOPPED: _stopped,
    Kind.FAILED: _failed,
    Kind.UNREACHABLE: _unreachable,
    Kind.HOST_KEY: _host_key,
    Kind.LOG_MISSING: _no_log,
    Kind.LOG_UNREADABLE: _no_log,
    Kind.MONITOR_ERROR: _monitor_error,
    Kind.TEST: _test,
}
_RESOLVED: dict[Kind, Sentence] = {
    Kind.STUCK: _again("New lines again since "),
    Kind.SLOW: _back_to_pace,
    Kind.UNREACHABLE: _answers,
    Kind.HOST_KEY: _answers,
    Kind.LOG_MISSING: _again("The log can be read again since "),
    Kind.LOG_UNREADABLE: _again("The log can be read again since "),
    Kind.MONITOR_ERROR: _again("Over since "),
}
