"""How long `trainstatus --help` takes, and what it imports."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass

from tests.bench.lab import run

_HELP = "import sys; from bot.__main__ import main; sys.exit(main(['--help']))"
_ORIGINAL = "import tests.bench.original"
_HEAVY = ("alembic", "apscheduler", "jinja2", "paramiko", "pydantic", "rich", "slack_bolt", "slack_sdk", "sqlalchemy")
_LOADED = f"""
import contextlib, io, json, sys
from bot.__main__ import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
print(json.dumps([name for name in {_HEAVY!r} if name in sys.modules]))
"""


@dataclass
class StartUp:
    """Seconds of wall time: bare Python, our help, and the imports of the original; and the libraries of our help."""

    bare: float
    help: float
    original: float
    libraries: list[str]


def start_up(times):
    """Measure start-up, the median of so many."""
    return StartUp(
        bare=_wall("pass", times),
        help=_wall(_HELP, times),
        original=_wall(_ORIGINAL, times),
        libraries=json.loads(run("-c", _LOADED)),
    )


def _wall(program, times):
    run("-c", program)
    return statistics.median(_clocked(program) for _ in range(times))


def _clocked(program):
    before = time.perf_counter()
    run("-c", program)
    return time.perf_counter() - before
