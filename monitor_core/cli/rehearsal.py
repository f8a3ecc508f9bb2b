"""The verb test-alert: one alert to everybody, by the running monitor, or by ourselves where none runs."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from monitor_core.app import Extension, door, notifiers_of, with_somebody_to_tell
from monitor_core.cli.asking import actor
from monitor_core.cli.setup import configuration, print_json
from monitor_core.config.models import Config
from monitor_core.control import Control
from monitor_core.delivery import Outbox
from monitor_core.model.views import AlertResult
from monitor_core.notify.protocol import Notifier

Factory = Callable[[Config], Extension | None]
_DEADLINE = 60.0
# A running monitor looks for deliveries once a second.
_TAKEN = 3.0
_STEP = 0.1


@dataclass(frozen=True, slots=True)
class _Test:
    """A test alert under way; `ends_at` is when nobody waits for it any more (seconds since 1970)."""

    control: Control
    number: int
    ends_at: float

    def results(self) -> list[AlertResult]:
        return self.control.test_results(self.number, self.ends_at)

    def wait(self, until: float, wanted: Callable[[list[AlertResult]], bool]) -> bool:
        """Wait until a moment for what is wanted; return whether it came."""
        while not (came := wanted(self.results())) and time.time() < until:
            time.sleep(_STEP)
        return came

    def deliver(self, notifier: Notifier) -> None:
        """Send what is for this notifier, and try again, as long as somebody waits for it."""
        own = Outbox(self.control.engine, self.control.roster, notifier, self.control.clock, only=self.number)
        while time.time() < self.ends_at and any(_is_for(notifier.name, one) for one in self._waiting()):
            if not own.send_next():
                time.sleep(_STEP)

    def _waiting(self) -> Iterable[AlertResult]:
        return (one for one in self.results() if one.state == "waiting")


def test_alert(arguments: argparse.Namespace, extension: Factory | None) -> int:
    """Send the alert, wait for what becomes of it, and print that for each receiver."""
    config = with_somebody_to_tell(configuration(arguments, secrets=False))
    with door(config, create=True) as control:
        number = control.test_alert(actor(), arguments.to)
        test = _Test(control, number, time.time() + _DEADLINE)
        try:
            results = _carry_out(test, lambda: _notifiers(arguments, extension))
        finally:
            control.end_test(number)
    if arguments.json:
        print_json(results)
    else:
        print("\n".join(_line(result) for result in results))
    return 0 if all(result.state == "sent" for result in results) else 1


def _carry_out(test: _Test, notifiers: Callable[[], Iterable[Notifier]]) -> list[AlertResult]:
    """Leave the delivery to a running monitor; do it ourselves where none takes it."""
    if not test.control.health().on_duty and not test.wait(time.time() + _TAKEN, _all_begun):
        left = {result.receiver.partition(":")[0] for result in test.results() if not result.attempts}
        for notifier in notifiers():
            if notifier.name in left:
                threading.Thread(target=test.deliver, args=(notifier,), daemon=True).start()
    test.wait(test.ends_at, _all_settled)
    return [_final(result) for result in test.results()]


def _notifiers(arguments: argparse.Namespace, extension: Factory | None) -> Iterable[Notifier]:
    config = with_somebody_to_tell(configuration(arguments))
    return notifiers_of(config, extension(config) if extension is not None else None).values()


def _all_settled(results: list[AlertResult]) -> bool:
    return all(result.state != "waiting" for result in results)


def _all_begun(results: list[AlertResult]) -> bool:
    return all(result.attempts for result in results)


def _is_for(notifier: str, result: AlertResult) -> bool:
    return result.receiver.startswith(f"{notifier}:")


def _final(result: AlertResult) -> AlertResult:
    if result.state == "sent":
        return result
    return replace(result, state="failed", error=result.error or f"nobody took it within {_DEADLINE:g} s")


def _line(result: AlertResult) -> str:
    return f"{result.state:6} {result.receiver}" + (f": {result.error}" if result.error else "")
