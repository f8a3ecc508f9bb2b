"""The shell: `trainstatus VERB`. One file for each family of verbs, one function for each verb."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from monitor_core.cli.arguments import parser
from monitor_core.errors import CommandError, TrainstatusError

# What carries a verb out is imported when it is asked for: `--help` and `replay` need no SSH and no database.
_ROOMS = {
    "run": "start",
    "demo": "demo",
    "check": "monitor",
    "log": "monitor",
    "test-alert": "rehearsal",
    "doctor": "doctor",
    "init": "begin",
    "hostkeys": "hostkeys",
    "replay": "replay",
    "status": "people",
    "mute": "people",
    "unmute": "people",
    "mutes": "people",
    "threshold": "people",
    "ack": "people",
    "unack": "people",
    "history": "past",
    "why": "past",
    "audit": "past",
    "false-alarm": "past",
    "backup": "upkeep",
}
# 2 would say to a monitoring system that a run is critical.
_REFUSED = {"check": 3}
_CHANGING = frozenset({"mute", "unmute", "threshold", "ack", "unack", "false-alarm"})
# What a file that takes no more says of a write; the verbs tell of their own files themselves.
_NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def main(argv: Sequence[str], *, extension: Callable[..., object] | None = None) -> int:
    """Carry out a command line and return the exit status.

    `extension` makes the other way to people (Slack) from a configuration, or None where it has none.
    """
    refused = _REFUSED.get(argv[0] if argv else "", 2)
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as end:
        sys.exit(refused if end.code else 0)
    verb = getattr(import_module(f"monitor_core.cli.{_ROOMS[arguments.verb]}"), arguments.verb.replace("-", "_"))
    try:
        status = int(verb(arguments, extension))
        print(end="", flush=True)
    except CommandError as error:
        unchanged = " Nothing was changed." if arguments.verb in _CHANGING else ""
        near = f"\nTry: trainstatus {error.suggestion}" if " " in error.suggestion else ""
        _say(f"{error}{unchanged}{near}")
        return refused
    except TrainstatusError as error:
        _say(str(error))
        return refused
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in _NOT_WRITTEN:
            raise
        _drop_output()
        _say(f"standard output cannot be written: {error.strerror}")
        return refused
    return status


def _drop_output() -> None:
    """What is left in the buffer would be written at exit, and fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    print(text, file=sys.stderr)


__all__ = ["main"]
