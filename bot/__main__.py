"""The `trainstatus` command, and `python -m bot`: monitor and Slack in one process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor_core import cli

if TYPE_CHECKING:  # `--help` answers at once: what a monitor needs is loaded by the verbs that need it
    from monitor_core.app import Extension
    from monitor_core.config.models import Config


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb of the shell command and return its exit status."""
    return cli.main(sys.argv[1:] if argv is None else argv, extension=slack)


def slack(config: Config) -> Extension | None:
    """Return the Slack app, None where the configuration has none."""
    if config.slack is None:
        return None
    from bot.app import SlackApp  # noqa: PLC0415 who uses e-mail alone never loads Slack's libraries

    return SlackApp(config)


if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
