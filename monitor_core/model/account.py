"""The account of what happened and why, line by line: Slack and the shell only lay it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from monitor_core.model.decisions import FIRST_KEPT, LAST_KEPT, Attempt, Decision, Outcome, place
from monitor_core.model.deliveries import DeliveryState, Reason
from monitor_core.model.incidents import KINDS, Kind
from monitor_core.model.message import Person, Strong, Text, Time, TimeStyle
from monitor_core.model.past import AuditEntry, Judged, PastIncident, Told, Why
from monitor_core.units import NBSP, duration

_TENTHS = 10.0  # seconds under which a tenth is told
_LIMITED = frozenset({Kind.STUCK, Kind.SLOW})  # their rules end with the limit that was passed
_PATIENT = frozenset(
    {Kind.UNREACHABLE, Kind.LOG_MISSING, Kind.LOG_UNREADABLE}
)  # their threshold is how long nothing is told
_OUTCOMES = {
    Outcome.FOLDED: "no message of its own, ",
    Outcome.SUPERSEDED: "not sent, ",
    Outcome.MUTED: "held by ",
    Outcome.INHIBITED: "inhibited, ",
    Outcome.RECORDED: "only recorded, ",
    Outcome.UNWANTED: "not told, ",
    Outcome.UNTOLD: "not told, ",
}


def person(actor: str) -> Text:
    """Name who did something, from an actor such as `slack:U012ALICE` or `shell:alice`."""
    place, _, name = actor.partition(":")
    in_slack = place == "slack"
    return (Person(name or actor, mention=in_slack), "" if in_slack or not name else f" ({place})")


def title(why: Why) -> str:
    """Return what the incident is, where, how bad, and for how long."""
    incident = why.incident
    where = f" on {why.host}" if why.host not in {"", incident.subject.name} else ""
    name = incident.subject.name or "trainstatus"
    return f"Incident {incident.number}: {name} {KINDS[incident.kind].word}{where}, {incident.severity}, {_state(why)}"


def _state(why: Why) -> str:
    incident = why.incident
    if incident.active:
        return f"firing for {duration(why.now - incident.starts_at)}"
    lasted = duration(incident.ended_at - incident.starts_at, exact=True)
    return "over" if KINDS[incident.kind].once else f"resolved after {lasted}"


def rules(why: Why) -> Iterator[Text]:
    """Tell by what it was opened and got worse, with the thresholds that held then, and who has taken it."""
    first, *worse = why.judgements
    word = KINDS[why.incident.kind].word
    yield (
        Strong((f"{word} since ", Time(why.incident.starts_at), ":")),
        f" {first.rule}{_source(why.incident.kind, first)}.",
    )
    yield from _thresholds(first)
    for judged in worse:
        yield (
            Strong((f"{str(judged.severity).capitalize()} at ", Time(judged.at), ":")),
            f" {judged.rule}{_source(why.incident.kind, judged)}.",
        )
        yield from _thresholds(judged)
    if spared := sorted(KINDS[kind].word for kind in KINDS[why.incident.kind].inhibits):
        yield (f"While it holds, {', '.join(spared)} is not judged.",)
    incident = why.incident
    yield from _taken("Acknowledged", incident.acknowledged_by, incident.acknowledged_at)
    yield from _taken("Marked as a false alarm", incident.false_alarm_by, incident.false_alarm_at)


def _source(kind: Kind, judged: Judged) -> str:
    """Say where the limit comes from; where the rule has none, nothing, or how long it was waited for."""
    if not judged.thresholds or kind not in _LIMITED | _PATIENT:
        return ""
    first = judged.thresholds[0]
    return f" ({first.source})" if kind in _LIMITED else f"; told after {first.value} ({first.source})"


def _thresholds(judged: Judged) -> Iterator[Text]:
    if judged.thresholds:
        spans = [
            span
            for held in judged.thresholds
            for span in (", ", f"{held.name} {held.value} ({held.source}", *_set_by(held.by), ")")
        ]
        yield ("Thresholds then: ", *spans[1:], ".")


def _set_by(actor: str) -> Text:
    return (" by ", *person(actor)) if actor else ()


def _taken(done: str, actor: str, at: float | None) -> Iterator[Text]:
    if actor and at is not None:
        yield (f"{done} by ", *person(actor), " at ", Time(at), ".")


def decisions(why: Why) -> Iterator[Text]:
    """Tell what was decided, oldest first: one line for each reason, with what became of it for each receiver."""
    sent = {told.number: told for told in why.deliveries}
    for (at, reason), group in groupby(why.decisions, lambda decision: (decision.at, decision.reason)):
        parts = [part for decision in group for part in ("; ", *_decision(decision, sent))]
        yield (Strong((Time(at),)), f" {_reason(reason)}", *parts[1:])


def _reason(reason: Reason | None) -> str:
    return "" if reason is None else f"{reason.words} → "


def _decision(decision: Decision, sent: Mapping[int, Told]) -> Text:
    receiver = f"{place(decision.receiver)}: " if decision.receiver else ""
    if decision.outcome is Outcome.ENQUEUED and decision.delivery in sent:
        why = f", {decision.why}" if decision.why else ""
        return (receiver, *_became(sent[decision.delivery]), why)
    by: Text = (", by ", *person(decision.by)) if decision.by else ()
    return (f"{receiver}{_OUTCOMES.get(decision.outcome, '')}{decision.why}", *by)


def _became(told: Told) -> Text:
    tries = f"{told.tried} attempt{'' if told.tried == 1 else 's'}"
    if told.state is DeliveryState.SENT and told.sent_at is not None:
        return (f"sent after {_span(told.sent_at - told.created_at)} ({tries})",)
    if told.state is DeliveryState.PENDING:
        return (f"waits after {tries} until ", Time(told.due_at)) if told.tried else ("waits",)
    words = {DeliveryState.SENDING: "on its way", DeliveryState.SUPERSEDED: "waited"}
    return (words.get(told.state, f"given up after {tries}"),)


def _span(seconds: float) -> str:
    return f"{max(0.0, seconds):.1f}{NBSP}s" if seconds < _TENTHS else duration(seconds, exact=True)


def answers(why: Why) -> Iterator[Text]:
    """Tell each attempt and its answer, of the deliveries that were not taken at once."""
    for told in why.deliveries:
        if any(attempt.error for attempt in told.attempts):
            yield (Strong((f"{told.reason.words} → {place(told.receiver)}",)),)
            yield from _attempts(told)


def _attempts(told: Told) -> Iterator[Text]:
    lines: list[Text] = [(Time(attempt.at), *_answer(told, attempt)) for attempt in told.attempts]
    left_out = told.tried - len(lines)
    if len(lines) == FIRST_KEPT + LAST_KEPT and left_out > 0:
        lines.insert(FIRST_KEPT, (f"{left_out} more",))
    yield from lines


def _answer(told: Told, attempt: Attempt) -> Text:
    if not attempt.error:
        return (" taken" + (f" ({told.ref})" if told.ref else ""),)
    if attempt.retry_at is None:
        return (f" {attempt.error}; given up",)
    return (f" {attempt.error}; again after {_span(attempt.retry_at - attempt.at)}",)


def deed(entry: AuditEntry) -> Text:
    """Tell who did what when, and what it was before."""
    change = " → ".join(part for part in (entry.old, entry.new) if part)
    refused = f" ({entry.refused})" if entry.refused else ""
    return (
        Time(entry.at),
        " ",
        *person(entry.actor),
        f" {entry.verb} {entry.subject}",
        f": {change}" if change else "",
        refused,
    )


def past(incident: PastIncident) -> Text:
    """Tell one incident of the history in a line."""
    since = Time(incident.starts_at, TimeStyle.MINUTES)
    lasted = "" if incident.lasted is None else f", {duration(incident.lasted)}"
    return (
        Strong((str(incident.number),)),
        f"  {incident.name} {KINDS[incident.kind].word} · {incident.severity} · ",
        since,
        lasted + (" so far" if lasted and incident.ends_at is None else ""),
        *_marked(incident),
    )


def _marked(incident: PastIncident) -> Text:
    acknowledged: Text = (" · acknowledged by ", *person(incident.acknowledged_by)) if incident.acknowledged_by else ()
    false: Text = (" · false alarm, ", *person(incident.false_alarm_by)) if incident.false_alarm_by else ()
    return (*acknowledged, *false)
