"""What is asked of the deliveries. Each function works on a connection whose transaction its caller holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from monitor_core.model.decisions import Attempt, Decision, Outcome, place
from monitor_core.model.deliveries import Delivery, DeliveryState, Receiver
from monitor_core.store import ledger, records
from monitor_core.store.tables import deliveries as table
from monitor_core.units import duration

_CUT_OFF = "the process ended before the answer came"
_LIVE = [str(state) for state in (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.SENT)]


def told(connection: Connection, incident: int) -> dict[Receiver, Delivery]:
    """Return, for each receiver that was told of an incident or is about to be, the newest delivery about it."""
    query = select(table).where(table.c.incident == incident, table.c.state.in_(_LIVE)).order_by(table.c.number)
    return {delivery.receiver: delivery for delivery in map(records.delivery, connection.execute(query))}


def enqueue(connection: Connection, delivery: Delivery) -> Decision:
    """Add a delivery, unless what waits for the same incident and receiver will tell it anyway; return what was done.

    A message is written when it is sent, so an edit has nothing to add to one that waits; any other reason takes the
    place of the one that waits, with its age and its patience.
    """
    now, waiting = delivery.created_at, told(connection, delivery.incident).get(delivery.receiver)
    why = _only_if(delivery)
    if waiting is not None and waiting.state is DeliveryState.PENDING:
        if delivery.reason.edit:
            folded = replace(delivery, number=waiting.number)
            return _decision(folded, now, Outcome.FOLDED, f"the message that waits ({waiting.reason.words}) tells it")
        supersede(connection, waiting, now, f"a newer one ({delivery.reason.words}) takes its place")
        delivery, why = _in_place_of(waiting, delivery), f"in place of the one that waited ({waiting.reason.words})"
    number = connection.execute(insert(table).values(records.delivery_values(delivery))).inserted_primary_key
    assert number is not None
    return _decision(replace(delivery, number=number[0]), now, Outcome.ENQUEUED, why)


def supersede(connection: Connection, delivery: Delivery, now: float, why: str) -> None:
    """Let a delivery that waits be, since it is not needed any more, and write down why."""
    change(connection, delivery.number, {"state": str(DeliveryState.SUPERSEDED)})
    ledger.add_decisions(connection, [_decision(delivery, now, Outcome.SUPERSEDED, why)])


def put_back(connection: Connection, delivery: Delivery, now: float) -> None:
    """Let a delivery that was on its way wait again.

    If a newer one about the same incident came meanwhile, only one of the two goes on: the older news must not arrive
    after the newer.
    """
    newer = told(connection, delivery.incident).get(delivery.receiver)
    change(connection, delivery.number, {**_waiting(delivery), "state": str(DeliveryState.PENDING)})
    if newer is not None and newer.number > delivery.number and newer.state is DeliveryState.PENDING:
        if newer.reason.edit:
            supersede(connection, newer, now, f"the message that waits ({delivery.reason.words}) tells it")
        else:
            change(connection, newer.number, _waiting(_in_place_of(delivery, newer)))
            supersede(connection, delivery, now, f"a newer one ({newer.reason.words}) takes its place")


def change(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Change columns of a delivery."""
    connection.execute(update(table).where(table.c.number == number).values(values))


def due(connection: Connection, notifier: str, now: float, only: int = 0) -> list[Delivery]:
    """Return what one notifier may send now, oldest first: due, and none of its incident and receiver on its way.

    Those that stand in for another come in any case: that one decides when their time has come. `only` is the number
    of an incident, 0 for all of them.
    """
    other = table.alias()
    on_its_way = select(other.c.number).where(
        other.c.incident == table.c.incident,
        other.c.notifier == table.c.notifier,
        other.c.target == table.c.target,
        other.c.state == str(DeliveryState.SENDING),
    )
    query = select(table).where(
        table.c.notifier == notifier,
        table.c.state == str(DeliveryState.PENDING),
        or_(table.c.due_at <= now, table.c.fallback_for != ""),
        ~on_its_way.exists(),
    )
    if only:
        query = query.where(table.c.incident == only)
    return [records.delivery(row) for row in connection.execute(query.order_by(table.c.number))]


def states_of_principal(connection: Connection, delivery: Delivery) -> set[DeliveryState]:
    """Return how it stands with the delivery in whose stead this one is, and with those that took its place."""
    notifier, _, target = delivery.fallback_for.partition(":")
    same = _about(delivery.incident, Receiver(notifier, target))
    first = select(func.max(table.c.number)).where(same, table.c.number < delivery.number).scalar_subquery()
    states = connection.execute(select(table.c.state).where(same, table.c.number >= first)).scalars()
    return {DeliveryState(state) for state in states}


def last_ref(connection: Connection, incident: int, receiver: Receiver) -> str:
    """Return the reference of the newest message that a receiver got about an incident; empty if it got none."""
    sent = table.c.state == str(DeliveryState.SENT)
    query = select(table.c.ref).where(_about(incident, receiver), sent).order_by(table.c.number.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none() or ""


def delay(connection: Connection, receiver: Receiver, until: float) -> None:
    """Let everything that waits for a receiver wait until a moment: it has asked for a rest."""
    connection.execute(
        update(table)
        .where(
            table.c.notifier == receiver.notifier,
            table.c.target == receiver.target,
            table.c.state == str(DeliveryState.PENDING),
            table.c.due_at < until,
        )
        .values(due_at=until)
    )


def next_due(connection: Connection, notifier: str) -> float | None:
    """Return when the next delivery of a notifier falls due."""
    query = select(table.c.due_at).where(table.c.notifier == notifier, table.c.state == str(DeliveryState.PENDING))
    return connection.execute(query.order_by(table.c.due_at).limit(1)).scalar_one_or_none()


def recover(connection: Connection, notifier: str, now: float) -> int:
    """Let whatever was on its way be sent again as a possible repeat; return how many deliveries there were."""
    query = select(table).where(table.c.notifier == notifier, table.c.state == str(DeliveryState.SENDING))
    cut_off = [records.delivery(row) for row in connection.execute(query.order_by(table.c.number))]
    for delivery in cut_off:
        ledger.add_attempt(connection, delivery, Attempt(now, _CUT_OFF, retry_at=now))
        put_back(connection, replace(delivery, repeat=True), now)
    return len(cut_off)


def _only_if(delivery: Delivery) -> str:
    if not delivery.fallback_for:
        return ""
    patience = duration(delivery.due_at - delivery.created_at)
    return f"only if {place(delivery.fallback_for)} cannot be told within {patience}"


def _decision(delivery: Delivery, now: float, outcome: Outcome, why: str) -> Decision:
    receiver = str(delivery.receiver)
    return Decision(delivery.incident, now, delivery.reason, outcome, receiver, why, delivery=delivery.number)


def _in_place_of(older: Delivery, newer: Delivery) -> Delivery:
    return replace(
        newer,
        created_at=older.created_at,
        due_at=older.due_at if older.fallback_for else max(newer.due_at, older.due_at),
        attempts=older.attempts,
        last_error=older.last_error,
        repeat=older.repeat,
    )


def _waiting(delivery: Delivery) -> dict[str, Any]:
    names = ("created_at", "due_at", "attempts", "last_error", "repeat")
    return {name: getattr(delivery, name) for name in names}


def _about(incident: int, receiver: Receiver) -> ColumnElement[bool]:
    return (
        (table.c.incident == incident) & (table.c.notifier == receiver.notifier) & (table.c.target == receiver.target)
    )
