"""What is said of each kind of incident: its sentence, its facts, its excerpt. Data first, one function a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor_core.incident.excerpt import shorten
from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import ENDINGS, KINDS, Incident, Kind, Phase, Severity
from monitor_core.model.message import Fact, Person, Strong, Text, Time, TimeStyle
from monitor_core.parse.signatures import describe
from monitor_core.units import NBSP, count, duration, progress, seconds_per_iteration, significant
from monitor_core.units import ratio as ratio_text

_RUNS_SHOWN = 10
# The cause of an ending that only the exit code tells of.
_EXIT = "exit_code"
_ERROR = 200


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Log lines worth showing, and what they are."""

    title: str = ""
    lines: tuple[str, ...] = ()


Sentence = Callable[[Incident, Scene, float], Text]


def sentence(incident: Incident, scene: Scene, now: float) -> Text:
    """Return the one or two sentences that say what holds, since when, where, and what was expected."""
    table = _RESOLVED if not incident.active and not KINDS[incident.kind].once else _FIRING
    return table[incident.kind](incident, scene, now)


def facts(incident: Incident, scene: Scene, now: float) -> tuple[Fact, ...]:
    """Return the labelled facts, most useful first, people last."""
    if not incident.active and not KINDS[incident.kind].once:
        found = [*_over(incident), *_eta(incident, scene, now), *_acknowledged(incident)]
    elif incident.kind in _HOST_KINDS:
        found = _last_seen(scene)
    elif incident.kind is Kind.MONITOR_ERROR:
        found = []
    else:
        found = [*_progress(incident, scene), *_eta(incident, scene, now), *_checkpoint(incident, scene)]
    people = [Fact("Owner", (owner(incident, scene),), person=True)] if scene.owner and incident.active else []
    return (*found, *people)


def excerpt(incident: Incident, scene: Scene) -> Excerpt:
    """Return the log lines that add something the facts do not."""
    if incident.kind is Kind.FAILED:
        return Excerpt("first error", (_text(incident, "text")[:_ERROR],))
    if incident.kind is Kind.STUCK and scene.tail:
        written = incident.facts.get("still_written")
        return Excerpt("still written, but no progress line" if written else "last lines", _short(scene, 3))
    if incident.kind is Kind.SLOW and scene.tail:
        return Excerpt("last lines", _short(scene, 2))
    return Excerpt()


def _short(scene: Scene, lines: int) -> tuple[str, ...]:
    return tuple(shorten(line) for line in scene.tail[-lines:])


def since_fact(incident: Incident, scene: Scene) -> Fact:
    """Return since when it holds, for messages whose sentence speaks of a person."""
    where = f" on {scene.host}" if scene.host else ""
    label = "Silent" if incident.kind is Kind.STUCK else "Since"
    before = "since " if incident.kind is Kind.STUCK else ""
    return Fact(label, (before, Time(incident.starts_at), where))


def owner(incident: Incident, scene: Scene) -> Person:
    """Critical incidents that nobody has taken mention their owner; everything else names them."""
    untaken = incident.active and not incident.acknowledged_by and not incident.muted
    return Person(scene.owner, mention=untaken and incident.severity is Severity.CRITICAL)


def person(actor: str) -> Person:
    """Return who did something, from the actor `slack:U012ALICE` or `shell:alice`."""
    return Person(actor.partition(":")[2] or actor)


def plain(text: Text) -> Text:
    """Return the text without emphasis."""
    return tuple(inner for span in text for inner in (span.spans if isinstance(span, Strong) else (span,)))


def _text(incident: Incident, name: str) -> str:
    value = incident.facts.get(name)
    return "" if value is None else str(value)


def _number(incident: Incident, name: str) -> float | None:
    value = incident.facts.get(name)
    return float(value) if value is not None and not isinstance(value, str) else None


def _whole(incident: Incident, name: str) -> int | None:
    value = _number(incident, name)
    return None if value is None else int(value)


def _on(scene: Scene) -> str:
    return f" on {scene.host}" if scene.host else ""


_SILENT_IN = {
    Phase.STARTING: "No first line since ",
    Phase.CHECKPOINTING: "No end of the checkpoint since ",
    Phase.EVALUATING: "No end of the evaluation since ",
}


