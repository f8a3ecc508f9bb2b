"""The verb hostkeys: what is known, and how a key becomes known."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from monitor_core.cli import main
from tests.support.sshd import ADDRESS, make_key, until
from tests.support.terminal import Terminal

QUESTION = re.compile(r"\(yes/no/\[fingerprint\]\)\? |Type yes, no or the fingerprint: ")


@pytest.fixture
def known(tmp_path):
    return tmp_path / ".ssh" / "known_hosts"


@pytest.fixture
def write(tmp_path, monkeypatch, known):
    """Write a configuration of hosts; the first is that of the one run."""
    monkeypatch.chdir(tmp_path)

    def write(**hosts):
        text = f"database: sqlite:///{tmp_path}/t.db\nhosts:\n"
        for name, (server, more) in hosts.items():
            place = f"address: {ADDRESS}, port: {server.port}, user: {server.host().user}, keys: {server.key}"
            config = "" if "ssh_config" in more else ", ssh_config: false"
            text += f"  {name}: {{{place}, agent: false, host_key: {known}{config}{more}}}\n"
        first = next(iter(hosts))
        text += f"runs:\n  llama: {{host: {first}, logs: /data/train.log}}\n"
        (tmp_path / "trainstatus.yaml").write_text(text)

    return write


@pytest.fixture
def shell(capsys):
    """Type a command; return exit status, standard output, standard error."""

    def shell(*words):
        capsys.readouterr()
        status = main(words)
        return status, *capsys.readouterr()

    return shell


@pytest.fixture
def answer(tmp_path):
    """Type `hostkeys add HOST` and then each answer; return exit status and what was shown."""

    def answer(host, *answers):
        terminal = Terminal("hostkeys", "add", host, folder=tmp_path)
        for number, typed in enumerate(answers, 1):
            until(lambda number=number: len(QUESTION.findall(terminal.said)) == number)
            terminal.type(typed)
        return terminal.end(), terminal.said

    return answer


def test_a_key_is_shown_and_after_a_yes_written_and_believed(write, sshd, known, answer, tmp_path):
    write(gpu=(sshd, ""))
    status, said = answer("gpu", "yes")
    assert status == 0
    assert f"gpu ({ADDRESS}:{sshd.port}) shows ssh-ed25519 {sshd.fingerprint}" in said
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in said
    assert f"Written to {known}" in said
    assert known.read_text() == f"[{ADDRESS}]:{sshd.port} {sshd.host_key}\n"
    assert (known.stat().st_mode & 0o777, known.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    status, said = answer("gpu")
    assert status == 0
    assert f"It is known: key in {known}:1" in said


def test_the_fingerprint_is_as_good_as_a_yes(write, sshd, known, answer):
    write(gpu=(sshd, ""))
    status, said = answer("gpu", "what?", sshd.fingerprint)
    assert status == 0
    assert "Type yes, no or the fingerprint" in said
    assert known.exists()


def test_after_a_no_nothing_is_written(write, sshd, known, answer):
    write(gpu=(sshd, ""))
    status, said = answer("gpu", "no")
    assert status == 1
    assert "Nothing was written" in said
    assert not known.exists()


def test_without_a_terminal_nothing_is_believed(write, sshd, known, shell):
    write(gpu=(sshd, ""))
    status, out, said = shell("hostkeys", "add", "gpu")
    assert (status, known.exists()) == (1, False)
    assert sshd.fingerprint in out
    assert "--fingerprint SHA256:" in said


def test_a_script_gives_the_fingerprint(write, sshd, known, shell):
    write(gpu=(sshd, ""))
    other = "SHA256:" + "A" * 43
    status, _, said = shell("hostkeys", "add", "gpu", "--fingerprint", other)
    assert (status, known.exists()) == (1, False)
    assert f"That is not {other}" in said
    assert shell("hostkeys", "add", "gpu", "--fingerprint", sshd.fingerprint)[0] == 0
    assert known.read_text() == f"[{ADDRESS}]:{sshd.port} {sshd.host_key}\n"


def test_each_host_on_the_way_is_asked_for_and_then_logged_in_to(write, sshd, make_sshd, known, answer):
    bastion = make_sshd()
    write(gpu=(sshd, ", jump: bastion"), bastion=(bastion, ""))
    status, said = answer("gpu", "no")
    assert (status, sshd.fingerprint in said) == (1, False)
    status, said = answer("gpu", "yes", "yes")
    assert status == 0
    first, second = said.index(bastion.fingerprint), said.index(sshd.fingerprint)
    assert first < second
    assert f"gpu ({ADDRESS}:{sshd.port}) through bastion ({ADDRESS}:{bastion.port}) shows" in said
    assert known.read_text().count("\n") == 2


def test_where_another_key_is_known_nothing_is_asked_and_it_is_said_what_to_do(write, sshd, known, shell, tmp_path):
    write(gpu=(sshd, ""))
    known.parent.mkdir(mode=0o700)
    stranger = " ".join(make_key(tmp_path / "stranger").with_suffix(".pub").read_text().split()[:2])
    before = f"# mine\n[{ADDRESS}]:{sshd.port} {stranger}\n"
    known.write_text(before)
    status, _, said = shell("hostkeys", "add", "gpu", "--fingerprint", sshd.fingerprint)
    assert status == 1
    assert f"({known}:2)" in said
    assert f"ssh-keygen -f {known} -R '[{ADDRESS}]:{sshd.port}'" in said
    assert known.read_text() == before


def test_the_name_is_hashed_where_ssh_config_says_so(write, sshd, known, shell, tmp_path):
    config = tmp_path / "config"
    config.write_text("HashKnownHosts yes\n")
    write(gpu=(sshd, f", ssh_config: {config}"))
    assert shell("hostkeys", "add", "gpu", "--fingerprint", sshd.fingerprint)[0] == 0
    assert known.read_text().startswith("|1|")
    assert ADDRESS not in known.read_text()
    found = subprocess.run(
        ["ssh-keygen", "-F", f"[{ADDRESS}]:{sshd.port}", "-f", known], check=True, capture_output=True
    )
    assert sshd.host_key.split()[1] in found.stdout.decode()
    assert "It is known" in shell("hostkeys", "add", "gpu")[1]


def test_a_file_whose_last_line_is_not_ended_loses_nothing(write, sshd, known, shell):
    write(gpu=(sshd, ""))
    known.parent.mkdir(mode=0o700)
    known.write_text("# the last line")
    assert shell("hostkeys", "add", "gpu", "--fingerprint", sshd.fingerprint)[0] == 0
    assert known.read_text() == f"# the last line\n[{ADDRESS}]:{sshd.port} {sshd.host_key}\n"


def test_a_file_that_cannot_be_written_is_told(write, sshd, known, shell):
    write(gpu=(sshd, ""))
    known.mkdir(parents=True)
    status, _, said = shell("hostkeys", "add", "gpu", "--fingerprint", sshd.fingerprint)
    assert status == 1
    assert f"{known} cannot be written: Is a directory" in said


def test_a_host_that_cannot_be_reached_is_refused_with_the_reason(write, make_sshd, shell):
    server = make_sshd()
    write(gpu=(server, ""))
    server.stop()
    status, _, said = shell("hostkeys", "add", "gpu")
    assert status == 1
    assert "no SSH server listens there" in said


@pytest.mark.parametrize(("words", "said"), [((), "hostkeys add HOST"), (("gpu-9",), "No host named gpu-9")])
def test_a_host_has_to_be_named(write, sshd, shell, words, said):
    write(gpu=(sshd, ""))
    status, _, told = shell("hostkeys", "add", *words)
    assert status == 2
    assert said in told


def test_what_is_known_is_listed_for_each_host(write, sshd, make_sshd, known, shell, tmp_path):
    bastion = make_sshd()
    write(gpu=(sshd, ", jump: bastion"), bastion=(bastion, ""))
    known.parent.mkdir(mode=0o700)
    authority = " ".join(make_key(tmp_path / "authority").with_suffix(".pub").read_text().split()[:2])
    known.write_text(f"[{ADDRESS}]:{sshd.port} {sshd.host_key}\n@cert-authority [127.*]:{sshd.port} {authority}\n")
    status, out, _ = shell("hostkeys")
    assert status == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    place = f"{ADDRESS}:{sshd.port}"
    assert f"gpu {place} key ssh-ed25519 {sshd.fingerprint} {known}:1" in lines
    assert [line for line in lines if line.startswith(f"gpu {place} authority ssh-ed25519 SHA256:")]
    assert f"bastion {ADDRESS}:{bastion.port} not known add it: trainstatus hostkeys add bastion" in lines
    status, out, _ = shell("hostkeys", "list", "gpu", "--json")
    found = {host["host"]: host for host in json.loads(out)}
    assert [key["role"] for key in found["gpu"]["keys"]] == ["key", "authority"]
    assert found["gpu"]["keys"][0]["fingerprint"] == sshd.fingerprint
    name = f"[{ADDRESS}]:{bastion.port}"
    expected = {"host": "bastion", "address": ADDRESS, "port": bastion.port, "known_as": name, "keys": []}
    assert found["bastion"] == expected


def test_a_host_alone_is_listed(write, sshd, shell):
    write(gpu=(sshd, ""), other=(sshd, ""))
    assert shell("hostkeys", "gpu") == shell("hostkeys", "list", "gpu")
    assert shell("hostkeys", "gpu")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lst", "gpu"), "lst is neither `list` nor `add`: "),
        (("--fingerprint", "SHA256:x"), "--fingerprint goes with `add`: "),
        (("gpu", "--fingerprint", "SHA256:x"), "--fingerprint goes with `add`: "),
    ],
)
def test_what_is_not_meant_for_a_list_is_refused(write, sshd, shell, words, said):
    write(gpu=(sshd, ""))
    status, out, error = shell("hostkeys", *words)
    assert (status, out) == (2, "")
    assert error.startswith(said)


def test_an_unknown_host_is_told_with_this_command(write, sshd, shell):
    write(gpu=(sshd, ""))
    status, out, _ = shell("check")
    assert status == 3
    assert "trainstatus hostkeys add gpu " in out
