"""Reads and extends the files in which OpenSSH keeps the host keys that are known (sshd(8), SSH_KNOWN_HOSTS).

paramiko's own reader gives up a whole file at the first marker and knows no wildcards, so each line is read by itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SSH_PORT = 22
USUAL = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_LINE = re.compile(r"(?:(@\S+)\s+)?(\S+)\s+(\S+)\s+(\S+)")
_REVOKED, _AUTHORITY = "@revoked", "@cert-authority"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A line that is about a host: the key, what it is for, and where the line stands.

    A key that is `revoked` is refused; that of an `authority` is no host's own, but signs certificates of hosts.
    """

    type: str
    blob: bytes
    revoked: bool
    authority: bool
    file: str
    line: int

    @property
    def own(self) -> bool:
        """Return whether the host itself may show this key."""
        return not (self.revoked or self.authority)

    @property
    def role(self) -> str:
        """Return what the key is for."""
        return "revoked" if self.revoked else "authority" if self.authority else "key"

    def __str__(self) -> str:
        return f"{self.type} {fingerprint(self.blob)} ({self.file}:{self.line})"


def files(names: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of such files, with the home folder put in."""
    return tuple(str(Path(name).expanduser()) for name in names)


def name_of(address: str, port: int) -> str:
    """Return how a host is called in such a file."""
    return address.lower() if port == _SSH_PORT else f"[{address.lower()}]:{port}"


def without_port(name: str) -> str:
    """Return the name of a host in its certificates, from the one in such a file."""
    return name[1:].rpartition("]:")[0] if name.startswith("[") else name


def known_keys(paths: Iterable[str], name: str) -> list[KnownKey]:
    """Return the keys of a host in the order of the files; a file that cannot be read knows nothing."""
    return [key for path in paths for key in _keys_in(path, name)]


def offer_order(known: Sequence[KnownKey], key_types: Sequence[str]) -> tuple[str, ...]:
    """Return the types of host keys to ask for, so that a host with several shows one that can be judged.

    Certificates come first where an authority is known for the host, and else not at all; then the types of its keys.
    """
    types = {key.type for key in known if key.own}
    own = sorted(key_types, key=lambda offered: ("ssh-rsa" if offered.startswith("rsa-") else offered) not in types)
    certified = [f"{offered}-cert-v01@openssh.com" for offered in key_types]
    return (*(certified if any(key.authority and not key.revoked for key in known) else ()), *own)


def add(path: str, name: str, key_type: str, blob: bytes, *, hashed: bool) -> str:
    """Append the key of a host to a file, which is created if there is none; return the line that was written.

    Raises OSError.
    """
    written = _hash_of(name) if hashed else name
    line = f"{written} {key_type} {base64.b64encode(blob).decode()}"
    file = Path(path)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "rb+") as known:
        known.seek(0, os.SEEK_END)
        if known.tell():
            known.seek(-1, os.SEEK_END)
            line_feed = b"" if known.read(1) == b"\n" else b"\n"
        else:
            line_feed = b""
        known.write(line_feed + line.encode() + b"\n")
    return line


def fingerprint(blob: bytes) -> str:
    """Return the form in which `ssh` prints a key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _keys_in(path: str, name: str) -> list[KnownKey]:
    try:
        text = Path(path).read_text(errors="replace")
    except OSError:
        return []
    lines = [(number, _LINE.match(line.strip())) for number, line in enumerate(text.splitlines(), 1)]
    keys = [_key(path, number, match, name) for number, match in lines if match]
    return [key for key in keys if key]


def _key(path: str, number: int, match: re.Match[str], name: str) -> KnownKey | None:
    marker, names, type_, encoded = match.groups()
    if names.startswith("#") or marker not in (None, _REVOKED, _AUTHORITY):
        return None
    # An authority that is known for a host is known for all its ports.
    if not _names(names, name) and not (marker == _AUTHORITY and _names(names, without_port(name))):
        return None
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    return KnownKey(type_, blob, marker == _REVOKED, marker == _AUTHORITY, path, number)


def _names(names: str, name: str) -> bool:
    """Say whether the first field of a line means this host; one pattern with `!` that fits excludes it."""
    if names.startswith("|"):
        return _is_hash_of(names, name)
    patterns = names.lower().split(",")
    if any(pattern.startswith("!") and _fits(pattern[1:], name) for pattern in patterns):
        return False
    return any(_fits(pattern, name) for pattern in patterns)


def _fits(pattern: str, name: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, name) is not None


def _hash_of(name: str) -> str:
    salt = secrets.token_bytes(20)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return "|".join(("", "1", base64.b64encode(salt).decode(), base64.b64encode(digest).decode()))


def _is_hash_of(hashed: str, name: str) -> bool:
    try:
        _, _, salt, digest = hashed.split("|")
        expected = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return hmac.compare_digest(expected, base64.b64decode(digest))
    except ValueError:
        return False
