"""The outbox: claims a delivery, sends it, and writes down what came of it.

A delivery is committed as `sending` before the attempt and as `sent` after the other side accepted. One that is found
`sending` at start is sent again and says that it may be a repeat: at least once, never silently lost.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from monitor_core.announce import announce
from monitor_core.errors import NotifyError
from monitor_core.incident.lifecycle import resolve
from monitor_core.incident.scene import Scene
from monitor_core.incident.wording import Sending, message
from monitor_core.model.decisions import Attempt, place
from monitor_core.model.deliveries import Delivery, DeliveryState, Receiver
from monitor_core.model.incidents import SELF, Incident, IncidentState, Kind, Severity
from monitor_core.notify.protocol import Notifier
from monitor_core.roster import Roster
from monitor_core.scenes import scene
from monitor_core.store import ledger, outbox, queries
from monitor_core.store.database import Database

log = logging.getLogger(__name__)

_BACKOFF, _BACKOFF_CAP = 1.0, 30.0
# Nobody is helped by an alert that could not be delivered for a day.
_GIVE_UP = 86400.0
# That these do not arrive is told by nobody, or to whoever waits for them.
_UNTOLD = frozenset({Kind.MONITOR_ERROR, Kind.TEST})
_CARRIERS = {"slack": "Slack", "email": "the mail server", "console": "the terminal"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is on its way: what it is about, and the reference of the message before it."""

    delivery: Delivery
    incident: Incident
    scene: Scene
    previous: str
    at: float


