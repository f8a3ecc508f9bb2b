"""`make bench`: measures both ways and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.lab import ROOT, open_lab
from tests.bench.machine import machine
from tests.bench.page import page
from tests.bench.tables import Bench, Plan
from tests.support.sshd import why_not

PAGE = ROOT / "docs" / "benchmarks.md"


def main(argv):
    arguments = _arguments(argv)
    if reason := why_not():
        sys.stderr.write(f"bench: nothing can be measured here: {reason}\n")
        return 2
    # Whoever ends it, with whichever signal: the logs are removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    date, facts = datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), machine()
    try:
        with open_lab() as lab:
            tables = Bench(lab, Plan(full=arguments.full)).tables()
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted; nothing was written, the logs are removed\n")
        return 130
    except subprocess.CalledProcessError:
        sys.stderr.write("bench: a measurement failed, see above; nothing was written\n")
        return 1
    command = " ".join(["make bench"] if not argv else ["python -m tests.bench", *argv])
    arguments.output.write_text(page(tables, facts, date, command), encoding="utf-8")
    sys.stderr.write(f"bench: wrote {arguments.output}\n")
    return 0


def _arguments(argv):
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="measure the original's way on the 1 GB log too, which takes minutes"
    )
    parser.add_argument("--output", type=Path, default=PAGE, metavar="FILE", help="default: docs/benchmarks.md")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
