"""Log formats of people's own: from patterns in the configuration or on the command line to a dialect.

They run on RE2, whose time is linear in the line, so that no pattern can hang the monitor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import re2

from monitor_core.model.records import MarkerKind
from monitor_core.parse.dialect import Dialect, Rule, marker, progress
from monitor_core.parse.fields import FIELDS
from monitor_core.parse.pattern import regular_expression

EXPRESSION = "regex:"
_EXAMPLE = "step {iteration}/{total} loss={loss}"
_PLACES = ("iteration", "batch")
_AT = frozenset({"iteration"})
# A part of a regular expression, as far as it matters for what is fixed in it.
_PART = re.compile(
    r"""(?P<escape>\\(?:x\{[^}]*\}|x..|[pP]\{[^}]*\}|[pP].|[0-7]{1,3}|[A-Za-z0-9]))
      | (?P<class>\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\])
      | (?P<open>\() | (?P<close>\)) | (?P<or>\|)
      | (?P<optional>[*?]|\{0[\d,]*\}) | (?P<repeat>\+|\{\d+,?\d*\}) | (?P<other>[.^$])
      | \\?(?P<text>.)""",
    re.VERBOSE | re.DOTALL,
)
# In these what is fixed is not matched to the letter, or not written as it is.
_NOT_TO_THE_LETTER = re.compile(r"\(\?[a-zA-Z-]*i|\\Q")


@dataclass(frozen=True, slots=True)
class _Found:
    """What RE2 found, like a match of Python's own: the names of groups are text."""

    match: re.Match[bytes]

    def start(self) -> int:
        return self.match.start()

    def end(self) -> int:
        return self.match.end()

    def groupdict(self) -> dict[str, bytes | None]:
        return {cast("bytes", name).decode(): word for name, word in self.match.groupdict().items()}


@dataclass(frozen=True, slots=True)
class _Searcher:
    """A regular expression of RE2. A log may be in any encoding, so that each byte is a character."""

    regexp: Any

    def search(self, line: bytes) -> _Found | None:
        match = self.regexp.search(line)
        return _Found(match) if match else None

    @property
    def pattern(self) -> bytes:
        return cast("bytes", self.regexp.pattern)

    @property
    def groupindex(self) -> dict[str, int]:
        return {name.decode(): index for name, index in self.regexp.groupindex.items()}


def is_pattern(text: str) -> bool:
    """Tell whether a text is a pattern, and not the name of a format."""
    return "{" in text or text.startswith(EXPRESSION)


@lru_cache(maxsize=256)
def dialect(name: str, lines: tuple[str, ...], pause: tuple[str, ...] = (), end: tuple[str, ...] = ()) -> Dialect:
    """Return the dialect of these patterns; raise ValueError with a sentence if one of them cannot be used.

    `lines` tell progress; after one of `pause` it is silent for a reason, and `end` ends the training. Without `end`
    the last iteration does.
    """
    return Dialect(
        name,
        rules=(
            *(_progress(text) for text in lines),
            *(_marker(MarkerKind.CHECKPOINT_START, text) for text in pause),
            *(_marker(MarkerKind.TRAINING_DONE, text) for text in end),
        ),
        title=" | ".join((*lines, *pause, *end)),
        ends_at_total=not end,
    )


def check_progress(text: str) -> str:
    """Return the pattern of progress lines; raise ValueError with a sentence if it cannot be used."""
    _progress(text)
    return text


def check_marker(text: str) -> str:
    """Return the pattern of lines that tell a pause or the end; raise ValueError with a sentence if it cannot."""
    _marker(MarkerKind.TRAINING_DONE, text)
    return text


def reach(text: str, line: bytes) -> str:
    """Return how much of a pattern a line fits, from the pattern's beginning on; a regular expression fits or not."""
    whole = len(text)
    ends = [whole] if text.startswith(EXPRESSION) else [whole, *reversed(_ends(text))]
    return next((text[:end] for end in ends if end and _searcher(_source(text[:end]).encode()).search(line)), "")


def _ends(text: str) -> list[int]:
    """Return where a pattern may be cut: before and after each field, and after each word."""
    return [match.end() for match in re.finditer(r"\{\{|\}\}|\{[^{}]*\}|[^{}\s]+", text)]


def _progress(text: str) -> Rule:
    source = _source(text)
    groups = _groups(source)
    if not any(place in groups for place in _PLACES):
        raise ValueError(
            f"has neither {{iteration}} nor {{batch}}: say where the number stands (example: {_EXAMPLE})"
            if not text.startswith(EXPRESSION)
            else r"has neither a group iteration nor batch: say where the number stands (example: (?P<iteration>\d+))"
        )
    # Those who say how many epochs there will be count them from one.
    first = 1 if "epochs" in groups else 0
    return progress(_literal(source), source, first_epoch=first, expression=True, compile=_compile)


def _marker(kind: MarkerKind, text: str) -> Rule:
    source = _source(text)
    others = [name for name in _groups(source) if name not in _AT]
    if others:
        raise ValueError(f"{{{others[0]}}} has no meaning here (known: any, iteration)")
    return marker(kind, _literal(source), source.encode(), proves=True, compile=_compile)


def _source(text: str) -> str:
    """Return the regular expression of what people wrote."""
    if not text.removeprefix(EXPRESSION).strip():
        raise ValueError(f"is empty (example: {_EXAMPLE})")
    if text.startswith(EXPRESSION):
        return text.removeprefix(EXPRESSION)
    return regular_expression(text)


def _groups(source: str) -> tuple[str, ...]:
    names = tuple(_searcher(source.encode()).groupindex)
    unknown = [name for name in names if name not in FIELDS]
    if unknown:
        raise ValueError(f"the group {unknown[0]!r} is not a field (known: {', '.join(FIELDS)})")
    return names


def _compile(source: bytes) -> re.Pattern[bytes]:
    return cast("re.Pattern[bytes]", _searcher(source))


def _searcher(source: bytes) -> _Searcher:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    try:
        return _Searcher(re2.compile(source, options))
    except re2.error as error:
        why = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"is not a regular expression of RE2: {why}") from None


def _literal(source: str) -> str:
    """Return the longest text that each line must hold that matches; empty if there is none."""
    if _NOT_TO_THE_LETTER.search(source):
        return ""
    runs, depth = [""], 0
    for match in _PART.finditer(source):
        kind = match.lastgroup
        if kind == "or" and not depth:
            return ""
        depth += (kind == "open") - (kind == "close")
        if kind == "text" and not depth:
            runs[-1] += match["text"]
            continue
        if kind == "optional":
            runs[-1] = runs[-1][:-1]
        runs.append("")
    return max(runs, key=len)
