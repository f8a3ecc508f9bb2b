"""The file of the original tool: eight keys, one log, one person who is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from monitor_core.config.models import Config, Defaults, Email, Host, Recipient, Run, Section, Slack, Smtp
from monitor_core.config.secret import Secrets
from monitor_core.config.values import HostAddress, LogPath, MailAddress, PlainSeconds, Port
from monitor_core.model.incidents import Severity
from monitor_core.thresholds import Preset
from monitor_core.units import compact_duration

PASSWORD_VARIABLE = "TRAINSTATUS_SMTP_PASSWORD"  # noqa: S105 a name
_MARKS = ("target_email", "smtp_server", "source_email", "remote_host", "remote_user", "remote_port", "remote_log_path")


class Flat(Section):
    """The keys of the original tool, with its meanings, and four that were added."""

    target_email: MailAddress = Field(description="Who gets the mail.", examples=["example_alert@domain.com"])
    smtp_server: Annotated[HostAddress, Field(min_length=1)] = Field(
        description="The mail server.", examples=["smtp.example.com"]
    )
    source_email: MailAddress = Field(
        description="Address the mail comes from, and account on the mail server.",
        examples=["example_sender@domain.com"],
    )
    remote_host: Annotated[HostAddress, Field(min_length=1)] = Field(
        description="The machine on which the log lies.", examples=["192.0.2.1"]
    )
    remote_user: str = Field(min_length=1, description="SSH user.", examples=["example_user"])
    remote_port: Port = Field(22, description="SSH port.", examples=["22"])
    remote_log_path: LogPath = Field(description="The log.", examples=["/path/example_log_file.log"])
    check_interval: PlainSeconds = Field(description="Seconds between two looks.", examples=["1200"])
    smtp_port: Port = Field(587, description="Added: port of the mail server.", examples=["465"])
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Added: encryption of the mail, which is then required.", examples=["tls"]
    )
    preset: Preset = Field(Preset.DEFAULT, description="Added: the rules.", examples=["seed"])
    slack: Slack | None = Field(None, description="Added: alerts and commands in Slack, as above.")


def is_flat(data: Mapping[str, Any]) -> bool:
    """Tell whether a file is one of the original tool, by its keys."""
    return any(mark in data for mark in _MARKS) and not ("hosts" in data or "runs" in data)


def password(secrets: Secrets) -> SecretStr:
    """Return the mail account's password; raise ValueError if neither the environment nor a person has one."""
    if secrets.environment.get(PASSWORD_VARIABLE):
        return SecretStr(secrets.variable(PASSWORD_VARIABLE))
    if secrets.ask is None:
        raise ValueError(
            f"the SMTP password is needed, and there is no terminal to ask for it: export {PASSWORD_VARIABLE}"
        )
    return SecretStr(secrets.from_person("SMTP password"))


def to_config(flat: Flat, smtp_password: SecretStr) -> Config:
    """Return what the original tool's keys mean here."""
    host = _name(flat.remote_host, "host")
    run = _name(PurePosixPath(flat.remote_log_path).stem, "run")
    run = f"{run}-run" if run.lower() == host.lower() else run
    return Config(
        defaults=Defaults(check_interval=_typed(flat.check_interval), preset=flat.preset),
        hosts={host: Host(address=flat.remote_host, user=flat.remote_user, port=flat.remote_port)},
        runs={run: Run(host=host, logs=(flat.remote_log_path,))},
        email=_email(flat, smtp_password),
        slack=flat.slack,
    )


def _email(flat: Flat, smtp_password: SecretStr) -> Email:
    smtp = Smtp(
        host=flat.smtp_server,
        port=flat.smtp_port,
        security=flat.smtp_security,
        username=flat.source_email,
        password=smtp_password,
    )
    everything = Recipient(address=flat.target_email, severity=Severity.INFO)
    return Email(smtp=smtp, sender=flat.source_email, recipients=(everything,))


def _typed(seconds: float) -> Any:
    return compact_duration(seconds)


def _name(text: str, otherwise: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-._")[:60]
    return otherwise if name.lower() in {"", "all"} else name
