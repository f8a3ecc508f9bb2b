"""What is read of logs that are rotated, truncated, replaced, renamed and deleted, whatever tools their host has."""

from __future__ import annotations

import os
import shutil

import pytest

from monitor_core.config.models import Host
from monitor_core.model.records import LogTrouble

# Longer than what a file is known again by.
OLD = b"".join(b"old line %04d\n" % number for number in range(100))


@pytest.fixture(params=["local", "busybox", "posix", "sftp"])
def host(request, foreign_host):
    if request.param == "sftp":
        return request.getfixturevalue("sftp_only").host()
    return Host(name="here", transport="local") if request.param == "local" else foreign_host(request.param)


# SFTP tells no inodes.
WITH_INODES = pytest.mark.parametrize("host", ["local", "busybox", "posix"], indirect=True)
# A host that has nothing but what POSIX asks for tells neither where a link leads nor on which device a file is.
WITH_LINKS = pytest.mark.parametrize("host", ["local", "busybox", "bsd"], indirect=True)


def append(path, data):
    with path.open("ab") as log:
        log.write(data)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "train.log"


@pytest.fixture
def follower(follow, log):
    """Follow a log of which all but the beginning of a line has been given."""
    log.write_bytes(OLD + b"half ")
    follower = follow(log)
    assert follower.lines() == OLD
    return follower


def rotate(log, suffix=".1"):
    return log.rename(f"{log}{suffix}")


def truncate_behind_a_copy(log, suffix=".1"):
    """Do what `copytruncate` does."""
    shutil.copyfile(log, f"{log}{suffix}")
    os.truncate(log, 0)


