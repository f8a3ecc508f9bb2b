"""The scheduler's threads and jobs: no host is forgotten, whatever a poll does."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy.exc import OperationalError

from monitor_core.errors import LeaseLost
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


class Slow(threading.Condition):
    """Keeps a poll from ending for a moment after it has planned the next one."""

    def notify_all(self):
        time.sleep(0.2)
        super().notify_all()


def test_a_poll_that_falls_due_before_the_one_before_it_has_quite_ended_is_not_forgotten(start):
    polls = []

    def poll(host):
        polls.append(host)
        return 1.0 if len(polls) == 1 else time.time() + 60

    start(poll, Told(), _idle=Slow())
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
    scheduler = start(broken, told)
    until(lambda: scheduler._due["gpu-01"] > began + 4)
    assert scheduler._due["gpu-01"] <= time.time() + 5
    assert told.said == [("gpu-01", "RuntimeError: a bug")]


def test_a_database_that_refuses_for_a_moment_is_told_to_nobody(start):
    polls, told = [], Told()

    def poll(host):
        polls.append(host)
        if len(polls) < 4:
            locked()
        return time.time() + 60

    start(poll, told, after_error=0.01)
    until(lambda: told.said)
    assert (told.said, len(polls)) == ([("gpu-01", "")], 4)


def test_a_database_that_refuses_for_long_is_told_of_until_it_no_longer_does(start):
    refusing, told = threading.Event(), Told()
    refusing.set()

    def poll(_host):
        if refusing.is_set():
            locked()
        return time.time() + 60

    scheduler = start(poll, told, after_error=0.01, overdue=0.1)
    until(lambda: scheduler._watch() or told.said)
    ((host, said),) = told.said
    assert host == "gpu-01"
    assert re.fullmatch(r"its poll was due \d+ s ago: the database refused: database is locked", said)
    refusing.clear()
    until(lambda: told.said[1:] == [("gpu-01", "")])


def test_a_database_that_refuses_is_one_line_of_the_log_wherever_it_does(start, caplog):
    scheduler = start(locked, locked, settle=locked, overdue=0.0)
    until(lambda: caplog.records)
    scheduler._watch()
    until(lambda: len({_said(record) for record in caplog.records}) == 3)
    why = "the database refused: database is locked"
    assert {_said(record) for record in caplog.records} == {
        f"host=gpu-01 could not be polled: {why}",
        f"host=gpu-01 this could not be written down (its poll was due N s ago: {why}): {why}",
        f"housekeeping failed, it is tried again: {why}",
    }
    assert not any(record.exc_info for record in caplog.records)


def _said(record):
    return re.sub(r"\d+ s ago", "N s ago", record.getMessage())


def test_a_bug_brings_its_traceback_once_wherever_it_is_and_then_a_line(start, caplog):
    def at_home():
        raise RuntimeError("another bug")

    start(broken, Told(), settle=at_home, after_error=0.01)
    until(lambda: len(caplog.records) > 20 and len({record.message for record in caplog.records}) == 2)
    with_traceback = [record.message for record in caplog.records if record.exc_info]
    assert sorted(with_traceback) == [
        "host=gpu-01 could not be polled: RuntimeError: a bug",
        "housekeeping failed, it is tried again: RuntimeError: another bug",
    ]
    assert "in broken" in caplog.text


def test_what_was_begun_by_one_who_lost_the_lease_is_neither_told_nor_logged(start, caplog):
    polls, told = [], Told()

    def poll(host):
        polls.append(host)
        raise LeaseLost("the lease is held by process 4711")

    start(poll, told, settle=lambda: poll(""), after_error=0.01)
    until(lambda: len(polls) > 5 and "" in polls)
    assert (told.said, caplog.records) == ([], [])


def test_hosts_that_are_followed_anew_are_looked_at_and_those_that_stay_keep_their_rhythm(start):
    polls, now = [], time.time()

    def poll(host):
        polls.append(host)
        return now + 3600

    scheduler = start(poll, Told(), "gpu-01", "gpu-02", "gpu-03")
    until(lambda: len(polls) == 3)
    scheduler.follow(["gpu-01", "gpu-02", "gpu-04"], 0.0, again={"gpu-02"})
    until(lambda: len(polls) == 5)
    assert sorted(polls[3:]) == ["gpu-02", "gpu-04"]
    until(lambda: scheduler._due == dict.fromkeys(["gpu-01", "gpu-02", "gpu-04"], now + 3600))


def test_a_poll_that_is_under_way_when_hosts_are_followed_anew_is_done_again_and_does_not_overlap(start):
    entered, release, running, polls = threading.Event(), threading.Event(), threading.Lock(), []

    def poll(_host):
        polls.append(running.acquire(blocking=False))
        entered.set()
        release.wait(20)
        running.release()
        return time.time() + 3600

    scheduler = start(poll, Told())
    entered.wait()
    scheduler.follow(["gpu-01"], 0.0)
    release.set()
    until(lambda: polls == [True, True])


def test_a_host_that_goes_and_comes_back_while_it_is_polled_is_polled_again_after_that(start):
    entered, release, running, polls = threading.Event(), threading.Event(), threading.Lock(), []

    def poll(_host):
        polls.append(running.acquire(blocking=False))
        entered.set()
        release.wait(20)
        running.release()
        return time.time() + 3600

    scheduler = start(poll, Told())
    entered.wait()
    scheduler.follow([], 0.0)
    scheduler.follow(["gpu-01"], 0.0)
    until(lambda: scheduler._jobs.get_job("gpu-01").next_run_time.timestamp() > time.time() + 60)
    release.set()
    until(lambda: polls == [True, True])


def test_a_host_that_is_gone_while_it_is_polled_is_not_planned_again_and_not_missed(start):
    entered, release, told = threading.Event(), threading.Event(), Told()

    def poll(_host):
        entered.set()
        release.wait(20)
        return time.time()

    scheduler = start(poll, told, overdue=0.0)
    entered.wait()
    scheduler.follow([], 0.0)
    release.set()
    assert scheduler.wait(10)
    scheduler._watch()
    assert (scheduler._due, told.said) == ({}, [])


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
