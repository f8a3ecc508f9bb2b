"""What is said of somebody who does not see: a host that gives no answer, a log that cannot be read, the monitor."""

from __future__ import annotations

from collections.abc import Mapping

from monitor_core.incident import lines
from monitor_core.incident.phrases import again, first_sentence, named, on, several, short_name
from monitor_core.incident.scene import Scene
from monitor_core.incident.speech import Speech, each, no_number
from monitor_core.model.incidents import KINDS, Incident, Kind
from monitor_core.model.message import Fact, Strong, Text, Time, TimeStyle
from monitor_core.units import duration

_NAMED, _WENT_BY = 3, 2
WHY_BLIND = {"down": "trainstatus was not running", "asleep": "its machine slept, or it stood still"}


def _unreachable(incident: Incident, scene: Scene, now: float) -> Text:
    tries = incident.counter("failures") or 0
    last = "none before; first asked " if incident.facts.get("answered") is False else "last answer "
    error = _own(incident.said("error"), scene)
    return (
        Strong((f"SSH gave no answer {tries} times; {last}", Time(incident.starts_at))),
        f" from {_host(scene, error)}: {first_sentence(error)}. {_unknown(scene)}",
    )


def _host_key(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong(("Another host key since ", Time(incident.starts_at))),
        f" from {_host(scene, '')}. {_unknown(scene)}",
    )


def _own(error: str, scene: Scene) -> str:
    """Return what a host said itself: to those who wanted to pass it is told with its name before it."""
    return error.partition("): ")[2] if error.startswith(f"through {scene.host} (") else error


def _host(scene: Scene, error: str) -> str:
    """Return the host with its address, unless the error names that anyway."""
    return (
        scene.host if scene.address in {"", scene.host} or scene.address in error else f"{scene.host} ({scene.address})"
    )


def _unknown(scene: Scene) -> str:
    number = len(scene.runs)
    if number == 1:
        return "Its run is unknown, not stuck: I cannot see its log."
    return f"Its {several(number, 'run')} are unknown, not stuck: I cannot see their logs."


def _fingerprint(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    key = incident.said("fingerprint")
    return [Fact("Key shown", (key,))] if key else []


def _behind(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Name the hosts that are reached through this one."""
    return [Fact("Behind it", (named(scene.behind, _NAMED),))] if scene.behind else []


def _other_hosts(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say whether it is this host alone, or perhaps the way to all of them."""
    if scene.others is None:
        return []
    answer, of = scene.others
    if answer == of:
        said = f"{answer} of {of} answer: it is {scene.host} or its network"
    elif answer:
        said = f"{answer} of {of} answer"
    else:
        said = f"none of {of} answers: it may be the way there"
    return [Fact("Other hosts", (said,))]


def _holds(scene: Scene) -> str:
    number = len(scene.runs)
    return f"holds the alerts of its {several(number, 'run')}" if number else ""


def _answers(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong((f"{scene.host} answers again since ", Time(incident.ended_at))),
        ". Its logs are read from where I stopped.",
    )


def _no_log(incident: Incident, scene: Scene, now: float) -> Text:
    return (
        Strong(("No log to read since ", Time(incident.starts_at))),
        f"{on(scene)}: {first_sentence(incident.said('error'))}. The run is unknown, not stuck.",
    )


def _log_again(incident: Incident, scene: Scene, now: float) -> Text:
    return again(incident, scene, "The log can be read again")


def _blind(incident: Incident, scene: Scene, now: float) -> Text:
    began, ended = (Time(at, TimeStyle.MINUTES) for at in (incident.starts_at, incident.ended_at))
    why = WHY_BLIND.get(incident.said("why"), "it is not known why")
    return (
        Strong(("I did not look from ", began, " to ", ended)),
        f": {why}. Every log that I can see has been read from where I stopped.",
    )


def _went_by(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    """Say what came and went: incidents that began and ended meanwhile were recorded, and told to nobody."""
    over = [other for other in scene.passed if not other.told_for]
    late = [other for other in scene.passed if other.told_for and not (other.muted or other.held)]
    return [
        *([Fact("Fine", (f"{several(scene.fine, 'run')}, by their logs",))] if scene.fine else []),
        *_listed("Came and went", [_past(other) for other in _worst_first(over)], scene),
        *_listed("Late alerts", [_belated(other, incident) for other in _worst_first(late)], scene),
        *_listed("Cannot tell", [(_hidden(what, runs),) for what, runs in scene.unseen], scene),
    ]


def _hidden(what: str, runs: int) -> str:
    return what if runs == 1 else f"{what} ({several(runs, 'run')})"


def _worst_first(incidents: list[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda incident: -incident.severity.rank)


def _listed(label: str, texts: list[Text], scene: Scene) -> list[Fact]:
    """Return a line for each of the first, and one that says how many more there are and where they stand."""
    shown, more = texts[:_WENT_BY], len(texts) - _WENT_BY
    rest: list[Text] = [(f"and {more} more: {scene.prefix} history",)] if more > 0 else []
    return [Fact(label, text) for text in (*shown, *rest)]


def _past(other: Incident) -> Text:
    took = duration(other.ended_at - other.starts_at)
    return (
        f"{short_name(other.subject.name)} {KINDS[other.kind].word} {took} from ",
        Time(other.starts_at, TimeStyle.MINUTES),
    )


def _belated(other: Incident, blind: Incident) -> Text:
    late = blind.ended_at - (other.fired_at or blind.ended_at)
    return (f"{short_name(other.subject.name)} {KINDS[other.kind].word}, {duration(late)} late",)


def _send_again(scene: Scene) -> str:
    """What is typed into Slack while nobody listens is gone; the shell works without the monitor."""
    return "type commands of that time again" if scene.prefix.startswith("/") else ""


def _monitor_error(incident: Incident, scene: Scene, now: float) -> Text:
    return (Strong((f"{incident.said('what')} since ", Time(incident.starts_at))), f": {incident.said('error')}")


def _test(incident: Incident, scene: Scene, now: float) -> Text:
    asked = f" asked for by {incident.said('by')} at "
    return (Strong(("This is a test,",)), asked, Time(incident.starts_at), ". Nothing is wrong.")


def _works_again(incident: Incident, scene: Scene, now: float) -> Text:
    return again(incident, scene, "Over")


_RUN = each(lines.iteration, lines.loss, lines.checkpoint)
SIGHT: Mapping[Kind, Speech] = {
    Kind.LOG_MISSING: Speech(_no_log, _log_again, facts=_RUN),
    Kind.LOG_UNREADABLE: Speech(_no_log, _log_again, facts=_RUN),
    Kind.UNREACHABLE: Speech(_unreachable, _answers, facts=each(_behind, _other_hosts), lasted="Unseen", aside=_holds),
    Kind.HOST_KEY: Speech(_host_key, _answers, no_number, each(_fingerprint, _behind), lasted="Unseen", aside=_holds),
    Kind.BLIND: Speech(_blind, _blind, facts=_went_by, tense="was", aside=_send_again),
    Kind.MONITOR_ERROR: Speech(_monitor_error, _works_again, no_number),
    Kind.TEST: Speech(_test, _test, no_number),
}
