"""What several verbs need: the configuration, the logs of our own, and JSON."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
import logging
import math
import os
import sys
from typing import Any

from monitor_core.config.load import find, load
from monitor_core.config.models import Config
from monitor_core.config.secret import Ask

_QUIET = ("paramiko", "apscheduler", "slack_sdk", "slack_bolt", "alembic", "websocket")


def configuration(arguments: argparse.Namespace, *, secrets: bool = True, looking: bool = False) -> Config:
    """Return the configuration that the command line, the environment or the folder name; raise ConfigError.

    A verb that sends nothing does without `secrets`: nobody has to export or type them for it. One that is `looking` at
    hosts still needs the passphrases of SSH keys.
    """
    looking = looking or secrets
    return load(path_of(arguments), environment=os.environ, ask=asker(), secrets=secrets, looking=looking)


def path_of(arguments: argparse.Namespace) -> str:
    """Return the configuration file that the command line, the environment or the folder names; raise ConfigError."""
    return find(arguments.config, os.environ)


def asker() -> Ask | None:
    """Return how a person is asked for a secret; None where there is no terminal."""
    return getpass.getpass if sys.stdin is not None and sys.stdin.isatty() else None


def begin_logging() -> None:
    """Write what the monitor does to standard error, one line a fact; of libraries only what went wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def print_json(value: Any) -> None:
    """Print strict JSON: what is not finite becomes the strings "nan" and "inf"."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Return dataclasses, enumerations and numbers as JSON knows them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return str(value) if isinstance(value, str) else value
