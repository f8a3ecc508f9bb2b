"""How one kind of incident is put into words: what each kind fills in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor_core.incident.phrases import lasts
from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import Incident
from monitor_core.model.message import Fact, Text

Sentence = Callable[[Incident, Scene, float], Text]
Facts = Callable[[Incident, Scene, float], list[Fact]]


def each(*parts: Facts) -> Facts:
    """Return the labelled lines of several parts, one after the other."""
    return lambda incident, scene, now: [fact for part in parts for fact in part(incident, scene, now)]


def no_number(incident: Incident, now: float) -> str:
    """Say that no number tells how bad it is."""
    return ""


def _nothing(incident: Incident, scene: Scene, now: float) -> list[Fact]:
    return []


def _no_aside(scene: Scene) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Speech:
    """The words of a kind.

    `firing` and `resolved` are its sentences, `measure` the one number that says how bad it is, `facts` the labelled
    lines while it holds and `lasting` those that are still of use when it is over. `lasted` labels its duration then.
    `tense` stands before its word in a headline. `aside` is added to the last line.
    """

    firing: Sentence
    resolved: Sentence
    measure: Callable[[Incident, float], str] = lasts
    facts: Facts = _nothing
    lasting: Facts = _nothing
    lasted: str = "Lasted"
    tense: str = ""
    aside: Callable[[Scene], str] = _no_aside
