"""A pattern to start from, for lines that no dialect knows: what a person would try first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from monitor_core.parse import Parser
from monitor_core.patterns import dialect

NUMBER = re.compile(r"(?<![A-Za-z_\d])[-+]?\d+(?:[.,:]\d+)*(?:[eE][-+]?\d+)?|\bnan\b")
_WORD = re.compile(r"([A-Za-z][A-Za-z_]*(?: [Nn]orm|/s)?)[^A-Za-z\d]{0,4}$")
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("iteration", "iter", "it", "step", "steps", "global_step", "update", "updates"), "iteration"),
        **dict.fromkeys(("grad_norm", "grad norm", "gnorm", "norm", "gradnorm"), "grad_norm"),
        **dict.fromkeys(("lr", "learning_rate"), "learning_rate"),
        **dict.fromkeys(("throughput", "tps", "wps", "tok/s", "tokens/s", "samples/s"), "throughput"),
        "epoch": "epoch",
        "batch": "batch",
    }
)
_TOTALS: Mapping[str, str] = MappingProxyType({"iteration": "total", "epoch": "epochs", "batch": "batches"})
_UNITS = (
    (r" ?ms\b", "ms"),
    (r" ?it(?:er)?/s", "it_per_s"),
    (r" ?s(?:ec)?(?:/it(?:er)?)?\b", "s"),
    (r" ?(?:tok(?:en)?|sample|image|img)s?/s(?:ec)?\b", "throughput"),
)
_OF = re.compile(r"\s{0,20}(?:/|of)\s{0,20}")
_Named = tuple[re.Match[str], str]


def suggest(first: str, last: str) -> str:
    """Return a pattern for two lines that differ in their numbers; empty if it is not seen how far they tell."""
    found = [*_named(first)]
    if not any(name in {"iteration", "batch"} for _, name in found):
        found = [*_counting(first, last, found)]
    told = [(match, name) for match, name in found if name]
    if not told:
        return ""
    begin = _WORD.search(first, 0, told[0][0].start())
    pattern = _pattern(first, begin.start() if begin else told[0][0].start(), found, told[-1][0].end())
    return pattern if _reads(pattern, (first, last)) else ""


def _named(line: str) -> Iterator[_Named]:
    """Yield the numbers of a line with the names of their fields, each once; empty where none is seen."""
    taken: set[str] = set()
    before: _Named | None = None
    for match in NUMBER.finditer(line):
        name = _name(line, match, before)
        name = "" if name in taken else name
        taken.add(name)
        before = match, name
        yield before


def _name(line: str, match: re.Match[str], before: _Named | None) -> str:
    if before and _OF.fullmatch(line, before[0].end(), match.start()):
        return _TOTALS.get(before[1], "")
    word = _WORD.search(line, max(0, match.start() - 40), match.start())
    key = word[1].lower() if word else ""
    if key.endswith("loss"):
        return "loss"
    if key in _WORDS:
        return _WORDS[key]
    return next((name for unit, name in _UNITS if re.compile(unit).match(line, match.end())), "")


def _counting(first: str, last: str, found: list[_Named]) -> Iterator[_Named]:
    """Take the first whole number that has grown for the iteration; yield nothing if none has."""
    later = [match[0] for match in NUMBER.finditer(last)]
    grown = (
        match
        for (match, name), after in zip(found, later, strict=False)
        if not name and match[0].isdecimal() and after.isdecimal() and int(after[:18]) > int(match[0][:18])
    )
    counting = next(grown, None)
    if counting:
        yield from ((match, "iteration" if match is counting else name) for match, name in found)


def _pattern(line: str, at: int, found: list[_Named], end: int) -> str:
    parts = []
    for match, name in found:
        if at <= match.start() and match.end() <= end:
            parts += [_text(line[at : match.start()]), f"{{{name or 'any'}}}"]
            at = match.end()
    unit = re.compile("|".join(unit for unit, _ in _UNITS)).match(line, at)
    return "".join([*parts, unit[0] if unit else ""])


def _text(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("{", "{{").replace("}", "}}")


def _reads(pattern: str, lines: tuple[str, ...]) -> bool:
    try:
        own = dialect("suggested", (pattern,))
    except ValueError:
        return False
    return all(Parser((own,)).feed(f"{line}\n".encode()) for line in lines)
