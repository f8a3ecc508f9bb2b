"""The verbs that look at hosts, once: check and log."""

from __future__ import annotations

import argparse
import sys

from monitor_core.app import sight
from monitor_core.cli import text
from monitor_core.cli.passphrases import network
from monitor_core.cli.setup import configuration, print_json
from monitor_core.collect.network import Network
from monitor_core.config.models import Config
from monitor_core.targets import Targets

# What is critical must not hide behind what is unknown.
_BADNESS = (0, 1, 3, 2)


def check(arguments: argparse.Namespace, _extension: object) -> int:
    """Look once, print a verdict for each run, and write nothing."""
    config = configuration(arguments, secrets=False, looking=True)
    with sight(config, _network(config, arguments.run)) as looker:
        targets = Targets(looker.poller.roster)
        verdicts = looker.check([targets.run(arguments.run)] if arguments.run else list(config.runs))
    if arguments.json:
        print_json(verdicts)
    else:
        print("\n".join(text.verdicts(verdicts)))
    return max((found.status for found in verdicts), key=_BADNESS.index, default=0)


def log(arguments: argparse.Namespace, _extension: object) -> int:
    """Print the last lines of a run's newest log as they are now on its host."""
    config = configuration(arguments, secrets=False, looking=True)
    with sight(config, _network(config, arguments.run)) as looker:
        tail = looker.tail(Targets(looker.poller.roster).run(arguments.run), arguments.lines)
    if arguments.json:
        print_json(tail)
    elif not tail.trouble:
        print(text.log(tail))
    if tail.trouble:
        print(f"{tail.run}: {tail.trouble}", file=sys.stderr)
    return 1 if tail.trouble else 0


def _network(config: Config, run: str | None) -> Network:
    """Return what connections share, with the passphrases that the way to one run's host, or to all, asks for."""
    runs = [config.runs[run]] if run in config.runs else config.runs.values()
    return network(config, {its.host for its in runs})
