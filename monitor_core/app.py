"""The composition root: stands by until the lease is ours, is on duty while it is, and reads the configuration anew."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from monitor_core.collect.hosts import HostReader
from monitor_core.collect.network import Network
from monitor_core.complaints import Complaints
from monitor_core.config.difference import difference
from monitor_core.config.models import Config
from monitor_core.control import Control
from monitor_core.duty import Duty, Extend, Extension, notifiers_of
from monitor_core.errors import ConfigError, LeaseLost, Problem
from monitor_core.poller import Poller
from monitor_core.roster import Roster
from monitor_core.sight import HostSight
from monitor_core.signals import RELOAD, Signals
from monitor_core.store.database import busy_told, file_of, open_copy, open_database
from monitor_core.store.lease import TTL, acquire, holder
from monitor_core.units import counted

__all__ = ["App", "Extend", "Extension", "Source", "door", "notifiers_of", "sight", "with_somebody_to_tell"]

log = logging.getLogger(__name__)

_GRACE = 4.5
# How often who stands by looks for the lease, and whoever could not renew it tries again.
_LOOK = 1.0
_RENEWALS = 3  # in the time for which a lease lasts


class Source(Protocol):
    """Where the configuration is read from."""

    @property
    def path(self) -> str:
        """Return the file, as people named it."""

    def read(self) -> Config:
        """Return what stands there now; raise ConfigError with all its problems."""


class App:
    """The monitor of one configuration, which is read anew from `source`.

    `extend` makes the extension of a configuration, None where it has none. `clock` gives seconds since 1970. `ttl` is
    for how many seconds others wait before they replace a monitor that gives no sign of life. `network` knows the
    passphrases of SSH keys.
    """

    def __init__(
        self,
        config: Config,
        *,
        source: Source | None = None,
        extend: Extend = lambda _: None,
        clock: Callable[[], float] = time.time,
        ttl: float = TTL,
        network: Network | None = None,
    ) -> None:
        self.engine = open_database(config.database)
        self._config, self._source = config, source
        self._path = source.path if source is not None else ""
        self._extend, self._clock, self._ttl = extend, clock, ttl
        self._network = network or Network()
        self._complain = Complaints(log)
        self._duty: Duty | None = None
        self._awaited = ""
        self._orderly = False
        # One thread does all that concerns lease and duty, one after the other; others give it work, None to end it.
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to watch, or to stand by where another monitor watches; returns at once."""
        self._thread.start()

    def stop(self) -> bool:
        """Stop within five seconds; return whether everything has ended by then."""
        self._work.put(None)
        self._thread.join(_GRACE)
        self.engine.dispose()
        return self._orderly and not self._thread.is_alive()

    def run(self, signals: Signals) -> int:
        """Run until SIGTERM or SIGINT; return the exit status."""
        signals.listen()
        self.start()
        while signals.next() == RELOAD:
            self.reload()
        log.info("stopping")
        if not self.stop():
            # A thread of APScheduler or of a library that hangs would keep the interpreter from ending.
            os._exit(0)
        return 0

    def reload(self) -> None:
        """Read the configuration anew, and let what is different take effect; an invalid one changes nothing."""
        if self._source is None:
            return
        try:
            config = self._source.read()
            self._refuse_another_database(config)
        except ConfigError as error:
            self._work.put(partial(self._refuse, error))
        except Exception as error:  # noqa: BLE001 `_complain` logs it
            self._complain(f"{self._path} could not be read", error)
        else:
            self._work.put(partial(self._follow, config))

    def _live(self) -> None:
        turn_at = time.monotonic()
        while True:
            if time.monotonic() >= turn_at:
                turn_at = time.monotonic() + self._turn()
            try:
                work = self._work.get(timeout=max(0.0, turn_at - time.monotonic()))
            except Empty:
                continue
            if work is None:
                break
            try:
                work()
            except Exception as error:  # noqa: BLE001 `_complain` logs it
                self._complain("the configuration could not be put into force", error)
        self._orderly = self._end()

    def _turn(self) -> float:
        """Take the lease, or keep it; return after how many seconds to do so again."""
        try:
            if self._duty is not None:
                self._duty.lease.renew()
            elif not self._take():
                return _LOOK
        except LeaseLost:
            self._end()
            return _LOOK
        except Exception as error:  # noqa: BLE001 `_complain` logs it
            self._complain("the lease could not be had, it is tried again", error)
            return _LOOK
        return self._ttl / _RENEWALS

    def _take(self) -> bool:
        """Be on duty if the lease is free; return whether it was."""
        lease = acquire(self.engine, clock=self._clock, ttl=self._ttl)
        if lease is None:
            self._stand_by()
            return False
        if self._awaited:
            log.info("taking over from %s", self._awaited)
        self._awaited = ""
        file = file_of(self._config.database)
        self._duty = Duty(file, self.engine, lease, self._extend, self._clock, self._network)
        try:
            self._duty.start(self._config)
        except Exception:
            self._end()
            raise
        runs = self._config.runs
        log.info("watching %s on %s", counted(len(runs), "run"), counted(len({r.host for r in runs.values()}), "host"))
        return True

    def _stand_by(self) -> None:
        """Say once who watches in our stead."""
        watching = holder(self.engine)
        if watching != self._awaited:
            log.info("standing by: another monitor watches, %s", watching)
        self._awaited = watching

    def _end(self) -> bool:
        """End the duty, if there is one, and let another monitor take over; return whether all of it has ended."""
        duty, self._duty = self._duty, None
        if duty is None:
            return True
        orderly = duty.stop()
        # If the database refuses, the lease runs out by itself.
        with contextlib.suppress(DBAPIError):
            duty.lease.release()
        return orderly

    def _follow(self, config: Config) -> None:
        change = difference(self._config, config) if self._duty is None else self._duty.follow(config)
        self._config = config
        log.info("reloaded %s: %s", self._path, change)

    def _refuse(self, error: ConfigError) -> None:
        for problem in error.problems:
            log.error("%s", problem)
        log.error("%s is not taken, nothing is changed", self._path)
        if self._duty is not None:
            more = len(error.problems) - 1
            others = f" (and {counted(more, 'more problem')})" if more else ""
            self._duty.refuse(f"What is new in {self._path} is not in force", f"{error.problems[0]}{others}")

    def _refuse_another_database(self, config: Config) -> None:
        if config.database != self._config.database:
            text = f"cannot change while trainstatus runs: restart it, or put {self._config.database} back"
            raise ConfigError([Problem(self._path, None, "database", text)])


