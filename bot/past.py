"""What happened and why → the answers to history, why, audit and false-alarm (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot import messages
from bot.answers import Answer, Offer, answer, bold, flat, listed, offers, said
from bot.blocks import Block, header, mrkdwn, section, shorten, strong
from monitor_core.model import account
from monitor_core.model.message import Text
from monitor_core.model.past import Audit, History, Why
from monitor_core.model.views import FalseAlarmAnswer

# Characters: of one line, and of the parts of an account. Together they keep far from what Slack takes.
_LINE, _ENTRY = 700, 300
_RULES, _DECISIONS, _ANSWERS, _PEOPLE = 1500, 2600, 1200, 1000


def history(found: History, about: str) -> Answer:
    """List incidents, newest first; `about` is the run or host that was asked for, empty for all."""
    if not found.incidents:
        return _nothing(messages.NOTHING_HAPPENED)
    lines = [shorten(said(account.past(incident), found.now), _ENTRY) for incident in found.incidents]
    total = len(found.incidents) + found.more
    title = f"{total} incident{'' if total == 1 else 's'}" + (f" of {about}" if about else "")
    newest = said(flat(account.past(found.incidents[0])), found.now)
    return answer(
        f"{title}, the newest: {newest}",
        header(title),
        *listed(lines, found.more),
        offers(Offer("Why the newest", f"why {found.incidents[0].number}")),
    )


def why(found: Why) -> Answer:
    """Tell why an incident was told, to whom, and what became of it."""
    number, name = found.incident.number, found.incident.subject.name
    marked = bool(found.incident.false_alarm_by)
    mark = Offer("Undo false alarm", f"false-alarm {number} undo") if marked else None
    return answer(
        mrkdwn((account.title(found),)),
        header(account.title(found)),
        _part("", account.rules(found), found.now, _RULES),
        _part("What was decided", account.decisions(found), found.now, _DECISIONS),
        _part("Attempts and their answers", account.answers(found), found.now, _ANSWERS),
        _part("What people did", map(account.deed, found.people), found.now, _PEOPLE),
        offers(
            mark or Offer("Mark as false alarm", f"false-alarm {number}"),
            Offer("History", f"history {name}" if name else "history"),
        ),
    )


def audit(found: Audit) -> Answer:
    """List who did what, newest first."""
    if not found.entries:
        return _nothing(messages.NOBODY_DID)
    lines = [shorten(said(account.deed(entry), found.now), _ENTRY) for entry in found.entries]
    newest = said(flat(account.deed(found.entries[0])), found.now)
    return answer(f"Audit log, the newest: {newest}", header("Audit log"), *listed(lines, found.more))


def false_alarm(done: FalseAlarmAnswer, now: float) -> Answer:
    """Confirm a mark as false alarm, or that it is undone; or say who was quicker."""
    incident = done.incident
    if not done.changed:
        line = messages.already_marked(incident)
        return answer(said(flat(line), now), section(said(line, now)), unchanged=True)
    title, marked = messages.false_alarm(incident), bool(incident.false_alarm_by)
    effect = messages.FALSE_ALARM_EFFECT if marked else messages.FALSE_ALARM_UNDONE_EFFECT
    other = f"false-alarm {incident.number}" + (" undo" if marked else "")
    undo = Offer("Undo" if marked else "Mark as false alarm", other)
    return answer(
        f"{mrkdwn(title)} {effect}",
        bold(title, now),
        section(effect),
        offers(undo, Offer("Why", f"why {incident.number}")),
    )


def _nothing(text: Text) -> Answer:
    return answer(mrkdwn(flat(text)), section(mrkdwn(text)))


def _part(title: str, lines: Iterable[Text], now: float, room: int) -> Block | None:
    shown = list(_fitting([shorten(said(line, now), _LINE) for line in lines], room))
    return section("\n".join([strong(title), *shown] if title else shown)) if shown else None


def _fitting(lines: Sequence[str], room: int) -> Iterator[str]:
    """Yield the first line and the last ones, as many as there is room for, with how many are between."""
    kept: list[str] = []
    room -= len(lines[0]) if lines else 0
    for line in reversed(lines[1:]):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    yield from lines[:1]
    if len(kept) + 1 < len(lines):
        yield f"… {len(lines) - len(kept) - 1} more …"
    yield from reversed(kept)
