"""Finds and reads the configuration, and tells everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from monitor_core.config import check, flat, strict_yaml
from monitor_core.config.explain import explain
from monitor_core.config.models import Config
from monitor_core.config.secret import Ask, Secrets
from monitor_core.config.strict_yaml import Tree
from monitor_core.errors import ConfigError, Problem

VARIABLE = "TRAINSTATUS_CONFIG"
NAMES = ("trainstatus.yaml", "config.yaml")
_LARGEST = 2**20  # bytes
Model = TypeVar("Model", bound=BaseModel)


def find(option: str | None, environment: Mapping[str, str], folder: str | Path = ".") -> str:
    """Return the path of the configuration: the option, the variable, or the first of the usual names in the folder.

    Raises ConfigError if there is none. Whether a path that somebody named can be read is seen by `load`.
    """
    named = option or environment.get(VARIABLE)
    if named:
        return named
    candidates = [Path(folder) / name for name in NAMES]
    for candidate in candidates:
        if candidate.is_file():
            return str(candidate)
    text = f"no configuration: write one with `trainstatus init`, or name one with --config or ${VARIABLE}"
    raise ConfigError([Problem(str(Path(folder) / NAMES[0]), None, "", text)])


def load(
    path: str, *, environment: Mapping[str, str], ask: Ask | None, secrets: bool = True, looking: bool = True
) -> Config:
    """Read a configuration; raise ConfigError with all its problems.

    It comes without its `secrets` for work that sends nothing, and without the passphrases of SSH keys for work that
    is not `looking` at hosts.

    `ask` gets a prompt and returns what a person typed unseen, like `getpass.getpass`; None where nobody can be asked.
    A person is asked only if everything else is right.
    """
    tree = strict_yaml.read(_text(path), path)
    rehearsal = Secrets(environment, ask and (lambda _prompt: "placeholder"), wanted=secrets, looking=looking)
    config = _config(tree, rehearsal)
    return _config(tree, replace(rehearsal, ask=ask)) if rehearsal.asked else config


def _config(tree: Tree, secrets: Secrets) -> Config:
    if flat.is_flat(tree.data):
        return _flat_config(tree, secrets)
    for jump in check.jump_addresses(tree):
        tree.data["hosts"][jump] = {}
    return _validated(Config, tree, secrets, list(check.problems(tree)))


def _flat_config(tree: Tree, secrets: Secrets) -> Config:
    problems = list(check.about_slack(tree))
    password = SecretStr("")
    try:
        if secrets.wanted:
            password = flat.password(secrets)
    except ValueError as error:
        problems.append(tree.problem(("source_email",), str(error)))
    return flat.to_config(_validated(flat.Flat, tree, secrets, problems), password)


def _validated(model: type[Model], tree: Tree, secrets: Secrets, problems: list[Problem]) -> Model:
    try:
        validated = model.model_validate(tree.data, context=secrets, by_alias=True, by_name=False)
    except ValidationError as error:
        found = [explain(detail, tree, model) for detail in error.errors(include_url=False, include_input=False)]
        raise _all(tree.problems + problems + found) from None
    if tree.problems or problems:
        raise _all(tree.problems + problems)
    return validated


def _all(problems: list[Problem]) -> ConfigError:
    """Return one error with one problem a place, in the order of the file."""
    first = {(problem.line, problem.key): problem for problem in reversed(problems)}
    return ConfigError(sorted(first.values(), key=lambda problem: (problem.line or 0, problem.key)))


def _text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is no path"
        raise _unreadable(path, f"cannot be read: {reason}") from None
    if len(content) > _LARGEST:
        raise _unreadable(path, "is larger than 1 MiB: this is no configuration")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, "is not UTF-8 text: save it as UTF-8", line) from None


def _unreadable(path: str, text: str, line: int | None = None) -> ConfigError:
    return ConfigError([Problem(path, line, "", text)])
