"""The outbox: claims a delivery, sends it, and writes down what came of it.

A delivery is committed as `sending` before the attempt and as `sent` after the other side accepted. One that is found
`sending` at start is sent again and says that it may be a repeat: at least once, never silently lost.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from monitor_core.announce import announce
from monitor_core.errors import NotifyError
from monitor_core.incident.lifecycle import resolve
from monitor_core.incident.scene import Scene
from monitor_core.incident.wording import Sending, message
from monitor_core.model.incidents import (
    SELF,
    Delivery,
    DeliveryState,
    Incident,
    IncidentState,
    Kind,
    Receiver,
    Severity,
    SubjectKind,
)
from monitor_core.model.message import Message
from monitor_core.notify.protocol import Notifier
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.track import memory

log = logging.getLogger(__name__)

_BACKOFF, _BACKOFF_CAP = 1.0, 30.0
# Nobody is helped by an alert that could not be delivered for a day.
_GIVE_UP = 86400.0
_CARRIERS = {"slack": "Slack", "email": "the mail server", "console": "the terminal"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is on its way: its message, and the reference of the one before it."""

    delivery: Delivery
    message: Message
    previous: str


@dataclass(slots=True)
class Outbox:
    """The deliveries of one notifier. `clock` gives seconds since 1970."""

    engine: Engine
    roster: Roster
    notifier: Notifier
    clock: Callable[[], float]

    def recover(self) -> None:
        """After a start: what was on its way is sent again, as a possible repeat."""
        with self.engine.begin() as connection:
            count = queries.recover_deliveries(connection, self.notifier.name)
        if count:
            log.warning(
                "notifier=%s %d deliveries were on their way when we stopped: sent again", self.notifier.name, count
            )

    def drain(self) -> float | None:
        """Send all that is due; return when the next delivery falls due (seconds since 1970), None if nothing waits."""
        while (claim := self._claim()) is not None:
            self._send(claim)
        with self.engine.begin() as connection:
            return queries.next_due(connection, self.notifier.name)

    def _claim(self) -> Claim | None:
        now = self.clock()
        with self.engine.begin() as connection:
            for delivery in queries.due_deliveries(connection, self.notifier.name, now):
                if not self._wanted(connection, delivery, now):
                    continue
                incident = queries.load_incident(connection, delivery.incident)
                assert incident is not None
                state = {"state": str(DeliveryState.SENDING), "attempts": delivery.attempts + 1}
                queries.change_delivery(connection, delivery.number, state)
                previous = queries.last_ref(connection, delivery.incident, delivery.receiver)
                return Claim(delivery, self._message(connection, incident, delivery, previous, now), previous)
        return None

    def _wanted(self, connection: Connection, delivery: Delivery, now: float) -> bool:
        """A fallback delivery waits for the one that it stands in for, and is needless once that one was sent."""
        if delivery.fallback_for and delivery.attempts == 0:
            states = queries.delivery_states(connection, delivery.incident, delivery.fallback_for)
            if DeliveryState.SENT in states:
                queries.change_delivery(connection, delivery.number, {"state": str(DeliveryState.SUPERSEDED)})
                return False
            if not states & {DeliveryState.PENDING, DeliveryState.SENDING}:
                return True
        return delivery.due_at <= now

    def _message(
        self, connection: Connection, incident: Incident, delivery: Delivery, previous: str, now: float
    ) -> Message:
        carrier = _CARRIERS.get(delivery.receiver.notifier, delivery.receiver.notifier)
        made_at = now if delivery.fallback_for else delivery.created_at
        sending = Sending(now, delivery.reason, made_at, carrier, delivery.repeat, first=not previous)
        return message(incident, scene(connection, self.roster, incident), sending)

    def _send(self, claim: Claim) -> None:
        receiver = claim.delivery.receiver
        try:
            ref = self.notifier.send(receiver.target, claim.message, key=claim.delivery.key, previous=claim.previous)
        except NotifyError as error:
            self._failed(claim.delivery, error)
        except Exception as error:
            log.exception("delivery=%s could not be laid out or sent", claim.delivery.key)
            self._failed(claim.delivery, NotifyError(f"{type(error).__name__}: {error}", permanent=True))
        else:
            self._sent(claim.delivery, ref)

    def _sent(self, delivery: Delivery, ref: str) -> None:
        now = self.clock()
        with self.engine.begin() as connection:
            sent = {"state": str(DeliveryState.SENT), "ref": ref, "sent_at": now, "last_error": ""}
            queries.change_delivery(connection, delivery.number, sent)
            self._clear(connection, delivery.receiver, now)
        log.info("delivery=%s sent after %.1f s", delivery.key, now - delivery.created_at)

    def _failed(self, delivery: Delivery, error: NotifyError) -> None:
        now = self.clock()
        attempts = delivery.attempts + 1
        dead = error.permanent or now - delivery.created_at > _GIVE_UP
        wait = error.retry_after if error.retry_after is not None else backoff(attempts)
        values = {"last_error": str(error), "repeat": delivery.repeat}
        values |= {"state": str(DeliveryState.DEAD if dead else DeliveryState.PENDING), "due_at": now + wait}
        with self.engine.begin() as connection:
            queries.change_delivery(connection, delivery.number, values)
            if error.retry_after is not None:
                queries.delay_target(connection, delivery.receiver, now + error.retry_after)
            if dead:
                self._raise(connection, delivery, error, now)
        if attempts == 1 or str(error) != delivery.last_error:
            log.warning("delivery=%s attempt %d: %s", delivery.key, attempts, error)

    def _raise(self, connection: Connection, delivery: Delivery, error: NotifyError, now: float) -> None:
        """What can never be delivered is told once, through the other receivers."""
        incident = queries.load_incident(connection, delivery.incident)
        if incident is not None and incident.kind is Kind.MONITOR_ERROR:
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


