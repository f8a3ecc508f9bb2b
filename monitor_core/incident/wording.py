"""From an incident to the message about it: the one set of facts that every layout shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor_core.incident import sentences
from monitor_core.incident.excerpt import excerpt
from monitor_core.incident.facts import facts, members, owners, person, since_fact
from monitor_core.incident.phrases import advice, on, short_name
from monitor_core.incident.scene import Scene
from monitor_core.incident.sentences import SPEECH
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import KINDS, UNSURE, Incident, Kind, Severity, SubjectKind
from monitor_core.model.message import Action, Look, Message, Strong, Text, Time, TimeStyle
from monitor_core.parse.signatures import advise
from monitor_core.units import duration

# A message that was made so many seconds before it was accepted says that it is late.
_LATE = 60.0
_MARKED = "Marked as a false alarm by "
# Kinds that keep from seeing the runs of a host: their messages name those runs.
_GROUPS = frozenset({Kind.UNREACHABLE, Kind.HOST_KEY})


@dataclass(frozen=True, slots=True)
class Sending:
    """The circumstances of one attempt: `made_at` is when the delivery was decided, `carrier` who had to take it."""

    now: float
    reason: Reason
    made_at: float
    carrier: str = ""
    repeat: bool = False
    first: bool = True


def message(incident: Incident, scene: Scene, sending: Sending) -> Message:
    """Return the message about an incident as it is now."""
    now = sending.now
    state = _state(incident, now)
    lead = _lead(incident, scene)
    sentence = lead or (*_marked_since(incident), *sentences.sentence(incident, scene, now))
    labelled = facts(incident, scene, now)
    if lead:
        labelled = (since_fact(incident, scene), *labelled)
    made = Message(
        incident=incident.number,
        run=_subject_name(incident),
        look=_look(incident),
        headline=_headline(incident, state),
        sentence=sentence,
        fallback=_fallback(incident, scene, state, now),
        subject=_mail_subject(incident, scene),
        state=_word(incident),
        severity=incident.severity,
        members_title="Last seen",
        members=members(scene) if incident.kind in _GROUPS and incident.active else (),
        facts=labelled,
        hint=_hint(incident),
        late=_late(sending),
        actions=_actions(incident),
        context=_context(incident, scene, now),
        note=_note(incident, scene, sending),
        first=sending.first,
        repeat=sending.repeat,
        commands=_commands(incident, scene),
    )
    shown = excerpt(incident, scene)
    if shown.lines and _bare(incident):
        made = replace(made, excerpt=shown.lines, excerpt_title=shown.title)
    return made


def measure(incident: Incident, now: float) -> str:
    """Return the one number that says how bad it is; empty where there is none."""
    return SPEECH[incident.kind].measure(incident, now)


def _subject_name(incident: Incident) -> str:
    return "trainstatus" if incident.subject.kind is SubjectKind.SELF else incident.subject.name


def _state(incident: Incident, now: float) -> str:
    parts = (SPEECH[incident.kind].tense, KINDS[incident.kind].word, measure(incident, now))
    return " ".join(part for part in parts if part)


def _headline(incident: Incident, state: str) -> str:
    name = short_name(_subject_name(incident))
    if incident.over:
        return f"{name} resolved · {state}"
    severity = "" if incident.severity is Severity.INFO else f" · {incident.severity}"
    return f"{name} {state}{severity}"


def _look(incident: Incident) -> Look:
    table = (
        (incident.over, Look.RESOLVED),
        (incident.kind is Kind.FINISHED, Look.FINISHED),
        (bool(incident.muted), Look.MUTED),
        (bool(incident.taken_by), Look.ACKNOWLEDGED),
        (incident.kind in UNSURE, Look.UNKNOWN),
        (incident.kind is Kind.FLAPPING, Look.FLAPPING),
        (True, Look(incident.severity)),
    )
    return next(look for holds, look in table if holds)


def _word(incident: Incident) -> str:
    """Return the state of the incident in a word; none for what is told when it is over already."""
    if incident.kind is Kind.TEST:
        return "test"
    look = _look(incident)
    if look in {Look.RESOLVED, Look.FINISHED, Look.MUTED, Look.ACKNOWLEDGED}:
        return str(look)
    return "firing" if incident.active else ""


def _bare(incident: Incident) -> bool:
    """After acknowledge, mute and resolve the message gets shorter."""
    return _look(incident) in {Look.CRITICAL, Look.WARNING, Look.UNKNOWN}


def _hint(incident: Incident) -> str:
    """Say what to do, where whoever found it knows that, until somebody is on it."""
    known = incident.said("advice") or (advice(incident.said("error")) if incident.kind in _GROUPS else "")
    if incident.kind in {Kind.FAILED, Kind.STOPPED}:
        known = advise(incident.said("cause"), incident.counter("exit_code"))
    return known if _bare(incident) else ""


def _lead(incident: Incident, scene: Scene) -> Text:
    """Once a person has acted, the message starts with them."""
    if not incident.active:
        return ()
    if incident.muted and scene.mute is not None:
        mute = scene.mute
        said = (f": {mute.reason}",) if mute.reason else ()
        until = Strong(("Muted by ", person(mute.by), " until ", Time(mute.until, TimeStyle.MINUTES)))
        return (until, *said, ". Still watched; one message at the end if it is still wrong.")
    if incident.false_alarm_by:
        return _done(_MARKED, incident, incident.false_alarm_by, incident.false_alarm_at)
    return _done("Acknowledged by ", incident, incident.acknowledged_by, incident.acknowledged_at)


def _done(words: str, incident: Incident, by: str, at: float | None) -> Text:
    if not by or at is None:
        return ()
    after = at - (incident.fired_at or incident.starts_at)
    return (Strong((words, person(by), " at ", Time(at, TimeStyle.MINUTES))), f", {duration(after)} after the alert.")


def _marked_since(incident: Incident) -> Text:
    """What is over may be marked as a false alarm too."""
    if incident.active or not incident.false_alarm_by or incident.false_alarm_at is None:
        return ()
    at = Time(incident.false_alarm_at, TimeStyle.MINUTES)
    return (Strong((_MARKED, person(incident.false_alarm_by), " at ", at, ".")), " ")


def _fallback(incident: Incident, scene: Scene, state: str, now: float) -> Text:
    where = on(scene) if incident.subject.kind is SubjectKind.RUN else ""
    name = _subject_name(incident)
    first = sentences.plain(sentences.sentence(incident, scene, now))
    if incident.over:
        return (f"Resolved: {name} was {state}{where}. ", *first)
    people = owners(incident, scene) if incident.active else ()
    belongs: Text = (" Owner ", *people, ".") if people else ()
    return (f"{str(incident.severity).capitalize()}: {name} {state}{where}. ", *first, *belongs)


def _mail_subject(incident: Incident, scene: Scene) -> str:
    where = on(scene) if incident.subject.kind is SubjectKind.RUN else ""
    return f"{_subject_name(incident)} {KINDS[incident.kind].word}{where} (incident {incident.number})"


def _late(sending: Sending) -> Text:
    repeat = (" (May be a repeat.)",) if sending.repeat else ()
    if sending.now - sending.made_at < _LATE:
        return ("(May be a repeat.)",) if sending.repeat else ()
    made, now = Time(sending.made_at, TimeStyle.MINUTES), Time(sending.now, TimeStyle.MINUTES)
    span = duration(sending.now - sending.made_at)
    return (
        Strong((f"Sent {span} late",)),
        f": {sending.carrier} did not take it from ",
        made,
        " to ",
        now,
        ".",
        *repeat,
    )


def _open(incident: Incident) -> bool:
    """Return whether somebody may want to take it: it fires, and is more than news."""
    return incident.active and incident.kind not in {Kind.FINISHED, Kind.STOPPED, Kind.BLIND, Kind.TEST}


def _actions(incident: Incident) -> tuple[Action, ...]:
    if not _open(incident):
        return ()
    if incident.muted:
        return (Action.UNMUTE, Action.UNACKNOWLEDGE if incident.acknowledged_by else Action.ACKNOWLEDGE)
    if incident.acknowledged_by:
        return (Action.UNACKNOWLEDGE, Action.MUTE_1H)
    return (Action.ACKNOWLEDGE, Action.MUTE_1H)


def _context(incident: Incident, scene: Scene, now: float) -> Text:
    seen = "" if scene.seen_at is None else f"seen {duration(now - scene.seen_at)} ago"
    more = (f"was {incident.severity}",) if incident.over else (SPEECH[incident.kind].aside(scene), seen)
    parts = (f"Incident {incident.number}", *more, f"{scene.prefix} why {incident.number}")
    return (" · ".join(part for part in parts if part),)


def _note(incident: Incident, scene: Scene, sending: Sending) -> Text:
    """What a reply under the message says; edits that change no state say nothing."""
    state = _state(incident, sending.now)
    if sending.reason is Reason.RESOLVED:
        first = sentences.sentence(incident, scene, sending.now)
        took = duration((incident.ends_at or sending.now) - incident.starts_at, exact=True)
        return (Strong((f"Resolved after {took}.",)), " ", *sentences.plain(first))
    if sending.reason is Reason.ESCALATED:
        return (Strong((f"Now {incident.severity}: {state}.",)),)
    if sending.reason is Reason.MUTE_ENDED:
        return (Strong((f"The mute has ended; still {state}.",)),)
    if sending.reason is Reason.CALM:
        return (Strong((f"It comes and goes no more; still {state}.",)),)
    return ()


def _commands(incident: Incident, scene: Scene) -> tuple[tuple[str, str], ...]:
    if not _open(incident):
        return ()
    target = incident.subject.name
    words = [("Acknowledge", f"ack {incident.number}")]
    if target:
        words.append(("Mute", f"mute {target} 1h"))
        words.append(("Look", _look_at(incident, scene)))
    return tuple((label, f"{scene.prefix} {command}") for label, command in words)


def _look_at(incident: Incident, scene: Scene) -> str:
    """A run has a page of its own; a host is shown among all."""
    if incident.subject.kind is not SubjectKind.RUN:
        return "status"
    return incident.subject.name if scene.prefix.startswith("/") else f"status {incident.subject.name}"
