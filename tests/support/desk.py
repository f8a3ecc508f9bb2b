"""The whole monitor with Slack in this process, and people who ask it: real log files, real SSH, the test Slack."""

from __future__ import annotations

import os
import time

from bot.app import SlackApp
from monitor_core.app import App
from monitor_core.config.models import Config
from tests.support.bot import answer_of
from tests.support.process import train


class Desk:
    """A monitor of `runs` (name: path of the log); `host` says how the one host is reached, `gpu-01`."""

    def __init__(self, slack, folder, *, host=None, patience=15.0, more=None, **runs):
        self.slack, self.folder = slack, folder
        tokens = {"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.api_url}
        self.config = Config.model_validate(
            {
                "database": f"sqlite:///{folder}/t.db",
                "hosts": {"gpu-01": host or {"transport": "local"}},
                "runs": {name.replace("_", "-"): {"host": "gpu-01", "logs": [str(log)]} for name, log in runs.items()},
                "slack": {"channel": slack.channel, **tokens},
                **(more or {}),
            }
        )
        self.app = App(self.config, extend=SlackApp)
        self._patience = patience

    def __enter__(self):
        self.app.start()
        self.slack.wait_connected()
        self.control = self.app._duty._control
        self.control.sight.patience = self._patience
        return self

    def __exit__(self, *exc):
        self.app.stop()

    def ask(self, command):
        return answer_of(self.slack.command(command)).shown


def log_of(folder, name, *lines, age=0.0):
    """Write a log, last written so many seconds ago; without lines a training that is well."""
    path, end = folder / name, time.time() - age
    if not lines:
        train(path, end)
        return path
    path.write_bytes(b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines))
    os.utime(path, (end, end))
    return path
