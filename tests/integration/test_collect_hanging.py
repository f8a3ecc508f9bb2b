"""A file that hangs, as on an NFS whose server is gone, costs nothing but itself."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest

from monitor_core.collect import HostReader
from monitor_core.collect.network import Network
from monitor_core.collect.ssh import SshTransport
from monitor_core.collect.transport import Deadline
from monitor_core.errors import Unreachable
from monitor_core.model.records import LogRequest, LogTrouble
from tests.support.hanging import DeadFolder, HangingLog, why_no_dead_folder
from tests.support.marks import by_ssh, here, not_as_root
from tests.support.sshd import descendants, until

# Nothing can be killed through SFTP.
where_it_can_be_killed = pytest.mark.parametrize(
    "server", ["local", pytest.param("ssh", marks=not_as_root)], indirect=True
)
# A file has a quarter of the deadline to answer; what is left is for a machine that is busy.
DEADLINE, PATIENCE = 12.0, 9.0
HOUR = 3600.0


class Site:
    """Reads runs of a host again and again, each from where it was."""

    def __init__(self, host):
        self.host = host
        self.now = 0.0
        self.reader = HostReader(host, {host.name: host}, clock=lambda: self.now)
        self.patterns = {}
        self.cursors = {}
        self.took = 0.0

    def watch(self, run, *patterns):
        self.patterns[run] = tuple(map(str, patterns))

    def read(self, *runs, deadline=DEADLINE):
        """Read runs, or all; return their readings by name."""
        asked = [LogRequest(run, self.patterns[run], self.cursors.get(run, {})) for run in runs or self.patterns]
        began_at = time.monotonic()
        reading = self.reader.read(asked, deadline=deadline)
        self.took = time.monotonic() - began_at
        for log in reading.logs:
            new = {chunk.cursor.path: chunk.cursor for chunk in log.chunks}
            self.cursors[log.run] = self.cursors.get(log.run, {}) | new
        return {log.run: log for log in reading.logs}

    def lines(self, *runs):
        return {run: b"".join(chunk.lines for chunk in log.chunks) for run, log in self.read(*runs).items()}

    def close(self):
        self.reader.close()


@pytest.fixture
def site(host):
    made = Site(host)
    yield made
    made.close()


@pytest.fixture
def make_hanging(tmp_path):
    made = []

    def make(name="hung.log"):
        made.append(HangingLog(write(tmp_path / name, b"one\n")))
        return made[-1]

    yield make
    for log in made:
        log.close()


@pytest.fixture
def dead(tmp_path):
    if reason := why_no_dead_folder():
        pytest.skip(reason)
    folder = DeadFolder(tmp_path / "dead")
    yield folder
    folder.close()


def write(path, content):
    path.write_bytes(content)
    return path


def append(path, content):
    with path.open("ab") as log:
        log.write(content)


def processes():
    """Count what runs below this process: shells, and SSH servers with their sessions."""
    return len(descendants(os.getpid()))


def is_hung(log):
    return log.trouble is LogTrouble.UNREADABLE and log.detail.endswith("did not answer; its file system may hang")


def test_other_runs_come_in_the_same_read_and_no_later_one_is_delayed(site, make_hanging, tmp_path):
    hung, well = make_hanging(), write(tmp_path / "well.log", b"one\n")
    site.watch("hung", hung.path)
    site.watch("well", well)
    logs = site.read()
    assert is_hung(logs["hung"])
    assert str(hung.path) in logs["hung"].detail
    assert [chunk.lines for chunk in logs["well"].chunks] == [b"one\n"]
    for number in range(5):
        append(well, b"%d\n" % number)
        logs = site.read()
        assert site.took < PATIENCE
        assert is_hung(logs["hung"])
        assert [chunk.lines for chunk in logs["well"].chunks] == [b"%d\n" % number]


def test_it_is_read_again_when_it_answers_and_nothing_of_it_is_lost(site, make_hanging):
    log = make_hanging()
    log.let_go()
    site.watch("run", log.path)
    assert site.lines() == {"run": b"one\n"}
    log.hang()
    log.append(b"two\n")
    assert is_hung(site.read()["run"])
    log.append(b"three\n")
    assert is_hung(site.read()["run"])
    log.let_go()
    assert until(lambda: site.lines()["run"]) == b"two\nthree\n"
    assert site.read()["run"].trouble is None
    assert site.took < PATIENCE


def test_other_files_of_its_run_are_read_and_it_comes_back_as_one_that_was_never_seen(site, make_hanging, tmp_path):
    for name in ("a.log", "c.log"):
        write(tmp_path / name, name.encode() + b"\n")
    hung = make_hanging("b.log")
    site.watch("run", tmp_path / "*.log")
    log = site.read()["run"]
    assert (log.trouble, [chunk.lines for chunk in log.chunks]) == (None, [b"a.log\n", b"c.log\n"])
    append(tmp_path / "c.log", b"more\n")
    assert site.lines() == {"run": b"more\n"}
    hung.let_go()
    assert until(lambda: site.lines()["run"]) == b"one\n"


def test_a_file_that_two_runs_share_hangs_for_both_and_is_waited_for_once(site, make_hanging, tmp_path):
    hung = make_hanging()
    site.watch("one", hung.path)
    site.watch("two", tmp_path / "*.log")
    site.read("one")
    alone = processes()
    logs = site.read()
    assert is_hung(logs["one"])
    assert is_hung(logs["two"])
    assert site.took < PATIENCE
    until(lambda: processes() <= alone)


def test_many_looks_leave_no_more_processes_and_threads_than_one(site, make_hanging, tmp_path):
    site.watch("well", write(tmp_path / "well.log", b"one\n"))
    site.watch("hung", make_hanging().path)
    site.read()
    alone, threads = processes(), threading.active_count()
    for _ in range(10):
        site.read()
    until(lambda: processes() <= alone)
    until(lambda: threading.active_count() <= threads)


@where_it_can_be_killed
def test_it_is_asked_for_anew_ever_more_rarely_and_what_asked_before_is_killed(site, make_hanging, tmp_path):
    site.watch("hung", make_hanging().path)
    site.read()
    waiting = set(descendants(os.getpid()))
    alone, asked = len(waiting), []
    for minute in range(10):
        site.now = minute * 60.0
        logs = site.read()
        assert is_hung(logs["hung"])
        until(lambda: processes() <= alone)
        # Who asks anew is another process; it is not told from how long that took.
        asked += [minute] if waiting - (waiting := set(descendants(os.getpid()))) else []
    assert asked == [1, 3, 7]


@not_as_root
@by_ssh
def test_a_program_that_hangs_is_killed_on_the_host_when_it_is_given_up(host, make_hanging):
    transport = SshTransport(host, {}, Network())
    with transport.watch(Deadline(DEADLINE)):
        before = processes()
        call = transport.start(f"cat {make_hanging().path}\n".encode())
        until(lambda: processes() > before + 2)
        assert call.listen(0.1) is None
        call.end()
        until(lambda: processes() <= before + 2)
    transport.close()


@where_it_can_be_killed
def test_however_many_files_hang_no_more_than_three_processes_wait_for_them(site, make_hanging, tmp_path):
    site.watch("well", write(tmp_path / "well.log", b"one\n"))
    site.read()
    before = processes()
    logs = [make_hanging(f"hung-{number}.log") for number in range(6)]
    for number, log in enumerate(logs):
        site.watch(f"hung-{number}", log.path)
    until(lambda: all(is_hung(log) for run, log in site.read().items() if run != "well"))
    append(tmp_path / "well.log", b"two\n")
    assert site.lines("well") == {"well": b"two\n"}
    assert processes() - before <= 3
    for log in logs:
        log.let_go()
    wanted = {f"hung-{number}" for number in range(6)}
    seen = set()
    until(lambda: seen.update(run for run, lines in site.lines().items() if lines) or seen >= wanted)


@pytest.mark.parametrize("sessions", [1, 2, 4])
def test_few_sessions_of_a_server_make_no_dead_host_of_one_with_a_file_that_hangs(
    make_sshd, make_hanging, tmp_path, sessions
):
    site = Site(make_sshd(f"MaxSessions {sessions}\n").host())
    site.watch("well", write(tmp_path / "well.log", b"one\n"))
    for number in range(sessions + 1):
        site.watch(f"hung-{number}", make_hanging(f"hung-{number}.log").path)
    logs = site.read()
    assert [chunk.lines for chunk in logs["well"].chunks] == [b"one\n"]
    until(lambda: all(is_hung(log) for run, log in site.read().items() if run != "well"))
    append(tmp_path / "well.log", b"two\n")
    assert site.lines()["well"] == b"two\n"
    assert site.took < PATIENCE
    site.close()


def test_a_server_that_opens_no_session_is_no_dead_host(make_sshd, tmp_path):
    site = Site(make_sshd("MaxSessions 0\n").host())
    site.watch("run", write(tmp_path / "train.log", b"one\n"))
    log = site.read()["run"]
    site.close()
    assert log.trouble is LogTrouble.UNREADABLE
    assert log.detail == (
        f"its host let us in, but opened no further session for {tmp_path}/train.log (MaxSessions of its SSH server)"
    )


def test_a_host_that_falls_silent_while_a_file_hangs_is_found_within_the_deadline(make_sshd, make_hanging, tmp_path):
    server = make_sshd()
    site = Site(server.host())
    site.watch("hung", make_hanging().path)
    site.watch("well", write(tmp_path / "well.log", b"one\n"))
    site.read()
    server.pause()
    with pytest.raises(Unreachable, match="no answer within 2 s"):
        site.read(deadline=2.0)
    server.resume()
    append(tmp_path / "well.log", b"two\n")
    assert site.lines()["well"] == b"two\n"
    site.close()


def test_what_hangs_stays_out_of_the_way_when_the_connection_is_lost(sshd, proxy, make_hanging, tmp_path):
    site = Site(sshd.host(port=proxy.port))
    hung, well = make_hanging(), write(tmp_path / "well.log", b"one\n")
    site.watch("hung", hung.path)
    site.watch("well", well)
    site.read()
    proxy.cut_connections()
    append(well, b"two\n")
    assert until(lambda: lines_in_spite_of(site)["well"]) == b"two\n"
    assert site.took < PATIENCE
    assert is_hung(site.read()["hung"])
    hung.let_go()
    site.now = HOUR
    assert until(lambda: site.lines()["hung"]) == b"one\n"
    site.close()


def lines_in_spite_of(site):
    with contextlib.suppress(Unreachable):
        return site.lines()
    return {"well": b""}


def test_a_folder_that_hangs_costs_only_the_globs_in_it(site, dead, tmp_path):
    well = write(tmp_path / "well.log", b"one\n")
    site.watch("glob", dead.path / "*.log")
    site.watch("path", dead.path / "train.log")
    site.watch("both", dead.path / "deep" / "*" / "*.log", well)
    until(lambda: is_hung(site.read()["path"]))
    append(well, b"two\n")
    logs = site.read()
    assert site.took < PATIENCE
    assert is_hung(logs["glob"])
    assert is_hung(logs["path"])
    assert [chunk.cursor.offset for chunk in logs["both"].chunks] == [8]
    dead.close()
    write(dead.path / "train.log", b"back\n")
    assert until(lambda: site.lines()["path"]) == b"back\n"
    assert until(lambda: site.read()["glob"].chunks)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder of programs that are found before the others on this machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def make_tool(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@here
def test_of_a_file_that_hangs_in_the_middle_the_bytes_before_count(site, tools, tmp_path):
    make_tool(tools, "dd", "head -c 10000; exec sleep 600")
    content = b"a line of 20 bytes.\n" * 1000
    site.watch("run", write(tmp_path / "train.log", content))
    site.watch("well", write(tmp_path / "well.log", b"one\n"))
    logs = site.read()
    (chunk,) = logs["run"].chunks
    assert (chunk.lines, chunk.cursor.offset, chunk.more) == (content[:10000], 10000, True)
    assert is_hung(site.read()["run"])
    (tools / "dd").unlink()
    site.now = HOUR
    assert until(lambda: site.lines()["run"]) == content[10000:]


@here
def test_what_comes_too_slowly_for_one_look_comes_in_several_and_nobody_is_left_out(site, tools, tmp_path):
    logs = {run: write(tmp_path / f"{run}.log", b"") for run in ("one", "other")}
    for run, log in logs.items():
        site.watch(run, log)
    site.read()
    make_tool(tools, "dd", "while head -c 10 | grep .; do sleep 0.2; done")
    content = b"123456789\n" * 60
    for log in logs.values():
        append(log, content)
    first = site.read(deadline=6.0)
    assert first["other"].trouble is LogTrouble.UNREADABLE
    assert first["other"].detail.startswith("there was no time left")
    (chunk,) = first["one"].chunks
    assert 0 < len(chunk.lines) < len(content)
    assert chunk.more
    assert site.read(deadline=6.0)["other"].chunks


def test_a_log_whose_rotated_part_hangs_waits_for_it_and_loses_nothing(site, make_hanging, tmp_path):
    old = b"".join(b"old line %04d\n" % number for number in range(100))
    log, well = write(tmp_path / "train.log", old), write(tmp_path / "well.log", b"one\n")
    site.watch("run", log)
    site.watch("well", well)
    assert site.lines()["run"] == old
    append(log, b"last of the old\n")
    rotated = HangingLog(log.rename(tmp_path / "train.log.1"))
    write(log, b"first of the new\n")
    append(well, b"two\n")
    logs = site.read()
    assert is_hung(logs["run"])
    assert [chunk.lines for chunk in logs["well"].chunks] == [b"two\n"]
    rotated.close()
    assert until(lambda: site.lines()["run"]) == b"last of the old\nfirst of the new\n"
