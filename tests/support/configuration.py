"""Configuration files for tests: written, loaded, and what was wrong with them."""

from __future__ import annotations

from pathlib import Path

from monitor_core.config.load import load
from monitor_core.errors import ConfigError

ENVIRONMENT = {
    "TRAINSTATUS_SMTP_PASSWORD": "smtp-pass-71",
    "TRAINSTATUS_SSH_PASSPHRASE": "ssh-phrase-70",
    "SLACK_BOT_TOKEN": "xoxb-bot-token-72",
    "SLACK_APP_TOKEN": "xapp-app-token-73",
    "SLACK_API_URL": "http://127.0.0.1:8080/api",
}
SMALLEST = """\
hosts:
  gpu-01: {user: me}
runs:
  llama: {host: gpu-01, logs: /data/train.log}
"""


def load_text(folder: Path, text: str, environment=ENVIRONMENT, ask=None):
    """Write a file and load it."""
    path = folder / "trainstatus.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(str(path), environment=environment, ask=ask)


def problems(folder: Path, text: str, **given) -> list[str]:
    """Return what is wrong with a file, a line each, with the file's name alone; empty if it loads."""
    try:
        load_text(folder, text, **given)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{folder}/") for problem in error.problems]
    return []
