"""Which mute, if any, holds back the messages of an incident."""

from __future__ import annotations

from collections.abc import Iterable

from monitor_core.model.incidents import Incident, Kind, Mute, Subject, SubjectKind


def covers(mute: Mute, subject: Subject, host: str) -> bool:
    """Return whether a mute is about this subject; `host` is the host of a run. One of all spares the monitor's own."""
    if mute.subject is None:
        return subject.kind is not SubjectKind.SELF
    return mute.subject in {subject, Subject(SubjectKind.HOST, host)}


def muting(mutes: Iterable[Mute], incident: Incident, host: str, now: float) -> Mute | None:
    """Return the mute that holds this incident's messages back, the longest one if there are several.

    Who mutes a kind does not want to hear that it flaps either, which is what the detail of such an incident names.
    """
    kinds = {None, incident.kind, incident.detail if incident.kind is Kind.FLAPPING else None}
    holding = [
        mute for mute in mutes if mute.holds(now) and covers(mute, incident.subject, host) and mute.kind in kinds
    ]
    return max(holding, key=lambda mute: mute.until, default=None)
