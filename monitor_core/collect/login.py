"""Makes sure who the other side is, and who we are."""

from __future__ import annotations

import time
from collections.abc import Sequence

import paramiko

from monitor_core.collect.certificates import authority_of, fault
from monitor_core.collect.hops import Hop
from monitor_core.collect.keyring import Keyring
from monitor_core.collect.keys import offers
from monitor_core.collect.known_hosts import KnownKey, fingerprint, known_keys, without_port
from monitor_core.collect.revocation import is_revoked
from monitor_core.errors import HostKeyChanged, Unreachable

# A server ends the connection after six refused keys (MaxAuthTries), and some then shut the address out.
_MOST_TRIES = 5
_NAME_IT = "name the right key with `keys` in the configuration, or with IdentityFile in ~/.ssh/config"
_TOO_MANY = f"no more, since it would shut us out: {_NAME_IT}"


def known_keys_of(hop: Hop) -> list[KnownKey]:
    """Return what is known about the keys of a host."""
    return known_keys(hop.known_hosts, hop.known_as)


def check_host_key(hop: Hop, known: Sequence[KnownKey], shown: paramiko.PKey) -> None:
    """Return if the key is vouched for; raise HostKeyChanged if another one is known, Unreachable if none is."""
    if voucher(hop, known, shown) is None:
        raise Unreachable(_unknown(hop, known, shown))


def voucher(hop: Hop, known: Sequence[KnownKey], shown: paramiko.PKey) -> KnownKey | None:
    """Return the line that vouches for the key that a host shows: its own, or an authority's; None if there is none.

    Raises HostKeyChanged if the key is revoked, or another one is known; Unreachable if that cannot be told.
    """
    if place := _revoked_in(hop, known, shown):
        text = f"{hop.label} shows the host key {said(shown)}, which is revoked in {place}. Nothing was read."
        raise HostKeyChanged(text, fingerprint(shown.asbytes()))
    own = [entry for entry in known if entry.own]
    for entry in own:
        if entry.blob == shown.asbytes():
            return entry
    if not certificate_fault(hop, known, shown):
        return _authorities(known)[authority_of(shown)]
    if own:
        raise HostKeyChanged(_changed(hop, shown, own), fingerprint(shown.asbytes()))
    return None


def _revoked_in(hop: Hop, known: Sequence[KnownKey], shown: paramiko.PKey) -> str:
    """Return where it stands that a key, or who vouches for it, is no longer to be believed; empty if it does not."""
    if hop.revoked and is_revoked(hop.revoked, shown):
        return hop.revoked
    blobs = {shown.asbytes(), authority_of(shown)}
    return next((f"{each.file}:{each.line}" for each in known if each.revoked and each.blob in blobs), "")


def certificate_fault(hop: Hop, known: Sequence[KnownKey], shown: paramiko.PKey) -> str:
    """Say why no authority that is known for the host vouches for it; empty if one does."""
    return fault(shown, _authorities(known), without_port(hop.known_as), time.time())


def _authorities(known: Sequence[KnownKey]) -> dict[bytes, KnownKey]:
    return {entry.blob: entry for entry in known if entry.authority and not entry.revoked}


def login(transport: paramiko.Transport, hop: Hop, keyring: Keyring) -> None:
    """Log in with the first key that is taken; raise Unreachable if none is."""
    tried, refused = [], 0
    with offers(hop, keyring) as keys:
        for offer in keys:
            if offer.key and refused == _MOST_TRIES:
                tried.append(_TOO_MANY)
                break
            tried.append(offer.label)
            if offer.key is None:
                continue
            if _is_taken(transport, hop, offer.key):
                return
            refused += 1
            if not transport.is_active():
                raise Unreachable(_cut_off(hop, refused, tried))
    what = f"tried: {', '.join(tried)}" if tried else "there is no key in ~/.ssh and no SSH agent"
    raise Unreachable(f"{hop.label} refused the login of {hop.user} ({what})")


def _is_taken(transport: paramiko.Transport, hop: Hop, key: paramiko.PKey) -> bool:
    try:
        further = transport.auth_publickey(hop.user, key)
    except paramiko.BadAuthenticationType as error:
        ways = ", ".join(error.allowed_types)
        raise Unreachable(f"{hop.label} takes no keys for {hop.user}, only: {ways}") from error
    except paramiko.AuthenticationException:
        return False
    if not transport.is_authenticated():
        ways = ", ".join(further)
        raise Unreachable(f"{hop.label} asks {hop.user} for more than a key: {ways}")
    return True


def _cut_off(hop: Hop, refused: int, tried: Sequence[str]) -> str:
    keys = "one key" if refused == 1 else f"{refused} keys"
    return (
        f"{hop.label} ended the login of {hop.user} after {keys} (its MaxAuthTries, or it broke off): {_NAME_IT} "
        f"(tried: {', '.join(tried)})"
    )


def said(shown: paramiko.PKey) -> str:
    """Return how a key is called in a sentence."""
    return f"{shown.get_name()} {fingerprint(shown.asbytes())}"


def show_own(shown: paramiko.PKey) -> str:
    """Return the command that shows the fingerprint of such a key on the host itself."""
    kind = shown.get_name().removeprefix("ssh-").partition("-")[0]
    return f"ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"


def _changed(hop: Hop, shown: paramiko.PKey, own: Sequence[KnownKey]) -> str:
    return (
        f"{hop.label} shows the host key {said(shown)}, but known is {', '.join(map(str, own))}. Nothing was read. "
        f"Somebody may be in between. Compare the key with the host's own on its console ({show_own(shown)}), "
        f"and only if it is right: {removal(hop, own)}"
    )


def removal(hop: Hop, own: Sequence[KnownKey]) -> str:
    """Return the commands that make known keys of a host unknown."""
    return "; ".join(f"ssh-keygen -f {file} -R '{hop.known_as}'" for file in sorted({entry.file for entry in own}))


def _unknown(hop: Hop, known: Sequence[KnownKey], shown: paramiko.PKey) -> str:
    places = ", ".join(f"{entry.file}:{entry.line}" for entry in _authorities(known).values())
    unsaid = f"the authority in {places} does not vouch for it: {certificate_fault(hop, known, shown)}"
    return (
        f"the host key of {hop.label} is not known: it shows {said(shown)}, and "
        f"{unsaid if places else f'{hop.known_hosts[0]} has none'}. "
        f"Compare it with the host's own ({show_own(shown)} on its console), then accept it: "
        f"trainstatus hostkeys add {hop.ask_for} (or by hand: ssh -p {hop.port} {hop.user}@{hop.address}, or add "
        f"the line of: ssh-keyscan -p {hop.port} {hop.address})"
    )
