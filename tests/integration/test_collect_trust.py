"""Whom the collector believes over SSH, and how it logs in."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from monitor_core.errors import HostKeyChanged, Unreachable
from monitor_core.model.records import LogTrouble
from tests.support.follower import Follower
from tests.support.sshd import ADDRESS, make_key


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(b"one\n")
    return path


@pytest.fixture
def read(log):
    """Read the log once from a host and return its lines."""

    def once(*hosts):
        follower = Follower(*hosts, patterns=[log])
        try:
            return follower.lines()
        finally:
            follower.close()

    return once


@pytest.fixture
def known(tmp_path, sshd):
    """Write a known_hosts file and return the host that is checked against it."""

    def write(text, **changes):
        path = tmp_path / "known_hosts"
        path.write_text(text)
        return sshd.host(host_key=str(path), **changes)

    return write


def name(sshd):
    return f"[{ADDRESS}]:{sshd.port}"


@pytest.fixture
def another_key(tmp_path):
    return " ".join((make_key(tmp_path / "another").with_suffix(".pub")).read_text().split()[:2])


def test_a_known_host_is_read(read, known, sshd):
    assert read(known(f"{name(sshd)} {sshd.host_key}\n")) == b"one\n"


def test_a_hashed_entry_is_understood(read, known, sshd, tmp_path):
    host = known(f"{name(sshd)} {sshd.host_key}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", host.host_key], check=True, capture_output=True)
    assert ADDRESS not in (tmp_path / "known_hosts").read_text()
    assert read(host) == b"one\n"


@pytest.mark.parametrize("names", ["[127.0.0.*]:*", "other,[127.0.0.?]:{port}", "*,!bastion"])
def test_wildcards_are_understood(read, known, sshd, names):
    assert read(known(f"{names.format(port=sshd.port)} {sshd.host_key}\n")) == b"one\n"


@pytest.mark.parametrize("names", ["*,![127.0.0.1]:*", "127.0.0.1", "[127.0.0.1]:1", "[127.0.0.1]x{port}"])
def test_a_line_about_other_hosts_does_not_count(read, known, sshd, names):
    with pytest.raises(Unreachable, match="is not known"):
        read(known(f"{names.format(port=sshd.port)} {sshd.host_key}\n"))


def test_lines_that_mean_nothing_to_us_are_passed_over(read, known, sshd, another_key):
    junk = f"# a remark\n\n@cert-authority * {another_key}\n{name(sshd)} ssh-ed25519 %%%\nbroken\n|1|x|y ssh-rsa AAAA\n"
    assert read(known(f"{junk}{name(sshd)} {sshd.host_key} a comment\n")) == b"one\n"


def test_a_key_of_an_authority_is_not_a_host_key(read, known, sshd):
    with pytest.raises(Unreachable, match="is not known"):
        read(known(f"@cert-authority {name(sshd)} {sshd.host_key}\n"))


def test_an_unknown_host_is_refused_with_what_to_do(read, known, sshd):
    with pytest.raises(Unreachable) as refused:
        read(known(""))
    text = str(refused.value)
    assert "gpu-01" in text
    assert sshd.fingerprint in text
    assert f"ssh -p {sshd.port} " in text
    assert f"ssh-keyscan -p {sshd.port} {ADDRESS}" in text


def test_a_changed_host_key_is_refused(read, known, sshd, another_key, tmp_path):
    host = known(f"# first line\n{name(sshd)} {another_key}\n")
    with pytest.raises(HostKeyChanged) as changed:
        read(host)
    assert changed.value.fingerprint == sshd.fingerprint
    text = str(changed.value)
    assert len(set(re.findall(r"SHA256:\S+", text))) == 2
    assert f"{host.host_key}:2" in text
    assert f"ssh-keygen -f {host.host_key} -R '{name(sshd)}'" in text


def test_a_key_that_changes_between_two_reads_is_refused_until_it_is_known(make_sshd, log):
    server = make_sshd()
    follower = Follower(server.host(), patterns=[log])
    assert follower.lines() == b"one\n"
    server.stop()
    server.change_host_key()
    server.start()
    with pytest.raises((Unreachable, HostKeyChanged)):
        follower.read()
    for _ in range(2):
        with pytest.raises(HostKeyChanged):
            follower.read()
    server.trust()
    assert follower.lines() == b""
    follower.close()


def test_a_host_key_of_another_kind_than_the_known_one_is_refused(make_sshd, read):
    server = make_sshd()
    server.stop()
    server.change_host_key("ecdsa")
    server.start()
    with pytest.raises(HostKeyChanged):
        read(server.host())


def test_a_host_with_several_keys_shows_the_known_one(make_sshd, read):
    server = make_sshd("HostKey {folder}/second_key\n")
    second = " ".join((server.folder / "second_key.pub").read_text().split()[:2])
    assert second.startswith("ssh-rsa ")
    server.known_hosts.write_text(f"[{ADDRESS}]:* {second}\n")
    assert read(server.host()) == b"one\n"


def test_a_revoked_key_is_refused_though_it_is_known(read, known, sshd):
    with pytest.raises(HostKeyChanged, match="revoked"):
        read(known(f"{name(sshd)} {sshd.host_key}\n@revoked * {sshd.host_key}\n"))


def test_a_wrong_key_is_told_with_what_was_tried(read, sshd, tmp_path):
    wrong, closed = make_key(tmp_path / "wrong"), make_key(tmp_path / "closed", passphrase="secret words")
    broken = tmp_path / "broken"
    broken.write_text("no key\n")
    keys = (str(wrong), str(closed), str(broken), str(tmp_path / "none"))
    with pytest.raises(Unreachable) as refused:
        read(sshd.host(keys=keys, user=sshd.host().user))
    text = str(refused.value)
    assert f"refused the login of {sshd.host().user}" in text
    for path, why in zip(keys, ("", " (has a passphrase", " (is no private key", " (there is no such"), strict=True):
        assert path + why in text


def test_after_a_wrong_key_the_right_one_is_tried(read, sshd, tmp_path):
    assert read(sshd.host(keys=(str(make_key(tmp_path / "wrong")), str(sshd.key)))) == b"one\n"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_of_keys_are_taken(make_sshd, read, tmp_path, kind):
    server = make_sshd()
    key = make_key(tmp_path / "key", kind)
    (server.folder / "authorized_keys").write_text((tmp_path / "key.pub").read_text())
    assert read(server.host(keys=(str(key),))) == b"one\n"


def test_keys_of_the_home_folder_are_tried_where_none_are_named(read, sshd, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Unreachable, match=r"no key in ~/\.ssh and no SSH agent"):
        read(sshd.host(keys=()))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(sshd.key.read_bytes())
    assert read(sshd.host(keys=())) == b"one\n"


def test_known_hosts_of_the_home_folder_is_read_by_default(read, sshd, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_bytes(sshd.known_hosts.read_bytes())
    assert read(sshd.host(host_key="known_hosts")) == b"one\n"


@pytest.fixture
def agent(sshd, tmp_path):
    """An SSH agent that holds the right key; its socket."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    environment = os.environ | {"SSH_AUTH_SOCK": str(socket)}
    add = ["ssh-add", "-q", sshd.key]
    while not socket.exists():
        assert process.poll() is None
    subprocess.run(add, check=True, env=environment)
    yield str(socket)
    process.terminate()
    process.wait()


