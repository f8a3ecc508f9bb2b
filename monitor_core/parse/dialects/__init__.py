"""The table of dialects, in the order in which they are asked about a line; a new one is added here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from monitor_core.parse.dialect import Dialect
from monitor_core.parse.dialects import (
    dllogger,
    hf_trainer,
    hugectr,
    lightgbm,
    megatron,
    mindspore,
    mllog,
    mxnet,
    paddle,
    paddlenlp,
    tqdm,
    xgboost,
)

AUTO = "auto"
# The name of a built-in dialect, `auto` for all of them, or the dialects themselves.
Format = str | tuple[Dialect, ...]
_ALL = (
    megatron.DIALECT,
    hf_trainer.DIALECT,
    paddle.DIALECT,
    paddlenlp.DIALECT,
    mindspore.DIALECT,
    mxnet.DIALECT,
    hugectr.DIALECT,
    lightgbm.DIALECT,
    xgboost.DIALECT,
    dllogger.DIALECT,
    mllog.DIALECT,
    tqdm.DIALECT,
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.name: dialect for dialect in _ALL})


def choose(format: Format) -> tuple[Dialect, ...]:
    """Return the dialects that a log may be in; raise ValueError with a sentence if there is none of that name."""
    if not isinstance(format, str):
        return format
    if format == AUTO:
        return tuple(DIALECTS.values())
    if format not in DIALECTS:
        raise ValueError(f"{format!r} is not a log format (known: {', '.join((AUTO, *DIALECTS))})")
    return (DIALECTS[format],)
