"""The database stays small, gives back what it does not need, and nobody has to wait for that."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from monitor_core.errors import LeaseLost
from monitor_core.housekeeping import Housekeeping
from monitor_core.model.deliveries import DeliveryState
from monitor_core.store import queries
from monitor_core.store.database import open_database
from monitor_core.store.lease import acquire
from monitor_core.store.queries import HostRow, RunRow
from tests.support.fleet import DAY, HOST, HOUR, Fleet

NAME, OTHER, GONE = "llama-70b-0", "llama-70b-1", "moe-16x3b"
OF_INCIDENTS = ["deliveries", "decisions", "judgements"]
TABLES = [*OF_INCIDENTS, "runs", "cursors", "series", "progress", "incidents", "attempts", "mutes", "audit"]


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(tmp_path, runs=2)
    yield made
    made.close()


def rows(fleet, query):
    with fleet.engine.begin() as connection:
        return [row[0] for row in connection.execute(text(query))]


def counts(fleet):
    return {table: rows(fleet, f"SELECT count(*) FROM {table}")[0] for table in TABLES}


def later(fleet, days):
    fleet.now += days * DAY
    fleet.tidy()


# What is removed


def test_a_resolved_incident_goes_after_ninety_days_with_all_that_belongs_to_it(fleet):
    fleet.trouble(NAME)
    later(fleet, 89.9)
    assert rows(fleet, "SELECT number FROM incidents") == [1]
    fleet.trouble(OTHER)
    later(fleet, 0.2)
    assert rows(fleet, "SELECT number FROM incidents") == [2]
    assert [rows(fleet, f"SELECT DISTINCT incident FROM {table}") for table in OF_INCIDENTS] == [[2], [2], [2]]
    assert counts(fleet)["attempts"] == 2


def test_what_still_holds_is_kept_with_all_that_belongs_to_it(fleet):
    fleet.trouble(NAME, resolved=False)
    before = counts(fleet)
    later(fleet, 400)
    assert {**counts(fleet), "audit": 1, "mutes": 1} == before


@pytest.mark.parametrize("state", [DeliveryState.PENDING, DeliveryState.SENDING])
def test_what_has_yet_to_be_delivered_is_kept(fleet, state):
    fleet.trouble(NAME, state=state)
    later(fleet, 400)
    assert rows(fleet, f"SELECT count(*) FROM deliveries WHERE state = '{state}'")[0] >= 1


def test_an_incident_that_holds_back_the_messages_of_one_that_holds_is_kept(fleet):
    holder, held = fleet.trouble(NAME), fleet.trouble(OTHER, resolved=False)
    with fleet.engine.begin() as connection:
        connection.execute(text(f"UPDATE incidents SET held = {holder} WHERE number = {held}"))
    later(fleet, 400)
    assert rows(fleet, "SELECT number FROM incidents ORDER BY number") == [holder, held]


def test_what_people_did_goes_after_a_year_and_ended_mutes_after_ninety_days(fleet):
    fleet.trouble(NAME)
    later(fleet, 91)
    assert (counts(fleet)["audit"], counts(fleet)["mutes"]) == (1, 0)
    later(fleet, 275)
    assert counts(fleet)["audit"] == 0


def test_runs_and_hosts_that_are_no_longer_configured_go_thirty_days_after_they_were_seen(fleet):
    with fleet.engine.begin() as connection:
        queries.save_run(connection, RunRow(GONE, "gpu-07", "{}", "{}", fleet.now, 0.0))
        connection.execute(text(f"INSERT INTO cursors VALUES ('{GONE}', '/data/moe.log', '1:2', 0, '', '', 0, '')"))
        for host in ("gpu-07", HOST):
            queries.save_host(connection, HostRow(host, seen_at=fleet.now))
    fleet.add(GONE, fleet.points(fleet.now, 2500))
    later(fleet, 29.9)
    assert GONE in rows(fleet, "SELECT name FROM runs")
    later(fleet, 0.2)
    assert rows(fleet, "SELECT name FROM runs") == [NAME, OTHER]
    assert rows(fleet, "SELECT name FROM hosts") == [HOST]
    assert [counts(fleet)[table] for table in ("cursors", "series", "progress")] == [0, 0, 0]


def test_a_run_of_which_something_holds_is_kept_though_nobody_has_configured_it(fleet):
    with fleet.engine.begin() as connection:
        queries.save_run(connection, RunRow(GONE, HOST, "{}", "{}", fleet.now, 0.0))
    fleet.trouble(GONE, resolved=False)
    later(fleet, 100)
    assert GONE in rows(fleet, "SELECT name FROM runs")


# How


def test_it_is_done_at_once_then_hourly_and_not_less_often_where_the_clock_is_set_back(fleet):
    assert fleet.tidy() > 1
    assert not fleet.housekeeping.step()
    fleet.now += HOUR - 1
    assert not fleet.housekeeping.step()
    fleet.now += 1
    assert fleet.tidy() > 1
    fleet.now -= 10 * DAY
    assert fleet.tidy() > 1


def test_nothing_is_removed_before_it_is_known_what_is_configured(fleet):
    fleet.now += 100 * DAY
    idle = Housekeeping(fleet.housekeeping.file, fleet.engine, fleet.engine, fleet.clock, fleet.housekeeping.report)
    assert not idle.step()
    assert rows(fleet, "SELECT name FROM runs") == [NAME, OTHER]


def test_no_step_removes_much_and_others_may_write_between_two_of_them(fleet):
    fleet.add(NAME, fleet.points(fleet.now, 10_000))
    for _ in range(200):
        fleet.trouble(NAME)
    fleet.now += 400 * DAY
    removed, before = [], sum(counts(fleet).values())
    with closing(sqlite3.connect(fleet.config.database.removeprefix("sqlite:///"), timeout=0)) as other:
        while fleet.housekeeping.step():
            removed.append(before - (before := sum(counts(fleet).values())))
            with other:
                other.execute("INSERT OR REPLACE INTO hosts VALUES ('gpu-02', 0, 0, 0, '')")
    assert (before, max(removed)) == (counts(fleet)["runs"] + counts(fleet)["series"], 500)


def test_the_lines_of_a_run_that_is_forgotten_go_in_small_steps_too(tmp_path):
    fleet = Fleet(tmp_path, runs=1, unseen="1d")
    with fleet.engine.begin() as connection:
        queries.save_run(connection, RunRow(GONE, HOST, "{}", "{}", fleet.now, 0.0))
    fleet.add(GONE, fleet.points(fleet.now, 2000))
    fleet.now += 1.1 * DAY
    left = [counts(fleet)["progress"]]
    while fleet.housekeeping.step():
        left.append(counts(fleet)["progress"])
    assert sorted(set(left), reverse=True) == [2000, 1500, 1000, 500, 0]
    fleet.close()


def test_a_monitor_that_slept_and_was_replaced_removes_nothing(fleet):
    fleet.trouble(NAME)
    fleet.housekeeping.database = acquire(fleet.engine, clock=fleet.clock)
    fleet.now += 100 * DAY
    acquire(fleet.engine, clock=fleet.clock)
    with pytest.raises(LeaseLost):
        fleet.tidy()
    assert counts(fleet)["incidents"] == 1


def test_a_step_that_fails_stops_nothing_for_good(fleet):
    fleet.trouble(NAME)
    fleet.now += 91 * DAY
    refuse = "CREATE TRIGGER full BEFORE DELETE ON incidents BEGIN SELECT raise(ABORT, 'disk full'); END"
    with fleet.engine.begin() as connection:
        connection.execute(text(refuse))
    with pytest.raises(Exception, match="disk full"):
        fleet.tidy()
    with fleet.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER full"))
    fleet.tidy()
    assert counts(fleet)["incidents"] == 1
    later(fleet, 1 / 24)
    assert counts(fleet)["incidents"] == 0


# The file


def test_freed_pages_are_given_back_and_the_log_of_writes_is_emptied(fleet, tmp_path):
    fleet.add(NAME, fleet.points(fleet.now, 20_000))
    fleet.tidy()
    full = (tmp_path / "t.db").stat().st_size
    assert (tmp_path / "t.db-wal").stat().st_size == 0
    later(fleet, 40)
    assert (tmp_path / "t.db").stat().st_size < full / 4
    assert rows(fleet, "PRAGMA freelist_count") == [0]


def test_somebody_who_reads_for_long_is_not_waited_for(fleet, tmp_path):
    fleet.tidy()
    with closing(sqlite3.connect(tmp_path / "t.db")) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM progress").fetchone() == (0,)
        fleet.add(NAME, fleet.points(fleet.now, 10))
        later(fleet, 1)
        assert (tmp_path / "t.db-wal").stat().st_size > 0
        assert rows(fleet, "PRAGMA busy_timeout") == [10_000]
    later(fleet, 1)
    assert (tmp_path / "t.db-wal").stat().st_size == 0


def test_the_database_of_two_months_is_no_larger_than_that_of_one(tmp_path):
    fleet = Fleet(tmp_path, runs=10, every=120.0, incidents="20d", audit="20d", mutes="20d", progress="25d")
    months = []
    for _ in range(2):
        fleet.live(30, at_once=DAY / 2)
        assert (tmp_path / "t.db-wal").stat().st_size == 0
        months.append(((tmp_path / "t.db").stat().st_size, counts(fleet)))
    fleet.close()
    (one, of_one), (two, of_two) = months
    assert two / one == pytest.approx(1, abs=0.03)
    assert of_one == of_two
    assert of_two["progress"] == 10 * (2 * 720 + 23 * 144)
    assert of_two["incidents"] == of_two["mutes"] == of_two["audit"] == 10 * 21


def test_a_database_that_is_moved_away_is_told_once_and_again_when_it_is_back(fleet, tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    fleet.tidy()
    (tmp_path / "t.db").rename(tmp_path / "moved")
    open_database(fleet.config.database).dispose()
    fleet.tidy()
    fleet.tidy()
    (tmp_path / "moved").rename(tmp_path / "t.db")
    fleet.tidy()
    what = ("database", "The database is not in its place")
    lost = f"{tmp_path}/t.db was removed or replaced, and what is written now is lost. Restart trainstatus."
    assert fleet.reports == [(*what, ""), (*what, lost), (*what, "")]
    assert [record.message for record in caplog.records] == [f"database {lost}"]
