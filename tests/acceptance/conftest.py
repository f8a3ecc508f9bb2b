"""Fixtures of the stories."""

from __future__ import annotations

import os

import pytest

from tests.support.slack_server import SlackServer
from tests.support.smtpd import MailServer
from tests.support.sshd import Sshd, why_not
from tests.support.story import SimulatedClock, Story


@pytest.fixture
def clock(tmp_path, monkeypatch):
    """Simulated time, also for the shells that read logs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return SimulatedClock(folder)


@pytest.fixture
def slack(clock):
    with SlackServer(clock=clock) as server:
        yield server


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


@pytest.fixture
def tell(tmp_path, clock):
    """Begin a story; what is given goes to `Story`."""
    stories = []

    def begin(**how):
        stories.append(Story(tmp_path, clock, **how))
        return stories[-1]

    yield begin
    for story in stories:
        story.close()


@pytest.fixture
def make_sshd(tmp_path_factory):
    """Start SSH servers of one test; takes lines of sshd_config."""
    servers = []

    def make(settings=""):
        if reason := why_not():
            pytest.skip(reason)
        servers.append(Sshd(tmp_path_factory.mktemp("sshd"), settings))
        servers[-1].start()
        return servers[-1]

    yield make
    for server in servers:
        server.stop()