def test_keys_of_the_agent_are_used(read, sshd, agent, tmp_path, monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", agent)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(sshd.host(keys=(), agent=True)) == b"one\n"
    with pytest.raises(Unreachable):
        read(sshd.host(keys=(), agent=False))


def test_an_agent_that_is_gone_is_told(read, sshd, tmp_path, monkeypatch):
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    wrong = str(make_key(tmp_path / "wrong"))
    with pytest.raises(Unreachable, match=r"SSH agent at .*gone \(does not answer\)"):
        read(sshd.host(keys=(wrong,), agent=True))


def test_a_host_that_takes_no_keys_is_told(make_sshd, read):
    server = make_sshd("PubkeyAuthentication no\n")
    with pytest.raises(Unreachable, match=r"refused the login|takes no keys"):
        read(server.host())


def test_a_host_that_asks_for_more_than_a_key_is_told(make_sshd, read):
    server = make_sshd("PasswordAuthentication yes\nAuthenticationMethods publickey,password\n")
    with pytest.raises(Unreachable, match=r"asks .* for more than a key: password"):
        read(server.host())


def test_secrets_stand_in_no_message(read, sshd, tmp_path):
    wrong = make_key(tmp_path / "wrong")
    with pytest.raises(Unreachable) as refused:
        read(sshd.host(keys=(str(wrong),)))
    assert "PRIVATE KEY" not in str(refused.value)


def test_noise_of_start_up_files_is_not_taken_for_the_answer(make_sshd, read):
    noise = 'echo hello; echo warning >&2; printf no-line-feed; eval "$SSH_ORIGINAL_COMMAND"; echo bye'
    assert read(make_sshd(f"ForceCommand {noise}\n").host()) == b"one\n"


def test_much_noise_of_start_up_files_does_not_stop_the_answer(make_sshd, read):
    noise = 'head -c 3000000 /dev/zero >&2; eval "$SSH_ORIGINAL_COMMAND"'
    assert read(make_sshd(f"ForceCommand {noise}\n").host()) == b"one\n"


def test_noise_in_the_middle_of_the_answer_gives_nothing_rather_than_garbage(make_sshd, read, log):
    content = b"a line of the log\n" * 20_000
    log.write_bytes(content)
    noise = 'eval "$SSH_ORIGINAL_COMMAND" | while IFS= read -r line; do echo "$line"; echo noise; done'
    assert read(make_sshd(f"ForceCommand {noise}\n").host()) == b""


def test_an_account_without_a_shell_is_told_with_its_words(make_sshd, read):
    server = make_sshd('ForceCommand echo "This account is not available."\n')
    with pytest.raises(Unreachable, match=r"did not run our commands; it said: This account is not available\."):
        read(server.host())


def test_a_shell_that_dies_in_the_middle_is_told(make_sshd, read, log):
    log.write_bytes(b"a line of the log\n" * 20_000)
    server = make_sshd('ForceCommand eval "$SSH_ORIGINAL_COMMAND" | head -c 2000\n')
    with pytest.raises(Unreachable, match="stopped in the middle of its answer"):
        read(server.host())


@pytest.fixture
def public_folder():
    """A folder that every account may enter: the folders of pytest are its own account's only."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize("denied", ["file", "folder"])
def test_a_log_without_permission_is_told(make_sshd, public_folder, denied):
    as_nobody = 'ForceCommand setpriv --reuid=65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND"\n'
    server = make_sshd(as_nobody if os.geteuid() == 0 else "")
    path = public_folder / "logs" / "train.log"
    path.parent.mkdir(mode=0o755)
    path.write_bytes(b"one\n")
    follower = Follower(server.host(), patterns=[path])
    assert follower.lines() == b"one\n"
    (path if denied == "file" else path.parent).chmod(0)
    reading = follower.read()
    follower.close()
    path.parent.chmod(0o700)
    assert reading.trouble is LogTrouble.UNREADABLE
    assert reading.detail == f"{path} may not be read by the account that we use"
