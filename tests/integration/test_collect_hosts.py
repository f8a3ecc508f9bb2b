"""Hosts as they come: other tools than GNU's, other shells, other login shells, start-up files that print."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from monitor_core.collect import HostReader
from monitor_core.model.records import LogTrouble
from tests.support import foreign

WHOLE_SECONDS = {"busybox", "bsd", "posix"}


@pytest.fixture(params=foreign.KINDS)
def kind(request):
    return request.param


@pytest.fixture
def host(kind, foreign_host):
    return foreign_host(kind)


def append(path, data):
    with path.open("ab") as log:
        log.write(data)


def test_a_log_is_followed(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\ntw")
    follower = follow(log)
    assert follower.lines() == b"one\n"
    append(log, b"o\n" + bytes(range(128, 256)) + b"\n")
    (chunk,) = follower.read().chunks
    assert (chunk.lines, chunk.fresh, chunk.more) == (b"two\n" + bytes(range(128, 256)) + b"\n", False, False)
    assert follower.lines() == b""


def test_size_time_and_identity_of_a_log_are_told(follow, kind, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    os.utime(log, ns=(0, 1_700_000_000_250_000_000))
    (chunk,) = follow(log).read().chunks
    status = log.stat()
    assert chunk.size == 4
    assert chunk.mtime == pytest.approx(1_700_000_000.25, abs=0.01 if kind in {"bsd", "bash"} else 0.3)
    assert chunk.cursor.identity == f"{0 if kind == 'posix' else status.st_dev}:{status.st_ino}"


def test_the_clock_of_the_host_is_read(host, kind):
    reader = HostReader(host, {})
    before = time.time()
    clock = reader.read([]).clock
    reader.close()
    assert before - 0.01 - (kind in WHOLE_SECONDS) <= clock <= time.time() + 0.01


def test_bytes_far_behind_the_start_of_a_log_are_read(follow, tmp_path):
    log = tmp_path / "train.log"
    log.touch()
    os.truncate(log, 5 * 10**9)
    append(log, b"\none\n")
    follower = follow(log, backfill=100_000)
    assert follower.lines() == b"one\n"
    append(log, b"x" * 200_000 + b"\n" + b"two\n" * 50_000)
    assert follower.lines() == b"x" * 2**14 + b"\n" + b"two\n" * 50_000


def test_a_log_comes_in_pieces(follow, tmp_path):
    log = tmp_path / "train.log"
    content = b"".join(b"line %06d\n" % number for number in range(30_000))
    log.write_bytes(content)
    follower = follow(log, limit=100_000)
    chunks = [follower.read().chunks[0] for _ in range(4)]
    assert b"".join(chunk.lines for chunk in chunks) == content
    assert [chunk.more for chunk in chunks] == [True, True, True, False]


def test_a_rotated_log_and_one_that_was_truncated_are_read_to_their_end(follow, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"old line\n" * 20 + b"half ")
    follower = follow(log)
    follower.read()
    append(log, b"a line\n")
    log.rename(tmp_path / "old one.log")
    log.write_bytes(b"new line\n" * 20)
    assert follower.lines() == b"half a line\n" + b"new line\n" * 20
    append(log, b"last\n")
    shutil.copyfile(log, tmp_path / "train.log.1")
    os.truncate(log, 0)
    os.truncate(log, 10**8)
    append(log, b"newest\n")
    assert follower.lines() == b"last\nnewest\n"


def test_of_very_many_files_the_newest_are_read(follow, tmp_path):
    for number in range(70):
        log = tmp_path / f"ränk {number:02}.log"
        log.write_bytes(b"%02d\n" % number)
        os.utime(log, (number, number))
    (tmp_path / "rank \n.log").write_bytes(b"not a name\n")
    read = follow(tmp_path / "*.log").read()
    assert sorted(chunk.lines for chunk in read.chunks) == [b"%02d\n" % number for number in range(6, 70)]


@pytest.mark.parametrize("name", ["two words  here.log", "it's.log", "-rf", "$(touch hacked).log", "ünïcode 火.log"])
def test_a_name_means_just_itself(follow, tmp_path, name):
    (tmp_path / name).write_bytes(b"one\n")
    (chunk,) = follow(tmp_path / name).read().chunks
    assert (chunk.cursor.path, chunk.lines) == (str(tmp_path / name), b"one\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_cannot_be_read_is_told(follow, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    troubles = {
        "missing": (LogTrouble.MISSING, "there is no"),
        "missing*": (LogTrouble.MISSING, "no file matches"),
        "": (LogTrouble.UNREADABLE, "is a folder"),
        "pipe": (LogTrouble.UNREADABLE, "is not a regular file"),
    }
    for name, (trouble, text) in troubles.items():
        log = follow(tmp_path / name).read()
        assert (log.trouble, text in log.detail) == (trouble, True)


# What a login shell reads first, also for a single command.
START_UP = {"tcsh": ".tcshrc", "fish": ".config/fish/config.fish", "bash": ".bashrc"}
NOISE = b"\x1b[31mWelcome\x1b[0m\r\n\nffffffffffffffff clock 1\n\nffffffffffffffff done\n" + b"x" * 3_000_000


@pytest.mark.parametrize("shell", START_UP)
def test_a_login_shell_may_be_any_and_print_what_it_likes(follow_on, make_sshd, tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    server = make_sshd(f'ForceCommand exec {shell} -c "$SSH_ORIGINAL_COMMAND"\n')
    home = server.folder / "home"
    (home / "noise").write_bytes(NOISE)
    (home / START_UP[shell]).parent.mkdir(parents=True, exist_ok=True)
    (home / START_UP[shell]).write_text("cat $HOME/noise\ntouch $HOME/started\n")
    log = tmp_path / "it's $HOME `x`.log"
    log.write_bytes(b"one\n")
    follower = follow_on(server.host(), log)
    assert follower.lines() == b"one\n"
    append(log, b"two\n")
    assert follower.lines() == b"two\n"
    assert (home / "started").exists()
