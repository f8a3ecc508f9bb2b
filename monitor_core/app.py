"""The composition root: builds the parts from the configuration, owns the clock, starts and stops."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from monitor_core.collect.hosts import HostReader
from monitor_core.config.models import Config
from monitor_core.control import Control
from monitor_core.delivery import Outbox
from monitor_core.model.views import Diagnosis, Link, Running
from monitor_core.notify.console import ConsoleNotifier
from monitor_core.notify.email import EmailNotifier
from monitor_core.notify.protocol import Notifier
from monitor_core.poller import Poller
from monitor_core.roster import Roster
from monitor_core.scheduler import Scheduler
from monitor_core.sight import HostSight
from monitor_core.store.database import busy_told, open_copy, open_database

log = logging.getLogger(__name__)

_GRACE = 4.0
_SPREAD = 5.0
# The shell changes the same database: the outbox looks for its deliveries once a second.
_IDLE = 1.0
_AFTER_TROUBLE = 1.0


class Extension(Protocol):
    """Another way to people than mail and terminal, that also takes their commands: Slack."""

    @property
    def notifier(self) -> Notifier:
        """Return what carries messages there."""

    def examine(self) -> Iterable[Diagnosis]:
        """Find out whether it would work; nothing is sent."""

    @property
    def link(self) -> Link:
        """Return whether its connection is open now."""

    def start(self, control: Control) -> None:
        """Begin to take commands; returns at once, whatever the other side does."""

    def stop(self) -> None:
        """End within two seconds."""


@dataclass(slots=True)
class _Carrier:
    """The thread that drains the outbox of one notifier."""

    outbox: Outbox
    stopping: threading.Event
    wake: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        name = f"outbox-{self.outbox.notifier.name}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._send_until_trouble()
            self.stopping.wait(_AFTER_TROUBLE)

    def _send_until_trouble(self) -> None:
        """Send until the end, or until something breaks: a delivery may then be on its way that has to be recovered."""
        try:
            self.outbox.recover()
            while not self.stopping.is_set():
                if not self.outbox.send_next():
                    self.wake.wait(_IDLE)
                    self.wake.clear()
        except DBAPIError as error:
            log.error("notifier=%s the database refused: %s; tried again", self.outbox.notifier.name, error.orig)  # noqa: TRY400 the sentence says it all
        except Exception:
            log.exception("notifier=%s could not be drained; tried again", self.outbox.notifier.name)


class App:
    """The monitor of one configuration. `clock` gives seconds since 1970."""

    def __init__(
        self, config: Config, *, extension: Extension | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.config = config
        self._extension = extension
        self._started_at = clock()
        self._stopping = threading.Event()
        self.engine = open_database(config.database)
        notifiers = notifiers_of(config, extension)
        self.roster = Roster(config, frozenset(notifiers))
        watched = {run.host for run in config.runs.values()}
        self._readers = {name: HostReader(config.hosts[name], config.hosts) for name in config.hosts if name in watched}
        self.poller = Poller(self.engine, self.roster, self._readers, clock)
        sight = HostSight(self.poller)
        self.control = Control(self.engine, self.roster, clock, self._wake, sight, self.running)
        self._carriers = [
            _Carrier(Outbox(self.engine, self.roster, notifier, clock), self._stopping)
            for notifier in notifiers.values()
        ]
        self._scheduler = Scheduler(self._poll, self._settle, self._report)

    def start(self) -> None:
        """Start polling, delivering and answering; returns at once."""
        for carrier in self._carriers:
            carrier.thread.start()
        self._scheduler.start(self._readers, min(_SPREAD, self.config.defaults.check_interval))
        if self._extension is not None:
            self._extension.start(self.control)

    def stop(self) -> bool:
        """Stop within the grace; return whether everything has ended by then."""
        ends_at = time.monotonic() + _GRACE
        self._stopping.set()
        self.poller.close()
        self._scheduler.stop()
        self._wake()
        closing = [threading.Thread(target=reader.close, daemon=True) for reader in self._readers.values()]
        for thread in closing:
            thread.start()
        if self._extension is not None:
            self._extension.stop()
        threads = [*closing, *(carrier.thread for carrier in self._carriers)]
        for thread in threads:
            thread.join(max(0.0, ends_at - time.monotonic()))
        idle = self._scheduler.wait(ends_at - time.monotonic())
        for carrier in self._carriers:
            carrier.outbox.notifier.close()
        self.engine.dispose()
        return idle and not any(thread.is_alive() for thread in threads)

    def running(self) -> Running:
        """Return what this process knows of itself."""
        links = () if self._extension is None else (self._extension.link,)
        return Running(self._started_at, self._scheduler.lags(), links)

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; return the exit status."""
        # A signal may come while its own queue is being waited for: an Event would then wait for itself.
        signals: SimpleQueue[int] = SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda came, _frame: signals.put(came))
        self.start()
        log.info("watching %d runs on %d hosts", len(self.config.runs), len(self._readers))
        signals.get()
        log.info("stopping")
        if not self.stop():
            # A thread of APScheduler or of a library that hangs would keep the interpreter from ending.
            os._exit(0)
        return 0

    def _poll(self, host: str) -> float:
        due = self.poller.poll_host(host)
        self._wake()
        return due

    def _settle(self) -> None:
        self.control.settle()

    def _report(self, host: str, error: str) -> None:
        self.poller.report(f"host {host}", f"{host} is not looked at", error)
        self._wake()

    def _wake(self) -> None:
        for carrier in self._carriers:
            carrier.wake.set()


def with_somebody_to_tell(config: Config) -> Config:
    """Return the configuration with the terminal switched on where it names nobody else who is to be told."""
    told = config.console or config.slack is not None or (config.email is not None and config.email.recipients)
    return config if told else config.model_copy(update={"console": True})


@contextlib.contextmanager
def sight(config: Config, *, known: bool = True) -> Iterator[HostSight]:
    """Yield what looks at the hosts, and close what it opened; it works on a copy of the database.

    Where nothing is to be `known`, all is seen for the first time.
    """
    engine = open_copy(config.database if known else "sqlite://")
    readers = {name: HostReader(host, config.hosts) for name, host in config.hosts.items()}
    try:
        yield HostSight(Poller(engine, Roster(config, frozenset()), readers, time.time))
    finally:
        for reader in readers.values():
            reader.close()
        engine.dispose()


@contextlib.contextmanager
def door(config: Config) -> Iterator[Control]:
    """Yield the control of a configuration for one command of the shell; a running monitor delivers what it caused."""
    config = with_somebody_to_tell(config)
    engine = open_database(config.database)
    configured = {"slack": config.slack, "email": config.email, "console": config.console}
    roster = Roster(config, frozenset(name for name, section in configured.items() if section))
    try:
        with busy_told(config.database):
            yield Control(engine, roster, time.time)
    finally:
        engine.dispose()


def notifiers_of(config: Config, extension: Extension | None) -> dict[str, Notifier]:
    """Return what carries messages to people, by name."""
    found: list[Notifier] = [] if extension is None else [extension.notifier]
    if config.email is not None:
        found.append(EmailNotifier(config.email))
    if config.console:
        found.append(ConsoleNotifier())
    return {notifier.name: notifier for notifier in found}
