"""Looks into certificates (OpenSSH's PROTOCOL.certkeys), and judges those that hosts show instead of a bare key.

paramiko checks that a host holds the key of its certificate, and nothing about the certificate.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

import paramiko
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
    SSHCertPublicKeyTypes,
    load_ssh_public_identity,
)

from monitor_core.collect.known_hosts import fingerprint

# The signatures that OpenSSH takes for good: SHA-1 is not among them.
_SAFE = frozenset(
    {
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-256",
        "rsa-sha2-512",
    }
)
_MALFORMED = (ValueError, UnsupportedAlgorithm, NotImplementedError)
_END_OF_TIME = 253402300799  # the last second that a date can name


def bare_key(certificate: bytes) -> bytes:
    """Return the public key that a certificate is about; empty if it is none that is understood."""
    found = _parsed(certificate)
    return _blob(found.public_key()) if found else b""


def authority_of(shown: paramiko.PKey) -> bytes:
    """Return the key that has signed the certificate of a host; empty if it showed none, or one that is no good."""
    certificate = _certificate(shown)
    return _blob(certificate.signature_key()) if certificate else b""


def fault(shown: paramiko.PKey, authorities: Collection[bytes], name: str, now: float) -> str:
    """Say why what a host shows is not vouched for by one of the authorities' keys; empty if it is.

    `name` is that of the host in certificates; `now` is in seconds since 1970.
    """
    return next(_faults(_certificate(shown), shown, authorities, name, now), "")


def _faults(
    certificate: SSHCertificate | None, shown: paramiko.PKey, authorities: Collection[bytes], name: str, now: float
) -> Iterator[str]:
    if certificate is None:
        yield "it shows no certificate"
        return
    if authority_of(shown) not in authorities:
        yield f"its certificate is signed by {fingerprint(authority_of(shown))}"
    if not _is_signed(certificate, shown):
        yield "the signature of its certificate is not right"
    if certificate.type is not SSHCertificateType.HOST:
        yield "its certificate is one of a user, not of a host"
    names = [principal.decode(errors="replace") for principal in certificate.valid_principals]
    # Without names it is for every host, as OpenSSH has it.
    if names and name not in names:
        yield f"its certificate is for {', '.join(names)}, not for {name}"
    if now < certificate.valid_after:
        yield f"its certificate is not valid before {_day(certificate.valid_after)}"
    if now >= certificate.valid_before:
        yield f"its certificate has expired: it was valid until {_day(certificate.valid_before)}"
    if certificate.critical_options:
        yield "its certificate has conditions that are not known"


def _certificate(shown: paramiko.PKey) -> SSHCertificate | None:
    return _parsed(_blob_of(shown))


def _parsed(blob: bytes) -> SSHCertificate | None:
    line = paramiko.Message(blob).get_binary() + b" " + base64.b64encode(blob)
    try:
        found = load_ssh_public_identity(line)
        if isinstance(found, SSHCertificate) and found.signature_key() and found.public_key():
            return found
    except _MALFORMED:
        pass
    return None


def _is_signed(certificate: SSHCertificate, shown: paramiko.PKey) -> bool:
    """Say whether the authority has signed it, and for the very key that the host has been seen to hold."""
    # The last field is the signature, which begins with its type.
    signature = paramiko.Message(_blob_of(shown).rpartition(authority_of(shown))[2]).get_binary()
    if paramiko.Message(signature).get_text() not in _SAFE or _blob(certificate.public_key()) != shown.asbytes():
        return False
    try:
        certificate.verify_cert_signature()
    except (InvalidSignature, *_MALFORMED):
        return False
    return True


def _blob_of(shown: paramiko.PKey) -> bytes:
    return bytes(shown.public_blob.key_blob) if shown.public_blob else shown.asbytes()


def _blob(key: SSHCertPublicKeyTypes) -> bytes:
    return base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(min(seconds, _END_OF_TIME), UTC):%Y-%m-%d %H:%M} UTC"
