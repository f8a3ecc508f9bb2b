"""How hosts are reached through others, and how many connections that takes."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

from monitor_core.collect.hops import route
from monitor_core.collect.network import Network
from monitor_core.config.models import Host
from monitor_core.errors import HostKeyChanged, Unreachable
from tests.support.follower import Follower
from tests.support.proxy import Proxy
from tests.support.sshd import ADDRESS, make_key, until

needs_ssh = pytest.mark.skipif(not shutil.which("ssh"), reason="there is no ssh here")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def follow(log, network):
    """Read the log from the first of some hosts; all readers of one test share a network."""
    followers = []

    def start(*hosts):
        followers.append(Follower(*hosts, patterns=[log], network=network))
        return followers[-1]

    yield start
    for follower in followers:
        follower.close()


@pytest.fixture
def ssh_config(tmp_path):
    def write(text):
        (tmp_path / "config").write_text(text)
        return str(tmp_path / "config")

    return write


@pytest.fixture
def counted(make_sshd):
    """Start a server behind a proxy that counts who comes."""
    proxies = []

    def make(settings=""):
        server = make_sshd(settings)
        proxies.append(Proxy(server.port))
        return server, proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


def all_at_once(followers, deadline=20.0):
    """Let all read at the same time; return what each got, a sentence where it got nothing."""
    together = threading.Barrier(len(followers))

    def read(follower):
        together.wait()
        try:
            return b"".join(chunk.lines for chunk in follower.read(deadline).chunks)
        except (Unreachable, HostKeyChanged) as error:
            return str(error)

    with ThreadPoolExecutor(len(followers)) as pool:
        return list(pool.map(read, followers))


def connections():
    return len([thread for thread in threading.enumerate() if isinstance(thread, paramiko.Transport)])


def block(name, server, more=""):
    return (
        f"Host {name}\n HostName {ADDRESS}\n Port {server.port}\n User {getpass.getuser()}\n"
        f" IdentityFile {server.key}\n UserKnownHostsFile {server.known_hosts}\n{more}\n"
    )


# the way


def test_a_host_is_reached_over_several_hops(follow, make_sshd):
    outer, inner, server = make_sshd(), make_sshd(), make_sshd()
    hosts = (server.host(jump="outer, inner"), outer.host("outer"), inner.host("inner"))
    assert follow(*hosts).lines() == b"one\n"
    inner.stop()
    with pytest.raises(Unreachable, match=r"outer .* does not pass us on to inner|broke off"):
        follow(*hosts).read()
    with pytest.raises(Unreachable, match=r"through inner .*outer .* does not pass us on to inner"):
        follow(*hosts).read()


def test_the_jump_of_a_jump_counts(follow, make_sshd):
    outer, inner, server = make_sshd(), make_sshd(), make_sshd()
    hosts = (server.host(jump="inner"), inner.host("inner", jump="outer"), outer.host("outer"))
    assert follow(*hosts).lines() == b"one\n"
    outer.stop()
    with pytest.raises(Unreachable, match="outer"):
        follow(*hosts).read()


@needs_ssh
def test_the_jumps_of_ssh_config_are_taken(follow, make_sshd, ssh_config):
    outer, inner, server = make_sshd(), make_sshd(), make_sshd()
    hop = f"{getpass.getuser()}@{ADDRESS}:{inner.port}"
    text = block("gpu-01", server, f" ProxyJump outer,{hop}") + block("outer", outer) + block(ADDRESS, inner)
    host = Host(name="gpu-01", ssh_config=ssh_config(text))
    names = [(hop.name, hop.port) for hop in route(host, {}, ends_at=time.monotonic() + 10)]
    assert names == [("outer", outer.port), (ADDRESS, inner.port), ("gpu-01", server.port)]
    assert follow(host).lines() == b"one\n"


@needs_ssh
def test_a_jump_of_ssh_config_that_is_configured_is_the_configured_one(make_sshd, ssh_config):
    host = Host(name="gpu-01", ssh_config=ssh_config("Host gpu-01\n ProxyJump you@bastion:2222\n"))
    bastion = Host(name="bastion", address="192.0.2.254", user="me")
    hop = route(host, {"bastion": bastion}, ends_at=time.monotonic() + 10)[0]
    assert (hop.address, hop.user, hop.port) == ("192.0.2.254", "me", 2222)


@needs_ssh
@pytest.mark.parametrize("text", ["ProxyJump bastion", "ProxyCommand false"])
def test_a_jump_that_is_configured_replaces_those_of_ssh_config(follow, make_sshd, ssh_config, text):
    server = make_sshd()
    path = ssh_config(block("gpu-01", server, f" {text}"))
    assert follow(Host(name="gpu-01", ssh_config=path, jump="none")).lines() == b"one\n"
    other = make_sshd().host("other")
    assert follow(Host(name="gpu-01", ssh_config=path, jump="other"), other).lines() == b"one\n"


@needs_ssh
@pytest.mark.parametrize(
    "text",
    [
        "Host gpu-01\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump gpu-01\n",
        "Host gpu-01\n ProxyJump a,b\nHost a\n ProxyJump b\n",
    ],
)
def test_jumps_of_ssh_config_that_go_in_a_circle_are_told(ssh_config, text):
    with pytest.raises(Unreachable, match="through itself"):
        route(Host(name="gpu-01", ssh_config=ssh_config(text)), {}, ends_at=time.monotonic() + 10)


@needs_ssh
def test_jumps_without_end_are_told(ssh_config):
    host = Host(name="gpu-01", ssh_config=ssh_config("Host *\n ProxyJump x%h\n"))
    with pytest.raises(Unreachable, match="over more than 8 hosts"):
        route(host, {}, ends_at=time.monotonic() + 10)


def test_the_key_of_each_host_on_the_way_is_checked(follow, make_sshd, tmp_path):
    outer, inner, server = make_sshd(), make_sshd(), make_sshd()
    stranger = make_key(tmp_path / "stranger").with_suffix(".pub").read_text()
    inner.known_hosts.write_text(f"[{ADDRESS}]:* {stranger}")
    hosts = (server.host(jump="outer,inner"), outer.host("outer"), inner.host("inner"))
    with pytest.raises(HostKeyChanged, match=r"^through inner .*: inner .* shows the host key") as changed:
        follow(*hosts).read()
    assert changed.value.fingerprint == inner.fingerprint


# a command as the way


@needs_ssh
def test_a_proxy_command_is_the_way(follow, sshd, ssh_config, tmp_path):
    script = tmp_path / "way.py"
    script.write_text(NETCAT)
    path = ssh_config(block("gpu-01", sshd, f" ProxyCommand {sys.executable} {script} %h %p"))
    follower = follow(Host(name="gpu-01", ssh_config=path))
    assert follower.lines() == b"one\n"
    assert follower.lines() == b""
    assert len(running(script)) == 1
    follower.close()
    until(lambda: not running(script))


NETCAT = """\
import os, socket, sys, threading

