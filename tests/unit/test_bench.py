"""What the bench writes, and that both ways are given a log which they understand."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from monitor_core.model.records import Progress
from monitor_core.parse.parser import Parser
from tests.bench.figures import BYTES, COUNT, RATE, SECONDS, SHARE, Growth, Limit, Row, Table
from tests.bench.fleet import Looks
from tests.bench.machine import machine
from tests.bench.original import judge, matches
from tests.bench.page import part, replaced
from tests.bench.training_log import BLOCK, grow, last_iteration, progress_line
from tests.support.sshd import why_not

ELAPSED = "elapsed_time_per_iteration__ms_"
AT = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "train.log"
    grow(path, 20 * BLOCK, AT)
    return path


def written(*rows):
    table = Table("One poll", "It asks for what is new.", list(rows))
    return part("## What it costs", {"Command": "`make bench`", "Processor": "EPYC, 2 cores"}, [table])


def cells(row):
    return " | ".join(row.cells())


def test_a_part_names_command_and_machine():
    text = written()
    for fact in ("## What it costs", "| Command | `make bench` |", "| Processor | EPYC, 2 cores |"):
        assert fact in text


def test_a_part_is_replaced_and_the_others_stay():
    names = ("cost", "recorded")
    first = replaced("", "cost", "it costs 1", names)
    assert "Not measured yet." in first
    both = replaced(first, "recorded", "it tells 2", names)
    again = replaced(both, "cost", "it costs 3", names)
    assert again == both.replace("it costs 1", "it costs 3")
    assert "it tells 2" in again
    assert "Not measured yet." not in again


def test_a_table_stands_under_its_title_with_what_it_means():
    text = written(Row("wall time", SECONDS, 26.0, 0.0052, (Limit(0.007),)))
    assert "### One poll\nIt asks for what is new.\n\n| quantity |" in text
    assert "| wall time | 26.0 s | 5.20 ms | 5,000 x | ≤ 7 ms: kept |" in text


def test_a_missed_limit_is_said():
    assert cells(Row("wall time", SECONDS, 26.0, 0.009, (Limit(0.007),))).endswith("≤ 7 ms: **missed**")


def test_a_limit_of_the_ratio_is_judged_by_the_ratio():
    limit = Limit(200, of_ratio=True)
    assert cells(Row("wall time", SECONDS, 2.0, 0.01, (limit,))).endswith("≥ 200 x: kept")
    assert cells(Row("wall time", SECONDS, 1.9, 0.01, (limit,))).endswith("≥ 200 x: **missed**")


def test_of_a_rate_more_is_better():
    row = Row("rate", RATE, 150e6, 450e6, (Limit(300e6),))
    assert row.cells() == ("rate", "150 MB/s", "450 MB/s", "3.00 x", "≥ 300 MB/s: kept")


def test_what_was_not_measured_is_not_claimed():
    row = Row("peak, 1 GB", BYTES, None, 98e6, why="not measured")
    assert row.cells() == ("peak, 1 GB", "not measured", "98.0 MB", "-", "-")


@pytest.mark.parametrize(("far", "kept"), [(0.0059, "kept"), (0.0061, "**missed**")])
def test_growth_is_judged_between_the_ends(far, kept):
    assert cells(Growth("1 GB to 1 MB", 0.005, far, 1.2)).endswith(f"≤ 1.2 x: {kept}")


def test_the_machine_is_told_with_all_that_figures_depend_on():
    if reason := why_not():
        pytest.skip(reason)
    facts = machine()
    assert {"Processor", "Memory", "System", "Python", "OpenSSH", "paramiko"} <= set(facts)
    assert facts["OpenSSH"][0].isdigit()


def test_both_ways_find_the_same_iterations_and_nothing_else_in_the_log(log):
    records = Parser().feed(log.read_bytes())
    assert [type(record) for record in records] == [Progress] * 20
    rows = matches(log.read_text().splitlines())
    assert [int(row["iteration"]) for row in rows] == [record.iteration for record in records] == list(range(1, 21))
    assert [float(row[ELAPSED]) for row in rows] == [record.ms_per_iteration for record in records]
    assert [record.timestamp for record in records] == [AT - 19 + second for second in range(20)]


def test_one_line_in_eleven_tells_of_progress(log):
    assert len(log.read_text().splitlines()) == 20 * 11


def test_a_log_grows_by_about_what_was_asked_and_goes_on_where_it_was(log):
    before = log.stat().st_size
    assert grow(log, 4096, AT + 3) == last_iteration(log) == 23
    assert 3500 < log.stat().st_size - before < 4500


@pytest.mark.parametrize(
    ("age", "ms", "wrong"),
    [(1.0, "1000.0", []), (3.0, "1000.0", ["stuck"]), (1.0, "1600.0", ["slow"]), (4.0, "1600.0", ["stuck", "slow"])],
)
def test_the_original_judges_the_last_line_by_its_two_rules(age, ms, wrong):
    lines = [progress_line(iteration, AT + iteration) for iteration in range(1, 6)]
    rows = matches(lines)
    rows[-1][ELAPSED] = ms
    assert judge(rows, AT + 5 + age) == wrong


def test_the_original_does_not_see_a_line_with_other_fields():
    line = progress_line(1, AT)
    assert matches([line])
    assert not matches([line.replace(" load_balancing_loss: 1.002345E+00 |", "")])


def test_a_share_of_a_core_and_a_count_are_written_as_such():
    assert Row("CPU time", SHARE, None, 0.107, (Limit(0.25),)).cells()[2:] == (
        "10.7 % of a core",
        "-",
        "≤ 25 % of a core: kept",
    )
    assert Row("missed", COUNT, None, 0, (Limit(0),)).cells()[2:] == ("0", "-", "≤ 0: kept")
    assert Row("missed", COUNT, None, 1200, (Limit(0),)).cells()[2:] == ("1,200", "-", "≤ 0: **missed**")


def looks_at(folder, *times):
    """Return what is known after a run was looked at at these times."""
    looks = Looks(folder / "t.db")
    with contextlib.closing(sqlite3.connect(folder / "t.db")) as database, database:
        database.execute("CREATE TABLE runs (name TEXT, seen_at REAL)")
        database.execute("INSERT INTO runs VALUES ('llama-70b', NULL)")
    for at in times:
        with contextlib.closing(sqlite3.connect(folder / "t.db")) as database, database:
            database.execute("UPDATE runs SET seen_at = ?", [at])
        looks.sample()
        looks.sample()
    return looks


def test_a_look_is_counted_once_however_often_the_database_is_read(tmp_path):
    looks = looks_at(tmp_path, 0.0, 10.0, 20.1)
    assert looks.count() == 2
    assert looks.rhythm(10.0) == (0, pytest.approx(10.1))


def test_a_check_interval_without_a_look_is_a_missed_one(tmp_path):
    assert looks_at(tmp_path, 0.0, 10.0, 40.0, 50.0).rhythm(10.0) == (2, 30.0)
