"""The verb that keeps the database safe: backup."""

from __future__ import annotations

import argparse
from pathlib import Path

from monitor_core.cli.setup import configuration
from monitor_core.store.database import file_of
from monitor_core.store.upkeep import backup as copy


def backup(arguments: argparse.Namespace, _extension: object) -> int:
    """Copy the database to a new file."""
    url, target = configuration(arguments, secrets=False).database, Path(arguments.file)
    copy(url, target)
    print(f"Copied {file_of(url)} to {target} ({target.stat().st_size:,} bytes).")
    return 0
