"""The table of dialects; a new one is added here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor_core.parse import megatron
from monitor_core.parse.dialect import Dialect

AUTO = "auto"
DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.name: dialect for dialect in (megatron.DIALECT,)})


def choose(name: str) -> tuple[Dialect, ...]:
    """Return the dialects that a log may be in; raise ValueError with a sentence if there is none of that name."""
    if name == AUTO:
        return tuple(DIALECTS.values())
    if name not in DIALECTS:
        raise ValueError(f"{name!r} is not a log format (known: {', '.join((AUTO, *DIALECTS))})")
    return (DIALECTS[name],)
