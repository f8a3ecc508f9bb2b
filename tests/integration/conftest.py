"""Servers for the integration tests."""

from __future__ import annotations

import functools

import pytest

from monitor_core.config.models import Host
from tests.support import foreign
from tests.support.follower import Follower
from tests.support.proxy import Proxy
from tests.support.sshd import SFTP_ONLY, Sshd, why_not


@pytest.fixture(scope="session")
def sshd(tmp_path_factory):
    """An SSH server for all tests that leave it as it is."""
    server = _started(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sftp_only(tmp_path_factory):
    """An SSH server that allows nothing but SFTP, which begins in the folder `home`."""
    server = _started(tmp_path_factory.mktemp("sftp"), SFTP_ONLY)
    yield server
    server.stop()


@pytest.fixture
def make_sshd(tmp_path_factory):
    """Start SSH servers for one test, which may do with them what it likes; takes lines of sshd_config."""
    servers = []

    def make(settings=""):
        servers.append(_started(tmp_path_factory.mktemp("own-sshd"), settings))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def proxy(sshd):
    """A proxy before the shared SSH server, which knows its host key by the proxy's port too."""
    between = Proxy(sshd.port)
    yield between
    between.close()


@pytest.fixture(params=["local", "ssh", "sftp"])
def server(request):
    """The server of a host that is read over SSH, by SFTP or (None) on this machine."""
    fixture = {"local": "", "ssh": "sshd", "sftp": "sftp_only"}[request.param]
    return request.getfixturevalue(fixture) if fixture else None


@pytest.fixture
def host(server):
    """This machine, read without SSH, with it, and by SFTP alone."""
    return server.host() if server else Host(name="here", transport="local")


@pytest.fixture(scope="session")
def foreign_host(tmp_path_factory):
    """Return a host of a kind that `tests.support.foreign` knows; its server is started once."""
    servers = {}

    def host(kind):
        if reason := foreign.why_not(kind):
            pytest.skip(reason)
        if kind not in servers:
            folder = tmp_path_factory.mktemp(f"{kind}-sshd")
            servers[kind] = _started(folder, foreign.settings(kind, folder))
        return servers[kind].host()

    yield host
    for server in servers.values():
        server.stop()


@pytest.fixture
def follow_on():
    """Follow logs on any host."""
    followers = []

    def start(host, *patterns, **limits):
        followers.append(Follower(host, patterns=patterns, **limits))
        return followers[-1]

    yield start
    for follower in followers:
        follower.close()


@pytest.fixture
def follow(host, follow_on):
    """Follow logs on the host of the test."""
    return functools.partial(follow_on, host)


def _started(folder, settings=""):
    if reason := why_not():
        pytest.skip(reason)
    server = Sshd(folder, settings)
    server.start()
    return server
