"""What a monitor does while it holds the lease: it polls, delivers, and takes commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from monitor_core.carrier import Carrier
from monitor_core.collect.hosts import HostReader
from monitor_core.collect.network import Network
from monitor_core.config.difference import Difference, difference
from monitor_core.config.models import Config
from monitor_core.control import Control
from monitor_core.delivery import Outbox
from monitor_core.housekeeping import Housekeeping
from monitor_core.model.views import Diagnosis, Link, Running
from monitor_core.notify.console import ConsoleNotifier
from monitor_core.notify.email import EmailNotifier
from monitor_core.notify.protocol import Notifier
from monitor_core.poller import Poller
from monitor_core.pulse import Pulse
from monitor_core.roster import Roster
from monitor_core.scheduler import Scheduler
from monitor_core.sight import HostSight
from monitor_core.store.database import Handle
from monitor_core.store.lease import Lease

_GRACE = 4.0
# The first looks log in to five hosts a second, and to all of them within half a minute.
_SPREAD, _SPREAD_CAP = 0.2, 30.0


class Extension(Protocol):
    """Another way to people than mail and terminal, that also takes their commands: Slack."""

    @property
    def notifier(self) -> Notifier:
        """Return what carries messages there."""

    @property
    def link(self) -> Link:
        """Return whether its connection is open now."""

    def examine(self) -> Iterable[Diagnosis]:
        """Find out whether it would work; nothing is sent."""

    def start(self, control: Control) -> None:
        """Begin to take commands; returns at once, whatever the other side does."""

    def stop(self) -> None:
        """End within two seconds."""


Extend = Callable[[Config], Extension | None]


class Duty:
    """The parts that work, from `start` to `stop`; `follow` tells them by which configuration.

    `file` is the database's, `engine` gives its transactions. All that they write carries the fence of the lease, but
    what people command: that holds whoever is on duty. `extend` makes the extension of a configuration, None where it
    has none. `clock` gives seconds since 1970. All connections to hosts share the `network`.
    """

    def __init__(
        self,
        file: Path,
        engine: Engine,
        lease: Lease,
        extend: Extend,
        clock: Callable[[], float],
        network: Network,
    ) -> None:
        self.lease, self._extend, self._clock, self._network = lease, extend, clock, network
        self._config = Config()
        self._extension: Extension | None = None
        self._notifiers: dict[str, Notifier] = {}
        self._carriers: dict[str, Carrier] = {}
        self._readers: dict[str, HostReader] = {}
        nobody = Roster(self._config, frozenset())
        self._handle = Handle(lease)
        self._poller = Poller(self._handle, nobody, self._readers, clock)
        self._control = Control(engine, nobody, clock, self._wake, running=self._running)
        self._settling = Control(lease, nobody, clock)
        self._pulse = Pulse(lease, nobody, clock)
        self._housekeeping = Housekeeping(file, engine, lease, clock, self._report_self)
        self._scheduler = Scheduler(self._poll, self._settle, self._report)
        self._refusal = ("", "")
        self._began = clock()

    def start(self, config: Config) -> None:
        """Start polling, delivering and answering; returns at once."""
        self._scheduler.start()
        self.follow(config)

    def follow(self, config: Config) -> Difference:
        """Work by this configuration from now on and return what is different; what is not goes on undisturbed."""
        change = difference(self._config, config)
        before = self._extension
        extension = self._extend(config) if "slack" in change.sections else before
        notifiers = self._renewed(notifiers_of(config, extension), change)
        roster = Roster(config, frozenset(notifiers))
        self._watch(roster, change)
        self._tell(roster, notifiers)
        self._config, self._extension, self._refusal = config, extension, ("", "")
        if extension is not before:
            self._switch(before, extension)
        return change

    def refuse(self, what: str, why: str) -> None:
        """Tell people that a configuration was not taken, until one is."""
        self._refusal = (what, why)

    def stop(self) -> bool:
        """Stop within the grace; return whether everything has ended by then."""
        ends_at = time.monotonic() + _GRACE
        self._retire()
        self._scheduler.stop()
        carriers = self._carriers.values()
        for carrier in carriers:
            carrier.stop()
        threads = [*_closing(self._readers.values()), *(carrier.thread for carrier in carriers)]
        if self._extension is not None:
            self._extension.stop()
        for thread in threads:
            thread.join(max(0.0, ends_at - time.monotonic()))
        idle = self._scheduler.wait(ends_at - time.monotonic())
        for notifier in self._notifiers.values():
            notifier.close()
        return idle and not any(thread.is_alive() for thread in threads)

    def _retire(self) -> None:
        """Let nothing be written of the polls that are under way."""
        self._poller.close()
        self._handle.closed = True

    def _watch(self, roster: Roster, change: Difference) -> None:
        """Poll by this roster; what stays keeps its connection and its rhythm."""
        config = roster.config
        watched = {run.host for run in config.runs.values()}
        kept = {name: reader for name, reader in self._readers.items() if name in watched - change.reached}
        readers = {name: kept.get(name) or self._reader(config, name) for name in watched}
        moved = {run for run, its in config.runs.items() if its.host in change.reached}
        again = set(config.runs) if "defaults" in change.sections else change.added | change.changed | moved
        gone = [reader for name, reader in self._readers.items() if name not in kept]
        self._retire()
        self._handle = Handle(self.lease)
        self._poller, self._readers = self._poller.heir(self._handle, roster, readers, again), readers
        _closing(gone)
        self._control.sight = HostSight(self._poller)
        self._control.roster = self._settling.roster = self._pulse.roster = roster
        self._housekeeping.follow(config)
        hosts = {config.runs[run].host for run in again}
        spread = min(_SPREAD * len(readers), _SPREAD_CAP, config.defaults.check_interval)
        self._scheduler.follow(readers, spread, hosts)

    def _reader(self, config: Config, host: str) -> HostReader:
        return HostReader(config.hosts[host], config.hosts, self._network)

    def _renewed(self, notifiers: dict[str, Notifier], change: Difference) -> dict[str, Notifier]:
        """Return the notifiers, the old ones where nothing is different for them."""
        kept = {name: its for name, its in self._notifiers.items() if name in notifiers.keys() - change.sections}
        return notifiers | kept

    def _tell(self, roster: Roster, notifiers: dict[str, Notifier]) -> None:
        """Deliver by this roster and through these notifiers."""
        carriers = {}
        for name, notifier in notifiers.items():
            carrier = self._carriers.get(name)
            if carrier is None:
                carrier = Carrier(Outbox(self.lease, roster, notifier, self._clock, self.lease.assert_held))
                carrier.start()
            carrier.follow(roster, notifier)
            carriers[name] = carrier
        for name in self._carriers.keys() - carriers.keys():
            self._carriers[name].stop()
        for name, notifier in self._notifiers.items():
            if notifiers.get(name) is not notifier:
                notifier.close()
        self._carriers, self._notifiers = carriers, notifiers

    def _switch(self, before: Extension | None, after: Extension | None) -> None:
        """Let another extension take commands."""
        if before is not None:
            before.stop()
        if after is not None:
            after.start(self._control)

    def _running(self) -> Running:
        """Return what this process knows of itself."""
        links = () if self._extension is None else (self._extension.link,)
        return Running(self._began, self._scheduler.lags(), links)

    def _poll(self, host: str) -> float:
        due = self._poller.poll_host(host)
        self._wake()
        return due

    def _settle(self) -> None:
        self._settling.settle()
        self._pulse.beat(self._poller.looked)
        self._housekeeping.step()
        what, why = self._refusal
        self._report_self("configuration", what, why)

    def _report(self, host: str, error: str) -> None:
        self._report_self(f"host {host}", f"{host} is not looked at", error)
        self._wake()

    def _report_self(self, detail: str, what: str, error: str) -> None:
        self._poller.report(detail, what, error)

    def _wake(self) -> None:
        for carrier in self._carriers.values():
            carrier.wake()


def _closing(readers: Iterable[HostReader]) -> list[threading.Thread]:
    """Return threads that close readers: saying good-bye may take a moment."""
    threads = [threading.Thread(target=reader.close, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    return threads


def notifiers_of(config: Config, extension: Extension | None) -> dict[str, Notifier]:
    """Return what carries messages to people, by name."""
    found: list[Notifier] = [] if extension is None else [extension.notifier]
    if config.email is not None:
        found.append(EmailNotifier(config.email))
    if config.console:
        found.append(ConsoleNotifier())
    return {notifier.name: notifier for notifier in found}
