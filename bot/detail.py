"""What is known of one run → its page (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from bot import messages
from bot.answers import Answer, Offer, answer, facts, offers, said
from bot.blocks import Block, context, header, section
from bot.overview import mark, open_incidents, run_mark, run_state, state_words
from monitor_core.model.incidents import KINDS, Incident, Kind, Severity
from monitor_core.model.message import Fact, Strong, Text, Time
from monitor_core.model.views import RunView
from monitor_core.units import NBSP, compact_duration, count, duration, progress, seconds_per_iteration, significant

_INCIDENTS = 5  # shown
_SKEW = 1.0  # seconds; less is no news


def run_page(run: RunView, now: float) -> Answer:
    """Lay out one run: what is wrong and who is on it, then the facts."""
    wrong = open_incidents(run.incidents)
    return answer(
        said(_plain(run, now), now),
        header(f"{mark(wrong[0]) if wrong else run_mark(run)} {_state(run, now)}"),
        section("\n".join(said(_incident(incident), now) for incident in wrong[:_INCIDENTS])) if wrong else None,
        facts(_facts(run, now), now),
        _buttons(run),
        context(messages.data_age(run.seen_at, now).capitalize()),
    )


def _state(run: RunView, now: float) -> str:
    wrong = open_incidents(run.incidents)
    if not wrong:
        return f"{run.name} {run_state(run)}"
    critical = " · critical" if wrong[0].severity is Severity.CRITICAL else ""
    return f"{run.name} {state_words(wrong[0], now)}{critical}"


def _plain(run: RunView, now: float) -> Text:
    where = f" {progress(run.iteration, run.total)}." if run.iteration is not None else ""
    eta = _eta(run, now)
    return (f"{_state(run, now)} on {run.host}.{where}", *((" ETA ", *eta, ".") if eta else ()))


def _incident(incident: Incident) -> Text:
    number = f", {incident.severity} (incident {incident.number})."
    since: Text = (Strong((f"{KINDS[incident.kind].word} since ", Time(incident.starts_at))), number)
    return (*_who(incident), *since, *_late(incident), *_slower(incident))


def _who(incident: Incident) -> Text:
    if not incident.taken_by:
        return ()
    said = "Marked as a false alarm by " if incident.false_alarm_by else "Acknowledged by "
    moment = incident.false_alarm_at if incident.false_alarm_by else incident.acknowledged_at
    at: Text = (" at ", messages.minute(moment)) if moment is not None else ()
    return (Strong((said, messages.person(incident.taken_by), *_flat(at), ".")), " ")


def _flat(spans: Text) -> Iterable[str | Time]:
    return (span for span in spans if isinstance(span, str | Time))


def _late(incident: Incident) -> Text:
    passed = incident.facts.get("limit_critical") if incident.severity is Severity.CRITICAL else None
    limit = passed or incident.facts.get("limit")
    if incident.kind is not Kind.STUCK or not isinstance(limit, float):
        return ()
    return (f" The limit is {compact_duration(round(limit))}.",)


def _slower(incident: Incident) -> Text:
    usual, now, since = (incident.facts.get(name) for name in ("usual_ms", "now_ms", "since_iteration"))
    if not isinstance(usual, float) or not isinstance(now, float):
        return ()
    start = f" since iteration {count(since)}" if isinstance(since, int) else ""
    return (f" Takes {seconds_per_iteration(usual)} → {seconds_per_iteration(now)}{NBSP}s per iteration{start}.",)


def _checkpoint(run: RunView) -> Text:
    if run.checkpoint is None:
        return ()
    at: Text = () if run.checkpoint_at is None else (" at ", messages.minute(run.checkpoint_at))
    return (count(run.checkpoint), *at)


def _facts(run: RunView, now: float) -> Iterable[Fact]:
    yield Fact("Iteration", (progress(run.iteration, run.total),) if run.iteration is not None else ("none yet",))
    yield Fact("Loss", (significant(run.loss),) if run.loss is not None else ())
    yield Fact("Speed", _pace(run))
    yield Fact("ETA", _eta(run, now))
    yield Fact("Ended", _ended(run))
    yield Fact("Process", (run.process,) if run.process else ())
    yield Fact("Host", (run.host if run.address in {"", run.host} else f"{run.host} ({run.address})",))
    yield Fact("Checkpoint", _checkpoint(run))
    yield Fact("Started", _started(run))
    yield Fact(f"Launch {run.launches}", (run.went_on,) if run.went_on else ())
    yield Fact("Muted", _muted(run))
    yield Fact("Seen", _seen(run))
    yield Fact("Owner", (messages.person(run.owner),) if run.owner else (), person=True)


def _pace(run: RunView) -> Text:
    if run.ms_per_iteration is None:
        return ()
    pace = seconds_per_iteration(run.ms_per_iteration)
    usual = pace if run.usual_ms is None else seconds_per_iteration(run.usual_ms)
    return (f"{pace}{NBSP}s per iteration" + (f", usually {usual}{NBSP}s" if usual != pace else ""),)


def _eta(run: RunView, now: float) -> Text:
    """Return when it will be done, from when it would have been done: what a run loses counts."""
    if run.eta is None:
        return ()
    slips = [slip for incident in run.incidents for slip in _slips(run, incident, now)]
    if not slips:
        return (messages.minute(run.eta),)
    lost, how = max(slips)
    return (messages.minute(run.eta), " → ", messages.minute(run.eta + lost), f" (+{duration(lost)}{how}")


def _slips(run: RunView, incident: Incident, now: float) -> Iterable[tuple[float, str]]:
    """Return how many seconds an incident costs, and how that goes on."""
    factor = incident.facts.get("factor")
    if incident.kind is Kind.STUCK:
        yield now - incident.starts_at, " and growing)"
    if incident.kind is Kind.SLOW and isinstance(factor, float) and run.eta is not None:
        yield (factor - 1) * max(0.0, run.eta - (run.last_line_at or now)), ") if it stays"


def _ended(run: RunView) -> Text:
    if run.ended_at is None:
        return ()
    cause = f", {run.cause}" if run.cause else ""
    return (messages.minute(run.ended_at), cause)


def _started(run: RunView) -> Text:
    if run.started_at is None:
        return ()
    return (messages.minute(run.started_at), f", launch {run.launches}" if run.launches else "")


def _muted(run: RunView) -> Text:
    if not run.mutes:
        return ("no",)
    mute = max(run.mutes, key=lambda mute: mute.until)
    reason = f" · {mute.reason}" if mute.reason else ""
    return ("until ", messages.minute(mute.until), " by ", messages.person(mute.by), reason)


def _seen(run: RunView) -> Text:
    line: Text = ("last line ", Time(run.last_line_at)) if run.last_line_at is not None else ("no line yet",)
    skew = run.clock_skew or 0.0
    ahead = "ahead" if skew > 0 else "behind"
    return (*line, f", its clock is {duration(abs(skew))} {ahead}" if abs(skew) >= _SKEW else "")


def _buttons(run: RunView) -> Block | None:
    unclaimed = [incident for incident in open_incidents(run.incidents) if not incident.taken_by]
    return offers(
        Offer("Acknowledge", f"ack {run.name}") if unclaimed else None,
        Offer("Unmute", f"unmute {run.name}") if run.mutes else Offer("Mute 1h", f"mute {run.name} 1h"),
        Offer("Thresholds", f"threshold show {run.name}"),
        Offer("Refresh", f"run {run.name}", refresh=True),
    )
