"""Reads the file of RevokedHostKeys: a list of keys, or a key revocation list (KRL) of ssh-keygen."""

from __future__ import annotations

import base64
import binascii
import subprocess
from collections.abc import Iterator
from pathlib import Path

import paramiko

from monitor_core.collect.certificates import authority_of
from monitor_core.errors import Unreachable

_KRL = b"SSHKRL\n\0"
_PATIENCE = 3.0
_REVOKED = 1  # the exit status of `ssh-keygen -Q`


def is_revoked(path: str, shown: paramiko.PKey) -> bool:
    """Return whether a key of a host, its certificate, or who has signed that is in the file.

    Raises Unreachable if it cannot be told: then nobody is believed, as `ssh` does it.
    """
    try:
        content = Path(path).expanduser().read_bytes()
        if content.startswith(_KRL):
            return _is_in_krl(path, shown)
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else "ssh-keygen gives no answer"
        raise Unreachable(f"{path} (RevokedHostKeys) cannot be read: {why}. No host is believed without it") from error
    return not {shown.asbytes(), authority_of(shown)}.isdisjoint(_listed(content))


def _is_in_krl(path: str, shown: paramiko.PKey) -> bool:
    # Of a certificate it looks at the key in it and at who has signed it, too.
    certificate = shown.public_blob
    name, blob = (certificate.key_type, certificate.key_blob) if certificate else (shown.get_name(), shown.asbytes())
    line = f"{name} {base64.b64encode(blob).decode()}\n".encode()
    command = ["ssh-keygen", "-Q", "-f", str(Path(path).expanduser()), "/dev/stdin"]
    asked = subprocess.run(command, input=line, capture_output=True, timeout=_PATIENCE, check=False)
    if asked.returncode in (0, _REVOKED):
        return asked.returncode == _REVOKED
    raise OSError(0, " ".join(asked.stderr.decode(errors="replace").split()))


def _listed(content: bytes) -> Iterator[bytes]:
    for line in content.splitlines():
        words = line.split()
        if len(words) > 1 and not line.startswith(b"#"):
            try:
                yield base64.b64decode(words[1], validate=True)
            except binascii.Error:
                continue
