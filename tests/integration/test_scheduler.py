"""The scheduler's threads and jobs: no host is forgotten, whatever a poll does."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy.exc import OperationalError

from monitor_core.scheduler import Scheduler
from tests.support.sshd import until


class Told:
    """What was reported of hosts; refuses the first so many reports."""

    def __init__(self, refusals=0):
        self.refusals, self.said = refusals, []

    def __call__(self, host, error):
        if self.refusals:
            self.refusals -= 1
            raise OSError("database is locked")
        self.said.append((host, error))


@pytest.fixture
def start():
    with ExitStack() as stack:

        def begin(poll, told, *hosts, settle=lambda: None, **how):
            scheduler = Scheduler(poll, settle, told, **how)
            scheduler.start(hosts or ("gpu-01",), 0.0)
            stack.callback(scheduler.stop)
            return scheduler

        yield begin


def test_a_poll_that_falls_due_before_the_one_before_it_has_quite_ended_is_not_forgotten(start):
    polls, started, held = [], threading.Event(), threading.Event()

    def hold_up(scheduler):
        """Keep the poll from ending after it has planned the next one."""
        with scheduler._idle:
            held.set()
            until(lambda: scheduler._due["gpu-01"] == 1.0)
            time.sleep(0.2)

    def poll(host):
        polls.append(host)
        if len(polls) == 1:
            started.wait()
            threading.Thread(target=hold_up, args=[scheduler]).start()
            held.wait()
            return 1.0
        return time.time() + 60

    scheduler = start(poll, Told())
    started.set()
    until(lambda: len(polls) == 2)


def test_it_tells_by_how_much_polls_are_late_and_for_how_long_one_has_been_due(start):
    release, began = threading.Event(), []

    def poll(host):
        began.append(host)
        if host == "hung":
            release.wait()
        return time.time() - 41 if began.count(host) == 1 else time.time() + 60

    scheduler = start(poll, Told(), "gpu-01", "hung")
    try:
        until(lambda: began.count("gpu-01") == 2)
        assert 41 <= scheduler.lags()["gpu-01"] < 60
        until(lambda: scheduler.lags()["hung"] > 0.1)
    finally:
        release.set()


def test_polls_of_one_host_do_not_overlap(start):
    running, overlaps, polls = threading.Lock(), [], []

    def poll(host):
        if not running.acquire(blocking=False):
            overlaps.append(host)
            return time.time()
        polls.append(host)
        time.sleep(0.001)
        running.release()
        return time.time() - 1

    start(poll, Told())
    until(lambda: len(polls) >= 100)
    assert overlaps == []


def test_a_host_whose_poll_breaks_is_told_and_planned_again_even_if_it_cannot_be_written_down(start):
    polls = []

    def poll(host):
        polls.append(host)
        if len(polls) < 4:
            raise RuntimeError("a bug")
        return time.time() + 60

    told = Told(refusals=2)
    start(poll, told, after_error=0.01)
    until(lambda: ("gpu-01", "") in told.said)
    assert told.said == [("gpu-01", "RuntimeError: a bug"), ("gpu-01", "")]


def locked(*_):
    raise OperationalError("UPDATE hosts SET seen_at = ?", (1.0,), sqlite3.OperationalError("database is locked"))


def broken(*_):
    raise RuntimeError("a bug")


def test_a_host_whose_poll_raises_is_looked_at_again_after_5_seconds(start):
    began, told = time.time(), Told()
    scheduler = start(locked, told)
    until(lambda: scheduler._due["gpu-01"] > began + 4)
    assert scheduler._due["gpu-01"] <= time.time() + 5
    assert told.said == [("gpu-01", "the database refused: database is locked")]


def test_a_database_that_refuses_is_one_line_of_the_log_wherever_it_does(start, caplog):
    start(locked, locked, settle=locked)
    until(lambda: len({record.message for record in caplog.records}) == 3)
    why = "the database refused: database is locked"
    assert {record.message for record in caplog.records} == {
        f"host=gpu-01 could not be polled: {why}",
        f"host=gpu-01 this could not be written down ({why}): {why}",
        f"housekeeping failed, it is tried again: {why}",
    }
    assert not any(record.exc_info for record in caplog.records)


def test_a_bug_keeps_its_traceback_in_the_log_wherever_it_is(start, caplog):
    start(broken, broken, settle=broken)
    until(lambda: len({record.message for record in caplog.records}) == 3)
    assert all("in broken" in caplog.handler.format(record) for record in caplog.records)


def test_what_an_earlier_process_reported_of_a_host_is_taken_back_at_the_first_good_poll(start):
    told = Told()
    start(lambda _: time.time() + 60, told)
    until(lambda: told.said == [("gpu-01", "")])


def test_one_host_that_hangs_does_not_keep_the_others_waiting(start):
    release, seen = threading.Event(), set()

    def poll(host):
        seen.add(host)
        if host == "gpu-01":
            release.wait()
        return time.time() + 60

    start(poll, Told(), "gpu-01", "gpu-02", "gpu-03")
    try:
        until(lambda: seen == {"gpu-01", "gpu-02", "gpu-03"})
    finally:
        release.set()


def test_after_stop_nothing_begins_and_what_runs_is_waited_for_only_so_long(start):
    entered, release, polls = threading.Event(), threading.Event(), []

    def poll(host):
        polls.append(host)
        entered.set()
        release.wait()
        return time.time()

    scheduler = Scheduler(poll, lambda: None, Told())
    scheduler.start(["gpu-01"], 0.0)
    entered.wait()
    scheduler.stop()
    assert not scheduler.wait(0.01)
    release.set()
    assert scheduler.wait(10)
    assert polls == ["gpu-01"]
