"""Whether a process is there is asked in the trip that reads the log, of real shells and real processes.

Slurm's programs are scripts that print what Slurm's do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from monitor_core.collect import HostReader
from monitor_core.model.records import KnownBy, LogRequest, ProcessQuery
from tests.support.marks import by_shell, not_as_root
from tests.support.sshd import until

# A word that no other command line has.
WORD = "pretrain-llama.70b"
INVALID = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"


@pytest.fixture
def train():
    """Start processes with a word in their command lines."""
    started = []

    def start(*words):
        started.append(subprocess.Popen([sys.executable, "-c", "input()", *words], stdin=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()


@pytest.fixture
def ask(host, tmp_path):
    """Ask a host, in the trip that reads a log; the log is read in any case."""
    log = tmp_path / "train.log"
    log.write_text("one\n")
    with_reader = HostReader(host, {host.name: host})

    def answer(by, name, jobs="", **how):
        query = ProcessQuery(KnownBy(by), str(name), jobs)
        (reading,) = with_reader.read([LogRequest("llama", (str(log),), process=query)], **how).logs
        assert reading.chunks[0].lines == b"one\n"
        return reading.sign

    yield answer
    with_reader.close()


@pytest.fixture
def slurm(make_sshd, tmp_path):
    """Ask a host whose `squeue` and `sacct` are scripts."""
    tools = tmp_path / "bin"
    tools.mkdir()
    log = tmp_path / "train.log"
    log.write_text("one\n")
    server = make_sshd(f"SetEnv PATH={tools}:/usr/bin:/bin\n")
    reader = HostReader(server.host(), {"gpu-01": server.host()})

    def answer(squeue, sacct=None, name="4711", jobs="4711", runs=1):
        for program_name, text in (("squeue", squeue), ("sacct", sacct)):
            tool = tools / program_name
            tool.unlink(missing_ok=True)
            if text is not None:
                tool.write_text(f"#!/bin/sh\n{text}\n")
                tool.chmod(0o755)
        query = ProcessQuery(KnownBy.SLURM, name, jobs)
        readings = reader.read([LogRequest(f"llama-{run}", (str(log),), process=query) for run in range(runs)]).logs
        assert all(reading.chunks[0].lines == b"one\n" for reading in readings)
        (said,) = {reading.sign for reading in readings}
        return said

    yield answer
    reader.close()


def told(said):
    return said.presence, said.who


# --- a pid file ---------------------------------------------------------------------------------------------------


@by_shell
def test_a_process_is_alive_as_long_as_the_one_in_its_pid_file_is(ask, train, tmp_path):
    process, file = train(), tmp_path / "a folder's.pid"
    file.write_text(f"{process.pid}\n")
    assert told(ask("pid_file", file)) == ("alive", f"process {process.pid}")
    process.kill()
    process.wait()
    assert told(ask("pid_file", file)) == ("not found", f"process {process.pid} is not there")


@by_shell
def test_a_process_that_nobody_has_waited_for_yet_is_gone(ask, train, tmp_path):
    process, file = train(), tmp_path / "train.pid"
    file.write_text(str(process.pid))
    process.kill()
    until(lambda: ask("pid_file", file).presence == "not found")


@by_shell
def test_a_pid_file_that_is_older_than_the_process_means_another_one(ask, train, tmp_path):
    file = tmp_path / "train.pid"
    file.write_text(str(train().pid))
    os.utime(file, (time.time() - 3600,) * 2)
    assert ask("pid_file", file).presence == "not found"


@by_shell
@pytest.mark.parametrize(
    ("text", "presence", "who"),
    [
        (None, "not found", "there is no {file}"),
        ("", "not known", "{file} holds no process number"),
        ("starting", "not known", "{file} holds no process number"),
    ],
)
def test_what_is_wrong_with_a_pid_file_is_said(ask, tmp_path, text, presence, who):
    file = tmp_path / "train.pid"
    if text is not None:
        file.write_text(text)
    assert told(ask("pid_file", file)) == (presence, who.format(file=file))


@by_shell
@not_as_root
def test_a_pid_file_that_may_not_be_read_says_nothing_of_the_process(ask, tmp_path):
    file = tmp_path / "train.pid"
    file.write_text("1")
    file.chmod(0)
    assert told(ask("pid_file", file)) == ("not known", f"{file} may not be read by the account that we use")


# --- a command line -----------------------------------------------------------------------------------------------


@by_shell
def test_processes_are_found_by_a_part_of_their_command_line(ask, train):
    pids = sorted(train("--model", WORD, "--rank", str(rank)).pid for rank in range(3))
    said = ask("command", f"--model {WORD}")
    assert (told(said), said.processes) == (("alive", "3 processes"), 3)
    assert all(str(pid) in said.pids or " to " in said.pids for pid in pids)


@by_shell
def test_a_star_stands_for_anything_and_all_else_for_itself(ask, train):
    train("--model", WORD, "--rank", "2")
    assert ask("command", f"{WORD}*rank 2").presence == "alive"
    assert ask("command", f"{WORD}*rank 3").presence == "not found"
    assert ask("command", "pretrain.llama.70b").presence == "not found"


@by_shell
@pytest.mark.parametrize("pattern", ["zz-nobody-is-called-so", "it's; $(exit) `x` \\ [a-z] ^x$ {1}", "-v"])
def test_the_question_never_finds_itself(ask, pattern):
    assert told(ask("command", f"{pattern}-{os.getpid()}"))[0] == "not found"


def test_a_list_of_processes_that_hangs_is_set_aside_and_the_log_is_read(make_sshd, tmp_path):
    tools, asked, log = tmp_path / "bin", tmp_path / "asked", tmp_path / "train.log"
    tools.mkdir()
    (tools / "ps").write_text(f"#!/bin/sh\necho once >> {asked}\nexec sleep 30\n")
    (tools / "ps").chmod(0o755)
    log.write_text("one\n")
    host = make_sshd(f"SetEnv PATH={tools}:/usr/bin:/bin\n").host()
    reader = HostReader(host, {host.name: host}, clock=lambda: 0.0)
    requests = [LogRequest(run, (str(log),), process=ProcessQuery(KnownBy.COMMAND, WORD)) for run in ("a", "b")]
    for _ in range(2):
        readings = reader.read(requests, deadline=12.0).logs
        assert [told(reading.sign) for reading in readings] == 2 * [("not known", "its host does not say; ps hangs")]
        assert all(reading.chunks[0].lines == b"one\n" for reading in readings)
    assert asked.read_text() == "once\n"
    reader.close()


# --- hosts that are not Linux with GNU's tools --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["busybox", "posix", "bash"])
def test_other_shells_and_tools_find_processes_too(foreign_host, kind, train, tmp_path):
    host, process, file, log = foreign_host(kind), train(WORD), tmp_path / "train.pid", tmp_path / "train.log"
    file.write_text(str(process.pid))
    log.write_text("one\n")
    reader = HostReader(host, {host.name: host})
    questions = [
        ProcessQuery(KnownBy.PID_FILE, str(file)),
        ProcessQuery(KnownBy.COMMAND, WORD),
        ProcessQuery(KnownBy.SLURM, "4711"),
    ]
    reading = reader.read([LogRequest(query.by, (str(log),), process=query) for query in questions])
    reader.close()
    assert [log.sign.presence for log in reading.logs] == ["alive", "alive", "not known"]


def test_by_sftp_nobody_can_ask(sftp_only, tmp_path):
    (tmp_path / "train.log").write_text("one\n")
    host = sftp_only.host()
    reader = HostReader(host, {host.name: host})
    query = ProcessQuery(KnownBy.COMMAND, WORD)
    (reading,) = reader.read([LogRequest("llama", (str(tmp_path / "train.log"),), process=query)]).logs
    reader.close()
    assert told(reading.sign) == ("not known", "by SFTP nobody can ask for a process")
    assert reading.chunks


# --- Slurm --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "presence", "who"),
    [
        ("4711|RUNNING", "alive", "Slurm job 4711"),
        ("4711|COMPLETING", "alive", "Slurm job 4711"),
        ("4711|PENDING", "waiting", "Slurm job 4711"),
        ("4711|REQUEUE_HOLD", "waiting", "Slurm job 4711"),
        ("4711_[3,5-9%2]|PENDING", "waiting", "Slurm job 4711_[3,5-9%2]"),
        ("4711_1|COMPLETED\n4711_2|RUNNING\n4711_[3-9%2]|PENDING", "alive", "Slurm job 4711_2"),
        ("4711+0|RUNNING\n4711+1|RUNNING", "alive", "Slurm job 4711"),
        ("4711|FAILED", "not found", "Slurm job 4711 is FAILED"),
        ("4711_1|COMPLETED\n4711_2|TIMEOUT", "not found", "Slurm job 4711 is TIMEOUT"),
    ],
)
def test_the_state_of_a_job_says_whether_it_is_there(slurm, rows, presence, who):
    assert told(slurm("\n".join(f"echo '{row}'" for row in rows.splitlines()))) == (presence, who)


@pytest.mark.parametrize(
    ("row", "word", "code"),
    [
        ("4711|FAILED|1:0|1795513955", "FAILED", 1),
        ("4711|FAILED|0:9|1795513955", "FAILED", 137),
        ("4711|CANCELLED by 1000|0:0|1795513955", "CANCELLED", 0),
        ("4711+0|COMPLETED|0:0|1795513955\n4711+1|NODE_FAIL|0:0|1795513900", "NODE_FAIL", 0),
    ],
)
def test_how_a_job_ended_that_squeue_has_no_more_is_told_by_sacct(slurm, row, word, code):
    said = slurm(INVALID, "\n".join(f"echo '{each}'" for each in row.splitlines()))
    assert (said.presence, said.word, said.exit_code, said.ended_at) == ("not found", word, code, 1_795_513_955.0)


def test_an_end_that_is_not_written_yet_is_not_known(slurm):
    assert slurm(INVALID, "echo '4711|RUNNING|0:0|Unknown'").presence == "not known"


def test_without_accounting_a_job_is_only_not_there(slurm):
    assert told(slurm(INVALID, "exit 1")) == ("not found", "Slurm job 4711 is not there")


def test_whoever_has_been_told_how_a_job_ended_does_not_ask_again(slurm, tmp_path):
    slurm(INVALID, f"touch {tmp_path}/asked", jobs="")
    assert not (tmp_path / "asked").exists()


def test_a_job_is_found_by_its_name_and_known_by_its_number(slurm):
    squeue = """[ "$4" = "--name=llama 70b" ] && echo '4600|FAILED' && echo '4711|RUNNING'"""
    said = slurm(squeue, name="llama 70b", jobs="")
    assert (told(said), said.jobs) == (("alive", "Slurm job 4711"), "4711")


@pytest.mark.parametrize("hangs", ["exec sleep 60", "sleep 60"])
def test_a_scheduler_that_hangs_costs_three_seconds_and_says_nothing(slurm, hangs):
    assert told(slurm(hangs)) == ("not known", "squeue did not answer within 3 s")


def test_a_scheduler_that_cannot_be_reached_says_nothing_of_the_job(slurm):
    said = slurm("echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1")
    assert said.presence == "not known"
    assert "Unable to contact slurm controller" in said.who


def test_what_nobody_understands_is_not_known(slurm):
    said = slurm("echo 'slurm_load_jobs error: {name} is odd {0}' >&2; exit 1")
    assert said.presence == "not known"
    assert "{name} is odd {0}" in said.who
    assert slurm("echo '|'; echo '4711| |'; echo 'nonsense'").presence == "not known"


def test_a_host_without_slurm_is_told_so(slurm):
    assert told(slurm(None)) == ("not known", "squeue is not on the PATH of the account that we use")


def test_a_second_run_does_not_wait_for_a_scheduler_that_hangs(slurm, tmp_path):
    asked = tmp_path / "asked"
    assert slurm(f"echo once >> {asked}; exec sleep 60", runs=2).presence == "not known"
    assert asked.read_text() == "once\n"