def up():
    while data := os.read(0, 65536):
        peer.sendall(data)

peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))
threading.Thread(target=up, daemon=True).start()
while data := peer.recv(65536):
    os.write(1, data)
"""


def running(what):
    """Return the command lines in which something stands."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(entry.read_text())
    return [each for each in found if str(what) in each]


@needs_ssh
def test_a_proxy_command_that_fails_is_told(follow, sshd, ssh_config):
    path = ssh_config(block("gpu-01", sshd, " ProxyCommand no-such-program-at-all"))
    with pytest.raises(Unreachable, match=r"the ProxyCommand of gpu-01 .* ended before an SSH banner came"):
        follow(Host(name="gpu-01", ssh_config=path)).read(3.0)


@needs_ssh
def test_a_proxy_command_that_hangs_is_ended_at_the_deadline(follow, sshd, ssh_config, tmp_path):
    silent = tmp_path / "silent"
    silent.touch()
    path = ssh_config(block("gpu-01", sshd, f" ProxyCommand tail -f {silent}"))
    with pytest.raises(Unreachable, match="no answer within 1 s while agreeing"):
        follow(Host(name="gpu-01", ssh_config=path)).read(1.0)
    until(lambda: not running(silent))


@needs_ssh
def test_a_proxy_command_that_hands_over_a_connection_is_not_supported(follow, sshd, ssh_config):
    path = ssh_config(block("gpu-01", sshd, " ProxyCommand x\n ProxyUseFdpass yes"))
    with pytest.raises(Unreachable, match=r"ProxyUseFdpass.* is not supported: use ProxyJump"):
        follow(Host(name="gpu-01", ssh_config=path)).read()


