"""The database file: its schema, several processes on it, and what is said of one that cannot be used."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from monitor_core.errors import TrainstatusError
from monitor_core.store.database import busy_told, open_copy, open_database
from monitor_core.store.tables import metadata

OPEN = """
import sys
from monitor_core.store.database import open_database
print("ready", flush=True)
sys.stdin.readline()
open_database(sys.argv[1]).dispose()
"""
WRITE = """
import sys
from sqlalchemy import text
from monitor_core.store.database import open_database
engine = open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(300):
    with engine.begin() as connection:
        (seen,) = connection.execute(text("SELECT failures FROM hosts")).one()
        connection.execute(text("UPDATE hosts SET failures = :now"), {"now": seen + 1})
engine.dispose()
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/trainstatus.db"


@pytest.fixture
def database(url):
    engine = open_database(url)
    yield engine
    engine.dispose()


def together(program, url, processes=3):
    """Run a program in several processes at the same moment; return what they said on standard error."""
    command, pipe = [sys.executable, "-c", program, url], subprocess.PIPE
    running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(processes)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("now\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[1] for process in running]


def host_failures(engine):
    with engine.begin() as connection:
        return connection.execute(text("SELECT failures FROM hosts")).scalar_one()


def insert_host(engine, failures=0):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO hosts VALUES ('gpu-01', 0, 0, :failures, '')"), {"failures": failures})


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(database):
    with database.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_three_processes_may_make_the_database_at_once(url):
    assert together(OPEN, url) == ["", "", ""]
    engine = open_database(url)
    insert_host(engine)
    engine.dispose()


def test_processes_that_write_at_the_same_time_lose_nothing(url, database):
    insert_host(database)
    assert together(WRITE, url) == ["", "", ""]
    assert host_failures(database) == 900


def test_a_file_that_is_no_database_is_refused_with_a_sentence(url, tmp_path):
    (tmp_path / "trainstatus.db").write_text("this is a letter, not a database\n" * 100)
    with pytest.raises(TrainstatusError, match=r"trainstatus\.db: file is not a database; check that it"):
        open_database(url)


def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TrainstatusError, match=r"^database .*/file/under/it\.db: .*; check that it can be written"):
        open_database(f"sqlite:///{tmp_path}/file/under/it.db")


@pytest.mark.parametrize("open_it", [open_database, open_copy])
def test_a_database_of_a_newer_version_is_refused_with_a_sentence(url, database, open_it):
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(TrainstatusError, match="a newer trainstatus has written it"):
        open_it(url)


def test_a_refusal_in_the_middle_of_the_work_is_a_sentence_too(url, database):
    def refuse():
        with busy_told(url), database.begin() as connection:
            connection.execute(text("INSERT INTO hosts VALUES ('gpu-01', 0, 0, NULL, '')"))

    with pytest.raises(TrainstatusError, match="failures; check that it can be written and is ours"):
        refuse()


def test_a_copy_has_what_the_file_has_and_leaves_it_as_it_was(url, database, tmp_path):
    insert_host(database, failures=7)
    database.dispose()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    copy = open_copy(url)
    assert host_failures(copy) == 7
    with copy.begin() as connection:
        connection.execute(text("UPDATE hosts SET failures = 8"))
    copy.dispose()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_a_copy_of_a_database_that_is_open_has_what_was_committed_last(url, database):
    with closing(database.raw_connection()):
        insert_host(database, failures=7)
        copy = open_copy(url)
        assert host_failures(copy) == 7
        copy.dispose()


def test_a_copy_of_no_database_is_empty_and_makes_none(url, tmp_path):
    copy = open_copy(url)
    with copy.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar_one() == 0
    copy.dispose()
    assert list(tmp_path.iterdir()) == []
