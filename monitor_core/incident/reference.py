"""Writes the tables of docs/detectors.md: `python -m monitor_core.incident.reference < PAGE` prints the page anew.

What stands between the marks of a table is written from the kinds and thresholds; the words around it are by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping

from monitor_core.incident.catalogue import MEANINGS, UNFOUND
from monitor_core.model.incidents import KINDS, Kind
from monitor_core.model.records import Role
from monitor_core.parse.signatures import SIGNATURES
from monitor_core.parse.signatures.exits import EXITS
from monitor_core.parse.signatures.xid import XIDS
from monitor_core.thresholds import CATALOGUE

_PART = re.compile(r"(<!-- (\w+): from the code -->\n).*?(<!-- end -->)", re.DOTALL)


def page(before: str) -> str:
    """Return the page with its tables as they are now."""
    return _PART.sub(lambda part: f"{part[1]}{_TABLES[part[2]]()}\n{part[3]}", before)


def _kinds() -> str:
    rows = (
        (
            f"`{kind}`" + ("†" if kind in UNFOUND else ""),
            spec.word,
            ", ".join(spec.severities),
            spec.subject if spec.subject != "self" else "the monitor",
            MEANINGS[kind].fires,
            _closes(kind),
            _codes(MEANINGS[kind].thresholds),
        )
        for kind, spec in KINDS.items()
    )
    return _table(("kind", "word", "severity", "about", "fires", "closes", "thresholds"), rows)


def _closes(kind: Kind) -> str:
    spec = KINDS[kind]
    return f"{spec.closes}; told once" if spec.once else spec.closes


def _relations() -> str:
    rows = (
        (f"`{kind}`", _codes(sorted(spec.ends)), _codes(sorted(spec.inhibits)), _codes([spec.part_of or ""]))
        for kind, spec in KINDS.items()
        if spec.ends or spec.inhibits or spec.part_of
    )
    return _table(("kind", "ends", "while it holds, is not judged", "holds only with"), rows)


def _thresholds() -> str:
    rows = (
        (
            f"`{t.name}`",
            t.meaning,
            t.unit,
            f"`{t.default}`",
            _codes([t.seed or ""]),
            t.allowed,
            _codes(_decided_by(t.name)),
        )
        for t in CATALOGUE.values()
    )
    return _table(("threshold", "meaning", "unit", "default", "preset seed", "allowed", "decides"), rows)


def _decided_by(threshold: str) -> list[str]:
    return [kind for kind, meaning in MEANINGS.items() if threshold in meaning.thresholds]


def _facts() -> str:
    rows = (
        (f"`{kind}`", meaning.detail or "-", ", ".join(f"`{name}` {what}" for name, what in meaning.facts.items()))
        for kind, meaning in MEANINGS.items()
    )
    return _table(("kind", "`detail` tells apart", "`facts`"), rows)


def _causes() -> str:
    rows = (
        (f"`{cause.id}`", cause.role, cause.sentence, _shown(cause.advice))
        for cause in SIGNATURES.values()
        if cause.role is not Role.CONTEXT
    )
    return _table(("cause", "role", "what it means", "what to try"), rows)


def _exits() -> str:
    rows = ((f"`{code}`", known.sentence, _shown(known.advice)) for code, known in EXITS.items())
    return _table(("exit code", "what it means", "what to try"), rows)


def _xids() -> str:
    rows = ((f"{xid.number}", xid.kind, xid.meaning, _shown(xid.action)) for xid in XIDS.values())
    return _table(("Xid", "class", "what it means", "what to try"), rows)


def _shown(advice: str) -> str:
    return advice.replace("|", "\\|") or "-"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names if name) or "-"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_TABLES: Mapping[str, Callable[[], str]] = {
    "kinds": _kinds,
    "relations": _relations,
    "thresholds": _thresholds,
    "facts": _facts,
    "causes": _causes,
    "exits": _exits,
    "xids": _xids,
}

if __name__ == "__main__":
    sys.stdout.write(page(sys.stdin.read()))
