"""Puts a `Message` into words for layouts that have neither Slack's time zones nor its emoji: mail and terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor_core.model.message import Fact, Look, Message, Person, Strong, Text, Time, TimeStyle
from monitor_core.units import NBSP, utc_date, utc_time

LONGEST = 500  # characters of one text: a line of a log can be a megabyte, a mail server takes a few
_ARROW = "→"
# Log text reaches headers, terminals and HTML: what could break or reorder them goes, by Unicode category.
_CLEANED = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "\ufffd"}
_SPEAKS_FOR_ITSELF = frozenset({Look.RESOLVED, Look.FINISHED})


class Piece(NamedTuple):
    """Words of one weight."""

    words: str
    strong: bool = False


Pieces = tuple[Piece, ...]
Row = tuple[str, Pieces]


def clean(text: str) -> str:
    """Return the text on one line, without control, format and bidi characters, cut in the middle if it is long."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"
    return "".join(_CLEANED.get(unicodedata.category(character), character) for character in text)


def plain(pieces: Pieces) -> str:
    """Return the words alone."""
    return "".join(piece.words for piece in pieces)


class Wording:
    """Puts the texts of one message into words, in reading order: a day is named where it first holds.

    `arrow` is what stands for `→` between two values; between two points in time it is always "to".
    """

    def __init__(self, arrow: str = "to") -> None:
        self._arrow = arrow
        self._day = ""

    def pieces(self, text: Text) -> Pieces:
        """Return the text in words."""
        spans = list(_flat(text))
        follow = [[span for span, _ in spans[place : place + 2]] for place in range(1, len(spans) + 1)]
        return tuple(
            Piece(self._words(span, after), strong) for (span, strong), after in zip(spans, follow, strict=True)
        )

    def _words(self, span: str | Time | Person, after: Sequence[str | Time | Person]) -> str:
        if isinstance(span, Time):
            return self._time(span, after)
        if isinstance(span, Person):
            return clean(span.id)
        return " to " if span.strip() == _ARROW else clean(span).replace(_ARROW, self._arrow)

    def _time(self, time: Time, after: Sequence[str | Time | Person]) -> str:
        clock, day = utc_time(time.epoch, seconds=time.style is TimeStyle.SECONDS), utc_date(time.epoch)
        if _is_range_to(after, day):
            return clock.removesuffix(" UTC")
        named, self._day = self._day, day
        return (clock if day == named else f"{clock} ({day})").replace(" ", NBSP)


def _flat(text: Text, *, strong: bool = False) -> Iterator[tuple[str | Time | Person, bool]]:
    for span in text:
        if isinstance(span, Strong):
            yield from _flat(span.spans, strong=True)
        else:
            yield span, strong


def _is_range_to(after: Sequence[str | Time | Person], day: str) -> bool:
    match after:
        case [str(between), Time() as end]:
            return between.strip() in {"to", _ARROW} and utc_date(end.epoch) == day
    return False


@dataclass(frozen=True, slots=True)
class Page:
    """A message in words, in the order in which it is read.

    `mark` is the state in capitals, severity first; `title` the headline without it; `paragraphs` the line about a late
    delivery, the note, and the sentence; `summary` the whole alert as one sentence.
    """

    mark: tuple[str, ...]
    title: str
    paragraphs: tuple[Pieces, ...]
    members_title: str
    members: tuple[Row, ...]
    facts: tuple[Row, ...]
    excerpt_title: str
    excerpt: tuple[str, ...]
    hint: str
    commands: tuple[tuple[str, str], ...]
    context: str
    summary: str


def page(message: Message, arrow: str = "to") -> Page:
    """Return the message in words."""
    wording = Wording(arrow)
    return Page(
        mark=_mark(message),
        title=clean(message.headline.removesuffix(f" · {message.severity}")),
        paragraphs=tuple(wording.pieces(text) for text in _paragraphs(message) if text),
        members_title=clean(message.members_title),
        members=_rows(message.members, wording),
        facts=_rows(message.facts, wording),
        excerpt_title=clean(message.excerpt_title),
        excerpt=tuple(clean(line) for line in message.excerpt),
        hint=clean(message.hint).replace(_ARROW, arrow),
        commands=tuple((clean(label), clean(command)) for label, command in message.commands),
        context=plain(wording.pieces(message.context)),
        summary=plain(Wording().pieces(message.note or message.fallback)),
    )


def _rows(facts: Sequence[Fact], wording: Wording) -> tuple[Row, ...]:
    return tuple((clean(fact.label), wording.pieces(fact.value)) for fact in facts)


def _mark(message: Message) -> tuple[str, ...]:
    if message.look in _SPEAKS_FOR_ITSELF:
        return (message.look.upper(),)
    severity = "" if message.severity == "info" else message.severity
    return tuple(clean(word).upper() for word in dict.fromkeys((severity, message.state)) if word)


def _paragraphs(message: Message) -> tuple[Text, ...]:
    # The note of a resolve says what the sentence says: it is made for a reply under the message.
    note = () if message.look is Look.RESOLVED else message.note
    return message.late, note, message.sentence
