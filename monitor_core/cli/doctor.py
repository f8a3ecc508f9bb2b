"""The verb doctor: every part of the set-up is examined, and what is wrong is told with what to do."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from monitor_core.app import Extension, sight
from monitor_core.cli.passphrases import network
from monitor_core.cli.setup import configuration, print_json
from monitor_core.config.advice import warnings
from monitor_core.config.models import Config
from monitor_core.doctor import database, hosts, mail
from monitor_core.errors import ConfigError, Problem
from monitor_core.model.views import Diagnosis, State
from monitor_core.sight import HostSight
from monitor_core.units import counted

log = logging.getLogger(__name__)
_AT_A_TIME = 8
_CONFIGURATION = "configuration"
_NOT_THE_LINE = "export it"

Examination = Callable[[], Iterable[Diagnosis]]
Factory = Callable[[Config], Extension | None]


def doctor(arguments: argparse.Namespace, extension: Factory | None) -> int:
    """Examine all parts at once, and print what was found in their order."""
    try:
        config = configuration(arguments)
    except ConfigError as error:
        found = [Diagnosis(_CONFIGURATION, State.FAIL, str(problem), _fix(problem)) for problem in error.problems]
        _tell(arguments, found)
        return 2
    found = [*_configured(config), *_examined(config, extension)]
    _tell(arguments, found)
    return 1 if any(diagnosis.state is State.FAIL for diagnosis in found) else 0


def _fix(problem: Problem) -> str:
    """A problem without a line, or with one that is right, says itself what to do."""
    return "" if problem.line is None or _NOT_THE_LINE in problem.text else "correct that line"


def _configured(config: Config) -> Iterator[Diagnosis]:
    watched = {run.host for run in config.runs.values()}
    yield Diagnosis(_CONFIGURATION, State.OK, f"{counted(len(config.runs), 'run')} on {counted(len(watched), 'host')}")
    for warning in warnings(config):
        yield Diagnosis(_CONFIGURATION, State.WARN, warning, "correct it, or leave it if it is meant so")


def _examined(config: Config, extension: Factory | None) -> list[Diagnosis]:
    stored = _safely((database.PART, partial(database.examine, config.database)))
    known = all(diagnosis.state is not State.FAIL for diagnosis in stored)
    made = extension(config) if extension is not None else None
    shared = network(config, {run.host for run in config.runs.values()})
    with sight(config, shared, known=known) as looker, ThreadPoolExecutor(_AT_A_TIME) as pool:
        parts: list[tuple[str, Examination]] = list(_hosts(config, looker))
        parts += [(mail.PART, partial(mail.examine, config.email))] if config.email else []
        parts += [("slack", made.examine)] if made is not None else []
        return [*stored, *(diagnosis for found in pool.map(_safely, parts) for diagnosis in found)]


def _hosts(config: Config, looker: HostSight) -> Iterator[tuple[str, Examination]]:
    for name, host in config.hosts.items():
        if runs := [run for run, its in config.runs.items() if its.host == name]:
            yield f"host {name}", partial(hosts.examine, looker, host, runs)


def _safely(part: tuple[str, Examination]) -> list[Diagnosis]:
    """One part's trouble, even a bug of ours, never hides the others."""
    name, examine = part
    try:
        return list(examine())
    except Exception as error:
        log.exception("%s could not be examined", name)
        fix = "report it: this is a fault of trainstatus"
        return [Diagnosis(name, State.FAIL, f"{type(error).__name__}: {error}", fix)]


def _tell(arguments: argparse.Namespace, found: list[Diagnosis]) -> None:
    if arguments.json:
        print_json(found)
        return
    for diagnosis in found:
        fix = f" Fix: {diagnosis.fix}." if diagnosis.fix else ""
        print(f"{diagnosis.state:4} {diagnosis.part}: {diagnosis.what.rstrip('.')}.{fix}")