def test_the_rest_of_a_rotated_log_comes_before_the_new_one_in_the_same_answer(follower, log):
    append(log, b"a line\nlast of the old\n")
    rotate(log)
    log.write_bytes(b"first of the new\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.cursor.path) == (b"half a line\nlast of the old\nfirst of the new\n", str(log))
    assert (chunk.size, chunk.fresh, chunk.more) == (log.stat().st_size, True, False)
    append(log, b"second\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"second\n", False)


def test_a_line_that_was_cut_by_a_rotation_is_joined(follower, log):
    append(log, b"a line, cut ")
    rotate(log)
    log.write_bytes(b"in two\n")
    assert follower.lines() == b"half a line, cut in two\n"


@WITH_INODES
@pytest.mark.parametrize("name", ["old.log", "train.log-20261124", "a b'c.log", ".hidden", "ünïcode 火"])
def test_a_rotated_log_is_found_under_any_name_in_its_folder(follower, log, name):
    append(log, b"a line\n")
    log.rename(log.with_name(name))
    log.write_bytes(b"new\n")
    assert follower.lines() == b"half a line\nnew\n"


def test_a_writer_that_goes_on_in_the_rotated_log_is_followed_until_the_new_one_has_something(follower, log):
    old = rotate(log)
    log.touch()
    append(old, b"a line\n")
    assert follower.lines() == b"half a line\n"
    append(old, b"another\nand half")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.size) == (b"another\n", old.stat().st_size)
    append(old, b" a line\n")
    log.write_bytes(b"new\n")
    assert follower.lines() == b"and half a line\nnew\n"


def test_a_long_rest_comes_in_pieces_and_then_the_new_log(follow, log):
    log.write_bytes(OLD)
    follower = follow(log, limit=500)
    assert b"".join(follower.lines() for _ in range(3)) == OLD
    append(log, OLD)
    rotate(log)
    log.write_bytes(b"new\n" * 200)
    chunks = [follower.read().chunks[0] for _ in range(4)]
    assert b"".join(chunk.lines for chunk in chunks) == OLD + b"new\n" * 200
    assert [chunk.more for chunk in chunks] == [True, True, True, False]
    assert max(len(chunk.lines) for chunk in chunks) <= 1000


@WITH_INODES
def test_logs_that_came_and_went_between_two_reads_are_read_too(follower, log):
    append(log, b"a line\n")
    stamps = iter(range(1_700_000_000, 1_700_000_100))
    for number in range(10):
        for old in reversed(range(1, number + 1)):
            log.with_name(f"train.log.{old}").rename(log.with_name(f"train.log.{old + 1}"))
        os.utime(rotate(log), (next(stamps),) * 2)
        log.write_bytes(b"log %d\n" % number)
    assert follower.lines() == b"half a line\n" + b"".join(b"log %d\n" % number for number in range(10))


@WITH_INODES
def test_logs_that_were_rotated_within_one_second_are_told_apart_by_their_numbers(follower, log):
    append(log, b"a line\n")
    for number in (11, 10, 9):
        os.utime(rotate(log, f".{number}"), (1_700_000_000,) * 2)
        log.write_bytes(b"after %d\n" % number)
    log.with_name("train.log.12").write_bytes(b"before\n")
    os.utime(log.with_name("train.log.12"), (1_700_000_000,) * 2)
    assert follower.lines() == b"half a line\nafter 11\nafter 10\nafter 9\n"


@WITH_INODES
def test_many_long_logs_that_came_and_went_come_in_pieces(follow, log):
    log.write_bytes(OLD)
    follower = follow(log, limit=1000)
    assert follower.lines() + follower.lines() == OLD
    for number in (3, 2, 1):
        append(log, b"to the end of %d\n" % number)
        os.utime(rotate(log, f".{number}"), (1_700_000_000 - number,) * 2)
        log.write_bytes(OLD)
    reads = [follower.read().chunks[0] for _ in range(4)]
    expected = b"".join(b"to the end of %d\n" % number + OLD for number in (3, 2, 1))
    assert b"".join(chunk.lines for chunk in reads) == expected
    assert [chunk.more for chunk in reads] == [True, True, True, False]


@WITH_INODES
def test_a_writer_that_still_writes_to_a_rotated_log_between_two_empty_ones_is_followed(follower, log):
    append(log, b"a line\n")
    rotate(log, ".3")
    log.write_bytes(b"one\n")
    old = rotate(log, ".2")
    log.touch()
    empty = rotate(log, ".1")
    log.touch()
    append(old, b"two\n")
    os.utime(log, (old.stat().st_mtime - 1,) * 2)
    os.utime(empty, (old.stat().st_mtime + 1,) * 2)
    assert follower.lines() == b"half a line\none\ntwo\n"
    append(old, b"three\n")
    assert follower.lines() == b"three\n"
    empty.unlink()
    log.write_bytes(b"new\n")
    assert follower.lines() == b"new\n"


def test_files_with_other_names_are_no_part_of_a_log(follower, log):
    append(log, b"a line\n")
    rotate(log)
    for name in ("train.log.bak", "train.log.2.gz", "train.log2", "train.log-rank1"):
        log.with_name(name).write_bytes(b"something else\n")
    log.write_bytes(b"new\n")
    assert follower.lines() == b"half a line\nnew\n"


@pytest.mark.parametrize("age", [-3600, 3600])
def test_a_file_of_another_time_is_no_part_of_a_log_though_its_name_would_fit(follower, log, age):
    """Left from before, or written by somebody else until now."""
    append(log, b"a line\n")
    rotate(log, ".2")
    log.write_bytes(b"new\n")
    other = log.with_name("train.log.1")
    other.write_bytes(b"something else\n")
    os.utime(other, (log.stat().st_mtime + age,) * 2)
    assert follower.lines() == b"half a line\nnew\n"


@pytest.mark.parametrize("gone", ["deleted", "compressed"])
def test_nothing_is_invented_where_the_old_log_is_gone(follower, log, gone):
    append(log, b"a line that nobody sees\n")
    old = rotate(log)
    if gone == "compressed":
        old.with_suffix(".1.gz").write_bytes(b"\x1f\x8b" + old.read_bytes()[::-1])
    old.unlink()
    log.write_bytes(b"new\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"new\n", True)


def test_a_log_that_was_deleted_and_made_again_in_the_same_inode_is_a_new_one(follower, log):
    inode = log.stat().st_ino
    log.unlink()
    for _ in range(1000):
        log.write_bytes(b"NEW LINE\n" * 300)
        if log.stat().st_ino == inode:
            break
        log.rename(log.with_name("aside"))
    assert follower.lines() == b"NEW LINE\n" * 300


@WITH_INODES
def test_an_inode_that_another_file_of_the_folder_has_now_is_not_taken_for_the_old_log(follower, log):
    """Stands in for an inode used again: the cursor names that of another file."""
    other = log.with_name("other.txt")
    other.write_bytes(b"something else\n" * 300)
    (cursor,) = follower.cursors.values()
    stat = other.stat()
    follower.cursors = {cursor.path: type(cursor)(cursor.path, f"{stat.st_dev}:{stat.st_ino}", *_rest(cursor))}
    assert follower.lines() == OLD
    follower.cursors = {cursor.path: type(cursor)(cursor.path, f"{stat.st_dev}:{stat.st_ino}", 0)}
    assert follower.lines() == OLD


def _rest(cursor):
    return cursor.offset, cursor.fingerprint[:-1] + b"?", cursor.partial


def test_a_log_that_was_truncated_is_read_from_its_beginning_and_its_unfinished_line_is_forgotten(follower, log):
    os.truncate(log, 0)
    append(log, b"new\n")
    assert follower.lines() == b"new\n"


def test_a_truncated_log_that_has_grown_past_the_cursor_is_known_by_its_bytes(follower, log):
    os.truncate(log, 0)
    append(log, b"a new line\n" * 200)
    assert follower.lines() == b"a new line\n" * 200


def test_what_a_copy_holds_of_a_truncated_log_is_read_first(follower, log):
    append(log, b"a line\nnot seen yet\n")
    truncate_behind_a_copy(log)
    append(log, b"new\n")
    assert follower.lines() == b"half a line\nnot seen yet\nnew\n"


def test_a_line_that_was_cut_between_a_copy_and_the_truncated_log_is_joined(follower, log):
    append(log, b"a line, ")
    truncate_behind_a_copy(log)
    assert follower.lines() == b""
    append(log, b"joined\n")
    assert follower.lines() == b"half a line, joined\n"


def test_a_copy_is_read_while_the_truncated_log_is_still_empty(follower, log):
    append(log, b"a line\nnot seen yet\n")
    truncate_behind_a_copy(log)
    assert follower.lines() == b"half a line\nnot seen yet\n"
    append(log, b"new\n")
    assert follower.lines() == b"new\n"


def test_logs_that_were_copied_and_truncated_several_times_between_two_reads_are_read(follower, log):
    append(log, b"a line\n")
    truncate_behind_a_copy(log, ".2")
    os.utime(log.with_name("train.log.2"), (log.stat().st_mtime,) * 2)
    append(log, b"between\n")
    truncate_behind_a_copy(log, ".1")
    os.utime(log.with_name("train.log.1"), (log.stat().st_mtime + 1,) * 2)
    append(log, b"new\n")
    os.utime(log, (log.stat().st_mtime + 2,) * 2)
    assert follower.lines() == b"half a line\nbetween\nnew\n"


def test_a_copy_that_is_older_than_what_was_read_is_not_the_rest(follower, log):
    """The copy begins like the log: both are of launches of the same program, which begins with the same lines."""
    before = log.with_name("train.log.1")
    before.write_bytes(log.read_bytes() + b"of an earlier launch\n")
    os.utime(before, (log.stat().st_mtime - 60,) * 2)
    os.truncate(log, 0)
    append(log, b"new\n")
    assert follower.lines() == b"new\n"


@WITH_INODES
def test_a_copy_that_somebody_made_is_not_the_rest(follower, log):
    append(log, b"a line\n")
    shutil.copyfile(log, log.with_name("train.log.bak"))
    os.truncate(log, 0)
    append(log, b"new\n")
    assert follower.lines() == b"new\n"


class Writer:
    """Writes where it stands, as a program does whose log was not opened for appending."""

    def __init__(self, path):
        self.log = path.open("r+b", buffering=0)
        self.log.seek(0, os.SEEK_END)

    def write(self, data):
        self.log.write(data)


@pytest.fixture
def writer(log, follower):
    writer = Writer(log)
    yield writer
    writer.log.close()


def test_the_nuls_of_a_truncated_log_whose_writer_does_not_append_are_no_lines(follower, log, writer):
    writer.write(b"a line\n")
    os.truncate(log, 0)
    writer.write(b"new\n")
    assert log.read_bytes().startswith(bytes(100))
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.size, chunk.fresh) == (b"new\n", log.stat().st_size, True)
    writer.write(b"second\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"second\n", False)


def test_a_line_goes_on_behind_nuls_if_nothing_was_written_before_the_truncation(follower, log, writer):
    os.truncate(log, 0)
    assert follower.lines() == b""
    writer.write(b"a line\nnew\n")
    assert follower.lines() == b"half a line\nnew\n"


def test_a_line_goes_on_behind_nuls_where_the_copy_ends(follower, log, writer):
    writer.write(b"a line\nthen ")
    truncate_behind_a_copy(log)
    writer.write(b"another\n")
    assert follower.lines() == b"half a line\nthen another\n"


def test_a_line_whose_middle_was_lost_behind_nuls_is_not_joined(follower, log, writer):
    writer.write(b"a line\nthen ")
    shutil.copyfile(log, f"{log}.1")
    writer.write(b"something that is lost ")
    os.truncate(log, 0)
    writer.write(b"the end of it\nnew\n")
    assert follower.lines() == b"half a line\nthe end of it\nnew\n"


@pytest.mark.parametrize("seen_while_empty", [True, False])
def test_a_gigabyte_of_nuls_is_skipped(follow, log, seen_while_empty):
    log.write_bytes(b"" if seen_while_empty else OLD)
    follower = follow(log)
    follower.read()
    size = 10**9
    os.truncate(log, 0)
    os.truncate(log, size)
    append(log, b"new\n" * 1000)
    reads = [follower.read().chunks[0] for _ in range(2)]
    assert [chunk.lines for chunk in reads] == [b"new\n" * 1000, b""]
    assert reads[0].cursor.offset == size + 4000
    assert not reads[0].more


def test_nuls_within_a_log_are_skipped(follower, log):
    """This is what some file systems leave of a log when their host loses power."""
    os.truncate(log, 10**8)
    append(log, b"a line\nnew\n")
    assert follower.lines() == b"a line\nnew\n"
    append(log, b"second\n")
    assert follower.lines() == b"second\n"


def test_a_log_of_nothing_but_nuls_has_no_lines(follower, log):
    os.truncate(log, 0)
    os.truncate(log, 10**6)
    assert follower.lines() == b""
    append(log, b"new\n")
    assert follower.lines() == b"new\n"


def test_a_log_that_was_replaced_is_read_from_its_beginning(follower, log):
    new = log.with_name("new")
    new.write_bytes(b"NEW LINE\n" * 300)
    new.rename(log)
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh) == (b"NEW LINE\n" * 300, True)


def test_a_log_that_was_replaced_by_a_longer_copy_of_itself_goes_on(follower, log):
    """This is how rsync brings a log to another place."""
    expected = b"half "
    for more in (b"a line\n", b"another\n"):
        new = log.with_name(".train.log.x7Yz")
        new.write_bytes(log.read_bytes() + more)
        os.utime(new, (1_000_000_000,) * 2)
        shutil.copyfile(log, log.with_name("train.log.1"))
        new.rename(log)
        (chunk,) = follower.read().chunks
        assert (chunk.lines, chunk.fresh) == (expected + more, False)
        expected = b""


@WITH_INODES
def test_a_new_log_that_begins_like_the_old_one_is_read_from_its_beginning(follow, log):
    log.write_bytes(b"one\n")
    follower = follow(log)
    follower.read()
    new = log.with_name("new")
    new.write_bytes(b"one\ntwo\n")
    new.rename(log)
    assert follower.lines() == b"one\ntwo\n"


@WITH_LINKS
def test_a_link_that_moves_is_followed_and_the_rest_of_the_old_file_is_read_where_it_is(follow, tmp_path):
    link = tmp_path / "latest.log"
    for run in ("run 1", "run 2", "run 3"):
        (tmp_path / run).mkdir()
    first, second, third = (tmp_path / run / "train.log" for run in ("run 1", "run 2", "run 3"))
    first.write_bytes(OLD + b"half ")
    link.symlink_to(first)
    follower = follow(link)
    assert follower.lines() == OLD
    for old, new in ((first, second), (second, third)):
        append(old, b"a line\n")
        new.write_bytes(b"of the new run\nhalf ")
        link.unlink()
        link.symlink_to(new)
        (chunk,) = follower.read().chunks
        assert (chunk.lines, chunk.cursor.path) == (b"half a line\nof the new run\n", str(link))


@WITH_LINKS
def test_a_log_behind_links_is_found_when_it_is_rotated(follow, tmp_path):
    (tmp_path / "run1").mkdir()
    (tmp_path / "latest").symlink_to("run1")
    log = tmp_path / "run1" / "train.log"
    log.write_bytes(OLD + b"half ")
    (tmp_path / "link").symlink_to("latest/train.log")
    follower = follow(tmp_path / "link")
    assert follower.lines() == OLD
    append(log, b"a line\n")
    rotate(log)
    log.write_bytes(b"new\n")
    assert follower.lines() == b"half a line\nnew\n"


@WITH_LINKS
def test_a_link_to_a_log_that_is_followed_is_not_read_again(follow, tmp_path):
    first, second, link = tmp_path / "run1.log", tmp_path / "run2.log", tmp_path / "latest.log"
    first.write_bytes(b"one\n")
    link.symlink_to(first)
    follower = follow(tmp_path / "*.log")
    assert follower.lines() == b"one\n"
    second.write_bytes(b"two\n")
    append(first, b"more\n")
    link.unlink()
    link.symlink_to(second)
    assert sorted(follower.lines().split()) == [b"more", b"two"]
    append(first, b"last of one\n")
    append(second, b"more of two\n")
    assert sorted(follower.lines().splitlines()) == [b"last of one", b"more of two"]


def test_rotated_logs_that_the_glob_names_too_are_read_once(follow, log):
    log.write_bytes(OLD + b"half ")
    follower = follow(f"{log}*")
    assert follower.lines() == OLD
    append(log, b"a line\n")
    rotate(log)
    log.write_bytes(b"one\n")
    assert follower.lines() == b"half a line\none\n"
    append(log, b"two\n")
    log.with_name("train.log.1").rename(log.with_name("train.log.2"))
    rotate(log)
    log.write_bytes(b"three\n")
    assert follower.lines() == b"two\nthree\n"
    assert follower.lines() == b""


def test_a_log_that_was_renamed_within_the_glob_goes_on(follow, log):
    log.write_bytes(OLD + b"half ")
    follower = follow(log.with_name("*.log"))
    assert follower.lines() == OLD
    new = log.rename(log.with_name("renamed.log"))
    append(new, b"a line\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.cursor.path, chunk.fresh) == (b"half a line\n", str(new), False)


def test_of_several_logs_each_is_followed_through_its_own_rotation(follow, tmp_path):
    logs = [tmp_path / f"rank{number}.log" for number in range(3)]
    for log in logs:
        log.write_bytes(OLD + b"half ")
    follower = follow(*logs[:2], tmp_path / "rank[2-9].log")
    follower.read()
    for number, log in enumerate(logs):
        append(log, b"a line %d\n" % number)
    rotate(logs[0])
    rotate(logs[2])
    logs[0].write_bytes(b"new 0\n")
    logs[2].write_bytes(b"new 2\n")
    found = {chunk.cursor.path: chunk.lines for chunk in follower.read().chunks}
    assert found == {
        str(logs[0]): b"half a line 0\nnew 0\n",
        str(logs[1]): b"half a line 1\n",
        str(logs[2]): b"half a line 2\nnew 2\n",
    }


def test_a_log_that_is_missing_for_a_while_is_read_on_where_it_was_rotated_to(follower, log):
    append(log, b"a line\n")
    rotate(log)
    assert follower.read().trouble is LogTrouble.MISSING
    log.write_bytes(b"new\n")
    assert follower.lines() == b"half a line\nnew\n"


@WITH_INODES
def test_a_log_that_was_empty_when_it_was_rotated_is_found_if_it_has_grown(follow, log):
    log.touch()
    follower = follow(log)
    follower.read()
    append(log, b"one\n")
    rotate(log)
    log.write_bytes(b"two\n")
    assert follower.lines() == b"one\ntwo\n"
