"""The private keys that a login offers: of files, and of a running SSH agent, with their certificates."""

from __future__ import annotations

import base64
import contextlib
import copy
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob, UnknownKeyType

from monitor_core.collect.certificates import bare_key
from monitor_core.collect.hops import Hop
from monitor_core.collect.keyring import Keyring

_USUAL = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_AGENT_TIMEOUT = 5.0
_CERTIFICATE = "-cert-v01@openssh.com"
_SUFFIX = "-cert.pub"
_BROKEN = f", or the certificate in *{_SUFFIX} beside it is none"
_OPENSSH = b"openssh-key-v1\0"


@dataclass(frozen=True, slots=True)
class Offer:
    """A key, or, where `key` is None, why there is none; `label` is for people.

    `locked` is the path of a file that a passphrase would unlock.
    """

    label: str
    key: paramiko.PKey | None
    locked: str = ""


@contextlib.contextmanager
def offers(hop: Hop, keyring: Keyring) -> Iterator[list[Offer]]:
    """Give the keys for a host in the order in which to try them; those of the agent work until the end.

    Chosen keys come first; where nothing else is wanted (IdentitiesOnly), those of the agent only if they were chosen.
    Each key comes after its certificate.
    """
    with contextlib.ExitStack() as stack:
        held, silent = _held(hop.agent, stack)
        chosen = [offer for path in _paths(hop) for offer in _chosen(path, hop, keyring, held)]
        offered = {_bare(offer.key) for offer in chosen if offer.key}
        rest = [] if hop.only else [offer for offer in held if offer.key and _bare(offer.key) not in offered]
        yield _certified([*chosen, *rest], hop) + silent


def locked_files(hop: Hop, keyring: Keyring) -> list[str]:
    """Return the files for which a passphrase is needed: all that were chosen, the usual ones if there is nothing else.

    Those that an agent holds need none.
    """
    with offers(hop, keyring) as found:
        wanted = hop.keys or not any(offer.key for offer in found)
        return [offer.locked for offer in found if offer.locked and wanted]


def unlock(path: str, passphrase: str, keyring: Keyring) -> bool:
    """Return whether this is the passphrase of a key, and remember it if it is."""
    try:
        _load(path, passphrase)
    except (OSError, ValueError, paramiko.SSHException):
        return False
    keyring.remember(path, passphrase)
    return True


def _paths(hop: Hop) -> Sequence[str]:
    return hop.keys or [path for path in _USUAL if Path(path).expanduser().exists()]


def _chosen(path: str, hop: Hop, keyring: Keyring, held: Sequence[Offer]) -> list[Offer]:
    """Return what a file that was chosen gives: its key, or if that cannot be used the same one of the agent."""
    offer = _of_file(path, hop.passphrase, keyring)
    if offer.key:
        return [offer]
    public = _public(path)
    same = [each.key for each in held if each.key and public and _bare(each.key) == public]
    return [Offer(f"{path} (held by the SSH agent)", key) for key in same] or [offer]


def _of_file(path: str, passphrase: str, keyring: Keyring) -> Offer:
    try:
        return Offer(path, _load(path, None))
    except FileNotFoundError:
        return Offer(f"{path} (there is no such file)", None)
    except OSError as error:
        return Offer(f"{path} (cannot be read: {error.strerror})", None)
    except (TypeError, paramiko.PasswordRequiredException):
        return _unlocked(path, passphrase, keyring)
    except (ValueError, paramiko.SSHException, UnknownKeyType):
        broken = _certificate(path + _SUFFIX) is None and Path(path + _SUFFIX).expanduser().exists()
        return Offer(f"{path} (is no private key that can be used{_BROKEN if broken else ''})", None)


def _unlocked(path: str, passphrase: str, keyring: Keyring) -> Offer:
    given = keyring.passphrase(path) or passphrase
    if not given:
        hint = "add it to an SSH agent, or name it as `passphrase` in the configuration"
        return Offer(f"{path} (has a passphrase: {hint})", None, locked=path)
    which = (path, given, Path(path).expanduser().stat().st_mtime_ns)
    try:
        key = keyring.unlocked(which) or _load(path, given)
    except (OSError, ValueError, paramiko.SSHException):
        return Offer(f"{path} (its passphrase is another one than was given)", None, locked=path)
    keyring.keep(which, key)
    return Offer(path, key)


