"""Messages as Block Kit: an alert from its `Message`, and the small pieces of which answers are made too.

Pure: no I/O, no clock. Slack's limits are those of https://docs.slack.dev/reference/block-kit/blocks; ours are lower,
so that a message stays short on a phone and far from the undocumented cap on all its blocks (13,200 characters).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from monitor_core.model.message import Action, Fact, Look, Message, Person, Strong, Text, Time, TimeStyle
from monitor_core.units import utc_date, utc_time

Block = dict[str, Any]
Span = str | Time | Person | Strong

HEADER, SECTION, ALL_BLOCKS, FALLBACK, NOTE = 150, 2800, 10_000, 300, 2800
# With these even a message of nothing but line feeds, which JSON writes as two characters, keeps to ALL_BLOCKS.
SENTENCE, LATE, FACTS, CONTEXT = 1000, 400, 2400, 400
NAME, LABEL, LOG_LINES, LOG_LINE = 24, 75, 3, 64

EMOJI: Mapping[Look, str] = MappingProxyType(
    {
        Look.CRITICAL: ":red_circle:",
        Look.WARNING: ":large_orange_diamond:",
        Look.INFO: ":large_green_circle:",
        Look.UNKNOWN: ":large_purple_square:",
        Look.ACKNOWLEDGED: ":eyes:",
        Look.MUTED: ":no_bell:",
        Look.RESOLVED: ":white_check_mark:",
        Look.FINISHED: ":checkered_flag:",
        Look.FLAPPING: ":arrows_counterclockwise:",
    }
)
LABELS: Mapping[Action, str] = MappingProxyType(
    {
        Action.ACKNOWLEDGE: "Acknowledge",
        Action.UNACKNOWLEDGE: "Unacknowledge",
        Action.UNMUTE: "Unmute",
        Action.MUTE_1H: "Mute 1h",
    }
)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Control characters, marks that turn the direction of writing, and halves of characters, which JSON cannot carry.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SPACES = re.compile(r"[ \t\n]+")
_DATED = re.compile(r"\[?\d{4}-\d\d-\d\d[ T](\d\d:\d\d:\d\d)(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?")
_USER = re.compile(r"[UW](?=[A-Z]*\d)[A-Z0-9]{5,}")
_GROUP = re.compile(r"S(?=[A-Z]*\d)[A-Z0-9]{5,}")
_ATOM = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|.", re.DOTALL)


def clean(text: str) -> str:
    """Return a text without terminal sequences and without what nobody can see; line feeds and tabs stay."""
    return _UNSEEN.sub("", _ANSI.sub("", text))


def escape(text: str) -> str:
    """Return any text so that Slack shows it as it is: no mention, link or date can come out of it."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(mrkdwn: str, limit: int) -> str:
    """Cut escaped text at its end to `limit` characters, never inside an entity or a control sequence."""
    if len(mrkdwn) <= limit:
        return mrkdwn
    kept, length = [], 1
    for atom in _ATOM.findall(mrkdwn):
        length += len(atom)
        if length > limit:
            break
        kept.append(atom)
    return "".join(kept) + "…"


def cut_middle(text: str, limit: int) -> str:
    """Cut plain text in its middle to `limit` characters: `moe-16x3b-lr3e4…seed3`."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def short_name(name: str) -> str:
    """Return the name of a run or host as lists and headers show it."""
    return cut_middle(name, NAME)


def point(time: Time, *, dated: bool = False) -> str:
    """Return a point in time that Slack shows in the reader's zone; `dated` adds the day (`today`, `24 Nov`)."""
    exact = time.style is TimeStyle.SECONDS
    form, utc = "{time_secs}" if exact else "{time}", utc_time(time.epoch, seconds=exact)
    if dated:
        form, utc = f"{{date_short_pretty}} {form}", f"{utc_date(time.epoch)} {utc}"
    return f"<!date^{int(time.epoch)}^{form}|{utc}>"


