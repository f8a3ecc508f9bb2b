"""The monitor as a service: its configuration file, read again when it is told to, and the monitor itself."""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import dataclass

from monitor_core.app import App, Extend, with_somebody_to_tell
from monitor_core.cli.passphrases import network
from monitor_core.cli.setup import asker, begin_logging, path_of
from monitor_core.config.advice import warnings
from monitor_core.config.load import load
from monitor_core.config.models import Config
from monitor_core.config.secret import Answers
from monitor_core.signals import Signals
from monitor_core.store.lease import TTL

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The configuration file that a monitor was started with; `extended` says whether this process knows Slack."""

    path: str
    answers: Answers | None
    extended: bool

    def read(self) -> Config:
        """Return what stands there now, as this process can use it; raise ConfigError with all its problems."""
        config = load(self.path, environment=os.environ, ask=self.answers)
        for warning in warnings(config):
            log.warning("%s", warning)
        if config.slack is not None and not self.extended:
            log.warning("the slack: section is ignored here: this process knows no Slack (use `trainstatus run`)")
            config = config.model_copy(update={"slack": None})
        if self.answers is not None:
            self.answers.close()
        return with_somebody_to_tell(config)


def run(arguments: argparse.Namespace, extension: Extend | None, signals: Signals, *, ttl: float = TTL) -> int:
    """Watch until told to stop."""
    begin_logging()
    ask = asker()
    source = ConfigFile(path_of(arguments), Answers(ask) if ask else None, extended=extension is not None)
    config = source.read()
    shared = network(config, {run.host for run in config.runs.values()})
    app = App(config, source=source, extend=extension or (lambda _: None), ttl=ttl, network=shared)
    return app.run(signals)
