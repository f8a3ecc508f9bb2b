"""What goes wrong, in our own log."""

from __future__ import annotations

import logging
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from monitor_core.complaints import Complaints


@pytest.fixture
def complain():
    return Complaints(logging.getLogger("tests"))


def caught(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:  # noqa: BLE001 whatever it is, it is complained about
        return error
    raise AssertionError


def test_the_traceback_of_a_bug_comes_once_for_each_place_whatever_its_message_says(complain, caplog):
    for number in range(3):
        complain("host=gpu-01 could not be polled", caught(int, f"no number {number}"))
    complain("host=gpu-02 could not be polled", caught({}.pop, "key"))
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, True]
    assert caplog.records[1].message.startswith("host=gpu-01 could not be polled: ValueError: invalid literal")


def test_a_database_that_refuses_is_a_line_without_the_statement(complain, caplog):
    complain("it failed", OperationalError("UPDATE hosts", {}, sqlite3.OperationalError("database is locked")))
    (record,) = caplog.records
    assert (record.message, record.exc_info) == ("it failed: the database refused: database is locked", None)
