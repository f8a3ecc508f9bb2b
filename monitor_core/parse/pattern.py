"""Patterns that people can read: `step {iteration}/{total} | loss {loss} | {any}`.

A field in braces stands for its value (see `fields`), `{any}` and `{any:whatever}` for any text up to what follows, a
space for any spaces, and everything else for itself. `{{` and `}}` are braces.
"""

from __future__ import annotations

import re

from monitor_core.parse.fields import FIELDS

_PART = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<field>[^{}]*)\}|(?P<space>\s+)|(?P<stray>[{}])|(?P<text>[^{}\s]+)")
_ANY = r".{0,200}?"


def regular_expression(pattern: str) -> str:
    """Return the regular expression of a pattern; raise ValueError with a sentence if it is none."""
    names: list[str] = []
    parts = [_part(match, names) for match in _PART.finditer(pattern)]
    return "".join(parts)


def _part(match: re.Match[str], names: list[str]) -> str:
    if match["stray"]:
        raise ValueError(f"a brace at character {match.start() + 1} has no partner (a brace itself is written twice)")
    if match["space"]:
        return r"[ \t]{1,40}"
    if match["field"] is None:
        return re.escape((match["brace"] or match["text"])[: 1 if match["brace"] else None])
    return _field(match["field"].strip(), names)


def _field(name: str, names: list[str]) -> str:
    if name.partition(":")[0] == "any":
        return _ANY
    if name not in FIELDS:
        raise ValueError(f"{{{name}}} is not a field (known: any, {', '.join(FIELDS)})")
    if name in names:
        raise ValueError(f"{{{name}}} stands in it twice")
    names.append(name)
    return rf"[ \t]{{0,40}}(?P<{name}>{FIELDS[name].pattern})"
