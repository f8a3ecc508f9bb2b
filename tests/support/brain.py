"""The monitor as people start it, with a shorter lease: others replace it sooner when it gives no sign of life.

python -m tests.support.brain SECONDS --config trainstatus.yaml
"""

from __future__ import annotations

import sys

from bot.__main__ import slack
from monitor_core.cli import service
from monitor_core.cli.arguments import parser
from monitor_core.signals import Signals

if __name__ == "__main__":
    ttl, *words = sys.argv[1:]
    with Signals() as signals:
        sys.exit(service.run(parser().parse_args(["run", *words]), slack, signals, ttl=float(ttl)))
