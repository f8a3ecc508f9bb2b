"""A test alert: through the outbox like any other, to receivers that are named, told once, about nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from monitor_core.errors import CommandError
from monitor_core.model.deliveries import Delivery, DeliveryState, Reason, Receiver
from monitor_core.model.incidents import SELF, Incident, IncidentState, Kind, Severity
from monitor_core.model.views import AlertResult
from monitor_core.roster import Roster
from monitor_core.store import ledger, outbox, queries

# What is tried again so often has failed, for somebody who waits.
_ATTEMPTS = 3
_WAITING = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})


def named(roster: Roster, text: str) -> list[Receiver]:
    """Return the receivers that a text means: `slack`, `email:oncall@example.com`, `C0123ABCD`; empty for all."""
    everybody = roster.receivers()
    asked = text.casefold()
    found = [one for one in everybody if asked in {"", str(one).casefold(), one.target.casefold(), one.notifier}]
    if not found:
        raise CommandError(f"No receiver is named {text}. There are: {', '.join(map(str, everybody))}.")
    return found


def begin(connection: Connection, receivers: Sequence[Receiver], actor: str, now: float) -> int:
    """Enqueue a test alert for each receiver, whatever they want to hear of else; return its incident's number."""
    by = actor.partition(":")[2]
    facts = {"by": by, "what": f"a test, asked for by {by}"}
    over = IncidentState.RESOLVED
    test = Incident(SELF, Kind.TEST, Severity.INFO, over, now, facts, fired_at=now, ends_at=now)
    number = queries.save_incident(connection, test).number
    waiting = [
        Delivery(f"{number}-test-{receiver}", number, receiver, Reason.FIRING, DeliveryState.PENDING, now, now)
        for receiver in receivers
    ]
    ledger.add_decisions(connection, [outbox.enqueue(connection, delivery) for delivery in waiting])
    told = ", ".join(map(str, receivers))
    queries.add_audit(connection, at=now, actor=actor, verb="test-alert", subject=f"incident {number}", new=told)
    return number


def results(connection: Connection, incident: int, ends_at: float) -> list[AlertResult]:
    """Return what has become of a test alert whose sender waits until `ends_at`."""
    return [_result(delivery, ends_at) for delivery, _ in ledger.deliveries(connection, incident)]


def withdraw(connection: Connection, incident: int, now: float) -> None:
    """Let what has not been sent by now never be sent."""
    for delivery, _ in ledger.deliveries(connection, incident):
        if delivery.state in _WAITING:
            outbox.supersede(connection, delivery, now, "nobody waits for the test any more")


def _result(delivery: Delivery, ends_at: float) -> AlertResult:
    hopeless = delivery.last_error and (delivery.attempts >= _ATTEMPTS or delivery.due_at > ends_at)
    if delivery.state is DeliveryState.SENT:
        state = "sent"
    elif delivery.state in _WAITING and not hopeless:
        state = "waiting"
    else:
        state = "failed"
    return AlertResult(str(delivery.receiver), state, delivery.last_error, delivery.attempts)
