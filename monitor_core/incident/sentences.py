"""What is said of each kind of incident."""

from __future__ import annotations

from collections.abc import Mapping

from monitor_core.incident.hardware import HARDWARE
from monitor_core.incident.lifecycle import UNWATCHED
from monitor_core.incident.losses import LOSSES
from monitor_core.incident.phrases import on
from monitor_core.incident.scene import Scene
from monitor_core.incident.sight import SIGHT
from monitor_core.incident.speech import Speech
from monitor_core.incident.training import TRAINING
from monitor_core.model.incidents import Incident, Kind
from monitor_core.model.message import Strong, Text, Time

SPEECH: Mapping[Kind, Speech] = {**TRAINING, **LOSSES, **HARDWARE, **SIGHT}


def sentence(incident: Incident, scene: Scene, now: float) -> Text:
    """Return the one or two sentences that say what holds, since when, where, and what was expected."""
    speech = SPEECH[incident.kind]
    if not incident.over:
        return speech.firing(incident, scene, now)
    if incident.said("closed_by") == UNWATCHED:
        return (Strong(("No longer watched since ", Time(incident.ended_at))), f"{on(scene)}.")
    return speech.resolved(incident, scene, now)


def plain(text: Text) -> Text:
    """Return the text without emphasis."""
    return tuple(inner for span in text for inner in (span.spans if isinstance(span, Strong) else (span,)))