def _load(path: str, passphrase: str | None) -> paramiko.PKey:
    # Not by connect(key_filename=): it reports a refused key as an invalid one.
    secret = passphrase.encode() if passphrase else None
    key = paramiko.PKey.from_path(Path(path).expanduser(), secret)  # type: ignore[arg-type]  # the stubs say str
    key.public_blob = None
    return key


def _certified(found: Sequence[Offer], hop: Hop) -> list[Offer]:
    """Put each key after its certificates: those beside the files, and those that were chosen."""
    beside = [path + _SUFFIX for path in _paths(hop)]
    blobs = [(path, blob) for path in (*hop.certificates, *beside) if (blob := _certificate(path)) is not None]
    return [each for offer in found for each in (*_with(offer, blobs), offer)]


def _with(offer: Offer, blobs: Sequence[tuple[str, PublicBlob]]) -> Iterator[Offer]:
    for path, blob in blobs:
        if offer.key and offer.key.public_blob is None and bare_key(blob.key_blob) == _bare(offer.key):
            key = _copied(offer.key)
            key.public_blob = blob
            yield Offer(f"{offer.label} with {path}", key)


def _copied(key: paramiko.PKey) -> paramiko.PKey:
    # A key of an agent cannot be copied: paramiko's looks into what is not there yet.
    return AgentKey(key.agent, key.blob, key.comment) if isinstance(key, AgentKey) else copy.copy(key)


def _certificate(path: str) -> PublicBlob | None:
    try:
        return PublicBlob.from_file(Path(path).expanduser())
    except (OSError, ValueError):
        return None


def _bare(key: paramiko.PKey) -> bytes:
    """Return the public key, also of a key that is offered with a certificate."""
    return bare_key(key.public_blob.key_blob) if key.public_blob else key.asbytes()


def _public(path: str) -> bytes:
    """Return the public key of a file that is locked or missing, from beside it or from its head; empty if unknown."""
    for name in (path, f"{path}.pub"):
        blob = _certificate(name)
        if blob is not None:
            return bytes(blob.key_blob)
    try:
        return _head(Path(path).expanduser().read_bytes())
    except (OSError, ValueError, paramiko.SSHException):
        return b""


def _head(private: bytes) -> bytes:
    """Return the public key of a private one in OpenSSH's format, where it is not encrypted (PROTOCOL.key)."""
    body = base64.b64decode(b"".join(private.splitlines()[1:-1]))
    if not body.startswith(_OPENSSH):
        return b""
    message = paramiko.Message(body.removeprefix(_OPENSSH))
    for _ in ("cipher", "kdf", "kdf options"):
        message.get_binary()
    message.get_int()
    return message.get_binary()


def _held(path: str, stack: contextlib.ExitStack) -> tuple[list[Offer], list[Offer]]:
    """Return the keys of the agent, and a word about it if it does not answer."""
    if not path:
        return [], []
    connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    connection.settimeout(_AGENT_TIMEOUT)
    try:
        connection.connect(path)
        keys = _Agent(connection).get_keys()
    except (OSError, paramiko.SSHException):
        return [], [Offer(f"SSH agent at {path} (does not answer)", None)]
    return [Offer(f"{key.comment or key.get_name()} of the SSH agent", _usable(key)) for key in keys], []


def _usable(key: AgentKey) -> paramiko.PKey:
    return _AgentCertificate(key) if key.get_name().endswith(_CERTIFICATE) else key


class _Agent(AgentSSH):
    """An agent on a connection of ours: paramiko's own has no timeout, and a hanging agent would hang us."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connect(connection)  # type: ignore[attr-defined]  # missing in the stubs


class _AgentCertificate(AgentKey):
    """A certificate in an agent: paramiko would ask the agent to sign with the bare key, which it may not have."""

    def __init__(self, key: AgentKey) -> None:
        super().__init__(key.agent, key.blob, key.comment)
        self.public_blob = PublicBlob(key.get_name(), key.blob)  # type: ignore[assignment]  # always None in the stubs

    def asbytes(self) -> bytes:
        return self.blob
