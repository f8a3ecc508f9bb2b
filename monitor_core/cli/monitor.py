"""The verbs that look at hosts: run, check and log."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable

from monitor_core.app import App, Extension, sight, with_somebody_to_tell
from monitor_core.cli import text
from monitor_core.cli.setup import begin_logging, configuration, print_json
from monitor_core.config.advice import warnings
from monitor_core.config.models import Config
from monitor_core.targets import Targets

_log = logging.getLogger(__name__)

# What is critical must not hide behind what is unknown.
_BADNESS = (0, 1, 3, 2)


def run(arguments: argparse.Namespace, extension: Callable[[Config], Extension | None] | None) -> int:
    """Watch until told to stop."""
    begin_logging()
    config = configuration(arguments)
    for warning in warnings(config):
        _log.warning("%s", warning)
    made = extension(config) if extension is not None else None
    if made is None and config.slack is not None:
        _log.warning("the slack: section is ignored here: this process knows no Slack (use `trainstatus run`)")
        config = config.model_copy(update={"slack": None})
    return App(with_somebody_to_tell(config), extension=made).run()


def check(arguments: argparse.Namespace, _extension: object) -> int:
    """Look once, print a verdict for each run, and write nothing."""
    config = configuration(arguments, secrets=False)
    with sight(config) as looker:
        targets = Targets(looker.poller.roster)
        verdicts = looker.check([targets.run(arguments.run)] if arguments.run else list(config.runs))
    if arguments.json:
        print_json(verdicts)
    else:
        print("\n".join(text.verdicts(verdicts)))
    return max((found.status for found in verdicts), key=_BADNESS.index, default=0)


def log(arguments: argparse.Namespace, _extension: object) -> int:
    """Print the last lines of a run's newest log as they are now on its host."""
    config = configuration(arguments, secrets=False)
    with sight(config) as looker:
        tail = looker.tail(Targets(looker.poller.roster).run(arguments.run), arguments.lines)
    if arguments.json:
        print_json(tail)
    elif not tail.trouble:
        print(text.log(tail))
    if tail.trouble:
        print(f"{tail.run}: {tail.trouble}", file=sys.stderr)
    return 1 if tail.trouble else 0
