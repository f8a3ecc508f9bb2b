"""What the collector does when hosts, networks and connections misbehave, and how little it moves."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import paramiko
import pytest

from monitor_core.collect import HostReader
from monitor_core.config.models import Host
from monitor_core.errors import HostKeyChanged, Unreachable
from monitor_core.model.records import LogRequest
from tests.support.follower import Follower
from tests.support.proxy import Proxy
from tests.support.sshd import ADDRESS, free_port, make_key, until

SHORT = 1.0
# Far beyond any deadline that is asked for, and far below for ever.
PATIENCE = 60.0


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def follow(log):
    followers = []

    def start(*hosts, patterns=(log,), **limits):
        followers.append(Follower(*hosts, patterns=patterns, **limits))
        return followers[-1]

    yield start
    for follower in followers:
        follower.close()


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def result_of(call):
    """Let a call run in a thread and return its result or its error; fail if it does not end."""
    results = []

    def work():
        try:
            results.append(call())
        except (Unreachable, HostKeyChanged) as error:
            results.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "the call hangs"
    return results[0]


@contextlib.contextmanager
def listener(greeting=b""):
    """Accept connections, greet, and stay silent."""
    with socket.create_server((ADDRESS, 0)) as server:
        accepted = []

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    accepted.append(server.accept()[0])
                    accepted[-1].sendall(greeting)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for each in accepted:
            each.close()


def test_a_refused_connection_is_told(follow, sshd):
    port = free_port()
    with pytest.raises(Unreachable) as refused:
        follow(sshd.host(port=port)).read()
    assert str(refused.value) == f"connection refused by {ADDRESS}:{port}: no SSH server listens there"


def test_an_unknown_name_is_told(follow, sshd):
    with pytest.raises(Unreachable, match=r"the name no-such-host\.invalid"):
        follow(sshd.host(address="no-such-host.invalid")).read()


def test_an_impossible_name_is_told(follow, sshd):
    with pytest.raises(Unreachable, match="the name"):
        follow(sshd.host(address="x" * 300)).read()


def test_a_peer_that_accepts_and_stays_silent_is_left_at_the_deadline(follow, sshd):
    with listener() as port:
        error = result_of(lambda: follow(sshd.host(port=port)).read(SHORT))
    assert "no answer within 1 s" in str(error)
    assert f"gpu-01 ({ADDRESS}:{port})" in str(error)


def test_a_peer_that_falls_silent_after_its_banner_is_left_at_the_deadline(follow, sshd):
    with listener(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        error = result_of(lambda: follow(sshd.host(port=port)).read(SHORT))
    assert "no answer within 1 s while agreeing on encryption" in str(error)


def test_a_peer_that_speaks_something_else_is_told(follow, sshd):
    with listener(b"220 mail.example.com ESMTP\r\n" * 200) as port:
        error = result_of(lambda: follow(sshd.host(port=port)).read(SHORT))
    assert "no SSH banner came" in str(error)


def test_a_server_that_knows_only_weak_encryption_is_told(follow, make_sshd):
    server = make_sshd("Ciphers aes128-cbc,3des-cbc\n")
    with pytest.raises(Unreachable, match="no encryption that is still safe"):
        follow(server.host()).read()


def test_a_server_that_falls_silent_between_two_reads_is_left_at_the_deadline(follow, make_sshd, log):
    server = make_sshd()
    follower = follow(server.host())
    assert follower.lines() == b"one\n"
    append(log, b"two\n")
    server.pause()
    error = result_of(lambda: follower.read(SHORT))
    assert "no answer within 1 s while reading" in str(error)
    server.resume()
    assert follower.lines() == b"two\n"


def test_the_deadline_holds_wherever_the_connection_falls_silent(follow, sshd, proxy):
    follower = follow(sshd.host(port=proxy.port))
    follower.read()
    before = proxy.received
    follower.read()
    answer = proxy.received - before
    for quota in sorted({0, 20, 60, 100, 140, answer // 2, answer - 60, answer - 1}):
        proxy.quota = None
        follower.read()
        proxy.quota = quota
        error = result_of(lambda: follower.read(SHORT))
        assert "no answer within 1 s" in str(error) or not isinstance(error, Exception)
    proxy.quota = 20
    assert isinstance(result_of(lambda: follower.read(SHORT)), Unreachable)


def test_a_connection_that_falls_silent_in_the_middle_of_a_log_loses_nothing(follow, sshd, proxy, log):
    content = b"".join(b"%s\n" % os.urandom(40).hex().encode() for _ in range(12_000))
    log.write_bytes(content)
    follower = follow(sshd.host(port=proxy.port))
    proxy.quota = 300_000
    assert isinstance(result_of(lambda: follower.read(SHORT)), Unreachable)
    assert proxy.received >= 300_000
    proxy.quota = None
    assert follower.lines() == content


def test_a_connection_that_breaks_off_is_opened_anew_at_the_next_read(follow, sshd, proxy, log):
    follower = follow(sshd.host(port=proxy.port))
    follower.read()
    proxy.cut_connections()
    append(log, b"two\n")
    with contextlib.suppress(Unreachable):
        assert follower.lines() == b"two\n"
        return
    assert follower.lines() == b"two\n"


def test_a_restarted_server_is_read_again(follow, make_sshd, log):
    server = make_sshd()
    follower = follow(server.host())
    follower.read()
    server.stop()
    with pytest.raises(Unreachable):
        follower.read()
    append(log, b"two\n")
    server.start()
    assert follower.lines() == b"two\n"


def test_one_connection_serves_all_reads(follow, sshd, proxy, log):
    follower = follow(sshd.host(port=proxy.port))
    for _ in range(3):
        follower.read()
    assert proxy.connections == 1


def test_only_the_new_bytes_of_a_large_log_move(follow, sshd, proxy, log):
    with log.open("wb") as file:
        for _ in range(100):
            file.write(b"a line of a very long log, of 64 bytes with its line feed at end\n"[-64:] * (2**20 // 64))
    follower = follow(sshd.host(port=proxy.port), backfill=2**16)
    follower.read()
    sent, received = proxy.sent, proxy.received
    new = b"a new line of the log, and it is the only one that is to be moved" * 63 + b"\n"
    append(log, new)
    assert follower.lines() == new
    assert proxy.received - received < len(new) + 1500
    assert proxy.sent - sent < 4000


@pytest.mark.parametrize(("settings", "most"), [("", 3000), ("Compression no\n", 9000)])
def test_logs_travel_compressed_where_the_server_lets_them(follow, make_sshd, log, settings, most):
    server = make_sshd(settings)
    new = b"".join(
        b" [2026-11-24 09:52:%02d] iteration %8d/   10000 | lm loss: 2.3E+00 |\n" % (n, n) for n in range(60)
    )
    with contextlib.closing(Proxy(server.port)) as between:
        follower = follow(server.host(port=between.port))
        follower.read()
        before = between.sent + between.received
        append(log, new)
        assert follower.lines() == new
        assert between.sent + between.received - before < most


def test_a_host_behind_another_is_read_through_it(follow, sshd, make_sshd, log):
    bastion = make_sshd("AllowTcpForwarding yes\n")
    hosts = (sshd.host(jump="bastion"), bastion.host("bastion"))
    follower = follow(*hosts)
    assert follower.lines() == b"one\n"
    append(log, b"two\n")
    assert follower.lines() == b"two\n"


def test_the_host_key_behind_a_jump_host_is_checked_too(follow, sshd, make_sshd, tmp_path):
    stranger = make_key(tmp_path / "stranger").with_suffix(".pub").read_text()
    (tmp_path / "known_hosts").write_text(f"[{ADDRESS}]:* {stranger}")
    hosts = (sshd.host(jump="bastion", host_key=str(tmp_path / "known_hosts")), make_sshd().host("bastion"))
    with pytest.raises(HostKeyChanged, match="gpu-01"):
        follow(*hosts).read()


def test_a_jump_host_that_does_not_pass_on_is_told(follow, sshd, make_sshd):
    hosts = (sshd.host(jump="bastion"), make_sshd("AllowTcpForwarding no\n").host("bastion"))
    with pytest.raises(Unreachable, match=r"bastion .* does not pass us on to gpu-01"):
        follow(*hosts).read()


def test_a_jump_host_that_falls_silent_is_left_at_the_deadline(follow, sshd, make_sshd, log):
    bastion = make_sshd()
    follower = follow(sshd.host(jump="bastion"), bastion.host("bastion"))
    follower.read()
    bastion.pause()
    error = result_of(lambda: follower.read(SHORT))
    assert "no answer within 1 s" in str(error)
    bastion.resume()
    append(log, b"two\n")
    assert follower.lines() == b"two\n"


@pytest.mark.parametrize(("away", "said"), [("bastion", "bastion"), ("gpu-01", "")])
def test_an_error_says_which_host_on_the_way_failed_if_one_did(follow, sshd, make_sshd, away, said):
    hosts = {"gpu-01": sshd.host(jump="bastion"), "bastion": make_sshd().host("bastion")}
    hosts[away] = hosts[away].model_copy(update={"port": free_port()})
    error = result_of(follow(*hosts.values()).read)
    assert error.host == said


@pytest.mark.parametrize(("jump", "text"), [("gpu-01", "through itself"), ("nowhere", "not among the hosts")])
def test_jump_hosts_that_lead_nowhere_are_told(follow, sshd, jump, text):
    with pytest.raises(Unreachable, match=text):
        follow(sshd.host(jump=jump)).read()


def test_a_program_that_never_ends_is_stopped_at_the_deadline(follow, make_sshd, log):
    server = make_sshd("ForceCommand sleep 600\n")
    error = result_of(lambda: follow(server.host()).read(SHORT))
    assert "no answer within 1 s while reading" in str(error)


def test_endless_noise_is_cut_off(follow, make_sshd):
    server = make_sshd("ForceCommand yes\n")
    error = result_of(lambda: follow(server.host()).read(PATIENCE / 2))
    assert "printed more than" in str(error)


def test_closing_ends_a_read_under_way(follow, make_sshd):
    server = make_sshd("ForceCommand touch {folder}/begun; exec sleep 600\n")
    follower = follow(server.host())
    closer = threading.Thread(target=lambda: until((server.folder / "begun").exists) and follower.close())
    closer.start()
    error = result_of(lambda: follower.read(PATIENCE * 2))
    closer.join()
    assert "broke off while reading" in str(error)


def test_a_second_read_waits_for_the_first(sshd, log):
    reader = HostReader(sshd.host(), {})
    request = LogRequest("llama", (str(log),))
    readings = []
    threads = [threading.Thread(target=lambda: readings.append(reader.read([request]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader.close()
    assert [reading.logs[0].chunks[0].lines for reading in readings] == [b"one\n"] * 4


def resources():
    """Count SSH connections, threads and open files of this process."""
    threads = threading.enumerate()
    connections = [thread for thread in threads if isinstance(thread, paramiko.Transport)]
    return len(connections), len(threads), len(list(Path("/proc/self/fd").iterdir()))


def no_more_than(before, more_files=0):
    connections, threads, files = resources()
    return connections == 0 and threads <= before[1] and files <= before[2] + more_files


@pytest.mark.parametrize("trouble", ["wrong key", "silence", "refused", "unknown key", "weak"])
def test_failing_connects_leave_nothing_behind(sshd, log, tmp_path, trouble, make_sshd):
    with contextlib.ExitStack() as stack:
        changes = {
            "wrong key": lambda: {"keys": (str(make_key(tmp_path / "wrong")),)},
            "silence": lambda: {"port": stack.enter_context(listener(b"SSH-2.0-x\r\n"))},
            "refused": lambda: {"port": free_port()},
            "unknown key": lambda: {"host_key": os.devnull},
            "weak": lambda: {"port": make_sshd("Ciphers aes128-cbc\n").port},
        }[trouble]()
        before = resources()
        follower = Follower(sshd.host(**changes), patterns=[log])
        for _ in range(20):
            with pytest.raises(Unreachable):
                follower.read(0.3)
        # The listener keeps its own ends open. Below 15 s: paramiko's timers of failed handshakes live as long.
        until(lambda: no_more_than(before, more_files=20 if trouble == "silence" else 0), seconds=10)


def test_a_closed_reader_leaves_no_thread_and_no_socket(sshd, log):
    before = resources()
    follower = Follower(sshd.host(), patterns=[log])
    follower.read()
    assert not no_more_than(before)
    follower.close()
    until(lambda: no_more_than(before))


def is_gone(process):
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return True


def test_a_local_read_that_hangs_is_stopped_with_all_that_it_started(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    pids = tmp_path / "pids"
    (tools / "date").write_text(f"#!/bin/sh\nsleep 600 &\necho $$ $! > '{pids}'\nwait\n")
    (tools / "date").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    follower = Follower(Host(name="here", transport="local"), patterns=[tmp_path / "x"])
    error = result_of(lambda: follower.read(SHORT))
    assert str(error) == "this machine did not read its logs within 1 s"
    for process in pids.read_text().split():
        until(lambda process=process: is_gone(process))


def test_reading_this_machine_does_not_load_the_ssh_library():
    program = (
        "import sys; from monitor_core.collect import HostReader; from monitor_core.config.models import Host;"
        "HostReader(Host(name='here', transport='local'), {}).read([]); sys.exit('paramiko' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
