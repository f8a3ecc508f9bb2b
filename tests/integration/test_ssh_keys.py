"""With which keys and certificates hosts are logged in to, and which certificates of hosts are believed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from monitor_core.collect.keys import unlock
from monitor_core.collect.network import Network
from monitor_core.errors import HostKeyChanged, Unreachable
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

    def once(host, network=None):
        follower = Follower(host, patterns=[log], network=network)
        try:
            return follower.lines()
        finally:
            follower.close()

    return once


@pytest.fixture
def authority(tmp_path):
    return make_key(tmp_path / "authority")


def sign(authority, key, *options):
    """Make the certificate of a key; it lies beside it."""
    public = f"{key}.pub"
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "test", *options, public], check=True)
    return key.with_name(f"{key.name}-cert.pub")


def public_of(key):
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """Start an SSH agent; return what adds a key to it."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    while not socket.exists():
        assert process.poll() is None

    def add(*keys):
        subprocess.run(["ssh-add", "-q", *keys], check=True)

    yield add
    process.terminate()
    process.wait()


@pytest.fixture
def trusting(make_sshd, authority):
    """A server that lets nobody in but who has a certificate of the authority."""
    server = make_sshd(f"TrustedUserCAKeys {authority}.pub\nAuthorizedKeysFile none\n")
    user = server.host().user
    return server, ("-n", user)


# certificates of users


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_certificate_beside_the_key_is_used(read, trusting, authority, tmp_path, kind):
    server, names = trusting
    key = make_key(tmp_path / "key", kind)
    host = server.host(keys=(str(key),))
    with pytest.raises(Unreachable, match="refused the login"):
        read(host)
    sign(authority, key, *names)
    assert read(host) == b"one\n"


def test_a_certificate_elsewhere_is_used(read, trusting, authority, tmp_path):
    server, names = trusting
    key = make_key(tmp_path / "key")
    certificate = sign(authority, key, *names).rename(tmp_path / "elsewhere")
    config = tmp_path / "config"
    config.write_text(f"CertificateFile {certificate}\n")
    assert read(server.host(keys=(str(key),), ssh_config=str(config))) == b"one\n"


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_certificate_in_the_agent_is_used(read, trusting, authority, tmp_path, agent, kind):
    server, names = trusting
    key = make_key(tmp_path / "key", kind)
    sign(authority, key, *names)
    agent(key)
    subprocess.run(["ssh-add", "-q", "-d", f"{key}.pub"], check=True, capture_output=True)
    agent(key)
    host = server.host(keys=(str(tmp_path / "none"),), agent=True)
    assert read(host) == b"one\n"


def test_a_certificate_file_is_used_with_the_key_of_the_agent(read, trusting, authority, tmp_path, agent):
    server, names = trusting
    key = make_key(tmp_path / "key")
    agent(key)
    sign(authority, key, *names)
    config = tmp_path / "config"
    config.write_text(f"CertificateFile {key}-cert.pub\nIdentityFile {tmp_path}/none\n")
    host = server.host(keys=(str(tmp_path / "none"),), agent=True, ssh_config=str(config))
    assert read(host) == b"one\n"