def _stuck(incident: Incident, scene: Scene, now: float) -> Text:
    phase = _text(incident, "phase")
    began = next((words for known, words in _SILENT_IN.items() if known == phase), "No new line since ")
    expected, limit = _number(incident, "expected"), _number(incident, "limit") or 0.0
    due = f"One was due every {_gap(expected)}; the" if expected and phase == Phase.TRAINING else "The"
    return (Strong((began, Time(incident.starts_at))), f"{_on(scene)}. {due} limit is {duration(limit)}.")


def _gap(seconds: float) -> str:
    return duration(seconds) if seconds >= 10 else f"{significant(seconds, 2)}{NBSP}s"  # noqa: PLR2004 whole seconds suffice


def _slow(incident: Incident, scene: Scene, now: float) -> Text:
    factor, limit = _number(incident, "factor") or 1.0, _number(incident, "limit") or 1.0
    since = _whole(incident, "since_iteration")
    from_ms, to_ms = _number(incident, "usual_ms") or 0.0, _number(incident, "now_ms") or 0.0
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
    seen = "exit code 0" if _text(incident, "cause") == _EXIT else "end marker seen"
    return (Strong((f"{_iterations(incident)}, ended ", at)), f"{_on(scene)}: {seen}.")


def _iterations(incident: Incident) -> str:
    iteration, total = _whole(incident, "iteration"), _whole(incident, "total")
    if iteration is None:
        return f"0{NBSP}iterations"
    done = count(iteration) if total is None else f"{count(iteration)} / {count(total)}"
    return f"{done}{NBSP}iterations"


def _stopped(incident: Incident, scene: Scene, now: float) -> Text:
    at = Time(incident.starts_at, TimeStyle.MINUTES)
    name = _text(incident, "cause")
    said = _text(incident, "text").strip("[]. ") if name in {"", _EXIT} else describe(name)
    if name == _EXIT:
        return (Strong((f"Ended after {_iterations(incident)}, ", at)), f"{_on(scene)}: {said}, no end marker.")
    return (Strong((f"Stopped as planned after {_iterations(incident)}, ", at)), f"{_on(scene)}: {said}.")


def _failed(incident: Incident, scene: Scene, now: float) -> Text:
    rank = _text(incident, "rank")
    name = _text(incident, "cause")
    cause = (_text(incident, "text") if name == _EXIT else describe(name)) + (f" on rank {rank}" if rank else "")
    return (
        Strong((cause[:1].upper() + cause[1:],)),
        f"{_on(scene)} at ",
        Time(incident.starts_at),
        ". No progress line came after it.",
    )


def _unreachable(incident: Incident, scene: Scene, now: float) -> Text:
    tries = _whole(incident, "failures") or 0
    return (
        Strong((f"SSH gave no answer {tries} times; last answer ", Time(incident.starts_at))),
        f" from {_host(scene)}: {scene.error or _text(incident, 'error')}. {_unknown(scene)}",
    )


def _host_key(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong(("Another host key since ", Time(incident.starts_at))),
        f" from {_host(scene)}; it was not accepted. {scene.error or _text(incident, 'error')} {_unknown(scene)}",
    )


def _host(scene: Scene) -> str:
    return f"{scene.host} ({scene.address})" if scene.address and scene.address != scene.host else scene.host


def _unknown(scene: Scene) -> str:
    number = len(scene.runs)
    runs = f"Its {number}{NBSP}runs are" if number != 1 else "Its run is"
    return f"{runs} unknown, not stuck: I cannot see {'their logs' if number != 1 else 'its log'}."


def _no_log(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong(("No log to read since ", Time(incident.starts_at))),
        f"{_on(scene)}: {_text(incident, 'error')} The run is unknown, not stuck.",
    )


def _monitor_error(incident: Incident, scene: Scene, now: float) -> Text:
    return (Strong((f"{_text(incident, 'what')} since ", Time(incident.starts_at))), f": {_text(incident, 'error')}")


def _again(words: str) -> Sentence:
    def say(incident: Incident, scene: Scene, now: float) -> Text:
        closed_by = _text(incident, "closed_by")
        if closed_by:
            return (
                Strong((f"Over, since the run is {KINDS[Kind(closed_by)].word}: ", Time(_end(incident)))),
                _on(scene),
                ".",
            )
        return (Strong((words, Time(_end(incident)))), f"{_on(scene)}.")

    return say


