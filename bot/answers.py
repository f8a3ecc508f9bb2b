"""What was asked → a message: the blocks of a command's answer and its plain text (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot import manual, messages
from bot.blocks import (
    EMOJI,
    FALLBACK,
    LABEL,
    Block,
    actions,
    button,
    context,
    cut_middle,
    day_of,
    escape,
    header,
    mrkdwn,
    section,
    shorten,
    strong,
)
from monitor_core.errors import CommandError
from monitor_core.model.effect import sentence
from monitor_core.model.incidents import Incident, Mute
from monitor_core.model.message import Fact, Look, Strong, Text
from monitor_core.model.views import AckAnswer, MuteAnswer, ThresholdChange, ThresholdView
from monitor_core.units import compact_duration

DAY = 86400.0
_LISTED, _PER_BLOCK = 20, 5  # lines of a list, of one block
_VALUE = 2000  # characters that a button carries: https://docs.slack.dev/reference/block-kit/block-elements


@dataclass(frozen=True, slots=True)
class Answer:
    """A message: `text` is what a push or a screen reader gets, `blocks` what is seen.

    `unchanged`: nothing was done, so that a press on a button needs words for an answer.
    """

    text: str
    blocks: list[Block]
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that runs a command; `refresh`: its answer takes the place of the message."""

    label: str
    command: str
    refresh: bool = False


def answer(plain: str, *blocks: Block | None, unchanged: bool = False) -> Answer:
    """Put an answer together; None stands for a block that has nothing to say."""
    return Answer(shorten(plain, FALLBACK), [block for block in blocks if block], unchanged)


def said(text: Text, now: float) -> str:
    """Return a text in Slack's markup; a point in time that is not today (UTC) has its day."""
    return mrkdwn(text, day_of(now))


def flat(text: Text) -> Text:
    """Return a text without emphasis, for pushes and screen readers."""
    return tuple(part for span in text for part in (span.spans if isinstance(span, Strong) else (span,)))


def bold(text: Text, now: float) -> Block:
    """Lay out a title."""
    return section(strong(said(text, now)))


def facts(entries: Iterable[Fact], now: float) -> Block:
    """Lay out labelled lines, without those that have no value."""
    lines = (f"{strong(entry.label)}  {said(entry.value, now)}" for entry in entries if entry.value)
    return section("\n".join(lines))


def offers(*entries: Offer | None) -> Block | None:
    """Lay out buttons that run commands; a command too long for a button is left out."""
    shown = [entry for entry in entries if entry and len(entry.command) <= _VALUE]
    elements = [
        button(cut_middle(entry.label, LABEL), "refresh" if entry.refresh else f"redo_{place}", entry.command)
        for place, entry in enumerate(shown)
    ]
    return actions("offers", elements) if elements else None


def listed(lines: Sequence[str], more: int = 0) -> Iterator[Block]:
    """Lay out lines, at most 20, a block for each 5, with how many more there are; `more` were not even asked for."""
    shown = list(lines[:_LISTED])
    hidden = len(lines) - len(shown) + more
    if hidden:
        shown.append(f"and {hidden} more")
    for start in range(0, len(shown), _PER_BLOCK):
        yield section("\n".join(shown[start : start + _PER_BLOCK]))


# Errors


def error(trouble: CommandError) -> Answer:
    """Say what is wrong, that nothing was changed, and offer the nearest command that would work."""
    first, dot, rest = str(trouble).partition(". ")
    text: Text = (Strong((first + dot.strip(),)), f" {rest} " if rest else " ", messages.UNCHANGED)
    if not trouble.suggestion:
        return refusal(text)
    label = trouble.suggestion[:1].upper() + trouble.suggestion[1:]
    asked = (*text, "\n", *messages.did_you_mean(trouble.suggestion))
    return refusal(asked, Offer(label, trouble.suggestion), Offer("All runs", "status"))


def refusal(text: Text, *others: Offer) -> Answer:
    """Say that something is not done, and offer what can be done instead."""
    return answer(mrkdwn(flat(text)), section(mrkdwn(text)), offers(*others), unchanged=True)


def plainly(sentence: str) -> Answer:
    """Say one sentence of something that was not done."""
    return answer(escape(sentence), section(escape(sentence)), unchanged=True)


# Mutes


def muted(done: MuteAnswer, asked: str, now: float) -> Answer:
    """Confirm a mute: until when, what it covers, what fires now, what happens at the end. `asked`: its target."""
    title, mute = messages.muted(done.mutes, now), done.mutes[0]
    entries = (
        Fact("Reason", (mute.reason,) if mute.reason else ()),
        Fact("Covers", (messages.covers(mute),)),
        Fact("By", (messages.person(mute.by),)),
        Fact("Firing now", (_firing(done.firing),)),
        Fact("Meanwhile", (messages.MEANWHILE,)),
        Fact("At the end", (messages.AT_THE_END,)),
    )
    return answer(
        f"{said(title, now)}. {messages.MEANWHILE.capitalize()}. Firing now: {escape(_firing(done.firing))}.",
        section(f"{EMOJI[Look.MUTED]} {strong(said(title, now))}"),
        facts(entries, now),
        offers(Offer("Unmute", _command("unmute", asked, mute.kind)), Offer("All mutes", "mutes")),
    )


