"""Makes sure who the other side is, and who we are."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import paramiko

from monitor_core.collect.keys import offers
from monitor_core.collect.known_hosts import KnownKey, files, fingerprint, known_keys, name_of
from monitor_core.config.models import Host
from monitor_core.errors import HostKeyChanged, Unreachable


def address_of(host: Host) -> str:
    """Return the name or address under which a host is reached."""
    return host.address or host.name


def label_of(host: Host) -> str:
    """Return how a host is called in a sentence."""
    return f"{host.name or host.address} ({address_of(host)}:{host.port})"


def known_keys_of(host: Host) -> list[KnownKey]:
    """Return what is known about the keys of a host."""
    return known_keys(files(host.host_key), name_of(address_of(host), host.port))


def check_host_key(host: Host, known: Sequence[KnownKey], shown: paramiko.PKey) -> None:
    """Return if the key is the known one; raise HostKeyChanged if it is another, Unreachable if none is known."""
    key = f"{shown.get_name()} {fingerprint(shown.asbytes())}"
    matching = [entry for entry in known if entry.blob == shown.asbytes()]
    revoked = next((entry for entry in matching if entry.revoked), None)
    if revoked:
        text = f"{label_of(host)} shows the host key {key}, which is revoked in {revoked.file}:{revoked.line}"
        raise HostKeyChanged(f"{text}. Nothing was read.", fingerprint(shown.asbytes()))
    if matching:
        return
    valid = [entry for entry in known if not entry.revoked]
    if valid:
        raise HostKeyChanged(_changed(host, key, valid), fingerprint(shown.asbytes()))
    raise Unreachable(_unknown(host, key))


def login(transport: paramiko.Transport, host: Host) -> None:
    """Log in with the first key that is taken; raise Unreachable if none is."""
    user = host.user or getpass.getuser()
    tried = []
    with offers(host) as keys:
        for offer in keys:
            tried.append(offer.label)
            if offer.key and _is_taken(transport, host, user, offer.key):
                return
            if not transport.is_active():
                raise paramiko.SSHException("closed during the login")
    what = f"tried: {', '.join(tried)}" if tried else "there is no key in ~/.ssh and no SSH agent"
    raise Unreachable(f"{label_of(host)} refused the login of {user} ({what})")


def _is_taken(transport: paramiko.Transport, host: Host, user: str, key: paramiko.PKey) -> bool:
    try:
        further = transport.auth_publickey(user, key)
    except paramiko.BadAuthenticationType as error:
        ways = ", ".join(error.allowed_types)
        raise Unreachable(f"{label_of(host)} takes no keys for {user}, only: {ways}") from error
    except paramiko.AuthenticationException:
        return False
    if not transport.is_authenticated():
        ways = ", ".join(further)
        raise Unreachable(f"{label_of(host)} asks {user} for more than a key: {ways}")
    return True


def _changed(host: Host, key: str, valid: Sequence[KnownKey]) -> str:
    name = name_of(address_of(host), host.port)
    removals = "; ".join(f"ssh-keygen -f {file} -R '{name}'" for file in sorted({entry.file for entry in valid}))
    return (
        f"{label_of(host)} shows the host key {key}, but known is {', '.join(map(str, valid))}. Nothing was read. "
        f"Somebody may be in between. Compare the key with the host's own on its console "
        f"(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and only if it is right: {removals}"
    )


def _unknown(host: Host, key: str) -> str:
    accounts = host.user + "@" if host.user else ""
    command = f"ssh -p {host.port} {accounts}{address_of(host)}"
    return (
        f"the host key of {label_of(host)} is not known: it shows {key}, and {files(host.host_key)[0]} has none. "
        f"Compare it with the host's own, then accept it once by hand: {command} "
        f"(or add the line of: ssh-keyscan -p {host.port} {address_of(host)})"
    )
