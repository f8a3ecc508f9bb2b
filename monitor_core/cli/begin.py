"""The verb init: asks what is to be watched and who is told, and writes a first configuration."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from monitor_core.config import first
from monitor_core.config.first import Wishes
from monitor_core.config.load import NAMES
from monitor_core.errors import CommandError

_QUESTIONS = {
    "host": "Host on which the log lies ([user@]address[:port], or local)",
    "log": "Path of the log there, or a glob (/data/llama/logs/train.log)",
    "run": "Name of the run",
    "email": "Mail address of who is told (empty: no mail)",
    "smtp": "Mail server (smtp.example.com[:587])",
    "sender": "Address the mail comes from, and account on the mail server",
    "slack_channel": "Id of the Slack channel for alerts, such as C0123ABCD (empty: no Slack)",
}


def init(arguments: argparse.Namespace, _extension: object) -> int:
    """Write a configuration and say what comes next."""
    path = Path(arguments.output)
    if path.exists():
        raise CommandError(f"{path} is there already: change it by hand, or name another file with --output.")
    given = Wishes(**{name: getattr(arguments, name) for name in _QUESTIONS})
    for name, value in asdict(given).items():
        _examine(name, value)
    wishes = given if given.host and given.log else _asked(given)
    if wishes.email and not wishes.smtp:
        raise CommandError("Mail needs a server: add --smtp smtp.example.com.")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(first.text(wishes))
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    print("\n".join(_next(wishes, path)))
    return 0


def _examine(name: str, value: str) -> None:
    try:
        if value:
            first.CHECKS[name](value)
    except ValueError as error:
        raise CommandError(f"--{name.replace('_', '-')}: {error}.") from error


def _asked(wishes: Wishes) -> Wishes:
    if sys.stdin is None or not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask in: say at least --host [user@]address and --log /path.")
    for name in _QUESTIONS:
        if not getattr(wishes, name) and _matters(name, wishes):
            wishes = replace(wishes, **{name: _ask(name, _proposal(name, wishes))})
    return wishes


def _matters(name: str, wishes: Wishes) -> bool:
    return bool(wishes.email) or name not in {"smtp", "sender"}


def _proposal(name: str, wishes: Wishes) -> str:
    """Return what an empty answer means; empty where one has to be given, or may be left out."""
    return {"run": first.run_name(wishes.log), "sender": wishes.email}.get(name, "")


def _ask(name: str, proposal: str) -> str:
    """Ask until the answer can be used."""
    shown = f" [{proposal}]" if proposal else ""
    while True:
        try:
            answer = input(f"{_QUESTIONS[name]}{shown}: ").strip() or proposal
        except EOFError:
            raise CommandError("The answers ended; no file was written.") from None
        try:
            if answer:
                first.CHECKS[name](answer)
        except ValueError as error:
            print(f"{error}.")
            continue
        if answer or name in {"email", "slack_channel"}:
            return answer
        print("This one is needed.")


def _next(wishes: Wishes, path: Path) -> Iterator[str]:
    yield f"Written: {path}. Next:"
    if wishes.email:
        yield "  export TRAINSTATUS_SMTP_PASSWORD=…    the password of the mail account"
    if wishes.slack_channel:
        yield "  make the Slack app from config/slack-manifest.yaml, invite it to the channel, then:"
        yield "  export SLACK_BOT_TOKEN=xoxb-… SLACK_APP_TOKEN=xapp-…"
    option = "" if str(path) == NAMES[0] else f" --config {shlex.quote(str(path))}"
    yield f"  trainstatus doctor{option}        examines all of it and says what to do"
    yield f"  trainstatus test-alert{option}    sends one alert to everybody"
    yield f"  trainstatus run{option}           watches"
