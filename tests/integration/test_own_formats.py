"""A run in a format of one's own: followed over restarts, and told if the format matches nothing."""

from __future__ import annotations

import logging

import pytest

from monitor_core.collect.hosts import HostReader
from monitor_core.config.models import Config
from monitor_core.poller import Poller
from monitor_core.roster import Roster
from monitor_core.store.database import open_database
from monitor_core.track import memory
from tests.support.stage import HOST, RUN, START, Clock


class Site:
    """A log, and pollers one after the other on one database."""

    def __init__(self, folder):
        self.log = folder / "train.log"
        self.engine = open_database(f"sqlite:///{folder}/t.db")
        self.clock = Clock()
        self.clock.now = START

    def write(self, *lines):
        with self.log.open("a") as out:
            out.writelines(f"{line}\n" for line in lines)

    def poller(self, progress, **more):
        """Return a poller as it is after a start with this pattern."""
        config = Config.model_validate(
            {
                "hosts": {HOST: {"transport": "local"}},
                "formats": {"ours": {"progress": progress, **more}},
                "runs": {RUN: {"host": HOST, "logs": [str(self.log)], "format": "ours"}},
            }
        )
        reader = HostReader(config.hosts[HOST], config.hosts)
        return Poller(self.engine, Roster(config, frozenset()), {HOST: reader}, self.clock)

    def poll(self, poller, times=2):
        for _ in range(times):
            poller.poll_host(HOST)
            self.clock.now += 100

    @property
    def state(self):
        with self.engine.connect() as connection:
            return memory.load(connection.exec_driver_sql("SELECT state FROM runs").scalar_one())


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.engine.dispose()


def said(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_what_a_format_of_ones_own_has_told_is_known_after_a_restart(site):
    pattern = "epoch {epoch}/{epochs} batch {batch}/{batches} loss={loss}"
    site.write("epoch 1/3 batch 99/100 loss=2.5")
    site.poll(site.poller(pattern))
    site.write("epoch 2/3 batch 1/100 loss=2.25")
    site.poll(site.poller(pattern))
    assert (site.state.iteration, site.state.total, site.state.loss) == (101, 300, 2.25)


def test_the_end_of_a_format_of_ones_own_ends_the_run(site):
    poller = site.poller("step {iteration}", end="all done")
    site.write("step 5")
    site.poll(poller)
    assert str(site.state.phase) == "training"
    site.write("all done")
    site.poll(poller)
    assert str(site.state.phase) == "ending"


def test_a_pattern_that_matches_nothing_is_said_once_when_enough_lines_have_come(site, caplog):
    poller = site.poller("stp {iteration}")
    site.write(*(f"step {step}" for step in range(100)))
    site.poll(poller)
    assert said(caplog) == []
    site.write(*(f"step {step}" for step in range(100, 300)))
    site.poll(poller, times=4)
    (line,) = said(caplog)
    assert line.startswith(f"run={RUN}: format ours matches none of 300 lines; `trainstatus replay LOG --config ")


def test_another_pattern_counts_the_lines_anew_and_follows_from_there_on(site, caplog):
    site.write(*(f"step {step}" for step in range(300)))
    site.poll(site.poller("stp {iteration}"))
    assert len(said(caplog)) == 1
    mended = site.poller("step {iteration}")
    site.poll(mended)
    site.write("step 300")
    site.poll(mended)
    assert site.state.iteration == 300
    assert len(said(caplog)) == 1
