"""The database file: its schema, several processes on it, and what is said of one that cannot be used."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

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

CRAMPED = """
import resource, sys
from sqlalchemy import text
from monitor_core.store.database import open_database
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
engine = open_database(sys.argv[1])
with engine.begin() as connection:
    connection.execute(text("UPDATE hosts SET failures = 8"))
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


def make_old(url, filled=0):
    """Make a database of the first version, with so many bytes in it."""
    config = Config()
    config.set_main_option("script_location", "monitor_core.store:migrations")
    config.set_main_option("path_separator", "os")
    old = create_engine(url)
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO runs VALUES ('old', '', :state, '', 0, 0)"), {"state": "x" * filled})
    insert_host(old, failures=7)
    old.dispose()


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


@pytest.mark.parametrize("name", ["t.db", "my runs/100% sure #1.db"])
def test_a_new_database_and_the_files_beside_it_are_for_their_owner_alone(tmp_path, name):
    engine = open_database(f"sqlite:///{tmp_path}/{name}")
    insert_host(engine)
    files = list((tmp_path / name).parent.iterdir())
    assert {file.name for file in files} == {(tmp_path / name).name + suffix for suffix in ("", "-wal", "-shm")}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    engine.dispose()


def test_a_database_of_an_earlier_version_learns_to_give_back_pages_and_loses_nothing(url):
    make_old(url)
    engine = open_database(url)
    with engine.begin() as connection:
        assert connection.execute(text("PRAGMA auto_vacuum")).scalar_one() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    assert host_failures(engine) == 7
    engine.dispose()


def test_a_database_of_an_earlier_version_is_opened_all_the_same_where_the_disk_has_no_room_to_write_it_anew(url):
    make_old(url, filled=2**20)
    command = [sys.executable, "-c", CRAMPED, url, str(2**19)]
    subprocess.run(command, check=True, timeout=60)
    engine = open_database(url)
    assert host_failures(engine) == 8
    engine.dispose()


def test_where_no_database_is_to_be_made_none_is_and_it_is_said(tmp_path):
    with pytest.raises(
        TrainstatusError, match=r"^database /.*/no/t\.db: there is none yet; `trainstatus run` makes it"
    ):
        open_database(f"sqlite:///{tmp_path}/no/t.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_was_removed_is_not_made_anew_by_a_later_connection(url, database, tmp_path):
    with closing(database.raw_connection()):
        for file in tmp_path.iterdir():
            file.unlink()
        with pytest.raises(Exception, match="unable to open database file"), database.begin() as connection:
            connection.execute(text("SELECT 1"))
    assert list(tmp_path.iterdir()) == []