def scene(connection: Connection, roster: Roster, incident: Incident) -> Scene:
    """Return what is known around an incident now."""
    subject = incident.subject
    host = roster.host_of(subject)
    address = roster.config.hosts[host].address if host in roster.config.hosts else ""
    mute = queries.load_mute(connection, incident.muted) if incident.muted else None
    prefix = "/trainstatus" if roster.config.slack is not None and "slack" in roster.notifiers else "trainstatus"
    if subject.kind is SubjectKind.HOST:
        row = queries.load_hosts(connection).get(host)
        runs = tuple(_last_seen(connection, name) for name in roster.runs_on(host))
        owners = sorted({roster.run(name).owner for name in roster.runs_on(host)} - {""})
        return Scene(
            host=host,
            address=address,
            owner=owners[0] if len(owners) == 1 else "",
            runs=runs,
            mute=mute,
            prefix=prefix,
            error=row.error if row is not None else "",
        )
    if subject.kind is SubjectKind.SELF:
        return Scene(mute=mute, prefix=prefix)
    stored = queries.load_run(connection, subject.name)
    owner = roster.run(subject.name).owner if subject.name in roster.config.runs else ""
    if stored is None:
        return Scene(host=host, address=address, owner=owner, mute=mute, prefix=prefix)
    state = memory.load(stored.state)
    return Scene(
        host=host,
        address=address,
        owner=owner,
        iteration=state.iteration,
        total=state.total,
        loss=state.loss,
        ms=state.ms,
        usual_ms=state.pace.usual or state.ms,
        line_at=state.line_at,
        seen_at=stored.seen_at,
        checkpoint=state.checkpoint,
        checkpoint_at=state.checkpoint_at,
        tail=tuple(state.tail),
        mute=mute,
        prefix=prefix,
    )


def _last_seen(connection: Connection, name: str) -> tuple[str, int | None, int | None]:
    row = queries.load_run(connection, name)
    if row is None:
        return (name, None, None)
    state = memory.load(row.state)
    return (name, state.iteration, state.total)


def _detail(receiver: Receiver) -> str:
    return f"delivery {receiver}"