def with_somebody_to_tell(config: Config) -> Config:
    """Return the configuration with the terminal switched on where it names nobody else who is to be told."""
    told = config.console or config.slack is not None or (config.email is not None and config.email.recipients)
    return config if told else config.model_copy(update={"console": True})


@contextlib.contextmanager
def sight(config: Config, network: Network | None = None, *, known: bool = True) -> Iterator[HostSight]:
    """Yield what looks at the hosts, and close what it opened; it works on a copy of the database.

    Where nothing is to be `known`, all is seen for the first time.
    """
    engine = open_copy(config.database if known else "sqlite://")
    network = network or Network()
    readers = {name: HostReader(host, config.hosts, network) for name, host in config.hosts.items()}
    try:
        yield HostSight(Poller(engine, Roster(config, frozenset()), readers, time.time))
    finally:
        for reader in readers.values():
            reader.close()
        engine.dispose()


@contextlib.contextmanager
def door(config: Config, *, create: bool = False) -> Iterator[Control]:
    """Yield the control of a configuration for one command of the shell; a running monitor delivers what it caused.

    `create`: whether a database that is not there is made; where it is the monitor's, a mistyped path is to be told.
    """
    config = with_somebody_to_tell(config)
    engine = open_database(config.database, create=create)
    configured = {"slack": config.slack, "email": config.email, "console": config.console}
    roster = Roster(config, frozenset(name for name, section in configured.items() if section))
    try:
        with busy_told(config.database):
            yield Control(engine, roster, time.time)
    finally:
        engine.dispose()
