"""The heartbeat of looking, on a database file, with a clock that the tests set."""

from __future__ import annotations

import pytest

from monitor_core.pulse import Pulse
from tests.support.stage import HOST, START, Stage

MINUTE, HALF_AN_HOUR = 60.0, 1800.0


class Hearted(Stage):
    """A stage whose monitor has a pulse; `looked` is when each host was looked at."""

    def __init__(self, folder):
        super().__init__(folder)
        self.looked = {}
        self.wake()

    def wake(self):
        """Begin again, as after a start of the process."""
        self.pulse = Pulse(self.engine, self.roster, self.clock)

    def beat(self, after=0.0, *, look=True):
        self.clock.now += after
        if look:
            self.looked[HOST] = self.clock.now
        self.pulse.beat(self.looked)

    def blind(self):
        """Return from when to when nobody looked, in minutes since the start."""
        rows = self.rows("SELECT starts_at, ends_at FROM incidents WHERE kind = 'blind'")
        return [tuple((at - START) / MINUTE for at in row) for row in rows]

    def known(self):
        return self.rows("SELECT looked_at FROM lease")


@pytest.fixture
def stage(tmp_path):
    made = Hearted(tmp_path)
    yield made
    made.close()


def test_a_first_start_is_not_blind(stage):
    stage.beat()
    assert (stage.blind(), stage.known()) == ([], [(START,)])


def test_that_we_look_is_written_down_every_ten_seconds(stage):
    known = []
    for _ in range(6):
        stage.beat(after=4)
        known += stage.known()
    assert known == [(START + 4,)] * 3 + [(START + 16,)] * 3


@pytest.mark.parametrize(("minutes", "blind"), [(3, []), (3.1, [(0, 3.1)])])
def test_three_minutes_are_the_limit(stage, minutes, blind):
    stage.beat()
    stage.beat(after=minutes * MINUTE)
    assert stage.blind() == blind


def test_it_is_told_once_and_is_over_when_it_is_told(stage):
    stage.beat()
    stage.beat(after=HALF_AN_HOUR)
    for _ in range(20):
        stage.beat(after=4)
    assert stage.incidents() == [("self:", "blind", "resolved")]
    assert stage.blind() == [(0, 30)]


def test_it_waits_until_every_host_has_been_looked_at_again(stage):
    stage.beat()
    stage.beat(after=HALF_AN_HOUR, look=False)
    stage.beat(after=20, look=False)
    assert (stage.blind(), stage.known()) == ([], [(START,)])
    stage.beat(after=2)
    assert stage.blind() == [(0, 30)]
    assert stage.known() == [(START + HALF_AN_HOUR + 22,)]


def test_it_does_not_wait_for_a_host_for_ever(stage):
    stage.beat()
    for _ in range(2):
        stage.beat(after=HALF_AN_HOUR / 2, look=False)
    stage.beat(after=59, look=False)
    stage.beat(after=2, look=False)
    assert len(stage.blind()) == 1


def test_a_process_that_dies_before_it_could_tell_loses_nothing(stage):
    stage.beat()
    stage.beat(after=HALF_AN_HOUR, look=False)
    stage.wake()
    stage.beat(after=10 * MINUTE)
    assert stage.blind() == [(0, 40)]


def test_the_first_look_ends_the_gap_though_the_first_beat_comes_later(stage):
    stage.beat()
    stage.wake()
    stage.clock.now += HALF_AN_HOUR
    stage.looked[HOST] = stage.clock.now
    stage.beat(after=30, look=False)
    assert stage.blind() == [(0, 30)]


def test_a_look_just_before_the_gap_does_not_end_it(stage):
    stage.beat()
    stage.looked[HOST] = START + 9
    stage.beat(after=HALF_AN_HOUR, look=False)
    stage.beat(after=2)
    assert stage.blind() == [(0, 30)]


def test_why_it_did_not_look_is_known(stage):
    stage.beat()
    stage.beat(after=HALF_AN_HOUR)
    stage.clock.now += HALF_AN_HOUR
    stage.wake()
    stage.beat()
    facts = stage.rows("SELECT facts FROM incidents ORDER BY number")
    assert facts == [('{"why": "asleep"}',), ('{"why": "down"}',)]


def test_people_say_how_long_is_long(stage):
    stage.control.set_threshold("shell:alice", "blind", "1h", scope="all")
    stage.beat()
    stage.beat(after=HALF_AN_HOUR)
    assert stage.blind() == []
    stage.beat(after=2 * HALF_AN_HOUR + 1)
    assert len(stage.blind()) == 1


def test_the_lease_of_whoever_holds_it_stays_as_it_is(stage):
    stage.execute("INSERT INTO lease VALUES ('monitor', 'host:1', 7, 1.0, 2.0, NULL)")
    stage.beat()
    assert stage.rows("SELECT holder, fence, renewed_at, expires_at, looked_at FROM lease") == [
        ("host:1", 7, 1.0, 2.0, START)
    ]


def test_a_clock_that_was_set_back_does_not_stop_the_heart(stage):
    stage.beat()
    stage.beat(after=-HALF_AN_HOUR)
    assert stage.known() == [(START - HALF_AN_HOUR,)]