@dataclass(slots=True)
class Outbox:
    """The deliveries of one notifier, or `only` those about one incident.

    `clock` gives seconds since 1970; `permit` raises what forbids to send now.
    """

    engine: Database
    roster: Roster
    notifier: Notifier
    clock: Callable[[], float]
    permit: Callable[[], None] = field(default=lambda: None)
    only: int = 0
    _rests: dict[Receiver, float] = field(default_factory=dict)

    def recover(self) -> None:
        """After a start, or after the database refused: what was on its way is sent again, as a possible repeat."""
        with self.engine.begin() as connection:
            count = outbox.recover(connection, self.notifier.name, self.clock())
        if count:
            log.warning("notifier=%s deliveries cut off on their way: %d, sent again", self.notifier.name, count)

    def drain(self) -> float | None:
        """Send all that is due; return when the next delivery falls due (seconds since 1970), None if nothing waits."""
        while self.send_next():
            pass
        with self.engine.begin() as connection:
            return outbox.next_due(connection, self.notifier.name)

    def send_next(self) -> bool:
        """Try one delivery that is due; return whether there was one."""
        claim = self._claim()
        if claim is None:
            return False
        self._send(claim)
        return True

    def _claim(self) -> Claim | None:
        now = self.clock()
        with self.engine.begin() as connection:
            self._let_rest(connection, now)
            for delivery in outbox.due(connection, self.notifier.name, now, self.only):
                if not self._wanted(connection, delivery, now):
                    continue
                incident = queries.load_incident(connection, delivery.incident)
                assert incident is not None
                state = {"state": str(DeliveryState.SENDING), "attempts": delivery.attempts + 1}
                outbox.change(connection, delivery.number, state)
                previous = outbox.last_ref(connection, delivery.incident, delivery.receiver)
                around = scene(connection, self.roster, incident)
                return Claim(replace(delivery, attempts=delivery.attempts + 1), incident, around, previous, now)
        return None

    def _let_rest(self, connection: Connection, now: float) -> None:
        """What was enqueued since a receiver asked for a rest waits too."""
        self._rests = {receiver: until for receiver, until in self._rests.items() if until > now}
        for receiver, until in self._rests.items():
            outbox.delay(connection, receiver, until)

    def _wanted(self, connection: Connection, delivery: Delivery, now: float) -> bool:
        """A fallback delivery waits for the one that it stands in for, and is needless once that one was sent."""
        if delivery.fallback_for and delivery.attempts == 0:
            states = outbox.states_of_principal(connection, delivery)
            if DeliveryState.SENT in states:
                outbox.supersede(connection, delivery, now, f"{place(delivery.fallback_for)} was told")
                return False
            if not states & {DeliveryState.PENDING, DeliveryState.SENDING}:
                return True
        return delivery.due_at <= now

    def _send(self, claim: Claim) -> None:
        delivery = claim.delivery
        self.permit()
        try:
            made = message(claim.incident, claim.scene, _sending(claim))
            ref = self.notifier.send(delivery.receiver.target, made, key=delivery.key, previous=claim.previous)
        except NotifyError as error:
            self._failed(delivery, error)
        except Exception as error:
            log.exception("delivery=%s could not be laid out or sent", delivery.key)
            self._failed(delivery, NotifyError(f"{type(error).__name__}: {error}", permanent=True))
        else:
            self._sent(delivery, ref)

    def _sent(self, delivery: Delivery, ref: str) -> None:
        now = self.clock()
        with self.engine.begin() as connection:
            sent = {"state": str(DeliveryState.SENT), "ref": ref, "sent_at": now, "last_error": ""}
            outbox.change(connection, delivery.number, sent)
            ledger.add_attempt(connection, delivery, Attempt(now))
            self._clear(connection, delivery.receiver, now)
        log.info("delivery=%s sent after %.1f s", delivery.key, now - delivery.created_at)

    def _failed(self, delivery: Delivery, error: NotifyError) -> None:
        now = self.clock()
        wait = error.retry_after if error.retry_after is not None else backoff(delivery.attempts)
        repeat = delivery.repeat or error.doubtful
        failed = replace(delivery, last_error=str(error), due_at=now + wait, repeat=repeat)
        with self.engine.begin() as connection:
            if error.permanent or now - delivery.created_at > _GIVE_UP:
                dead = {"state": str(DeliveryState.DEAD), "last_error": str(error)}
                outbox.change(connection, delivery.number, dead)
                ledger.add_attempt(connection, delivery, Attempt(now, str(error)))
                self._raise(connection, delivery, error, now)
            else:
                ledger.add_attempt(connection, delivery, Attempt(now, str(error), retry_at=now + wait))
                outbox.put_back(connection, failed, now)
            if error.retry_after is not None:
                outbox.delay(connection, delivery.receiver, now + error.retry_after)
        if error.retry_after is not None:
            self._rests[delivery.receiver] = now + error.retry_after
        if delivery.attempts == 1 or str(error) != delivery.last_error:
            log.warning("delivery=%s attempt %d: %s", delivery.key, delivery.attempts, error)

    def _raise(self, connection: Connection, delivery: Delivery, error: NotifyError, now: float) -> None:
        """What can never be delivered is told once, through the other receivers."""
        incident = queries.load_incident(connection, delivery.incident)
        if incident is not None and incident.kind in _UNTOLD:
            return
        if self._trouble(connection, delivery.receiver) is None:
            facts = {"what": f"Messages do not reach {delivery.receiver}", "error": str(error)}
            trouble = Incident(
                SELF,
                Kind.MONITOR_ERROR,
                Severity.WARNING,
                IncidentState.FIRING,
                now,
                facts,
                _detail(delivery.receiver),
                fired_at=now,
            )
            announce(connection, self.roster, None, trouble, now)

    def _clear(self, connection: Connection, receiver: Receiver, now: float) -> None:
        trouble = self._trouble(connection, receiver)
        if trouble is not None:
            announce(connection, self.roster, trouble, resolve(trouble, now), now)

    def _trouble(self, connection: Connection, receiver: Receiver) -> Incident | None:
        troubles = queries.active_incidents(connection, SELF)
        return next((trouble for trouble in troubles if trouble.detail == _detail(receiver)), None)


def backoff(attempts: int) -> float:
    """Return how many seconds to wait after so many attempts: 1 s doubling to 30 s, less up to a fifth at random."""
    wait = min(_BACKOFF * 2.0 ** (attempts - 1), _BACKOFF_CAP)
    return wait * random.uniform(0.8, 1.0)  # noqa: S311 it spreads load, it keeps no secret


def _sending(claim: Claim) -> Sending:
    delivery = claim.delivery
    carrier = _CARRIERS.get(delivery.receiver.notifier, delivery.receiver.notifier)
    # A mail in the stead of Slack has waited on purpose.
    made_at = claim.at if delivery.fallback_for else delivery.created_at
    return Sending(claim.at, delivery.reason, made_at, carrier, delivery.repeat, first=not claim.previous)


def _detail(receiver: Receiver) -> str:
    return f"delivery {receiver}"
