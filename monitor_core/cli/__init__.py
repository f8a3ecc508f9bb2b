"""The shell: `trainstatus VERB`. One file for each family of verbs, one function for each verb."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from monitor_core.cli.arguments import parser
from monitor_core.errors import CommandError, ConfigError, TrainstatusError

# What carries a verb out is imported when it is asked for: `--help` and `replay` need no SSH and no database.
_ROOMS = {
    "run": "monitor",
    "demo": "demo",
    "check": "monitor",
    "replay": "replay",
    "status": "people",
    "mute": "people",
    "unmute": "people",
    "mutes": "people",
    "threshold": "people",
    "ack": "people",
    "unack": "people",
}


def main(argv: Sequence[str], *, extension: Callable[..., object] | None = None) -> int:
    """Carry out a command line and return the exit status.

    `extension` makes the other way to people (Slack) from a configuration, or None where it has none.
    """
    arguments = parser().parse_args(argv)
    verb = getattr(import_module(f"monitor_core.cli.{_ROOMS[arguments.verb]}"), arguments.verb)
    try:
        return int(verb(arguments, extension))
    except ConfigError as error:
        _say(str(error))
        return 3 if arguments.verb == "check" else 2
    except CommandError as error:
        near = f"\nTry: trainstatus {error.suggestion}" if " " in error.suggestion else ""
        _say(f"{error}{near}")
        return 2
    except TrainstatusError as error:
        _say(str(error))
        return 3 if arguments.verb == "check" else 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


__all__ = ["main"]