def _end(incident: Incident) -> float:
    return incident.ends_at if incident.ends_at is not None else incident.starts_at


def _back_to_pace(incident: Incident, scene: Scene, now: float) -> Text:
    if _text(incident, "closed_by") or scene.ms is None:
        return _again("Over since ")(incident, scene, now)
    pace = f"Back to {seconds_per_iteration(scene.ms)}{NBSP}s per iteration since "
    return (Strong((pace, Time(_end(incident)))), f"{_on(scene)}.")


def _answers(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong((f"{scene.host} answers again since ", Time(_end(incident)))),
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
_HOST_KINDS = frozenset({Kind.UNREACHABLE, Kind.HOST_KEY})


def _over(incident: Incident) -> list[Fact]:
    took = duration(_end(incident) - incident.starts_at, exact=True)
    label = {Kind.STUCK: "Silent", Kind.SLOW: "Slow", Kind.UNREACHABLE: "Unseen", Kind.HOST_KEY: "Unseen"}.get(
        incident.kind, "Lasted"
    )
    return [Fact(label, (Time(incident.starts_at), " to ", Time(_end(incident)), f" ({took})"))]


def _acknowledged(incident: Incident) -> list[Fact]:
    if not incident.acknowledged_by or incident.acknowledged_at is None:
        return []
    at = Time(incident.acknowledged_at, TimeStyle.MINUTES)
    return [Fact("Acknowledged", ("by ", person(incident.acknowledged_by), " at ", at))]


def _progress(incident: Incident, scene: Scene) -> list[Fact]:
    iteration = _whole(incident, "iteration") if incident.kind in ENDINGS else scene.iteration
    found = []
    if iteration is not None and incident.kind is not Kind.FINISHED:
        found.append(Fact("Iteration", (progress(iteration, scene.total),)))
    if scene.loss is not None:
        found.append(Fact("Loss", (significant(scene.loss),)))
    if scene.usual_ms is not None and incident.kind in ENDINGS:
        found.append(Fact("Speed", (f"{seconds_per_iteration(scene.usual_ms)}{NBSP}s per iteration",)))
    return found


def _checkpoint(incident: Incident, scene: Scene) -> list[Fact]:
    if scene.checkpoint is None:
        return []
    at: Text = () if scene.checkpoint_at is None else (" at ", Time(scene.checkpoint_at, TimeStyle.MINUTES))
    found = [Fact("Checkpoint", (count(scene.checkpoint), *at))]
    iteration = _whole(incident, "iteration")
    if incident.kind is Kind.FAILED and iteration is not None and iteration > scene.checkpoint:
        found.append(Fact("To redo", (f"{count(iteration - scene.checkpoint)}{NBSP}iterations",)))
    return found


def _eta(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Return when the run would have been done and when it will be; the slip counts from the last good line."""
    if incident.kind not in {Kind.STUCK, Kind.SLOW} or _text(incident, "closed_by"):
        return []
    if None in (scene.total, scene.iteration, scene.usual_ms, scene.line_at):
        return []
    assert scene.total is not None
    assert scene.iteration is not None
    assert scene.usual_ms is not None
    assert scene.line_at is not None
    left = scene.total - scene.iteration
    if left <= 0:
        return []
    due = scene.line_at + left * scene.usual_ms / 1000
    if incident.kind is Kind.STUCK:
        slip = (incident.ends_at if incident.ends_at is not None else now) - incident.starts_at
        due = due if incident.active else due - slip
        tail = " and growing)" if incident.active else ")"
    else:
        factor = _number(incident, "factor") or 1.0
        slip = left * scene.usual_ms / 1000 * (factor - 1) if incident.active else 0.0
        tail = ") if it stays"
    if slip <= 0:
        return []
    style = TimeStyle.MINUTES
    return [Fact("ETA", (Time(due, style), " → ", Time(due + slip, style), f" (+{duration(slip)}{tail}"))]


def _last_seen(scene: Scene) -> list[Fact]:
    shown = [
        Fact(name, (progress(iteration, total) if iteration is not None else "no line seen",))
        for name, iteration, total in scene.runs[:_RUNS_SHOWN]
    ]
    more = len(scene.runs) - len(shown)
    return [*shown, Fact("And", (f"{more} more",))] if more > 0 else shown