# what is shared


def test_many_hosts_behind_one_share_one_connection_to_it(follow, counted, sshd):
    bastion, proxy = counted("MaxSessions 1\n")
    hosts = [sshd.host(f"gpu-{number:02}", jump="bastion") for number in range(12)]
    followers = [follow(host, bastion.host("bastion", port=proxy.port)) for host in hosts]
    assert all_at_once(followers) == [b"one\n"] * 12
    assert proxy.connections == 1


def test_who_closes_leaves_the_shared_connection_to_the_others(follow, counted, sshd, log):
    bastion, proxy = counted()
    jump = bastion.host("bastion", port=proxy.port)
    one, other = (follow(sshd.host(name, jump="bastion"), jump) for name in ("gpu-01", "gpu-02"))
    assert all_at_once([one, other]) == [b"one\n"] * 2
    one.close()
    log.write_bytes(b"one\ntwo\n")
    assert other.lines() == b"two\n"
    assert one.lines() == b"two\n"
    assert proxy.connections == 1


def test_the_last_one_closes_the_shared_connection(follow, counted, sshd):
    bastion, proxy = counted()
    hosts = [sshd.host(name, jump="bastion") for name in ("gpu-01", "gpu-02")]
    followers = [follow(host, bastion.host("bastion", port=proxy.port)) for host in hosts]
    all_at_once(followers)
    for follower in followers:
        follower.close()
    until(lambda: not connections())
    assert followers[0].lines() == b""
    assert proxy.connections == 2


def test_a_shared_connection_that_breaks_is_opened_once_for_all(follow, counted, sshd):
    bastion, proxy = counted()
    jump = bastion.host("bastion", port=proxy.port)
    followers = [follow(sshd.host(f"gpu-{number}", jump="bastion"), jump) for number in range(6)]
    assert all_at_once(followers) == [b"one\n"] * 6
    proxy.cut_connections()
    until(lambda: not connections())
    assert all_at_once(followers) == [b""] * 6
    assert proxy.connections == 2


def test_the_failure_of_a_shared_host_is_told_for_each(follow, sshd, make_sshd):
    bastion = make_sshd()
    jump = bastion.host("bastion")
    bastion.stop()
    followers = [follow(sshd.host(f"gpu-{number}", jump="bastion"), jump) for number in range(4)]
    place = f"{ADDRESS}:{bastion.port}"
    told = f"through bastion ({place}): connection refused by {place}: no SSH server listens there"
    assert all_at_once(followers) == [told] * 4


def test_closing_one_does_not_end_what_another_waits_for(follow, network, counted, sshd):
    bastion, proxy = counted()
    proxy.quota = 0
    jump = bastion.host("bastion", port=proxy.port)
    one, other = (follow(sshd.host(name, jump="bastion"), jump) for name in ("gpu-01", "gpu-02"))
    with ThreadPoolExecutor(2) as pool:
        reads = [pool.submit(all_at_once, [follower]) for follower in (one, other)]
        until(lambda: [bastion.users for bastion in network._bastions.values()] == [2])
        one.close()
        assert "the connection broke off while waiting for the connection through bastion" in reads[0].result()[0]
        proxy.quota = None
        assert reads[1].result() == [b"one\n"]
    assert proxy.connections == 1


