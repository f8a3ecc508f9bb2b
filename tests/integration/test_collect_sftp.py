"""Accounts that allow nothing but SFTP. What is read of their files is in test_collect_files."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from monitor_core.collect import HostReader
from monitor_core.errors import Unreachable
from monitor_core.model.records import LogRequest, LogTrouble
from tests.support.follower import Follower
from tests.support.marks import as_root
from tests.support.proxy import Proxy
from tests.support.sshd import ADDRESS, until

SERVER = next(filter(None, map(shutil.which, ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server"))), "")
# Writes down what is asked for, and lets only SFTP through, with the words of rssh.
SENTRY = """\
Subsystem sftp {server}
ForceCommand echo "$SSH_ORIGINAL_COMMAND" >> {folder}/asked; case $SSH_ORIGINAL_COMMAND in {server}) exec {server} ;; \
*) echo This account is restricted to sftp. ;; esac
""".replace("{server}", SERVER)
SHELL = "exec /bin/sh -s"
# Longer than what a file is known again by.
OLD = b"".join(b"old line %04d\n" % number for number in range(100))


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def follow(log):
    followers = []

    def start(host, *patterns, **limits):
        followers.append(Follower(host, patterns=patterns or (log,), **limits))
        return followers[-1]

    yield start
    for follower in followers:
        follower.close()


@pytest.fixture
def make_proxy():
    made = []

    def make(port):
        made.append(Proxy(port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def sentry(make_sshd):
    if not SERVER:
        pytest.skip("openssh-sftp-server is not installed")
    return make_sshd(SENTRY)


def append(path, data):
    with path.open("ab") as log:
        log.write(data)


def asked(server):
    return (server.folder / "asked").read_text().splitlines()


def test_whether_there_is_a_shell_is_tried_once_for_each_connection(follow, make_proxy, sentry, log):
    proxy = make_proxy(sentry.port)
    follower = follow(sentry.host(port=proxy.port))
    assert follower.lines() == b"one\n"
    append(log, b"two\n")
    assert follower.lines() == b"two\n"
    assert asked(sentry)[0] == SHELL
    assert set(asked(sentry)[1:]) == {SERVER}
    proxy.cut_connections()
    append(log, b"three\n")
    assert until(lambda: lines_in_spite_of(follower)) == b"three\n"
    assert asked(sentry).count(SHELL) == 2


def lines_in_spite_of(follower):
    try:
        return follower.lines()
    except Unreachable:
        return b""


def test_a_host_that_is_to_be_read_by_sftp_is_never_asked_for_a_shell(follow, sentry, sshd):
    assert follow(sentry.host(transport="sftp")).lines() == b"one\n"
    assert set(asked(sentry)) == {SERVER}


def test_an_account_with_neither_shell_nor_sftp_is_told_with_what_it_said(follow, make_sshd):
    server = make_sshd("ForceCommand echo This account is not available.\n")
    with pytest.raises(Unreachable) as error:
        follow(server.host()).read()
    assert str(error.value) == (
        "gpu-01 let us in, but its shell did not run our commands; it said: This account is not available."
    )
    with pytest.raises(Unreachable) as error:
        follow(server.host(transport="sftp")).read()
    assert str(error.value) == f"gpu-01 ({ADDRESS}:{server.port}) let us in but has no SFTP server for us"


def test_its_clock_is_unknown(sftp_only, log):
    reader = HostReader(sftp_only.host(), {})
    reading = reader.read([LogRequest("run", (str(log),))])
    reader.close()
    assert reading.clock is None
    assert reading.logs[0].chunks[0].mtime == pytest.approx(log.stat().st_mtime, abs=1)


def test_a_large_log_is_read_from_its_end_on_and_then_piece_by_piece(follow, sftp_only, log):
    with log.open("wb") as file:
        for number in range(1_000_000):
            file.write(b"line %06d\n" % number)
    follower = follow(sftp_only.host(), backfill=6 * 2**20)
    chunks = [follower.read().chunks[0] for _ in range(2)]
    assert [chunk.more for chunk in chunks] == [True, False]
    lines = b"".join(chunk.lines for chunk in chunks).splitlines()
    assert lines == [b"line %06d" % number for number in range(1_000_000 - 6 * 2**20 // 12, 1_000_000)]


def test_a_log_that_did_not_grow_is_not_opened(follow, make_proxy, sftp_only, log):
    proxy = make_proxy(sftp_only.port)
    follower = follow(sftp_only.host(port=proxy.port))
    follower.read()
    follower.read()

    def moved(look):
        """Return what several looks send: the proxy may count the end of one after the next has begun."""
        before = proxy.sent
        for _ in range(5):
            look()
        return proxy.sent - before

    def grow():
        append(log, b"two\n")
        assert follower.lines() == b"two\n"

    assert moved(follower.read) < moved(grow)


def test_logs_that_came_and_went_between_two_reads_are_read_too(follow, sftp_only, log):
    log.write_bytes(OLD + b"half ")
    follower = follow(sftp_only.host())
    assert follower.lines() == OLD
    append(log, b"a line\n")
    now = int(log.stat().st_mtime)
    for number in range(5):
        for old in reversed(range(1, number + 1)):
            log.with_name(f"train.log.{old}").rename(log.with_name(f"train.log.{old + 1}"))
        os.utime(log.rename(f"{log}.1"), (now + number,) * 2)
        log.write_bytes(b"log %d\n" % number)
    os.utime(log, (now + 10,) * 2)
    assert follower.lines() == b"half a line\n" + b"".join(b"log %d\n" % number for number in range(5))


def test_a_glob_goes_through_folders(follow, sftp_only, tmp_path):
    for name in ("a/logs/x.log", "a/logs/.hidden.log", "b/logs/y.log", ".c/logs/z.log", "d/other/w.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode() + b"\n")
    assert follow(sftp_only.host(), tmp_path / "*" / "logs" / "*.log").lines() == b"a/logs/x.log\nb/logs/y.log\n"
    assert follow(sftp_only.host(), tmp_path / "*" / "logs" / "x.log").lines() == b"a/logs/x.log\n"
    assert follow(sftp_only.host(), tmp_path / "?" / "*" / "[w-y].log").lines() == (
        b"a/logs/x.log\nb/logs/y.log\nd/other/w.log\n"
    )


def test_a_name_that_is_not_utf_8_keeps_a_glob_from_being_followed_and_says_so(follow, sftp_only, tmp_path, log):
    os.close(os.open(bytes(tmp_path) + b"/\xff.txt", os.O_CREAT))
    reading = follow(sftp_only.host(), tmp_path / "*.log").read()
    assert reading.trouble is LogTrouble.UNREADABLE
    assert reading.detail == (f"{tmp_path}/*.log cannot be followed: by SFTP, all names in its folder have to be UTF-8")
    assert follow(sftp_only.host(), log).lines() == b"one\n"


def test_the_deadline_holds_wherever_the_connection_falls_silent(follow, make_proxy, sftp_only, log):
    proxy = make_proxy(sftp_only.port)
    follower = follow(sftp_only.host(port=proxy.port))
    follower.read()
    content = b""
    for quota in (0, 40, 120, 300, 500, 700, 1000):
        append(log, b"%d\n" % quota)
        proxy.quota = quota
        began_at = time.monotonic()
        content += lines_within(follower, 1.0)
        assert time.monotonic() - began_at < 10
        proxy.quota = None
        content += follower.lines()
    assert content == b"".join(b"%d\n" % quota for quota in (0, 40, 120, 300, 500, 700, 1000))


def lines_within(follower, deadline):
    """Return new lines, or none if there is no answer in time."""
    try:
        return b"".join(chunk.lines for chunk in follower.read(deadline).chunks)
    except Unreachable as error:
        return b"" if "no answer within 1 s" in str(error) else str(error).encode()


def test_a_log_goes_on_when_the_account_gets_a_shell_and_when_it_loses_it(follow, sshd, sftp_only, log):
    log.write_bytes(OLD)
    by_sftp, by_shell = follow(sftp_only.host()), follow(sshd.host())
    assert by_sftp.lines() == OLD
    for follower, before in ((by_shell, by_sftp), (by_sftp, by_shell), (by_shell, by_sftp)):
        append(log, b"more\n")
        follower.cursors = before.cursors
        assert follower.lines() == b"more\n"
        assert not follower.read().chunks[0].fresh


@as_root
def test_an_account_that_is_confined_to_a_folder_sees_that_folder_as_the_root(follow, make_sshd):
    # All folders above have to belong to root alone.
    root = Path(tempfile.mkdtemp(dir="/run"))
    root.chmod(0o755)
    try:
        (root / "logs").mkdir()
        (root / "logs" / "train.log").write_bytes(b"one\n")
        server = make_sshd(f"Subsystem sftp internal-sftp\nForceCommand internal-sftp\nChrootDirectory {root}\n")
        assert follow(server.host(), "/logs/*.log").lines() == b"one\n"
    finally:
        shutil.rmtree(root)
