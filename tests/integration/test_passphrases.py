"""Passphrases of SSH keys: asked for once, at the start, of whoever is at the terminal."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from monitor_core.store.database import open_database
from tests.support.process import train
from tests.support.sshd import ADDRESS, make_key
from tests.support.terminal import ROOT, TRAINSTATUS, Terminal

PHRASE = "secret words"


@pytest.fixture
def locked(tmp_path):
    return make_key(tmp_path / "locked", passphrase=PHRASE)


@pytest.fixture
def write(make_sshd, tmp_path, locked):
    """Write a configuration of three hosts that take the locked key, and the log of each."""

    def write(more=""):
        server = make_sshd()
        (server.folder / "authorized_keys").write_text((tmp_path / "locked.pub").read_text())
        host = f"address: {ADDRESS}, port: {server.port}, host_key: {server.known_hosts}, keys: {locked}{more}"
        names = ("gpu-01", "gpu-02", "gpu-03")
        text = f"database: sqlite:///{tmp_path}/t.db\ndefaults: {{check_interval: 1s}}\nhosts:\n"
        text += "".join(f"  {name}: {{{host}}}\n" for name in names) + "runs:\n"
        text += "".join(f"  run-{name}: {{host: {name}, logs: {tmp_path}/{name}.log}}\n" for name in names)
        (tmp_path / "trainstatus.yaml").write_text(text)
        for name in names:
            train(tmp_path / f"{name}.log", time.time())

    return write


def test_a_passphrase_is_asked_for_once_for_all_hosts(write, tmp_path, locked):
    write()
    terminal = Terminal("check", folder=tmp_path)
    terminal.wait_for(f"Passphrase of {locked}")
    terminal.type(PHRASE)
    assert terminal.end() == 0
    assert terminal.said.count("Passphrase of") == 1
    assert terminal.said.count("OK run-gpu-0") == 3
    assert PHRASE not in terminal.said


def test_the_monitor_asks_before_it_begins(write, tmp_path, locked):
    write()
    for name in ("gpu-01", "gpu-02", "gpu-03"):
        (tmp_path / f"{name}.log").unlink()
        train(tmp_path / f"{name}.log", time.time() - 1500)
    terminal = Terminal("run", folder=tmp_path)
    terminal.wait_for(f"Passphrase of {locked}")
    terminal.type(PHRASE)
    terminal.wait_for("STUCK", 3)
    assert terminal.end(signal.SIGTERM) == 0
    assert terminal.said.count("Passphrase of") == 1
    assert "no answer" not in terminal.said
    assert PHRASE not in terminal.said
    assert PHRASE.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("t.db*"))


def test_a_wrong_passphrase_is_told_and_asked_for_again(write, tmp_path, locked):
    write()
    terminal = Terminal("check", "run-gpu-01", folder=tmp_path)
    terminal.wait_for("Passphrase of")
    terminal.type("other words")
    terminal.wait_for(f"That is not the passphrase of {locked}.")
    terminal.wait_for("Passphrase of", 2)
    terminal.type(PHRASE)
    assert terminal.end() == 0
    assert "OK run-gpu-01" in terminal.said


def test_who_types_nothing_goes_on_without(write, tmp_path, locked):
    write()
    terminal = Terminal("check", folder=tmp_path)
    terminal.wait_for("Passphrase of")
    terminal.type("")
    assert terminal.end() == 3
    assert terminal.said.count("Passphrase of") == 1
    assert f"{locked} (has a passphrase: add it to an SSH agent" in terminal.said.replace("\n", " ")


def test_nobody_is_asked_for_a_key_that_the_agent_holds(write, tmp_path, locked):
    write()
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    while not socket.exists():
        assert agent.poll() is None
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\necho '{PHRASE}'\n")
    ask.chmod(0o755)
    environment = {"SSH_AUTH_SOCK": str(socket), "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", "-q", locked], check=True, env=environment, stdin=subprocess.DEVNULL)
    terminal = Terminal("check", folder=tmp_path, SSH_AUTH_SOCK=str(socket))
    assert terminal.end() == 0
    agent.terminate()
    agent.wait()
    assert "Passphrase of" not in terminal.said


def test_nobody_is_asked_for_what_the_configuration_names(write, tmp_path):
    write(", passphrase: env:SSH_PHRASE")
    terminal = Terminal("check", folder=tmp_path, SSH_PHRASE=PHRASE)
    assert terminal.end() == 0
    assert "Passphrase of" not in terminal.said
    assert terminal.said.count("OK run-gpu-0") == 3


def test_without_a_terminal_nobody_is_asked_and_it_is_said_what_to_do(write, tmp_path, monkeypatch):
    write()
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("PYTHONPATH", ROOT)
    command = [*TRAINSTATUS, "check"]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3
    assert "add it to an SSH agent, or name it as `passphrase` in the configuration" in done.stdout


def test_a_verb_that_looks_at_no_host_needs_no_passphrase(write, tmp_path):
    write(", passphrase: env:SSH_PHRASE")
    open_database(f"sqlite:///{tmp_path}/t.db").dispose()
    terminal = Terminal("status", folder=tmp_path)
    assert terminal.end() == 0
