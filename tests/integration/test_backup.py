"""`trainstatus backup`: the database in one file, from under a running monitor."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor_core.cli import main
from monitor_core.store.database import open_database
from tests.support.process import configure
from tests.support.stage import RUN, Stage


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A monitor's database, open, in which an incident fires."""
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, "", {RUN: 0})
    made = Stage(tmp_path)
    Path("trainstatus.yaml").write_text(Path("trainstatus.yaml").read_text().replace("t.db", "stage.db"))
    made.fire()
    yield made
    made.close()


def numbers(file):
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
        return [number for (number,) in copy.execute("SELECT number FROM incidents")]


def test_a_backup_of_a_database_in_use_has_all_that_was_committed(stage, tmp_path, capsys):
    with closing(stage.engine.raw_connection()) as writer:
        cursor = writer.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("DELETE FROM incidents")
        assert main(["backup", "copy.db"]) == 0
        cursor.execute("ROLLBACK")
    size = (tmp_path / "copy.db").stat().st_size
    assert capsys.readouterr().out == f"Copied {tmp_path}/stage.db to copy.db ({size:,} bytes).\n"
    assert numbers("copy.db") == [1]
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert {file.name for file in tmp_path.iterdir() if file.name.startswith("copy")} == {"copy.db"}


def test_a_backup_put_in_the_place_of_the_database_is_one(stage, tmp_path):
    main(["backup", "copy.db"])
    stage.resolve(stage.incident(1))
    engine = open_database(f"sqlite:///{tmp_path}/copy.db")
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT state FROM incidents").scalar_one() == "firing"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() == 2
    engine.dispose()


def test_a_backup_overwrites_nothing(stage, tmp_path, capsys):
    (tmp_path / "letter").write_text("keep me")
    assert main(["backup", "letter"]) == 2
    assert capsys.readouterr().err == "backup letter: it exists, and is not overwritten; choose another name\n"
    assert (tmp_path / "letter").read_text() == "keep me"


def test_a_backup_to_where_nothing_can_be_written_is_refused_with_a_sentence(stage, capsys):
    assert main(["backup", "no/copy.db"]) == 2
    assert capsys.readouterr().err == "backup no/copy.db: No such file or directory\n"


def test_a_backup_that_fails_leaves_nothing_behind(stage, tmp_path, capsys):
    stage.close()
    (tmp_path / "stage.db").write_text("this is a letter, not a database\n" * 100)
    assert main(["backup", "copy.db"]) == 2
    assert capsys.readouterr().err == "backup copy.db: file is not a database; nothing was kept\n"
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("words", [["backup", "copy.db"], ["status"], ["mutes"], ["threshold"], ["mute", RUN]])
def test_a_command_makes_no_database_where_the_path_is_mistyped(stage, tmp_path, capsys, words):
    stage.close()
    config = tmp_path / "trainstatus.yaml"
    config.write_text(config.read_text().replace("stage.db", "no/such.db"))
    before = set(tmp_path.iterdir())
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(
        f"database {tmp_path}/no/such.db: there is none yet; `trainstatus run` makes it"
    )
    assert set(tmp_path.iterdir()) == before
