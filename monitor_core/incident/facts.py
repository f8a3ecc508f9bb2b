"""The labelled facts of a message: most useful first, people last."""

from __future__ import annotations

from monitor_core.incident.phrases import on, several
from monitor_core.incident.scene import Scene
from monitor_core.incident.sentences import SPEECH
from monitor_core.model.incidents import Incident, Kind, Severity
from monitor_core.model.message import Fact, Person, Text, Time, TimeStyle
from monitor_core.units import duration, progress

_RUNS_SHOWN, _OWNERS_SHOWN = 10, 3


def facts(incident: Incident, scene: Scene, now: float) -> tuple[Fact, ...]:
    """Return the labelled facts, most useful first, people last."""
    speech = SPEECH[incident.kind]
    if incident.over:
        return (_over(incident, speech.lasted), *speech.lasting(incident, scene, now), *_acknowledged(incident))
    people = owners(incident, scene)
    return (*speech.facts(incident, scene, now), *([Fact("Owner", people, person=True)] if people else []))


def members(scene: Scene) -> tuple[Fact, ...]:
    """Return the runs of a host and where they were last seen: ten, and how many there are more."""
    shown = [
        Fact(name, (progress(iteration, total) if iteration is not None else "no line seen",))
        for name, iteration, total in scene.runs[:_RUNS_SHOWN]
    ]
    more = len(scene.runs) - len(shown)
    return (*shown, Fact(f"and {more} more", ())) if more > 0 else tuple(shown)


def since_fact(incident: Incident, scene: Scene) -> Fact:
    """Return since when it holds, for messages whose sentence speaks of a person."""
    label, before = ("Silent", "since ") if incident.kind is Kind.STUCK else ("Since", "")
    return Fact(label, (before, Time(incident.starts_at), on(scene)))


def owners(incident: Incident, scene: Scene) -> Text:
    """Return who owns the runs that it is about, with how many of them if there are several.

    Critical incidents that nobody has taken mention their owners; everything else names them.
    """
    untaken = incident.active and not incident.taken_by and not incident.muted
    mention = untaken and incident.severity is Severity.CRITICAL
    counted = len(scene.runs) > 1
    spans: list[str | Person] = []
    for name, runs in scene.owners[:_OWNERS_SHOWN]:
        spans += [", ", Person(name, mention=mention), f" ({several(runs, 'run')})" if counted else ""]
    more = len(scene.owners) - _OWNERS_SHOWN
    return tuple(span for span in (*spans[1:], f" and {more} more" if more > 0 else "") if span)


def person(actor: str) -> Person:
    """Return who did something, from the actor `slack:U012ALICE` or `shell:alice`."""
    return Person(actor.partition(":")[2] or actor)


def _over(incident: Incident, label: str) -> Fact:
    took = duration(incident.ended_at - incident.starts_at, exact=True)
    return Fact(label, (Time(incident.starts_at), " to ", Time(incident.ended_at), f" ({took})"))


def _acknowledged(incident: Incident) -> list[Fact]:
    if not incident.acknowledged_by or incident.acknowledged_at is None:
        return []
    at = Time(incident.acknowledged_at, TimeStyle.MINUTES)
    return [Fact("Acknowledged", ("by ", person(incident.acknowledged_by), " at ", at))]
