"""Reads the files in which OpenSSH keeps the host keys that are known (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

paramiko's own reader gives up a whole file at the first marker and knows no wildcards, so each line is read by itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SSH_PORT = 22
_USUAL = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_LINE = re.compile(r"(?:(@\S+)\s+)?(\S+)\s+(\S+)\s+(\S+)")
_REVOKED = "@revoked"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A line that is about a host: the key, whether it is revoked, and where the line stands."""

    type: str
    blob: bytes
    revoked: bool
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.type} {fingerprint(self.blob)} ({self.file}:{self.line})"


def files(host_key: str) -> tuple[str, ...]:
    """Return the files that a host's setting `host_key` means."""
    names = _USUAL if host_key == "known_hosts" else (host_key,)
    return tuple(str(Path(name).expanduser()) for name in names)


def name_of(address: str, port: int) -> str:
    """Return how a host is called in such a file."""
    return address.lower() if port == _SSH_PORT else f"[{address.lower()}]:{port}"


def known_keys(paths: Iterable[str], name: str) -> list[KnownKey]:
    """Return the keys of a host in the order of the files; a file that cannot be read knows nothing."""
    return [key for path in paths for key in _keys_in(path, name)]


def offer_order(known: Sequence[KnownKey], key_types: Sequence[str]) -> list[str]:
    """Put the types of the known keys first, so that a host with several keys shows one that can be compared."""
    types = {key.type for key in known if not key.revoked}
    return sorted(key_types, key=lambda offered: ("ssh-rsa" if offered.startswith("rsa-") else offered) not in types)


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
    if names.startswith("#") or marker not in (None, _REVOKED) or not _names(names, name):
        return None
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    return KnownKey(type_, blob, marker == _REVOKED, path, number)


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


def _is_hash_of(hashed: str, name: str) -> bool:
    try:
        _, _, salt, digest = hashed.split("|")
        expected = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return hmac.compare_digest(expected, base64.b64decode(digest))
    except ValueError:
        return False
