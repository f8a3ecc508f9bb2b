"""What ~/.ssh/config says holds, unless the configuration says otherwise."""

from __future__ import annotations

import getpass
import shutil
import time
from pathlib import Path

import pytest

from monitor_core.collect.hops import route
from monitor_core.collect.ssh_config import Question, read
from monitor_core.config.models import Host
from monitor_core.errors import HostKeyChanged, Unreachable
from tests.support.follower import Follower
from tests.support.sshd import ADDRESS, make_key, until

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="there is no ssh here")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def ssh_config(tmp_path):
    """Write an ssh_config and return its path."""

    def write(text, name="config"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def read_from(log):
    """Read the log once from the first of some hosts and return its lines."""

    def once(*hosts):
        follower = Follower(*hosts, patterns=[log])
        try:
            return follower.lines()
        finally:
            follower.close()

    return once


def block(sshd, name="gpu-01"):
    return (
        f"Host {name}\n HostName {ADDRESS}\n Port {sshd.port}\n User {getpass.getuser()}\n"
        f" IdentityFile {sshd.key}\n UserKnownHostsFile {sshd.known_hosts}\n"
    )


def way(host, **others):
    return route(host, {host.name: host, **others}, ends_at=time.monotonic() + 10)


def test_a_host_of_which_nothing_is_configured_is_reached_by_its_alias(read_from, sshd, ssh_config):
    assert read_from(Host(name="gpu-01", ssh_config=ssh_config(block(sshd)))) == b"one\n"


def test_an_address_may_be_an_alias(read_from, sshd, ssh_config):
    assert read_from(Host(name="trainer", address="gpu-01", ssh_config=ssh_config(block(sshd)))) == b"one\n"


def test_included_files_and_conditions_hold(read_from, sshd, ssh_config):
    included = ssh_config(f"Match originalhost gpu-01 exec true\n Port {sshd.port}\n", "included")
    others = "Match originalhost gpu-01 exec false\n User nobody-at-all\n"
    text = f"Include {included}\n{others}" + block(sshd).replace(f" Port {sshd.port}\n", "")
    assert read_from(Host(name="gpu-01", ssh_config=ssh_config(text))) == b"one\n"


def test_what_is_configured_comes_first(sshd, ssh_config):
    path = ssh_config(block(sshd) + " HostKeyAlias trainer\n")
    told = way(Host(name="gpu-01", ssh_config=path))[0]
    assert (told.address, told.port, told.known_as) == (ADDRESS, sshd.port, "trainer")
    assert (told.keys, told.known_hosts[0]) == ((str(sshd.key),), str(sshd.known_hosts))
    own = {"user": "me", "port": 2222, "keys": ("/k",), "host_key": "/known"}
    ours = way(Host(name="gpu-01", ssh_config=path, **own))[0]
    assert (ours.user, ours.port, ours.keys, ours.known_hosts) == ("me", 2222, ("/k",), ("/known",))


def test_a_port_that_is_configured_holds_though_it_is_the_usual_one(ssh_config, sshd):
    path = ssh_config(block(sshd))
    assert way(Host(name="gpu-01", ssh_config=path, port=22))[0].port == 22


def test_the_conditions_see_the_user_that_is_configured(ssh_config):
    path = ssh_config("Match user me\n Port 2222\nMatch user you\n Port 3333\n")
    assert way(Host(name="gpu-01", ssh_config=path, user="you"))[0].port == 3333


def test_tokens_are_put_in(ssh_config):
    text = "Host gpu-*\n User me\n Port 2222\n HostName %h.example.com\n IdentityFile /keys/%r@%n:%p%%\n"
    hop = way(Host(name="gpu-01", ssh_config=ssh_config(text)))[0]
    assert hop.address == "gpu-01.example.com"
    assert hop.keys == ("/keys/me@gpu-01:2222%",)


def test_without_it_nothing_is_taken_from_it(ssh_config):
    hop = way(Host(name="gpu-01", ssh_config=False))[0]
    assert (hop.address, hop.port, hop.user, hop.known_as) == ("gpu-01", 22, getpass.getuser(), "gpu-01")
    assert [name.rpartition("/")[2] for name in hop.known_hosts[:2]] == ["known_hosts", "known_hosts2"]


def test_a_host_is_known_by_its_alias(read_from, sshd, ssh_config, tmp_path):
    known = tmp_path / "known_hosts"
    known.write_text(f"trainer {sshd.host_key}\n")
    text = block(sshd).replace(str(sshd.known_hosts), str(known))
    with pytest.raises(Unreachable, match="is not known"):
        read_from(Host(name="gpu-01", ssh_config=ssh_config(text)))
    assert read_from(Host(name="gpu-01", ssh_config=ssh_config(text + " HostKeyAlias trainer\n"))) == b"one\n"


def test_the_check_of_host_keys_is_never_weakened(read_from, sshd, ssh_config, tmp_path):
    stranger = make_key(tmp_path / "stranger").with_suffix(".pub").read_text()
    known = tmp_path / "known_hosts"
    text = block(sshd).replace(str(sshd.known_hosts), str(known)) + " StrictHostKeyChecking no\n"
    with pytest.raises(Unreachable, match="is not known"):
        read_from(Host(name="gpu-01", ssh_config=ssh_config(text)))
    known.write_text(f"[{ADDRESS}]:* {stranger}")
    with pytest.raises(HostKeyChanged):
        read_from(Host(name="gpu-01", ssh_config=ssh_config(text)))


def test_an_edit_takes_effect_with_the_next_connection(log, sshd, ssh_config):
    path = ssh_config(block(sshd).replace(f"Port {sshd.port}", "Port 1"))
    follower = Follower(Host(name="gpu-01", ssh_config=path), patterns=[log])
    with pytest.raises(Unreachable):
        follower.read()
    ssh_config(block(sshd))
    assert follower.lines() == b"one\n"
    follower.close()


def test_a_condition_that_hangs_is_left_at_the_deadline_with_all_that_it_started(log, ssh_config, tmp_path):
    pid = tmp_path / "pid"
    path = ssh_config(f'Match exec "echo $$ > {pid}; sleep 600; true"\n Port 2222\n')
    follower = Follower(Host(name="gpu-01", ssh_config=path), patterns=[log])
    with pytest.raises(Unreachable, match=r"`ssh -G gpu-01` gave no answer within .* does a `Match exec` .* hang"):
        follower.read(1.0)
    until(lambda: is_gone(pid.read_text().strip()))


def is_gone(process):
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("text", "said"),
    [("Hots gpu-01\n", "line 1: Bad configuration option: hots"), ("Host *\n ProxyJump gpu-01\n", "loop via gpu-01")],
)
def test_what_ssh_refuses_is_told_in_its_words(ssh_config, text, said):
    with pytest.raises(Unreachable, match=said):
        way(Host(name="gpu-01", ssh_config=ssh_config(text)))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Unreachable, match="No such file"):
        way(Host(name="gpu-01", ssh_config=str(tmp_path / "none")))