def _firing(incidents: Sequence[Incident]) -> str:
    return messages.joined([f"{messages.incident_name(i)} (incident {i.number})" for i in incidents]) or "nothing"


def _command(*words: object) -> str:
    return " ".join(str(word) for word in words if word)


def unmuted(done: MuteAnswer, asked: str, now: float) -> Answer:
    """Confirm that messages come again; `asked` is the target that was named."""
    mute, title = done.mutes[0], messages.unmuted(done.mutes, done.still)
    left = compact_duration(max(60, int(mute.until - now)))
    again = Offer("Mute again", _command("mute", asked, mute.kind, left, mute.reason))
    return answer(
        said(title, now),
        bold(title, now),
        facts([Fact("Firing now", (_firing(done.firing),))], now),
        offers(again if len(done.mutes) == 1 else None, Offer("All mutes", "mutes")),
    )


def mutes(held: Sequence[Mute], now: float) -> Answer:
    """List what is muted, the next to end first."""
    if not held:
        return answer(mrkdwn(flat(messages.NO_MUTES)), section(mrkdwn(messages.NO_MUTES)))
    title = f"{len(held)} mute{'s' if len(held) > 1 else ''}"
    lines = [said(messages.mute_line(mute), now) for mute in sorted(held, key=lambda mute: mute.until)]
    names = messages.joined([messages.subject_name(mute) for mute in held])
    return answer(f"{title}: {escape(names)}.", header(title), *listed(lines))


# Thresholds


def thresholds(views: Sequence[ThresholdView], scope: str, now: float) -> Answer:
    """List thresholds with the source of each value."""
    title = f"Thresholds of {messages.scope_name(scope)}"
    values = ", ".join(f"{view.name} {view.value} ({view.source})" for view in views)
    lines = [section(said(messages.threshold_line(view), now)) for view in views]
    return answer(escape(f"{title}: {values}."), header(title), *lines, context(messages.SOURCE_ORDER))


def threshold_changed(change: ThresholdChange, undo: str) -> Answer:
    """Confirm a change: old → new, what it covers, who, what it would have done, and the command that undoes it."""
    title = messages.threshold_title(change)
    entries = (
        Fact("Covers", (messages.scope_covers(change.scope),)),
        Fact("By", (messages.person(change.by), " at ", messages.minute(change.at))),
        Fact("Source", (change.source,)),
        *messages.threshold_effect(change.effect),
    )
    back = Offer("Undo", undo) if change.old != change.new else None
    return _threshold_answer(change, title, entries, back)


def threshold_tried(change: ThresholdChange, command: str) -> Answer:
    """Say what a change would have done, and offer the command that makes it."""
    entries = (
        Fact("Would cover", (messages.scope_covers(change.scope),)),
        *messages.threshold_effect(change.effect),
    )
    return _threshold_answer(change, messages.threshold_trial(change), entries, Offer("Change it", command))


def _threshold_answer(change: ThresholdChange, title: Text, entries: Iterable[Fact], act: Offer | None) -> Answer:
    show = Offer("All thresholds", _command("threshold show", change.scope.partition(" ")[2]))
    plain = f"Threshold: {mrkdwn(title)}. {escape(sentence(change.effect))}"
    return answer(plain, bold(title, change.at), facts(entries, change.at), offers(act, show))


# Acknowledgements


def acknowledged(done: AckAnswer, now: float, *, undone: bool = False) -> Answer:
    """Confirm that somebody is on it, or no longer is; or say who already was."""
    if not done.incidents:
        lines = [messages.already(incident) for incident in done.already]
        return answer(said(flat(lines[0]), now), *listed([said(line, now) for line in lines]), unchanged=True)
    title = messages.acknowledged(done.incidents, undone=undone)
    effect = messages.UNACK_EFFECT if undone else messages.ACK_EFFECT
    back, label = ("ack", "Acknowledge") if undone else ("unack", "Unacknowledge")
    undo = Offer(label, f"{back} {done.incidents[0].number}") if len(done.incidents) == 1 else None
    return answer(f"{mrkdwn(title)} {effect}", bold(title, now), section(effect), offers(undo))


# Help


def help_all() -> Answer:
    """List the commands."""
    groups = [_help_group(title, verbs) for title, verbs in manual.GROUPS.items()]
    plain = f"{manual.TITLE}: {', '.join(manual.HELP)}. Try {manual.COMMAND} help mute."
    return answer(
        plain,
        header(manual.TITLE),
        context(manual.FIRST),
        *groups,
        context(manual.LAST),
    )


def _help_group(title: str, verbs: Sequence[str]) -> Block:
    lines = (f"`{manual.HELP[verb].usage}`  {escape(manual.HELP[verb].meaning)}" for verb in verbs)
    return section("\n".join((f"*{title}*", *lines)))


def help_one(verb: str) -> Answer:
    """Explain one command, with examples."""
    entry = manual.HELP[verb]
    examples = "\n".join(f"`{manual.COMMAND} {example}`" for example in entry.examples)
    usage = f"{manual.COMMAND} {entry.usage}"
    return answer(
        f"{usage}. {entry.meaning}",
        section(f"`{usage}`\n{escape(entry.meaning)}"),
        section(examples) if examples else None,
    )
