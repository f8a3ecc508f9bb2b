"""The lease on a real database file, with clocks that the tests set: who may write and send, and who no longer may."""

from __future__ import annotations

import os
import socket

import pytest
from sqlalchemy import text

from monitor_core.delivery import Outbox
from monitor_core.errors import LeaseLost, Retired
from monitor_core.store.database import Handle
from monitor_core.store.lease import acquire, holder
from tests.support.smtpd import MailServer
from tests.support.sshd import until
from tests.support.stage import Stage, subjects

REPEAT = "(May be a repeat.)"


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


@pytest.fixture
def stage(tmp_path, mail):
    made = Stage(tmp_path, mail=mail)
    yield made
    made.close()


@pytest.fixture
def take(stage):
    """Ask for the lease as a monitor would that has a clock of its own, so many seconds ahead."""

    def take(ahead=0.0):
        return acquire(stage.engine, clock=lambda: stage.clock.now + ahead)

    return take


def note(database, word):
    with database.begin() as connection:
        connection.execute(text("INSERT INTO settings VALUES ('all', :word, '1', 'shell:alice', 0)"), {"word": word})


def noted(stage):
    return [name for (name,) in stage.rows("SELECT name FROM settings ORDER BY rowid")]


def test_only_one_holds_the_lease_and_the_fence_grows_with_each_that_does(stage, take):
    first = take()
    assert take() is None
    first.release()
    second = take()
    assert (first.fence, second.fence) == (1, 2)


def test_the_row_says_who_holds_it_and_since_when(stage, take):
    assert holder(stage.engine) == ""
    take()
    assert holder(stage.engine) == f"process {os.getpid()} on {socket.gethostname()} since Tue 24 Nov 09:52:35 UTC"


def test_a_lease_that_is_renewed_lasts_and_one_that_is_not_runs_out_after_30_seconds(stage, take):
    first = take()
    for _ in range(6):
        stage.clock.now += 10
        first.renew()
    stage.clock.now += 29.9
    assert take() is None
    stage.clock.now += 0.1
    assert take() is not None


def test_the_write_of_one_who_was_replaced_while_it_slept_is_refused_and_leaves_nothing(stage, take, caplog):
    first = take()
    note(first, "before")
    stage.clock.now += 30
    second = take()
    note(second, "other")
    for _ in range(2):
        with pytest.raises(LeaseLost, match="held by process"):
            note(first, "late")
    with pytest.raises(LeaseLost):
        first.renew()
    first.release()
    assert take() is None, "who was replaced cannot give away what is no longer his"
    assert noted(stage) == ["before", "other"]
    assert len(caplog.records) == 1, "said once"


def test_one_who_slept_and_was_not_replaced_goes_on(stage, take):
    first = take()
    stage.clock.now += 3600
    note(first, "late")
    first.renew()
    first.assert_held()
    assert take() is None
    assert noted(stage) == ["late"]


def test_what_ran_out_by_the_own_clock_may_be_held_by_another(stage, take):
    lease = take()
    stage.clock.now += 29.9
    lease.assert_held()
    stage.clock.now += 0.1
    with pytest.raises(LeaseLost, match="run out"):
        lease.assert_held()


def test_one_whose_clock_was_put_back_does_not_believe_in_its_lease_for_longer(stage):
    lease = acquire(stage.engine, clock=stage.clock, ttl=0.05)
    stage.clock.now -= 3600
    until(lambda: _has_run_out(lease))


def test_a_clock_that_steps_forward_moves_the_lease_and_the_fence_keeps_the_first_from_writing(stage, take):
    first = take()
    second = take(ahead=3600.0)
    assert second is not None
    with pytest.raises(LeaseLost):
        note(first, "late")


def test_a_lease_that_ends_too_far_in_the_future_is_not_believed(stage, take):
    take(ahead=10.0)
    assert take() is None, "a small step is no reason"
    stage.execute("UPDATE lease SET expires_at = expires_at + 3600")
    assert take() is not None


def test_who_is_replaced_between_claim_and_send_sends_nothing_and_the_other_says_that_it_may_be_a_repeat(
    stage, take, mail
):
    first = take()
    slow = _outbox(stage, first)
    stage.fire()
    claim = slow._claim()
    stage.clock.now += 30
    quick = _outbox(stage, take())
    quick.recover()
    quick.drain()
    with pytest.raises(LeaseLost):
        slow._send(claim)
    assert REPEAT in mail.received[0].body("plain")
    assert len(subjects(mail)) == 1


def test_who_is_replaced_while_it_sends_writes_nothing_down(stage, take):
    first = take()
    slow = _outbox(stage, first)
    stage.fire()
    claim = slow._claim()
    stage.clock.now += 30
    quick = _outbox(stage, take())
    with pytest.raises(LeaseLost):
        slow._sent(claim.delivery, "<ref>")
    with pytest.raises(LeaseLost):
        slow.send_next()
    assert stage.rows("SELECT state FROM deliveries") == [("sending",)]
    quick.recover()
    assert stage.rows("SELECT state, repeat FROM deliveries") == [("pending", 1)]


def test_a_handle_that_is_closed_in_the_middle_keeps_nothing_of_what_comes_after(stage):
    handle = Handle(stage.engine)
    note(handle, "before")
    handle.closed = True
    with pytest.raises(Retired):
        note(handle, "after")
    assert noted(stage) == ["before"]


def _has_run_out(lease):
    try:
        lease.assert_held()
    except LeaseLost:
        return True
    return False


def _outbox(stage, lease):
    notifier = stage.outboxes["email"].notifier
    return Outbox(lease, stage.roster, notifier, stage.clock, lease.assert_held)
