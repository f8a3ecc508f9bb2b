"""What is read of the files of a host, over SSH, by SFTP and on this machine alike."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from monitor_core.collect import HostReader
from monitor_core.collect.lines import MAX_LINE
from monitor_core.collect.questions import BUDGET
from monitor_core.model.records import LogRequest, LogTrouble
from tests.support.marks import by_shell, not_as_root


def append(path, data):
    with path.open("ab") as log:
        log.write(data)


def test_only_what_is_new_is_read(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\ntwo\n")
    follower = follow(log)
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.size, chunk.fresh, chunk.more) == (b"one\ntwo\n", 8, True, False)
    append(log, b"three\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.size, chunk.fresh, chunk.more) == (b"three\n", 14, False, False)


def test_a_log_that_did_not_grow_gives_an_empty_chunk(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = follow(log)
    follower.read()
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh, chunk.more) == (b"", False, False)


def test_an_empty_log_is_known_again_when_it_grows(follow, tmp_path):
    log = tmp_path / "train.log"
    log.touch()
    follower = follow(log)
    assert follower.lines() == b""
    append(log, b"one\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"one\n", False)


def test_a_line_is_given_when_it_is_whole(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\ntw")
    follower = follow(log)
    assert follower.lines() == b"one\n"
    append(log, b"o\r")
    assert follower.lines() == b""
    append(log, b"\nthree\n")
    assert follower.lines() == b"two\nthree\n"


def test_any_bytes_arrive_and_lines_come_out_clean(follow, tmp_path):
    log = tmp_path / "train.log"
    every = bytes(range(256))
    log.write_bytes(b"\x1b[31mred\x1b[0m\r\n" + every[128:] + b"\n" + b"x" * 300_000 + b"\nend\n")
    assert follow(log).lines() == b"red\n" + every[128:] + b"\n" + b"x" * MAX_LINE + b"\nend\n"


@by_shell
def test_size_and_time_of_the_file_come_with_its_bytes(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    os.utime(log, ns=(0, 1_700_000_000_250_000_000))
    (chunk,) = follow(log).read().chunks
    assert chunk.mtime == pytest.approx(1_700_000_000.25, abs=0.01)
    status = log.stat()
    assert chunk.cursor.identity == f"{status.st_dev}:{status.st_ino}"


@by_shell
def test_the_clock_of_the_host_is_read(host, tmp_path):
    reader = HostReader(host, {})
    before = time.time()
    clock = reader.read([]).clock
    reader.close()
    assert before - 0.01 <= clock <= time.time() + 0.01


def test_a_truncated_log_is_read_from_its_beginning(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"old line\n" * 100)
    follower = follow(log)
    follower.read()
    os.truncate(log, 0)
    append(log, b"new\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"new\n", True)


def test_the_unfinished_line_of_a_truncated_log_is_forgotten(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"old line\nunfinished")
    follower = follow(log)
    follower.read()
    os.truncate(log, 0)
    append(log, b"new\n")
    assert follower.lines() == b"new\n"


def test_a_log_that_was_rotated_is_read_from_its_beginning(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"old\n")
    follower = follow(log)
    follower.read()
    log.rename(tmp_path / "train.log.1")
    log.write_bytes(b"new and longer than the old one\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"new and longer than the old one\n", True)


@by_shell
def test_a_new_log_that_begins_like_the_old_one_is_known_by_its_inode(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = follow(log)
    follower.read()
    log.rename(tmp_path / "train.log.1")
    log.write_bytes(b"one\ntwo\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"one\ntwo\n", True)


def test_a_new_log_in_the_same_inode_is_known_by_its_bytes(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"old line\n" * 100)
    follower = follow(log)
    identity = follower.read().chunks[0].cursor.identity
    log.write_bytes(b"a new line\n" * 200)
    (chunk,) = follower.read().chunks
    assert chunk.cursor.identity == identity
    assert (chunk.lines, chunk.fresh) == (b"a new line\n" * 200, True)
    append(log, b"more\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"more\n", False)


def test_a_first_sight_begins_with_the_first_whole_line_of_the_backfill(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"".join(b"line %06d\n" % number for number in range(1000)))
    whole = follow(log, backfill=120).read().chunks[0]
    assert whole.lines.splitlines() == [b"line %06d" % number for number in range(990, 1000)]
    inside = follow(log, backfill=125).read().chunks[0]
    assert inside.lines == whole.lines
    assert inside.cursor.offset == whole.cursor.offset == 12_000


def test_a_long_log_comes_in_pieces(follow, tmp_path):
    log = tmp_path / "train.log"
    content = b"".join(b"line %06d\n" % number for number in range(1000))
    log.write_bytes(content)
    follower = follow(log, limit=5000)
    chunks = [follower.read().chunks[0] for _ in range(3)]
    assert b"".join(chunk.lines for chunk in chunks) == content
    assert [chunk.more for chunk in chunks] == [True, True, False]


def test_a_glob_finds_files_that_came_later(follow, tmp_path):
    (tmp_path / "host_0.log").write_bytes(b"zero\n")
    (tmp_path / "other.txt").write_bytes(b"not ours\n")
    follower = follow(tmp_path / "host_*.log")
    assert follower.lines() == b"zero\n"
    (tmp_path / "host_1.log").write_bytes(b"one\n")
    append(tmp_path / "host_0.log", b"more\n")
    found = {chunk.cursor.path: (chunk.lines, chunk.fresh) for chunk in follower.read().chunks}
    assert found == {str(tmp_path / "host_0.log"): (b"more\n", False), str(tmp_path / "host_1.log"): (b"one\n", True)}


@pytest.mark.parametrize("glob", ["rank[0-2].log", "rank[!3-9].log", "rank?.log", "ra*[0-9].log"])
def test_globs_mean_what_they_mean_in_a_shell(follow, tmp_path, glob):
    for name in ("rank0.log", "rank2.log", "rankxy.log"):
        (tmp_path / name).write_bytes(name.encode() + b"\n")
    assert follow(tmp_path / glob).lines() == b"rank0.log\nrank2.log\n"


def test_a_file_that_two_patterns_name_is_read_once(follow, tmp_path):
    (tmp_path / "train.log").write_bytes(b"one\n")
    follower = follow(tmp_path / "*.log", tmp_path / "train.*")
    assert follower.lines() == b"one\n"
    append(tmp_path / "train.log", b"two\n")
    assert follower.lines() == b"two\n"


def test_what_comes_in_one_trip_is_shared_fairly_by_the_files(follow, tmp_path):
    line = b"x" * 99 + b"\n"
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_bytes(line * 90_000)
    chunks = follow(tmp_path / "*.log", limit=BUDGET).read().chunks
    assert [len(chunk.lines) for chunk in chunks] == [BUDGET // 2 // 100 * 100] * 2
    assert all(chunk.more for chunk in chunks)


def test_of_very_many_files_the_newest_are_read(follow, tmp_path):
    for number in range(70):
        log = tmp_path / f"rank {number:02}.log"
        log.write_bytes(b"%02d\n" % number)
        os.utime(log, (number, number))
    (tmp_path / "rank \n.log").write_bytes(b"not a name\n")
    assert sorted(follow(tmp_path / "*.log").lines().split()) == [b"%02d" % number for number in range(6, 70)]


@pytest.mark.parametrize(
    "name",
    [
        "two words  here.log",
        "it's.log",
        'the "best".log',
        "-rf",
        "$(touch hacked).log",
        "`touch hacked`.log",
        "$HOME;exit.log",
        "back\\slash.log",
        "ünïcode 火.log",
        "#~&|<>!{a,b}.log",
        "tail ",
    ],
)
def test_a_name_means_just_itself(follow, tmp_path, name):
    (tmp_path / name).write_bytes(b"one\n")
    follower = follow(tmp_path / name)
    (chunk,) = follower.read().chunks
    assert (chunk.cursor.path, chunk.lines) == (str(tmp_path / name), b"one\n")
    append(tmp_path / name, b"two\n")
    assert follower.lines() == b"two\n"
    by_glob = follow(tmp_path / "*")
    assert by_glob.lines() == b"one\ntwo\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_brackets_that_match_nothing_stand_for_themselves(follow, tmp_path):
    (tmp_path / "run[1].log").write_bytes(b"one\n")
    assert follow(tmp_path / "run[1].log").lines() == b"one\n"


def test_a_path_in_the_home_folder_is_found(follow, server, tmp_path, monkeypatch):
    home = server.folder / "home" if server else tmp_path
    monkeypatch.setenv("HOME", str(home))
    (home / "a log.txt").write_bytes(b"at home\n")
    (chunk,) = follow("~/a *.txt").read().chunks
    assert (chunk.cursor.path, chunk.lines) == (str(home / "a log.txt"), b"at home\n")


@pytest.mark.parametrize("pattern", ["train.log", "", "~other/x", "/a\nb", "/a\0b"])
def test_what_is_no_absolute_path_is_refused(follow, pattern):
    log = follow(pattern).read()
    assert log.trouble is LogTrouble.UNREADABLE
    assert log.detail.startswith(f"{pattern!r} is not an absolute path")


def test_a_missing_log_is_told(follow, tmp_path):
    log = follow(tmp_path / "train.log").read()
    assert (log.trouble, log.chunks) == (LogTrouble.MISSING, ())
    assert log.detail == f"there is no {tmp_path}/train.log"


def test_a_glob_that_matches_nothing_is_told(follow, tmp_path):
    log = follow(tmp_path / "*.log").read()
    assert log.trouble is LogTrouble.MISSING
    assert log.detail == f"no file matches {tmp_path}/*.log"


@not_as_root
def test_a_log_that_may_not_be_read_is_told(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    log.chmod(0)
    reading = follow(log).read()
    assert reading.trouble is LogTrouble.UNREADABLE
    assert reading.detail == f"{log} may not be read by the account that we use"


def test_a_name_that_cannot_be_told_is_not_passed_over_in_silence(follow, tmp_path):
    (tmp_path / "rank\n0.log").write_bytes(b"one\n")
    log = follow(tmp_path / "*.log").read()
    assert (log.trouble, log.chunks) == (LogTrouble.UNREADABLE, ())


def test_a_log_that_vanishes_and_comes_back_is_followed(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = follow(log)
    follower.read()
    log.unlink()
    assert follower.read().trouble is LogTrouble.MISSING
    log.write_bytes(b"new\n")
    assert follower.lines() == b"new\n"


def test_a_dangling_link_is_missing_and_a_good_one_is_followed(follow, tmp_path):
    link = tmp_path / "latest.log"
    link.symlink_to(tmp_path / "train.log")
    follower = follow(link)
    assert follower.read().trouble is LogTrouble.MISSING
    (tmp_path / "train.log").write_bytes(b"one\n")
    assert follower.lines() == b"one\n"


def test_a_folder_is_told(follow, tmp_path):
    log = follow(tmp_path).read()
    assert log.trouble is LogTrouble.UNREADABLE
    assert log.detail == f"{tmp_path} is a folder; a glob of its files would be {tmp_path}/*"


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_is_no_file_is_told_and_does_not_hold_the_read_up(follow, tmp_path, kind):
    path = tmp_path / "pipe" if kind == "fifo" else "/dev/zero"
    if kind == "fifo":
        os.mkfifo(path)
    log = follow(path).read()
    assert (log.trouble, log.detail) == (LogTrouble.UNREADABLE, f"{path} is not a regular file")


def test_a_run_has_trouble_only_if_none_of_its_files_can_be_read(follow, tmp_path):
    (tmp_path / "train.log").write_bytes(b"one\n")
    log = follow(tmp_path / "train.log", tmp_path / "missing.log", tmp_path).read()
    assert (log.trouble, log.detail) == (None, "")
    assert [chunk.lines for chunk in log.chunks] == [b"one\n"]


def test_several_runs_are_read_in_one_trip_each_with_its_own_cursor(host, tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(b"one\n")
    reader = HostReader(host, {})
    cursor = reader.read([LogRequest("a", (str(path),))]).logs[0].chunks[0].cursor
    append(path, b"two\n")
    requests = [
        LogRequest("a", (str(path),), {cursor.path: cursor}),
        LogRequest("b", (str(path),)),
        LogRequest("c", (str(tmp_path / "missing"),)),
    ]
    logs = reader.read(requests).logs
    reader.close()
    assert [log.run for log in logs] == ["a", "b", "c"]
    assert [[chunk.lines for chunk in log.chunks] for log in logs] == [[b"two\n"], [b"one\ntwo\n"], []]
    assert logs[2].trouble is LogTrouble.MISSING


def test_a_cursor_past_the_end_or_with_a_broken_identity_begins_anew(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = follow(log)
    cursor = follower.read().chunks[0].cursor
    shutil.copy(log, tmp_path / "copy")
    follower.cursors = {cursor.path: type(cursor)(cursor.path, "$(reboot)", 2, b"ne")}
    assert follower.lines() == b"one\n"