def test_a_host_behind_a_silent_one_is_left_at_its_deadline_and_the_silent_one_for_all(follow, make_sshd, counted, log):
    bastion, proxy = counted()
    server = make_sshd()
    jump = bastion.host("bastion", port=proxy.port)
    one, other = (follow(server.host(name, jump="bastion"), jump) for name in ("gpu-01", "gpu-02"))
    all_at_once([one, other])
    bastion.pause()
    assert "no answer within 1 s" in all_at_once([one], deadline=1.0)[0]
    assert "broke off" in all_at_once([other], deadline=30.0)[0]
    bastion.resume()
    log.write_bytes(b"one\ntwo\n")
    assert all_at_once([one, other]) == [b"two\n"] * 2
    assert proxy.connections == 2


def test_one_slow_host_does_not_cost_the_others_their_way(follow, counted, sshd, make_sshd):
    bastion, proxy = counted()
    jump = bastion.host("bastion", port=proxy.port)
    silent = make_sshd()
    good, bad = follow(sshd.host("gpu-01", jump="bastion"), jump), follow(silent.host("gpu-02", jump="bastion"), jump)
    good.read()
    silent.pause()
    assert "no answer within 1 s" in all_at_once([bad], deadline=1.0)[0]
    until(lambda: "ping" not in [thread.name for thread in threading.enumerate()])
    assert good.lines() == b""
    assert proxy.connections == 1


# few sessions, few logins at once


def test_a_server_that_allows_one_session_is_read_again_and_again(follow, make_sshd):
    follower = follow(make_sshd("MaxSessions 1\n").host())
    assert [follower.lines() for _ in range(3)] == [b"one\n", b"", b""]


def test_a_server_that_takes_one_login_at_a_time_is_waited_for(follow, network, make_sshd):
    server = make_sshd("MaxStartups 1:100:2\n")
    followers = [follow(server.host(f"gpu-{number}")) for number in range(8)]
    with until(lambda: occupied(server)) as stranger, ThreadPoolExecutor(1) as pool:
        reads = pool.submit(all_at_once, followers)
        until(lambda: network._narrow)
        stranger.close()
        assert reads.result() == [b"one\n"] * 8


def test_to_a_machine_that_has_dropped_connections_one_at_a_time_logs_in(network):
    def turn(machine, seconds):
        return network.turn(machine, time.monotonic() + seconds, lambda: False)

    network.narrow("gpu-01")
    for machine, free in (("gpu-01", False), ("gpu-02", True)):
        with turn(machine, 10), contextlib.nullcontext() if free else pytest.raises(TimeoutError), turn(machine, 0.01):
            pass
    with turn("gpu-01", 10):
        pass


def occupied(server):
    """Return a connection that takes the place of a login; None while it is taken."""
    connection = socket.create_connection((ADDRESS, server.port))
    if connection.recv(4) == b"SSH-":
        return connection
    connection.close()
    return None


def test_no_more_than_four_log_in_to_a_machine_at_once(follow, make_sshd):
    server = make_sshd()
    proxy = Proxy(server.port)
    proxy.quota = 0
    followers = [follow(server.host(f"gpu-{number}", port=proxy.port)) for number in range(8)]
    with ThreadPoolExecutor(1) as pool:
        reads = pool.submit(all_at_once, followers)
        until(lambda: connections() == 4)
        assert proxy.connections <= 4
        proxy.quota = None
        assert reads.result() == [b"one\n"] * 8
    proxy.close()


def test_who_closes_the_connection_before_the_banner_is_told_so(follow, sshd):
    with socket.create_server((ADDRESS, 0)) as server:

        def hang_up():
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(Unreachable, match=r"closed the connection before an SSH banner came.*MaxStartups"):
            follow(sshd.host(port=server.getsockname()[1])).read()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
