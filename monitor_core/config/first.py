"""Writes a first configuration: from a few answers to a commented file that loads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import TypeAdapter, ValidationError

from monitor_core.config.values import Channel, HostAddress, LogPath, MailAddress, Name, Port, is_name

LOCAL = "local"
_SSH, _MAIL = 22, 587
_PLACE = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?:\[(?P<v6>[^\]\s]+)\]|(?P<name>[^@:\s]+))(?::(?P<port>\S+))?")
# Parts of a path that say nothing of the run.
_COMMON = frozenset({"", "/", "~", "log", "logs", "train", "training", "output", "out", "data", "stdout", "slurm"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is reached: `[user@]address[:port]`, or this machine."""

    address: str
    port: int
    user: str = ""
    local: bool = False

    @property
    def name(self) -> str:
        """Return what a host there is called."""
        if self.local:
            return "here"
        return self.address if is_name(self.address) and self.address.lower() != "all" else "host"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a first configuration is to say, as typed; empty for what is not wanted."""

    host: str
    log: str
    run: str = ""
    email: str = ""
    smtp: str = ""
    sender: str = ""
    slack_channel: str = ""


def place(text: str, port: int = _SSH) -> Place:
    """Return what `[user@]address[:port]` or `local` means; raise ValueError with a sentence."""
    if text == LOCAL:
        return Place("", 0, local=True)
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not [user@]address[:port] (example: example_user@192.0.2.1)")
    address = _checked(HostAddress, match["v6"] or match["name"])
    return Place(address, _checked(Port, match["port"] or port), match["user"] or "")


def run_name(log: str) -> str:
    """Return a name for a run whose log has this path: the last part of it that says something."""
    for part in reversed(PurePosixPath(log).parts):
        stem = PurePosixPath(part).stem
        if is_name(stem) and stem.lower() not in _COMMON | {"all"}:
            return stem
    return "run-1"


def mail_server(text: str) -> Place:
    """Return where a mail server is; raise ValueError with a sentence."""
    return place(text, _MAIL)


def _checked(kind: Any, value: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]
        raise ValueError(str(reason.get("ctx", {}).get("error", reason["msg"]))) from None


def _kind(kind: Any) -> Callable[[str], object]:
    return lambda text: _checked(kind, text)


# How each wish is examined; raises ValueError with a sentence.
CHECKS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "host": place,
        "log": _kind(LogPath),
        "run": _kind(Name),
        "email": _kind(MailAddress),
        "smtp": mail_server,
        "sender": _kind(MailAddress),
        "slack_channel": _kind(Channel),
    }
)


def text(wishes: Wishes) -> str:
    """Return the configuration that fulfils the wishes; all of them have been examined."""
    host, run = place(wishes.host), wishes.run or run_name(wishes.log)
    environment = Environment(
        loader=PackageLoader("monitor_core.config"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 YAML, where `quoted` quotes
    )
    environment.filters["quoted"] = lambda value: json.dumps(value, ensure_ascii=False)
    rendered = environment.get_template("trainstatus.yaml.j2").render(
        host=host,
        run=f"{run}-run" if run.lower() == host.name.lower() else run,
        log=wishes.log,
        email=wishes.email,
        smtp=mail_server(wishes.smtp) if wishes.email else None,
        sender=wishes.sender or wishes.email,
        channel=wishes.slack_channel,
    )
    return rendered.rstrip() + "\n"