# where there is no program `ssh`


def test_without_ssh_the_file_is_read_all_the_same(ssh_config):
    path = ssh_config("Host gpu-*\n HostName 192.0.2.1\n User me\n Port 2222\n IdentityFile /a\n IdentityFile /b\n")
    options = read(Question("gpu-01", path))
    assert [options[name] for name in ("hostname", "user", "port")] == [["192.0.2.1"], ["me"], ["2222"]]
    assert options["identityfile"] == ["/a", "/b"]


@pytest.mark.parametrize("line", ["Include other", "Match host gpu-01", "  match final all"])
def test_without_ssh_what_would_be_misread_is_told(ssh_config, line):
    path = ssh_config(f"Host gpu-01\n{line}\n User me\n")
    with pytest.raises(Unreachable, match=f"{path}:2 has `{line.split()[0]}`.*install openssh-client"):
        read(Question("gpu-01", path))


def test_without_ssh_a_file_that_is_no_text_of_that_kind_is_told(ssh_config):
    with pytest.raises(Unreachable, match="cannot be understood"):
        read(Question("gpu-01", ssh_config("Host gpu-01\nnonsense\n")))


def test_without_ssh_and_without_the_file_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(Question("gpu-01")) == {}
    with pytest.raises(Unreachable, match="cannot be read: No such file"):
        read(Question("gpu-01", str(tmp_path / "none")))
