"""The verb run: it takes signals first, then loads what takes time."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from monitor_core.signals import Signals


def run(arguments: argparse.Namespace, extension: Any) -> int:
    """Watch until told to stop; a signal that comes while the monitor is still being loaded does not kill it."""
    with Signals() as signals:
        return int(import_module("monitor_core.cli.service").run(arguments, extension, signals))
