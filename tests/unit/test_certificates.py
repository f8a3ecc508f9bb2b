from __future__ import annotations

import base64
import subprocess
import time

import paramiko
import pytest
from paramiko.pkey import PublicBlob

from monitor_core.collect.certificates import authority_of, bare_key, fault
from tests.support.sshd import make_key, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())
NOW = time.time()
HOST = ("-h", "-n", "gpu-01.example.com,gpu-01")


def blob_of(key):
    return base64.b64decode(key.with_name(f"{key.name}.pub").read_text().split()[1])


@pytest.fixture
def authority(tmp_path):
    return make_key(tmp_path / "authority")


@pytest.fixture
def shown(tmp_path, authority):
    """Return the key that a host shows with a certificate of the authority; `forge` changes the certificate's bytes."""

    def shown(*options, signer=authority, kind="ed25519", forge=lambda blob: blob):
        key = make_key(tmp_path / "host", kind)
        subprocess.run(["ssh-keygen", "-q", "-s", signer, "-I", "x", *options, f"{key}.pub"], check=True)
        held = paramiko.PKey.from_path(key)
        held.public_blob = PublicBlob(held.public_blob.key_type, forge(held.public_blob.key_blob))
        return held

    return shown


def judged(key, *authorities, name="gpu-01", now=NOW):
    return fault(key, {blob_of(each) for each in authorities}, name, now)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_certificate_that_holds_has_no_fault(shown, tmp_path, kind):
    signer = make_key(tmp_path / "signer", kind)
    key = shown(*HOST, signer=signer, kind=kind)
    assert judged(key, signer) == ""
    assert authority_of(key) == blob_of(signer)
    assert bare_key(key.public_blob.key_blob) == key.asbytes()


def test_a_bare_key_has_no_certificate(shown, authority):
    key = shown(*HOST)
    key.public_blob = None
    assert judged(key, authority) == "it shows no certificate"
    assert authority_of(key) == b""


def test_only_a_known_authority_counts(shown, tmp_path):
    assert judged(shown(*HOST), make_key(tmp_path / "other")).startswith("its certificate is signed by SHA256:")


@pytest.mark.parametrize("name", ["gpu-01", "gpu-01.example.com"])
def test_each_of_its_names_counts(shown, authority, name):
    assert judged(shown(*HOST), authority, name=name) == ""


@pytest.mark.parametrize("name", ["gpu-02", "gpu-0", "gpu-01.example.org", "*"])
def test_other_names_do_not_count(shown, authority, name):
    assert "not for" in judged(shown(*HOST), authority, name=name)


def test_patterns_among_its_names_are_only_names(shown, authority):
    assert "not for" in judged(shown("-h", "-n", "gpu-*"), authority)


def test_the_dates_count(shown, authority):
    key = shown(*HOST, "-V", "20260101000000Z:20260201000000Z")
    begins, ends = 1767225600, 1769904000
    assert "not valid before 2026-01-01 00:00 UTC" in judged(key, authority, now=begins - 1)
    assert judged(key, authority, now=begins) == judged(key, authority, now=ends - 1) == ""
    assert "valid until 2026-02-01 00:00 UTC" in judged(key, authority, now=ends)


def test_a_certificate_of_a_user_is_refused(shown, authority):
    assert judged(shown("-n", "gpu-01"), authority) == "its certificate is one of a user, not of a host"


def test_conditions_are_refused(shown, authority):
    assert "conditions" in judged(shown(*HOST, "-O", "critical:only@example.com=here"), authority)


def test_a_forged_certificate_is_refused(shown, authority):
    def another_name(blob):
        return blob.replace(b"gpu-01.example.com", b"gpu-02.example.com")

    key = shown(*HOST, forge=another_name)
    assert judged(key, authority, name="gpu-02.example.com") == "the signature of its certificate is not right"


def test_a_certificate_for_another_key_is_refused(shown, authority, tmp_path):
    other = paramiko.PKey.from_path(make_key(tmp_path / "other"))
    other.public_blob = shown(*HOST).public_blob
    assert judged(other, authority) == "the signature of its certificate is not right"


def test_a_signature_with_sha1_is_refused(shown, tmp_path):
    signer = make_key(tmp_path / "signer", "rsa")
    assert "signature" in judged(shown(*HOST, "-t", "ssh-rsa", signer=signer), signer)
    assert judged(shown(*HOST, "-t", "rsa-sha2-256", signer=signer), signer) == ""


@pytest.mark.parametrize("length", [0, 3, 40, 200, -1])
def test_a_certificate_that_is_cut_off_is_none(shown, authority, length):
    assert judged(shown(*HOST, forge=lambda blob: blob[:length]), authority) == "it shows no certificate"