def test_where_a_certificate_is_refused_the_bare_key_is_tried(read, sshd, authority, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(sshd.key.read_bytes())
    key.chmod(0o600)
    key.with_name("key.pub").write_text(sshd.key.with_name(f"{sshd.key.name}.pub").read_text())
    sign(authority, key, "-n", "somebody-else", "-V", "-2d:-1d")
    assert read(sshd.host(keys=(str(key),))) == b"one\n"


def test_a_certificate_that_is_none_is_told(read, sshd, tmp_path):
    key = make_key(tmp_path / "key")
    key.with_name("key-cert.pub").write_text("no certificate\n")
    with pytest.raises(Unreachable, match=r"or the certificate in \*-cert.pub beside it is none"):
        read(sshd.host(keys=(str(key),)))


# which keys are offered


def test_of_the_agent_only_chosen_keys_are_offered_where_no_others_are_wanted(read, sshd, tmp_path, agent):
    agent(sshd.key)
    other = make_key(tmp_path / "other")
    config = tmp_path / "config"
    host = sshd.host(keys=(str(other),), agent=True, ssh_config=str(config))
    config.write_text("IdentitiesOnly no\n")
    assert read(host) == b"one\n"
    config.write_text("IdentitiesOnly yes\n")
    with pytest.raises(Unreachable, match=r"refused the login .*\(tried: \S+/other\)"):
        read(host)
    chosen = tmp_path / "chosen.pub"
    chosen.write_text(public_of(sshd.key) + "\n")
    assert read(sshd.host(keys=(str(chosen),), agent=True, ssh_config=str(config))) == b"one\n"


def test_another_agent_is_used_if_ssh_config_names_it(read, sshd, tmp_path, agent, monkeypatch):
    agent(sshd.key)
    monkeypatch.setenv("OTHER_AGENT", os.environ["SSH_AUTH_SOCK"])
    monkeypatch.delenv("SSH_AUTH_SOCK")
    config = tmp_path / "config"
    host = sshd.host(keys=(str(tmp_path / "none"),), agent=True, ssh_config=str(config))
    for named in ("$OTHER_AGENT", str(tmp_path / "agent")):
        config.write_text(f"IdentityAgent {named}\n")
        assert read(host) == b"one\n"
    config.write_text("IdentityAgent none\n")
    with pytest.raises(Unreachable):
        read(host)


def test_a_locked_key_that_the_agent_holds_needs_no_passphrase(read, sshd, tmp_path, agent):
    agent(sshd.key)
    locked = tmp_path / "locked"
    locked.write_bytes(sshd.key.read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret words", "-f", locked], check=True, capture_output=True)
    config = tmp_path / "config"
    config.write_text("IdentitiesOnly yes\n")
    assert read(sshd.host(keys=(str(locked),), agent=True, ssh_config=str(config))) == b"one\n"


def test_few_keys_are_offered_chosen_ones_first_and_it_is_said_that_there_are_more(make_sshd, read, tmp_path, agent):
    server = make_sshd("MaxAuthTries 6\n")
    keys = [make_key(tmp_path / f"key-{number}") for number in range(8)]
    agent(*keys, server.key)
    with pytest.raises(Unreachable) as refused:
        read(server.host(keys=(str(keys[0]),), agent=True))
    text = str(refused.value)
    assert f"(tried: {keys[0]}, key-1 of the SSH agent, key-2 of" in text
    assert "no more, since it would shut us out: name the right key with `keys`" in text
    assert text.count("of the SSH agent") == 4
    assert read(server.host(agent=True)) == b"one\n"


def test_a_host_that_ends_the_login_after_fewer_keys_is_told(make_sshd, read, tmp_path):
    server = make_sshd("MaxAuthTries 2\n")
    keys = tuple(str(make_key(tmp_path / f"key-{number}")) for number in range(4))
    with pytest.raises(Unreachable, match=r"ended the login of \S+ after 2 keys \(its MaxAuthTries"):
        read(server.host(keys=keys))


# passphrases


@pytest.fixture
def locked(sshd, tmp_path):
    key = make_key(tmp_path / "locked", passphrase="secret words")
    keys = sshd.folder / "authorized_keys"
    before = keys.read_text()
    keys.write_text(before + (tmp_path / "locked.pub").read_text())
    yield str(key)
    keys.write_text(before)


def test_a_passphrase_of_the_configuration_opens_the_key(read, sshd, locked):
    assert read(sshd.host(keys=(locked,), passphrase="secret words")) == b"one\n"


@pytest.mark.parametrize("options", [("ed25519",), ("rsa",), ("ecdsa",), ("rsa", "-m", "PEM"), ("ecdsa", "-m", "PEM")])
def test_every_kind_of_key_is_opened_by_its_passphrase_alone(tmp_path, options):
    kind, *others = options
    path = str(make_key(tmp_path / "key", kind))
    subprocess.run(
        ["ssh-keygen", "-q", "-p", *others, "-N", "secret words", "-f", path], check=True, capture_output=True
    )
    keyring = Network().keyring
    assert not unlock(path, "other words", keyring)
    assert unlock(path, "secret words", keyring)


def test_a_wrong_passphrase_is_told_as_such_and_not_repeated(read, sshd, locked):
    with pytest.raises(Unreachable, match=r"locked \(its passphrase is another one than was given\)") as refused:
        read(sshd.host(keys=(locked,), passphrase="other words"))
    assert "other words" not in str(refused.value)


def test_a_passphrase_that_a_person_typed_opens_the_key_for_all(read, sshd, locked):
    network = Network()
    with pytest.raises(Unreachable, match=r"has a passphrase: add it to an SSH agent, or name it as `passphrase`"):
        read(sshd.host(keys=(locked,)), network)
    assert not unlock(locked, "other words", network.keyring)
    assert unlock(locked, "secret words", network.keyring)
    for name in ("gpu-01", "gpu-02"):
        assert read(sshd.host(name, keys=(locked,)), network) == b"one\n"
    assert "secret words" not in repr(network)


# certificates of hosts


@pytest.fixture
def certified(make_sshd, authority, tmp_path):
    """Start a server that shows a certificate; return the host that knows nothing but the authority."""

    def start(*options, line="@cert-authority {name} {key}\n", signer=authority, kind="ed25519"):
        server = make_sshd("HostCertificate {folder}/host_key-cert.pub\n")
        server.stop()
        server.change_host_key(kind)
        sign(signer, server.folder / "host_key", *options)
        server.start()
        known = tmp_path / "known_hosts"
        known.write_text(line.format(name=f"[{ADDRESS}]:{server.port}", key=public_of(authority)))
        return server, server.host(host_key=str(known))

    return start


HOST = ("-h", "-n", ADDRESS)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_host_that_an_authority_vouches_for_is_read(certified, read, kind):
    assert read(certified(*HOST, kind=kind)[1]) == b"one\n"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_authorities_may_have_other_keys(certified, read, tmp_path, kind):
    signer = make_key(tmp_path / "signer", kind)
    line = f"@cert-authority * {public_of(signer)}\n"
    assert read(certified(*HOST, line=line, signer=signer)[1]) == b"one\n"


@pytest.mark.parametrize("names", [ADDRESS, "127.*", "*", f"[{ADDRESS}]:*"])
def test_an_authority_is_known_for_all_ports(certified, read, names):
    assert read(certified(*HOST, line=f"@cert-authority {names} {{key}}\n")[1]) == b"one\n"


def test_a_certificate_without_names_is_for_every_host(certified, read):
    assert read(certified("-h")[1]) == b"one\n"


def test_a_certificate_is_for_the_alias_of_a_host(certified, read, tmp_path):
    config = tmp_path / "config"
    config.write_text("HostKeyAlias trainer\n")
    _, host = certified("-h", "-n", "trainer", line="@cert-authority trainer {key}\n")
    with pytest.raises(Unreachable, match="is not known"):
        read(host)
    assert read(host.model_copy(update={"ssh_config": str(config)})) == b"one\n"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-h", "-n", "other.example.com"), f"its certificate is for other.example.com, not for {ADDRESS}"),
        ((*HOST, "-V", "-2d:-1d"), "its certificate has expired: it was valid until 20"),
        ((*HOST, "-V", "+1d:+2d"), "its certificate is not valid before 20"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(certified, read, options, why):
    server, host = certified(*options)
    with pytest.raises(Unreachable) as refused:
        read(host)
    assert "is not known" in str(refused.value)
    assert why in str(refused.value)
    assert f"the authority in {host.host_key}:1 does not vouch for it" in str(refused.value)
    with Path(host.host_key).open("a") as known:
        known.write(f"[{ADDRESS}]:* {server.host_key}\n")
    assert read(host) == b"one\n"


def test_a_certificate_of_another_authority_is_refused(certified, read, tmp_path):
    with pytest.raises(Unreachable, match="its certificate is signed by SHA256:"):
        read(certified(*HOST, signer=make_key(tmp_path / "stranger"))[1])


def test_a_host_that_shows_no_certificate_is_refused_where_only_an_authority_is_known(
    make_sshd, read, authority, tmp_path
):
    known = tmp_path / "known_hosts"
    known.write_text(f"@cert-authority * {public_of(authority)}\n")
    with pytest.raises(Unreachable, match="does not vouch for it: it shows no certificate"):
        read(make_sshd().host(host_key=str(known)))


def test_a_key_of_an_authority_that_is_revoked_vouches_for_nobody(certified, read, authority):
    line = f"@cert-authority * {{key}}\n@revoked * {public_of(authority)}\n"
    with pytest.raises(HostKeyChanged, match="revoked"):
        read(certified(*HOST, line=line)[1])


def test_the_key_in_a_certificate_that_is_revoked_is_refused(certified, read):
    server, host = certified(*HOST)
    with Path(host.host_key).open("a") as known:
        known.write(f"@revoked * {server.host_key}\n")
    with pytest.raises(HostKeyChanged, match="revoked"):
        read(host)


@pytest.mark.parametrize("kind", ["list", "krl"])
@pytest.mark.parametrize("what", ["host_key", "authority", "other"])
def test_keys_in_the_file_of_revoked_ones_are_refused(certified, read, authority, tmp_path, kind, what):
    server, host = certified(*HOST)
    keys = {"host_key": server.folder / "host_key", "authority": authority, "other": make_key(tmp_path / "other")}
    revoked, config = tmp_path / "revoked", tmp_path / "config"
    if kind == "krl":
        subprocess.run(["ssh-keygen", "-q", "-k", "-f", revoked, f"{keys[what]}.pub"], check=True)
    else:
        revoked.write_text(f"# these are lost\n\n{public_of(keys[what])} a comment\n")
    config.write_text(f"RevokedHostKeys {revoked}\n")
    host = host.model_copy(update={"ssh_config": str(config)})
    if what == "other":
        assert read(host) == b"one\n"
    else:
        with pytest.raises(HostKeyChanged, match=f"which is revoked in {revoked}"):
            read(host)


@pytest.mark.parametrize("content", [None, b"SSHKRL\n\0 and no more"])
def test_without_the_file_of_revoked_keys_nobody_is_believed(read, sshd, tmp_path, content):
    revoked, config = tmp_path / "revoked", tmp_path / "config"
    if content:
        revoked.write_bytes(content)
    config.write_text(f"RevokedHostKeys {revoked}\n")
    with pytest.raises(Unreachable, match=r"revoked \(RevokedHostKeys\) cannot be read: \S+"):
        read(sshd.host(ssh_config=str(config)))


def test_another_key_is_a_change_though_its_certificate_does_not_hold(certified, read, tmp_path):
    stranger = public_of(make_key(tmp_path / "stranger"))
    line = f"@cert-authority * {{key}}\n[{ADDRESS}]:* {stranger}\n"
    with pytest.raises(HostKeyChanged):
        read(certified("-h", "-n", "other.example.com", line=line)[1])
