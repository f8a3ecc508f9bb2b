"""Looks at hosts and what comes of them: real files, real SSH, a real database, a clock that the tests set."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError

from monitor_core.collect.hosts import HostReader
from monitor_core.config.models import Host
from monitor_core.errors import Unreachable
from monitor_core.parse.parser import Parser
from monitor_core.poller import Poller
from monitor_core.track import memory
from tests.support.hanging import HangingLog
from tests.support.sshd import ADDRESS, free_port, make_key, until
from tests.support.stage import HOST, OTHER_RUN, RUN, START, Stage
from tests.support.story import SimulatedClock

ITERATION = 10.0
PIECE = 4 * 2**20


@dataclass
class Counting:
    """A reader that counts its trips, and the bytes that they bring, and fails in those that are named."""

    reader: HostReader
    trips: list = field(default_factory=list)
    sizes: dict = field(default_factory=dict)
    fails_in: frozenset = frozenset()

    def read(self, requests, **how):
        self.trips.append([request.run for request in requests])
        if len(self.trips) in self.fails_in:
            raise Unreachable("the line broke")
        reading = self.reader.read(requests, **how)
        for log in reading.logs:
            self.sizes.setdefault(log.run, []).extend(len(chunk.lines) for chunk in log.chunks)
        return reading

    def close(self):
        self.reader.close()


class Site(Stage):
    """A stage with a poller, and logs that grow."""

    def __init__(self, folder, clock, **how):
        super().__init__(folder, **how)
        self.clock = self.control.clock = clock
        self.iterations = dict.fromkeys(self.config.runs, 0)
        self.reader = Counting(HostReader(self.config.hosts[HOST], self.config.hosts))
        self.poller = Poller(self.engine, self.roster, {HOST: self.reader}, clock)

    def close(self):
        self.reader.close()
        super().close()

    def log(self, run):
        return self.folder / f"{run}.log"

    def train(self, lines, *runs):
        """Write lines that end now."""
        for run in runs or self.config.runs:
            with self.log(run).open("a") as out:
                for left in reversed(range(lines)):
                    self.iterations[run] += 1
                    out.write(_line(self.clock.now - left * ITERATION, self.iterations[run]))
            os.utime(self.log(run), (self.clock.now,) * 2)

    def poll(self, after=0.0):
        self.clock.set(self.clock.now + after)
        return self.poller.poll_host(HOST)

    def poll_until(self, seconds):
        """Poll when the poller wants to, until so many seconds have passed."""
        ends_at, due = self.clock.now + seconds, self.clock.now
        while due <= ends_at:
            self.clock.set(due)
            due = max(self.poller.poll_host(HOST), due + 0.01)
        self.clock.set(ends_at)

    def go_through(self, host):
        """Reach the host in another way from now on."""
        self.reader.close()
        self.reader.reader = HostReader(host, {host.name: host})

    def state(self, run=RUN):
        rows = self.rows(f"SELECT state FROM runs WHERE name = '{run}'")
        return memory.load(rows[0][0]) if rows else None

    def of_kind(self, kind):
        return [(subject, state) for subject, of, state in self.incidents() if of == kind]

    def offset(self, run=RUN):
        return self.rows(f"SELECT offset FROM cursors WHERE run = '{run}'")[0][0]


def _line(at, iteration):
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return (
        f" [{stamp}] iteration {iteration:8d}/   10000 | consumed samples: {iteration * 256:12d} |"
        f" elapsed time per iteration (ms): {ITERATION * 1000:.1f} | learning rate: 3.000E-04 |"
        " global batch size:   256 | lm loss: 2.3E+00 | grad norm: 0.41 |\n"
    )


LINE = len(_line(START, 1))
ARGUMENTS = (
    b"------------------------ arguments ------------------------\n"
    b"  log_interval .................................... 7\n"
    b"  train_iters ..................................... 10000\n"
)


@pytest.fixture
def clock(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return SimulatedClock(folder, START)


@pytest.fixture
def site(tmp_path, clock):
    made = Site(tmp_path, clock)
    yield made
    made.close()


def away():
    """Return a host at whose port nobody listens."""
    return Host(name=HOST, address=ADDRESS, user="nobody", port=free_port())


def here():
    return Host(name=HOST, transport="local")


def test_all_runs_of_a_host_come_with_one_trip(site):
    site.train(30)
    site.poll()
    assert site.reader.trips == [[RUN, OTHER_RUN]]
    assert (site.state(RUN).iteration, site.state(OTHER_RUN).iteration) == (30, 30)


def test_where_the_incident_cannot_be_stored_nothing_is_and_no_line_is_lost_or_counted_twice(site):
    site.train(30, RUN)
    site.poll()
    offset = site.offset()
    site.refuse("INSERT ON incidents", "new.kind = 'stuck'")
    site.clock.set(site.clock.now + 20)
    site.train(2, RUN)
    with pytest.raises(DBAPIError, match="disk full"):
        site.poll(after=130)
    assert (site.offset(), site.state().lines) == (offset, 30)
    assert site.poller.due[OTHER_RUN] > site.clock.now > site.poller.due[RUN], "the others have had their turn"
    site.execute("DROP TRIGGER full")
    site.poll(after=60)
    assert (site.offset(), site.state().lines) == (site.log(RUN).stat().st_size, 32)
    assert (f"run:{RUN}", "stuck", "firing") in site.incidents()
    assert site.of_kind("monitor_error") == [], "that the database refuses is not the trouble of a run"


def test_a_missing_log_is_told_after_three_minutes_and_not_before(site):
    site.train(1, OTHER_RUN)
    site.poll_until(179)
    assert site.of_kind("log_missing") == []
    site.poll_until(61)
    assert site.of_kind("log_missing") == [(f"run:{RUN}", "firing")]
    site.train(1)
    site.poll_until(61)
    assert site.of_kind("log_missing") == [(f"run:{RUN}", "resolved")]


def test_a_host_is_unreachable_after_three_failures_and_a_minute_and_its_runs_are_not_stuck(site):
    site.train(30)
    site.poll()
    site.go_through(away())
    site.poll_until(60)
    site.poll_until(59)
    assert site.incidents() == []
    site.poll_until(1800)
    assert site.incidents() == [(f"host:{HOST}", "unreachable", "firing")]
    site.train(191)
    site.go_through(here())
    site.poll_until(61)
    assert site.incidents() == [(f"host:{HOST}", "unreachable", "resolved")]
    assert site.state().iteration == 221


def test_a_host_that_does_not_answer_is_asked_ever_more_slowly_but_every_minute(site):
    site.go_through(away())
    waits = []
    for _ in range(7):
        due = site.poll()
        waits.append(due - site.clock.now)
        site.clock.set(due)
    longer = [wait / least for wait, least in zip(waits, [5, 10, 20, 40, 60, 60, 60], strict=True)]
    assert all(1 <= ratio < 1.26 for ratio in longer)
    assert len(set(longer)) > 3


def test_a_host_that_gives_no_answer_was_looked_at_all_the_same(site):
    site.train(30)
    site.poll()
    assert site.poller.looked == {HOST: START}
    site.go_through(away())
    site.poll(after=60)
    assert site.poller.looked == {HOST: START + 60}


def test_two_lost_polls_are_no_news(site):
    site.train(30)
    site.poll()
    site.reader.fails_in = {2, 3}
    site.poll_until(90)
    assert len(site.reader.trips) >= 4
    assert site.incidents() == []
    assert site.rows("SELECT failures FROM hosts") == [(0,)]


def test_a_changed_host_key_is_told_at_once_and_silence_after_it_resolves_nothing(site, make_sshd, tmp_path):
    server = make_sshd()
    known = tmp_path / "known_hosts"
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    known.write_text(f"[{ADDRESS}]:{server.port} {other}")
    site.go_through(server.host(name=HOST, host_key=str(known)))
    site.poll()
    assert site.incidents() == [(f"host:{HOST}", "host_key", "firing")]
    site.go_through(away())
    site.poll_until(600)
    assert site.incidents() == [(f"host:{HOST}", "host_key", "firing")]
    site.go_through(server.host(name=HOST))
    site.poll()
    assert site.incidents() == [(f"host:{HOST}", "host_key", "resolved")]


def test_a_changed_key_after_silence_does_not_say_that_the_host_answers(site, make_sshd, tmp_path):
    site.go_through(away())
    site.poll_until(120)
    server = make_sshd()
    known = tmp_path / "known_hosts"
    known.write_text(f"[{ADDRESS}]:{server.port} {make_key(tmp_path / 'other').with_suffix('.pub').read_text()}")
    site.go_through(server.host(name=HOST, host_key=str(known)))
    site.poll_until(60)
    assert site.incidents() == [(f"host:{HOST}", "unreachable", "firing"), (f"host:{HOST}", "host_key", "firing")]


def test_a_changed_key_is_dated_to_when_it_was_first_shown(site, make_sshd, tmp_path):
    site.go_through(away())
    site.poll()
    site.poll(30)
    server = make_sshd()
    known = tmp_path / "known_hosts"
    known.write_text(f"[{ADDRESS}]:{server.port} {make_key(tmp_path / 'other').with_suffix('.pub').read_text()}")
    site.go_through(server.host(name=HOST, host_key=str(known)))
    site.poll(30)
    shown_at = site.clock.now
    site.poll(60)
    assert site.rows("SELECT starts_at FROM incidents WHERE kind = 'host_key'") == [(shown_at,)]


def test_a_run_that_cannot_be_judged_is_told_and_does_not_stop_the_others(site):
    site.train(30)
    site.poll()
    site.execute(f"UPDATE runs SET state = 'no JSON' WHERE name = '{RUN}'")
    site.train(10)
    site.poll(after=60)
    assert site.state(OTHER_RUN).iteration == 40
    assert site.incidents() == [("self:", "monitor_error", "firing")]
    assert site.control.run(RUN).state == "unknown"
    assert site.control.overview().incidents[0].facts["what"] == f"{RUN} could not be judged"
    site.execute(f"DELETE FROM runs WHERE name = '{RUN}'")
    site.clock.set(site.clock.now + 60)
    site.train(6)
    site.poll()
    assert site.incidents() == [("self:", "monitor_error", "resolved")]


def test_a_threshold_that_somebody_set_holds_at_the_next_look(site):
    site.train(30, RUN)
    site.poll()
    site.control.set_threshold("shell:alice", "stuck", "10m", scope=f"run {RUN}")
    site.poll_until(300)
    assert (f"run:{RUN}", "stuck", "firing") not in site.incidents()
    site.control.reset_threshold("shell:alice", "stuck", scope=f"run {RUN}")
    site.poll_until(61)
    assert (f"run:{RUN}", "stuck", "firing") in site.incidents()


def test_a_mute_that_came_while_the_logs_were_read_is_not_undone(site):
    site.train(30)
    site.poll()
    site.poll_until(121)
    read = site.reader.read

    def muted_meanwhile(requests, **how):
        answer = read(requests, **how)
        site.control.mute("shell:alice", RUN)
        site.control.ack("shell:alice", RUN)
        return answer

    site.reader.read = muted_meanwhile
    site.poll(after=60)
    (incident,) = site.control.run(RUN).incidents
    assert (incident.muted, incident.acknowledged_by) == (1, "shell:alice")


def test_a_first_sight_that_breaks_off_goes_on_where_it_was_and_loses_nothing(site):
    lines = PIECE // LINE + 1000
    site.train(lines, RUN)
    site.reader.fails_in = {2}
    assert site.poll() == pytest.approx(site.clock.now, abs=0.1)
    assert site.state() is None
    assert site.poll() - site.clock.now > 1
    site.poll(after=60)
    assert (site.state().iteration, site.state().lines) == (lines, lines)
    assert len(site.reader.sizes[RUN]) == 2
    assert all(state == "resolved" for _, _, state in site.incidents())


def test_a_monitor_that_goes_away_in_the_middle_of_a_first_sight_begins_anew(site):
    lines = PIECE // LINE + 1000
    site.train(lines, RUN)
    site.poll()
    site.poller = site.poller.heir(site.engine, site.roster, site.poller.readers, {RUN})
    site.poll()
    site.poll()
    assert (site.state().iteration, site.state().lines) == (lines, lines)


def test_the_pieces_of_a_first_sight_keep_no_other_run_waiting(site):
    lines = 2 * PIECE // LINE + 1000
    site.train(lines, RUN)
    site.train(30, OTHER_RUN)
    site.poll()
    assert site.control.run(RUN).state == "unknown"
    assert site.state(OTHER_RUN).iteration == 30
    assert site.control.run(OTHER_RUN).state == "training"
    site.clock.set(site.clock.now + 60)
    site.train(6, OTHER_RUN)
    site.poll()
    assert (site.state(RUN), site.state(OTHER_RUN).iteration) == (None, 36)
    site.poll()
    assert (site.state(RUN).iteration, site.control.run(RUN).state) == (lines, "training")
    assert site.reader.trips[2:] == [[RUN]]


def test_of_a_log_of_any_size_the_last_part_is_read_in_bounded_pieces_and_the_beginning_once(site):
    log = site.log(RUN)
    log.write_bytes(ARGUMENTS)
    os.truncate(log, 10 * 2**30)
    site.train(1, OTHER_RUN)
    site.iterations[RUN] = 5_000
    site.train(5 * PIECE // LINE, RUN)
    while site.state(RUN) is None:
        site.poll()
    sizes = site.reader.sizes[RUN]
    assert max(sizes) <= PIECE
    assert 16 * 2**20 - LINE <= sum(sizes[:-1]) <= 16 * 2**20
    assert sizes[-1] <= 2**18
    state = site.state(RUN)
    assert (state.iteration, state.settings) == (site.iterations[RUN], {"log_interval": 7, "train_iters": 10_000})


@pytest.mark.parametrize("way", ["shell", "sftp"])
def test_format_and_total_of_a_log_whose_last_part_is_only_noise_are_those_of_its_beginning(site, way, request):
    if way == "sftp":
        site.go_through(request.getfixturevalue("sftp_only").host(name=HOST))
    site.log(RUN).write_bytes(ARGUMENTS)
    site.train(30, RUN)
    with site.log(RUN).open("a") as out:
        out.write("WARNING: a retransmission was needed\n" * (17 * 2**20 // 37))
    os.utime(site.log(RUN), (site.clock.now,) * 2)
    while site.state(RUN) is None:
        site.poll()
    state, parsers = site.state(RUN), site.rows(f"SELECT parsers FROM runs WHERE name = '{RUN}'")[0][0]
    assert Parser.restore(json.loads(parsers)[str(site.log(RUN))]).format == "megatron"
    assert (state.total, state.settings["log_interval"]) == (10_000, 7)
    assert (state.iteration, state.lines, state.launches, state.phase) == (None, 0, 1, "starting")
    assert site.rows("SELECT * FROM progress") == []
    before = len(site.reader.trips)
    site.poll(after=60)
    assert len(site.reader.trips) == before + 1


def test_a_beginning_that_cannot_be_read_keeps_nobody_from_judging_the_rest(site):
    site.train(5 * PIECE // LINE, RUN)
    site.reader.fails_in = {6}
    while site.state(RUN) is None:
        site.poll()
    assert len(site.reader.trips) == 6
    assert (site.state(RUN).iteration, site.state(RUN).settings) == (site.iterations[RUN], {})


def test_a_rotation_costs_no_line_counts_none_twice_and_alerts_nobody(site):
    site.train(30)
    site.poll()
    for number in (2, 1):
        site.clock.set(site.clock.now + 60)
        site.train(6)
        site.log(RUN).rename(site.folder / f"{RUN}.log.{number}")
    site.clock.set(site.clock.now + 60)
    site.train(6)
    site.poll_until(60)
    state = site.state()
    assert (state.iteration, state.lines, state.first_iteration, state.launches) == (48, 48, 1, 1)
    site.clock.set(site.clock.now + 60)
    site.train(12)
    site.poll_until(60)
    assert site.state().lines == 60
    assert site.incidents() == []


def test_a_cursor_is_stored_with_what_finds_its_rest_after_a_rotation(site):
    site.train(30, RUN)
    site.poll()
    site.log(RUN).rename(site.folder / f"{RUN}.log.1")
    with (site.folder / f"{RUN}.log.1").open("a") as out:
        out.write(_line(site.clock.now, 31))
    site.log(RUN).write_text(_line(site.clock.now, 32))
    site.reader.close()
    site.poller.readers = {HOST: HostReader(here(), {})}
    site.poll(after=60)
    site.poller.readers[HOST].close()
    assert site.state().lines == 32
    assert site.rows("SELECT mtime > 1e9, real_path FROM cursors") == [(1, str(site.log(RUN).resolve()))]


def test_a_log_that_hangs_is_unknown_after_its_grace_and_costs_the_other_run_nothing(site):
    site.train(30)
    site.poll()
    hung = HangingLog(site.log(RUN))
    try:
        for minute in range(1, 5):
            assert site.incidents() == []
            site.clock.set(site.clock.now + 60)
            site.train(6, OTHER_RUN)
            site.poll_until(1)
            assert (site.state(RUN).iteration, site.state(OTHER_RUN).iteration) == (30, 30 + 6 * minute)
        assert site.incidents() == [(f"run:{RUN}", "log_unreadable", "firing")]
        assert site.control.run(RUN).incidents[0].facts["error"] == (
            f"{site.log(RUN)} did not answer; its file system may hang"
        )
        assert site.rows("SELECT failures FROM hosts") == [(0,)]
    finally:
        hung.close()
    site.train(24, RUN)
    until(lambda: site.poll(after=60.0) and site.of_kind("log_unreadable") == [(f"run:{RUN}", "resolved")])
    assert site.state(RUN).iteration == 54


def test_a_host_without_a_shell_is_watched_as_any_other(site, sftp_only):
    site.go_through(sftp_only.host(name=HOST))
    site.train(30)
    site.poll()
    assert site.state(RUN).iteration == 30
    site.clock.set(site.clock.now + 60)
    site.train(6)
    site.poll()
    assert (site.state(RUN).iteration, site.state(OTHER_RUN).iteration) == (36, 36)
    site.poll_until(59)
    assert site.incidents() == []
    site.poll_until(62)
    assert site.of_kind("stuck") == [(f"run:{RUN}", "firing"), (f"run:{OTHER_RUN}", "firing")]
    assert site.rows(f"SELECT clock_skew FROM runs WHERE name = '{RUN}'") == [(0.0,)]
    site.clock.set(site.clock.now + 60)
    site.train(1)
    site.poll()
    assert {state for _, state in site.of_kind("stuck")} == {"resolved"}


def test_a_first_sight_in_the_middle_of_which_the_log_hangs_begins_anew(site):
    lines = PIECE // LINE + 1000
    site.train(lines, RUN)
    read, hung = site.reader.read, []

    def hangs_meanwhile(requests, **how):
        answer = read(requests, **how)
        if not hung:
            hung.append(HangingLog(site.log(RUN)))
        return answer

    site.reader.read = hangs_meanwhile
    site.poll()
    site.poll()
    assert site.state().seen_at is None
    hung[0].close()
    until(lambda: site.poll(after=60.0) and site.state().seen_at)
    assert (site.state().iteration, site.state().lines) == (lines, lines)


def test_a_connection_that_we_closed_ourselves_is_no_host_that_gives_no_answer(site):
    read = site.reader.read

    def closed_meanwhile(requests, **how):
        site.poller.close()
        site.go_through(away())
        return read(requests, **how)

    site.reader.read = closed_meanwhile
    site.poll()
    assert site.rows("SELECT * FROM hosts") == []
