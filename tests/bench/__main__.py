"""`make bench`: measures what trainstatus costs and what it tells, and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from monitor_core.units import duration
from tests.bench.lab import ROOT
from tests.bench.page import part, replaced
from tests.bench.parts import GROUPS, PARTS

PAGE = ROOT / "docs" / "benchmarks.md"


def main(argv):
    arguments = _arguments(argv)
    command = " ".join(["make bench"] if not argv else ["python -m tests.bench", *argv])
    wanted = [name for name in PARTS if not arguments.only or name in _named(arguments.only)]
    for name in wanted:
        if reason := PARTS[name].why_not():
            sys.stderr.write(f"bench: {name} cannot be measured here: {reason}\n")
            return 2
    # Whoever ends it, with whichever signal: the logs are removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for name in wanted:
            _write(arguments.output, name, _measured(name, arguments, command))
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; what was not measured to its end stays as it was, the logs are removed\n")
        return 130
    except subprocess.CalledProcessError:
        sys.stderr.write("bench: a measurement failed, see above; its part stays as it was\n")
        return 1
    return 0


def _measured(name, arguments, command):
    date, began = datetime.now(UTC), time.monotonic()
    facts, tables = PARTS[name].measure(arguments)
    took = duration(time.monotonic() - began)
    known = {"Command": f"`{command}`", "Date": f"{date:%Y-%m-%d %H:%M} UTC", "Took": took}
    return part(PARTS[name].introduction, known | facts, tables)


def _write(path, name, text):
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(replaced(page, name, text, PARTS), encoding="utf-8")
    sys.stderr.write(f"bench: wrote {name} to {path}\n")


def _named(only):
    return {name for word in only for name in GROUPS.get(word, (word,))}


def _arguments(argv):
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="measure the original's way on the 1 GB log too, which takes minutes"
    )
    parser.add_argument("--only", nargs="+", choices=[*PARTS, *GROUPS], metavar="PART", help="default: all parts")
    parser.add_argument("--output", type=Path, default=PAGE, metavar="FILE", help="default: docs/benchmarks.md")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
