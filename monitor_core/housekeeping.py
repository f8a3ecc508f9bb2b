"""Keeps the database small and sees that it is still there, in steps so short that no poll has to wait for one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path

from sqlalchemy import Connection, Engine

from monitor_core.config.models import Config
from monitor_core.model.incidents import SubjectKind
from monitor_core.store import progress, retention, upkeep
from monitor_core.store.database import Database

log = logging.getLogger(__name__)

_EVERY = 3600.0
# What one step takes away at most: a few milliseconds of work. An incident has a dozen rows that go with it.
_ROWS, _INCIDENTS, _PAGES = 500, 25, 50
_Report = Callable[[str, str, str], None]
_Step = Callable[[Connection], int]


@dataclass(slots=True)
class Housekeeping:
    """Removes once an hour what `retention` says of the configuration that it follows, and nothing before it has one.

    `clock` gives seconds since 1970. Rows are removed through `database`, pages of its `file` through `engine`.
    `report` is told when the file is gone (detail, what, error), and with an empty error when it is there.
    """

    file: Path
    engine: Engine
    database: Database
    clock: Callable[[], float]
    report: _Report
    _config: Config | None = None
    _identity: tuple[int, int] | None = field(init=False)
    _there: bool | None = None
    _begun: float = -inf
    _steps: Iterator[None] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self._identity = upkeep.identity(self.file)

    def follow(self, config: Config) -> None:
        """Go by this configuration from now on, and at once."""
        self._config, self._begun, self._steps = config, -inf, iter(())

    def step(self) -> bool:
        """Do one short step, if there is something to do; return whether more is to follow at once. Called regularly.

        Where a step fails, what it left over is done an hour later.
        """
        self._see_to_the_file()
        if next(self._steps, self) is not self:
            return True
        # Not `<` alone: a clock that was set back must not stop it for as long.
        if self._config is None or 0 <= self.clock() - self._begun < _EVERY:
            return False
        self._begun, self._steps = self.clock(), self._round(self._config)
        return True

    def _round(self, config: Config) -> Iterator[None]:
        """Each step is one transaction, and whoever waits for the database comes between two of them."""
        for remove, most in self._removals(config):
            removed = most
            while removed >= most:
                with self.database.begin() as connection:
                    removed = remove(connection)
                yield
        while upkeep.give_back(self.engine, _PAGES):
            yield
        upkeep.empty_wal(self.engine)

    def _removals(self, config: Config) -> Iterator[tuple[_Step, int]]:
        """Return what removes rows, each with how many it removes at most in one step."""
        kept, now = config.retention, self.clock()
        yield partial(retention.drop_incidents, before=now - kept.incidents, most=_INCIDENTS), _INCIDENTS
        yield partial(retention.drop_audit, before=now - kept.audit, most=_ROWS), _ROWS
        yield partial(retention.drop_mutes, before=now - kept.mutes, most=_ROWS), _ROWS
        unseen = now - kept.unseen
        with self.database.begin() as connection:
            runs = progress.runs(connection)
            gone = retention.forgotten(connection, SubjectKind.RUN, before=unseen, configured=config.runs)
        for run in runs:
            since = inf if run in gone else now - kept.progress
            full_since = now - kept.progress_full
            yield partial(progress.thin, run=run, full_since=full_since, since=since, most=_ROWS), _ROWS
        for kind, names in ((SubjectKind.RUN, config.runs), (SubjectKind.HOST, config.hosts)):
            drop = partial(retention.drop_forgotten, kind=kind, before=unseen, configured=names, most=_ROWS)
            yield drop, _ROWS

    def _see_to_the_file(self) -> None:
        """What is written to a file that was removed is lost when the process ends, and nothing else shows it."""
        there = upkeep.identity(self.file) == self._identity
        if there is self._there:
            return
        lost = f"{self.file.absolute()} was removed or replaced, and what is written now is lost. Restart trainstatus."
        if not there:
            log.error("database %s", lost)
        self.report("database", "The database is not in its place", "" if there else lost)
        self._there = there
