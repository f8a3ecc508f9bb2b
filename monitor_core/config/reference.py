"""Writes docs/configuration.md from the models: `python -m monitor_core.config.reference > docs/configuration.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from monitor_core.config.explain import keys_of, models_in
from monitor_core.config.flat import Flat
from monitor_core.config.models import Config
from monitor_core.thresholds import CATALOGUE
from monitor_core.units import compact_duration

_INTRODUCTION = """\
# Configuration

<!-- Written by `python -m monitor_core.config.reference > docs/configuration.md`; change the models, not this page. -->

trainstatus reads one YAML file: the one after `--config`, else the one that `$TRAINSTATUS_CONFIG` names,
else `trainstatus.yaml`, else `config.yaml`, in the folder where it is started.
`config/trainstatus.example.yaml` has every key; `config/minimal.yaml` is a file of the original tool, which works too.
Everything that is wrong is told at once, each with file, line and key, and the exit status is 2:

    trainstatus.yaml:14: runs.llama.check_interval: '5 minuts' is not a duration (examples: 30s, 20m, 1h30m)

## How values are written

- **Durations** have a unit: `30s`, `20m`, `1h30m`, `2d`; at least 0.05 s, at most 7 days
  (under `retention` at least an hour, at most 3650 days).
- **Lists** of one thing may be written as the thing: `logs: /data/llama/train.log`.
- **Names** of runs and hosts are up to 63 letters, digits, `.`, `_` and `-`, not `all`;
  no two of them are the same, in whatever case, since commands take them in any case.
- **Secrets** never stand in the file. Write `env:NAME` for a variable of the environment, `file:/path` for a file that
  only its owner can read (`chmod 600`), or `ask` to be asked at start.
- **YAML** is read strictly: `no`, `on`, `0644`, `12:30` and `2026-01-01` are words, a key stands only once,
  a key without a value is a key left out; tags, anchors, aliases and several documents are refused.
- Of a setting that stands in several places, the nearest counts: run, then host, then `defaults`, then the preset.
  What people set in Slack or the shell comes before all of them.
"""
_FLAT = """
## The file of the original tool

A file with these keys and neither `hosts` nor `runs` means one host, one run named after its log, and one recipient of
everything from info up. The password of `source_email` comes from `$TRAINSTATUS_SMTP_PASSWORD`, else a person is asked
for it at start.
"""
_THRESHOLDS = """
## thresholds

A ratio may be written `1.2` or `1.2x`. The preset `seed` has no value where the original tool has no such rule.

| threshold | meaning | unit | default | preset seed | allowed |
|---|---|---|---|---|---|
"""
_SUFFIXES: dict[Any, str] = {dict: ".NAME", tuple: "[]"}
_HEAD = "| key | meaning | default | example |\n|---|---|---|---|\n"


def document() -> str:
    """Return the page."""
    parts = [_INTRODUCTION]
    for path, model in sections(Config, ""):
        about = (model.__doc__ or "").strip()
        parts.append(f"\n## {path or 'The top of the file'}\n\n{about}\n\n{_table(model, path)}")
    return "".join([*parts, _thresholds(), _FLAT, "\n", _table(Flat, "")])


def sections(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Return the sections of a file with their paths, each before those inside it."""
    yield path, model
    for key, field in keys_of(model).items():
        for inner in models_in(field.annotation):
            yield from sections(inner, _inside(path, key, field))


def _inside(path: str, key: str, field: FieldInfo) -> str:
    suffix = _SUFFIXES.get(get_origin(field.annotation), "")
    return f"{path}.{key}{suffix}".removeprefix(".")


def _table(model: type[BaseModel], path: str) -> str:
    return _HEAD + "".join(_row(key, field, path) for key, field in keys_of(model).items())


def _row(key: str, field: FieldInfo, path: str) -> str:
    example = f"`{key}: {field.examples[0]}`" if field.examples else f"see {_inside(path, key, field)}"
    return f"| `{key}` | {field.description} | {_default(field)} | {example} |\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    return _code(compact_duration(value) if isinstance(value, float) else _typed(value))


def _typed(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]" if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else ""


def _thresholds() -> str:
    rows = (
        f"| `{t.name}` | {t.meaning} | {t.unit} | `{t.default}` | {_code(t.seed)} | {t.allowed} |\n"
        for t in CATALOGUE.values()
    )
    return _THRESHOLDS + "".join(rows)


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "-"


if __name__ == "__main__":
    sys.stdout.write(document())