def person(who: Person) -> str:
    """Return a mention if one is wanted and the id is Slack's, else the plain name."""
    if who.mention and _USER.fullmatch(who.id):
        return f"<@{who.id}>"
    if who.mention and _GROUP.fullmatch(who.id):
        return f"<!subteam^{who.id}>"
    return escape(who.id)


def mrkdwn(text: Text, day: int | None = None) -> str:
    """Return a text in Slack's markup; a point in time has its day unless the one before it, or `day`, has the same."""
    rendered = []
    for span in text:
        rendered.append(_span(span, day))
        for time in times((span,)):
            day = day_of(time.epoch)
    return "".join(rendered)


def times(text: Iterable[Span]) -> Iterator[Time]:
    """Return the points in time of a text, in reading order."""
    for span in text:
        if isinstance(span, Time):
            yield span
        elif isinstance(span, Strong):
            yield from times(span.spans)


def day_of(epoch: float) -> int:
    """Return the number of the day (UTC) of a moment."""
    return int(epoch // 86400)


def _span(span: Span, day: int | None) -> str:
    match span:
        case Time():
            return point(span, dated=day not in {None, day_of(span.epoch)})
        case Person():
            return person(span)
        case Strong():
            return strong(mrkdwn(span.spans, day))
        case _:
            return escape(span)


def strong(rendered: str) -> str:
    """Return rendered text in bold; Slack wants no blank at the edges of it, and no line feed inside."""
    words = _SPACES.sub(" ", rendered).strip()
    return f"*{words}*" if words else ""


def log_text(lines: Iterable[str], most: int = LOG_LINES, width: int = 0) -> str:
    """Return redacted log lines as preformatted text, the last `most` of them; empty if they say nothing.

    Long lines are cut in their middle to `width`; if none is said, few lines may be longer, since they take no more
    room than three short ones.
    """
    shown = [line for line in map(_readable, lines) if line][-most:]
    width = width or max(LOG_LINE, LOG_LINE * LOG_LINES // max(1, len(shown)))
    cut = [escape(cut_middle(line, width).replace("`", "'")) for line in shown]
    return "```" + "\n".join(cut) + "```" if cut else ""


def _readable(line: str) -> str:
    return _DATED.sub(r"\1", _SPACES.sub(" ", clean(line)).strip())


def plain(text: str, limit: int) -> Block:
    """Return a text object for headers and buttons."""
    return {"type": "plain_text", "text": shorten(escape(_SPACES.sub(" ", text)), limit), "emoji": True}


def header(text: str) -> Block:
    """Return a header."""
    return {"type": "header", "text": plain(text, HEADER)}


def section(rendered: str, limit: int = SECTION) -> Block:
    """Return a section of rendered text."""
    return {"type": "section", "text": _marked(rendered, limit)}


def context(rendered: str) -> Block:
    """Return the small grey line at the end; commands in it are shown as code."""
    parts = (f"`{part}`" if part.startswith("/trainstatus") else part for part in rendered.split(" · "))
    return {"type": "context", "elements": [_marked(" · ".join(parts), CONTEXT)]}


def button(label: str, action_id: str, value: str, *, primary: bool = False) -> Block:
    """Return a button; primary is the one coloured button of a message."""
    style = {"style": "primary"} if primary else {}
    return {"type": "button", "text": plain(label, LABEL), "action_id": action_id, "value": value, **style}


def actions(block_id: str, elements: Sequence[Block]) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def _marked(rendered: str, limit: int) -> Block:
    # Verbatim: markup is kept, but Slack makes no links or mentions of its own out of a log's @here or #general:
    # https://docs.slack.dev/reference/block-kit/composition-objects/text-object
    return {"type": "mrkdwn", "text": shorten(rendered, limit), "verbatim": True}


def size(blocks: Sequence[Block]) -> int:
    """Return how many characters the blocks count."""
    return len(json.dumps(blocks, ensure_ascii=False))


def alert(message: Message) -> tuple[str, list[Block]]:
    """Return the fallback text and the blocks of an alert; what is too long loses log, hint, members, then facts."""
    thinner = message
    for thinner in _thinner(message):
        if len(_facts(thinner)) <= FACTS and size(_layout(thinner)) <= ALL_BLOCKS:
            break
    return fallback(message), _layout(thinner)


def fallback(message: Message) -> str:
    """Return the alert as one sentence: what a push notification and a screen reader say."""
    text = mrkdwn(message.fallback, _day(message)).strip() or escape(message.headline).strip()
    return shorten(text or f"Incident {message.incident}", FALLBACK)


def note(message: Message) -> str:
    """Return the reply under the message; empty if there is none."""
    repeat = " (May be a repeat.)" if message.note and message.repeat else ""
    return shorten(mrkdwn((*message.note, repeat)).strip(), NOTE)


def _thinner(message: Message) -> Iterator[Message]:
    yield message
    message = replace(message, excerpt=())
    yield message
    message = replace(message, hint="")
    yield message
    message = replace(message, members=())
    yield message
    while loose := [place for place, fact in enumerate(message.facts) if not fact.person]:
        message = replace(message, facts=message.facts[: loose[-1]] + message.facts[loose[-1] + 1 :])
        yield message


def _layout(message: Message) -> list[Block]:
    day = _day(message)
    last = mrkdwn(message.context, day)
    sections = (
        (mrkdwn(message.late, day), LATE),
        (mrkdwn(message.sentence, day), SENTENCE),
        (_members(message), SECTION),
        (_facts(message), FACTS),
        (_log(message), SECTION),
    )
    headline = message.headline.replace(message.run, short_name(message.run), 1)
    return [
        header(f"{EMOJI[message.look]} {headline}"),
        *(section(text, limit) for text, limit in sections if text.strip()),
        *_buttons(message),
        *([context(last)] if last.strip() else []),
    ]


def _members(message: Message) -> str:
    lines = (
        f"{escape(short_name(each.label))}  {mrkdwn(each.value, _day(message))}".strip() for each in message.members
    )
    return "\n".join((strong(escape(message.members_title)), *lines)) if message.members else ""


def _facts(message: Message) -> str:
    day = _day(message)
    hint = (Fact("Hint", (message.hint,)),) if message.hint else ()
    lines = [_fact(fact, day) for fact in (*message.facts, *hint) if not fact.person]
    people = [_fact(fact, day) for fact in message.facts if fact.person]
    return "\n".join(line for line in (*lines, " · ".join(people)) if line)


def _fact(fact: Fact, day: int | None) -> str:
    return f"{strong(escape(fact.label))}  {mrkdwn(fact.value, day).strip()}"


def _log(message: Message) -> str:
    lines = log_text(message.excerpt)
    if not lines:
        return ""
    title, _, rest = message.excerpt_title.partition(": ")
    hidden = sum(line.count("[redacted]") for line in message.excerpt[-LOG_LINES:])
    secrets = f" · {hidden} secret{'s' if hidden > 1 else ''} redacted" if hidden else ""
    words = "  ".join(filter(None, (strong(escape(title or "Log")), shorten(escape(rest), HEADER))))
    return f"{words}{secrets}\n{lines}"


def _buttons(message: Message) -> list[Block]:
    number, offered = str(message.incident), list(dict.fromkeys(message.actions))
    elements = [
        button(LABELS[action], action.value, number, primary=action is Action.ACKNOWLEDGE and not place)
        for place, action in enumerate(offered)
    ]
    return [actions(f"incident_{number}", elements)] if elements else []


def _day(message: Message) -> int | None:
    """Return the day that a message tells of, which Slack prints beside it; times of other days name theirs."""
    told = times((*message.late, *message.sentence, *message.fallback))
    return next((day_of(time.epoch) for time in told), None)
