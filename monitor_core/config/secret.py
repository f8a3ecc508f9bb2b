"""Secrets and where they come from: a variable of the environment, a file only its owner can read, or a person."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BeforeValidator, ValidationInfo

Ask = Callable[[str], str]
_LARGEST = 65536  # bytes
_ELSEWHERE = "write env:NAME, file:/path or ask"


@dataclass(slots=True)
class Secrets:
    """Finds the secrets that a configuration refers to; `asked` tells whether it needed a person for one of them.

    Given as pydantic's validation context; models that are built without it take secrets as they are. `wanted` are
    those that something is sent with, `looking` those that hosts are looked at with; what is neither is empty, and only
    how it is referred to is looked at.
    """

    environment: Mapping[str, str] = field(repr=False)
    ask: Ask | None
    asked: bool = field(default=False)
    wanted: bool = True
    looking: bool = True

    def find(self, reference: Any, label: str, *, looking: bool = False) -> str:
        """Return the secret; raise ValueError with a sentence that never repeats it."""
        wanted = self.looking if looking else self.wanted
        kind, _, rest = reference.partition(":") if isinstance(reference, str) else ("", "", "")
        if kind == "env":
            name = _variable_name(rest)
            return self.variable(name) if wanted else ""
        if kind == "file":
            path = _absolute(rest)
            return _one_line(_from_file(path, rest), f"file {rest}") if wanted else ""
        if reference == "ask":
            return self.from_person(label) if wanted else ""
        raise ValueError(f"is written in this file: keep it elsewhere and {_ELSEWHERE}")

    def variable(self, name: str) -> str:
        """Return the value of an environment variable; raise ValueError if there is none."""
        value = self.environment.get(_variable_name(name), "")
        if not value:
            state = "empty" if name in self.environment else "not set"
            raise ValueError(f"the environment variable {name} is {state}: export it before the start")
        return _one_line(value, f"environment variable {name}")

    def from_person(self, label: str) -> str:
        """Return what a person types; raise ValueError if there is nobody, or nothing came."""
        self.asked = True
        if self.ask is None:
            raise ValueError(f"there is no terminal to ask for the {label}: write env:NAME or file:/path")
        try:
            answer = self.ask(f"{label}: ")
        except EOFError:
            answer = ""
        if not answer:
            raise ValueError(f"no {label} was typed")
        return _one_line(answer, "answer")


@dataclass(slots=True)
class Answers:
    """Asks a person for each secret once. After `close` nobody is asked: what was typed until then is known."""

    ask: Ask
    _typed: dict[str, str] = field(default_factory=dict, repr=False)
    _closed: bool = False

    def __call__(self, prompt: str) -> str:
        """Return what was typed; raise ValueError if nobody was asked in time."""
        if prompt not in self._typed:
            if self._closed:
                raise ValueError("nobody was asked for it at the start: restart, or write env:NAME or file:/path")
            self._typed[prompt] = self.ask(prompt)
        return self._typed[prompt]

    def close(self) -> None:
        """Ask nobody any more."""
        self._closed = True


def secret(label: str, *, looking: bool = False) -> BeforeValidator:
    """Return the validator of a secret that people are asked for by its label; `looking` at hosts may need it."""

    def find(value: Any, info: ValidationInfo) -> Any:
        return info.context.find(value, label, looking=looking) if isinstance(info.context, Secrets) else value

    return BeforeValidator(find)


def _from_environment(value: Any, info: ValidationInfo) -> Any:
    if isinstance(info.context, Secrets) and isinstance(value, str) and value.startswith("env:"):
        return info.context.variable(value.removeprefix("env:"))
    return value


from_environment = BeforeValidator(_from_environment)


def _variable_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("env: is not followed by the name of a variable (example: env:SLACK_BOT_TOKEN)")
    return name


def _one_line(value: str, where: str) -> str:
    value = value.rstrip("\r\n")
    if not value or not value.isprintable():
        raise ValueError(f"the {where} holds {'nothing' if not value else 'more than one line of text'}")
    return value


def _absolute(name: str) -> Path:
    path = Path(name)
    if name.startswith("~/"):
        path = Path.home() / name.removeprefix("~/")
    if not path.is_absolute():
        raise ValueError("file: is not followed by an absolute path (example: file:/etc/trainstatus/smtp.password)")
    return path


def _from_file(path: Path, name: str) -> str:
    try:
        return _private_text(path)
    except OSError as error:
        raise ValueError(f"the file {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"the file {name} is not UTF-8 text") from error


def _private_text(path: Path) -> str:
    # The mode is that of the opened file, not of what lies there a moment later.
    with open(path, "rb", opener=_without_waiting) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError(f"{path} is not a file")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ValueError(f"the file {path} is open to others than its owner: run chmod 600 {path}")
        return file.read(_LARGEST).decode()


def _without_waiting(path: str, flags: int) -> int:
    # Opening a FIFO waits for a writer otherwise.
    return os.open(path, flags | os.O_NONBLOCK)
