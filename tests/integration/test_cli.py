"""The shell: what each verb prints and with which status it exits."""

from __future__ import annotations

import getpass
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from monitor_core.cli import main, text
from monitor_core.model.incidents import Kind, Severity
from monitor_core.model.records import Point
from monitor_core.store import progress, queries
from monitor_core.store.database import open_database
from monitor_core.store.queries import RunRow
from monitor_core.track import memory
from monitor_core.track.state import RunState
from tests.support.process import ROOT, Monitor, configure, train
from tests.support.sshd import free_port, until
from tests.support.stage import HOST, RUN, Stage


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a configuration of local runs and the log of each, whose last line is so many seconds old."""
    monkeypatch.chdir(tmp_path)

    def write(*, more="", **runs):
        configure(tmp_path, more, runs)

    return write


@pytest.fixture
def incident(tmp_path, write):
    """A configuration and a database in which an incident fires."""
    write(**{RUN: 0})
    stage = Stage(tmp_path)
    stage.fire()
    stage.close()
    (tmp_path / "stage.db").rename(tmp_path / "t.db")


@pytest.fixture
def shell(capsys):
    """Type a command; return exit status, standard output, standard error."""

    def shell(*words):
        capsys.readouterr()
        status = main(words)
        return status, *capsys.readouterr()

    return shell


def strict(text):
    def refuse(constant):
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


# check


def test_check_of_a_healthy_run_is_ok(write, shell):
    write(llama=1)
    status, out, _ = shell("check")
    assert status == 0
    assert re.fullmatch(r"OK llama: training, 40 / 10,000 \(0\.4%\), last line .* ago\n", out)


@pytest.mark.parametrize(("age", "status", "word"), [(300, 1, "WARNING"), (1500, 2, "CRITICAL")])
def test_check_of_a_stuck_run_has_the_status_of_its_severity(write, shell, age, status, word):
    write(llama=age, moe=1)
    found, out, _ = shell("check")
    assert found == status
    assert out.startswith(f"{word} llama: STUCK for ")
    assert "\nOK moe: " in out


def test_check_of_one_run_looks_at_no_other(write, shell):
    write(llama=1500, moe=1)
    status, out, _ = shell("check", "moe")
    assert (status, out.count("\n")) == (0, 1)


def test_check_of_a_missing_log_is_unknown_but_does_not_hide_what_is_critical(write, shell):
    write(gone=None)
    status, out, _ = shell("check")
    assert (status, out) == (3, f"UNKNOWN gone: there is no {Path.cwd()}/gone.log\n")
    write(gone=None, llama=1500)
    assert shell("check")[0] == 2


def test_check_of_a_host_that_cannot_be_reached_is_unknown(write, shell):
    host = f"  away: {{address: 127.0.0.1, user: me, port: {free_port()}}}"
    write(more=host, llama=1)
    with Path("trainstatus.yaml").open("a") as config:
        config.write("  far: {host: away, logs: /data/far.log}\n")
    status, out, _ = shell("check")
    assert status == 3
    assert "OK llama" in out
    assert "UNKNOWN far: away: " in out


def test_check_of_what_is_not_configured_is_unknown_and_not_critical(write, shell, tmp_path):
    write(llama=1)
    assert shell("check", "zzz")[0] == 3
    (tmp_path / "trainstatus.yaml").write_text("runs: 5\n")
    assert shell("check")[0] == 3
    with pytest.raises(SystemExit) as caught:
        main(["check", "--no-such-option"])
    assert caught.value.code == 3


def test_check_writes_nothing_not_even_a_database(write, shell, tmp_path):
    write(llama=1500)
    before = {path.name for path in tmp_path.iterdir()}
    shell("check")
    assert {path.name for path in tmp_path.iterdir()} == before
    open_database(f"sqlite:///{tmp_path}/t.db").dispose()
    database = (tmp_path / "t.db").read_bytes()
    assert shell("check")[0] == 2
    assert {path.name for path in tmp_path.iterdir()} == before | {"t.db"}
    assert (tmp_path / "t.db").read_bytes() == database


def test_check_says_unknown_of_a_run_whose_stored_state_is_damaged_and_judges_the_others(write, shell, tmp_path):
    write(llama=1, moe=1)
    engine = open_database(f"sqlite:///{tmp_path}/t.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO runs VALUES ('llama', 'here', 'no JSON', '{}', 0, 0)")
    engine.dispose()
    status, out, _ = shell("check")
    assert status == 3
    assert "UNKNOWN llama: could not be judged" in out
    assert "OK moe" in out


def test_check_prints_strict_json(write, shell):
    write(llama=1500)
    status, out, _ = shell("check", "--json")
    (verdict,) = strict(out)
    assert status == verdict["status"] == 2
    assert (verdict["run"], verdict["state"], verdict["iteration"]) == ("llama", "training", 40)


def test_check_says_once_what_is_wrong_with_a_host(write, shell):
    write(more=f"  away: {{address: 127.0.0.1, user: me, port: {free_port()}}}", llama=1)
    with Path("trainstatus.yaml").open("a") as config:
        config.write("  far: {host: away, logs: /data/far.log}\n  farther: {host: away, logs: /data/farther.log}\n")
    status, out, _ = shell("check")
    assert status == 3
    assert out.count("connection refused") == 1
    assert out.splitlines()[-1] == "UNKNOWN farther: the same as far"


# log


def test_log_shows_the_last_lines_in_full_and_which_file_they_are_of(write, shell, tmp_path):
    write(llama=41)
    last = (tmp_path / "llama.log").read_text().splitlines()[-2:]
    status, out, _ = shell("log", "LLAMA", "2")
    assert status == 0
    assert re.fullmatch(rf"==> here:{tmp_path}/llama.log, written 4\d.s ago <==", out.splitlines()[0])
    assert out.splitlines()[1:] == last


def test_log_redacts_and_says_so(write, shell, tmp_path):
    write(llama=1)
    with (tmp_path / "llama.log").open("a") as out:
        out.write(f"logging in with hf_{34 * 'a'}\n")
    status, out, _ = shell("log", "llama")
    assert (status, out.splitlines()[-1]) == (0, "logging in with [redacted]")
    assert ", 1 secret redacted <==" in out
    tail = strict(shell("log", "llama", "--json")[1])
    assert (tail["redacted"], tail["lines"][-1], tail["trouble"]) == (1, "logging in with [redacted]", "")


def test_log_of_what_cannot_be_read_exits_with_1_and_says_why(write, shell, tmp_path):
    write(gone=None)
    assert shell("log", "gone") == (1, "", f"gone: there is no {tmp_path}/gone.log\n")


@pytest.mark.parametrize("lines", ["0", "31", "many"])
def test_log_refuses_a_number_of_lines_that_it_cannot_show(write, lines, capsys):
    write(llama=1)
    with pytest.raises(SystemExit) as caught:
        main(["log", "llama", lines])
    assert caught.value.code == 2
    assert f"{lines} is not a number from 1 to 30" in capsys.readouterr().err


# The verbs of people


def test_status_shows_all_runs_and_one(incident, shell):
    status, out, _ = shell("status")
    assert status == 0
    assert out.splitlines()[1].startswith(f"{RUN}  STUCK")
    status, out, _ = shell("status", "LLAMA")
    assert status == 0
    assert out.startswith(RUN)


def test_status_tells_what_is_wrong_with_a_host(tmp_path):
    stage = Stage(tmp_path)
    stage.fire(kind=Kind.HOST_KEY, severity=Severity.CRITICAL, host=HOST)
    shown = text.overview(stage.control.overview(), stage.clock.now)
    stage.close()
    assert re.fullmatch(rf"incident 1: {HOST} HOST KEY CHANGED .*since 09:50 UTC", shown.splitlines()[-1])


def test_status_of_a_host_names_its_runs(incident, shell):
    assert shell("status", "HERE") == (2, "", f"here is a host; its runs: {RUN}.\n")


def test_mute_mutes_and_unmute_go_together(incident, shell):
    status, out, _ = shell("mute", RUN, "2h", "disk", "swap")
    assert status == 0
    assert out.startswith(f"Muted {RUN} until ")
    assert "disk swap" in shell("mutes")[1]
    assert shell("unmute", RUN)[0] == 0
    assert shell("mutes")[1] == "Nothing is muted.\n"


def test_a_reason_that_begins_like_a_kind_is_a_reason(incident, shell):
    (mute,) = strict(shell("mute", RUN, "host", "moved", "--json")[1])["mutes"]
    assert (mute["kind"], mute["reason"]) == (None, "host moved")
    (mute,) = strict(shell("mute", RUN, "Log-Missing", "2h", "--json")[1])["mutes"]
    assert (mute["kind"], mute["reason"]) == ("log_missing", "")


def test_a_mute_of_a_kind_and_its_end_say_that_none_of_that_kind_fires(incident, shell):
    for words in (("mute", RUN, "slow", "2h"), ("unmute", RUN, "slow")):
        assert shell(*words)[1].splitlines()[-1] == "No SLOW fires there now."
    assert "Firing now: incident 1" in shell("mute", RUN)[1]


def test_what_an_unmute_caused_is_left_for_the_terminal_of_the_monitor_if_nobody_else_is_told(
    incident, shell, tmp_path
):
    shell("mute", RUN)
    shell("unmute", RUN)
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        assert database.execute("SELECT target, reason FROM deliveries").fetchall() == [("terminal", "mute_ended")]


@pytest.mark.parametrize(
    ("typed", "scope"),
    [
        (("stuck", "20m"), "all"),
        (("set", "stuck", "20m", "--host", "here"), "host here"),
        ((RUN, "stuck", "20m"), f"run {RUN}"),
        (("set", "all", "stuck", "20m"), "all"),
    ],
)
def test_a_threshold_may_be_set_in_each_form_that_slack_knows(incident, shell, typed, scope):
    assert shell("threshold", *typed)[:2] == (
        0,
        (
            f"stuck for {scope}: 2 to 20m, from the next look on (set for {scope}).\n"
            "Not tried: there are no records of the last 24h to try it on.\n"
        ),
    )


def test_threshold_shows_sets_and_resets(incident, shell):
    assert shell("threshold", "set", "stuck", "20m", "--run", RUN)[0] == 0
    row = next(row for row in shell("threshold", "show", RUN)[1].splitlines() if row.startswith("stuck "))
    assert re.match(rf"stuck +20m +set for run {RUN} by ", row)
    assert shell("threshold", "reset", "stuck", "--run", RUN)[0] == 0
    assert shell("threshold")[0] == 0


def test_a_threshold_is_tried_on_what_is_stored_and_changed_only_then(shell, write, tmp_path):
    write(**{RUN: 0})
    stage = Stage(tmp_path)
    now = time.time()
    with stage.engine.begin() as connection:
        state = memory.dump(RunState(seen_at=now))
        queries.save_run(connection, RunRow(RUN, "here", state, "{}", now, 0.0))
        points = [Point(now - 1990 + 10.0 * n + 990.0 * (n > 50), n + 1, 10_000.0, 2.3, n == 0) for n in range(101)]
        progress.add(connection, RUN, points, full_since=0.0)
    stage.close()
    (tmp_path / "stage.db").rename(tmp_path / "t.db")
    said = "Tried on the last 24h: would not have fired (now: once); missed 0 stalls.\n"
    assert shell("threshold", "set", "stuck", "20m", "--run", RUN, "--dry-run")[1] == (
        f"stuck for run {RUN}: 2 to 20m, not changed yet (set for run {RUN}).\n{said}"
    )
    assert json.loads(shell("audit", "--json")[1])["entries"] == []
    assert shell("threshold", "set", "stuck", "20m", "--run", RUN)[1].endswith(said)
    found = json.loads(shell("threshold", "reset", "stuck", "--run", RUN, "--dry-run", "--json")[1])
    assert found["tried"] is True
    [kind] = found["effect"]["kinds"]
    assert (kind["kind"], kind["now"]["times"], kind["then"]["times"]) == ("stuck", 0, 1)
    row = next(row for row in shell("threshold", "show", RUN)[1].splitlines() if row.startswith("stuck "))
    assert row.endswith("never fired; by default once")


def test_ack_and_unack_name_the_incident(incident, shell):
    status, out, _ = shell("ack", RUN)
    assert status == 0
    assert out.startswith(f"Acknowledged: incident 1: {RUN} STUCK")
    assert shell("unack", "1")[0] == 0


def test_whoever_took_an_incident_is_named_without_the_place(incident, shell):
    shell("ack", RUN)
    name = getpass.getuser()
    assert shell("ack", RUN)[1].startswith(f"Already acknowledged by {name}: incident 1: ")
    assert f" (warning, {name})" in shell("status")[1]


def test_history_lists_what_happened(incident, shell):
    shell("ack", "#1")
    status, out, _ = shell("history", RUN, "--since", "7d")
    heading, row = out.splitlines()
    assert status == 0
    assert heading.split()[:4] == ["INCIDENT", "SINCE", "LASTED", "STATE"]
    assert row.split()[:4] == ["1", "2026-11-24", "09:50", "UTC"]
    assert "so far" in row
    assert shell("history", "--limit", "1")[1].count("\n") == 2
    assert shell("history", "--limit", "0")[0] == 2


def test_history_of_nothing_says_so(write, shell):
    write(**{RUN: 0})
    open_database("sqlite:///t.db").dispose()
    assert shell("history")[1] == "Nothing has happened.\n"
    assert shell("audit")[1] == "Nobody has done anything yet.\n"


def test_why_tells_the_rule_and_who_was_told(incident, shell):
    status, out, _ = shell("why", "#1")
    assert status == 0
    assert out.startswith(f"Incident 1: {RUN} STUCK on here, warning, firing for ")
    assert "\nWhat was decided\n" in out


def test_audit_lists_who_did_what(incident, shell):
    shell("ack", "1")
    shell("threshold", "set", "slow", "1.3")
    newest, before = shell("audit")[1].splitlines()
    assert newest.endswith("(shell) threshold set slow for all: 1.1 → 1.3")
    assert before.endswith(f"(shell) ack incident 1: STUCK of {RUN}")
    assert shell("audit", "--limit", "1")[1].splitlines()[1] == "and 1 more"


@pytest.mark.parametrize("undo", ["--undo", "undo"])
def test_a_false_alarm_is_marked_and_unmarked(incident, shell, undo):
    what = f"Incident 1 (STUCK of {RUN})"
    assert shell("false-alarm", "1")[:2] == (0, f"{what} is marked as a false alarm.\n")
    assert shell("false-alarm", "#1")[1].startswith(f"{what} was already marked by ")
    assert "STUCK" in shell("status")[1]
    assert "(warning, false alarm)" in shell("status")[1]
    assert shell("false-alarm", "1", undo)[1] == f"{what} is no longer marked as a false alarm.\n"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("status", "lama"), "No run named lama. Did you mean llama-70b?\n"),
        (("mute", "zzz"), "No run or host named zzz."),
        (("mute", RUN, "until"), "`until` wants a time such as 09:00 (UTC). Nothing was changed.\n"),
        (("mute", RUN, "2x"), "'2x' is not a duration"),
        (("mute", RUN, "sttuck", "2h"), "No kind of incident is named sttuck. Did you mean stuck? If it begins the"),
        (("threshold", "set", "slow", "0"), "'0' is out of range"),
        (("threshold", "sett", "slow"), "No threshold named sett."),
        (("threshold", "set", "slow"), "Type `threshold [show] [RUN]`"),
        (("threshold", "set", RUN, "stuck", "20m", "--all"), f"The scope is named twice: leave out {RUN}, or --run"),
        (("threshold", "reset", RUN, "stuck", "--run", RUN), f"The scope is named twice: leave out {RUN}, or --run"),
        (("threshold", RUN, "--dry-run"), "--dry-run tries what `threshold set` or `threshold reset` would do."),
        (("threshold", RUN, "--host", "here"), f"The scope is named twice: leave out {RUN}, or --run, --host and"),
        (("mute", "lama"), "No run or host named lama. Did you mean llama-70b? Nothing was changed.\n"),
        (("unack", RUN), f"Nothing of {RUN} is acknowledged."),
        (("why", "9"), "There is no incident 9.\n"),
        (("why", RUN), f"{RUN} is not the number of an incident, such as 12; `history` lists them.\n"),
        (("false-alarm", "1", "--undo"), "Incident 1 is not marked as a false alarm. Nothing was changed.\n"),
        (("history", "--since", "soon"), "'soon' is not a duration (examples: 30s, 20m, 1h30m).\n"),
    ],
)
def test_what_is_refused_exits_with_2_and_says_why_on_standard_error(incident, shell, words, answer):
    status, out, error = shell(*words)
    assert (status, out) == (2, "")
    assert error.startswith(answer)


@pytest.mark.parametrize(
    "words", [["status"], ["status", RUN], ["mutes"], ["threshold"], ["ack", RUN], ["false-alarm", "1"]]
)
def test_json_is_strict(incident, shell, words):
    status, out, _ = shell(*words, "--json")
    assert status == 0
    strict(out)


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["status"],
        ["mute", RUN],
        ["unmute", RUN],
        ["mutes"],
        ["threshold"],
        ["ack", "1"],
        ["unack", RUN],
        ["history"],
        ["why", "1"],
        ["audit"],
        ["false-alarm", "1"],
    ],
)
def test_a_verb_that_sends_nothing_asks_for_no_secret_and_the_monitor_does(incident, shell, words, monkeypatch):
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    with Path("trainstatus.yaml").open("a") as config:
        config.write("slack: {channel: C1, bot_token: env:NO_SUCH_TOKEN, app_token: env:NO_SUCH_TOKEN}\n")
    assert "NO_SUCH_TOKEN" not in shell(*words)[2]
    assert shell("run")[2].count("the environment variable NO_SUCH_TOKEN is not set") == 2


def test_a_database_that_cannot_be_used_is_one_sentence(write, shell, tmp_path):
    write(llama=1)
    (tmp_path / "t.db").write_text("this is a letter, not a database\n" * 100)
    for verb, status in (("status", 2), ("check", 3)):
        found, _, error = shell(verb)
        assert found == status
        assert error == f"database {tmp_path}/t.db: file is not a database; check that it can be written and is ours\n"


def test_replay_reads_no_configuration(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(tmp_path / "train.log", time.time())
    status, out, _ = shell("replay", "train.log", "--json")
    report = strict(out)
    assert (status, report["iterations"]["count"], report["loss"]["last"]) == (0, 40, 2.314012)


def test_a_reader_that_has_seen_enough_is_no_error(incident):
    shown = subprocess.Popen(
        [sys.executable, "-c", "import sys; from monitor_core.cli import main; sys.exit(main(['threshold']))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    shown.stdout.close()
    assert (shown.wait(30), shown.stderr.read()) == (0, b"")
    shown.stderr.close()


@pytest.mark.parametrize(("words", "status"), [(["threshold"], 2), (["check"], 3), (["history", "--json"], 2)])
def test_an_output_that_cannot_be_written_is_one_sentence_and_no_verdict_on_a_run(incident, words, status):
    with Path("/dev/full").open("w") as full:
        shown = subprocess.run(
            [sys.executable, "-c", f"import sys; from monitor_core.cli import main; sys.exit(main({words}))"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": ROOT},
            check=False,
        )
    sentence = b"standard output cannot be written: No space left on device\n"
    assert (shown.returncode, shown.stderr) == (status, sentence)


def test_a_configuration_that_is_wrong_ends_the_monitor_with_2_and_all_problems(write, shell):
    write(llama=1)
    with Path("trainstatus.yaml").open("a") as config:
        config.write("nonsense: 1\nconsole: perhaps\n")
    status, out, error = shell("run")
    assert (status, out) == (2, "")
    assert error.count("trainstatus.yaml:") == 2


def test_a_monitor_that_names_no_receiver_says_that_it_prints_to_the_terminal(write, tmp_path):
    write(llama=1, more="  idle: {transport: local}")
    monitor = Monitor("monitor_core")
    try:
        monitor.wait_for("hosts.idle: no run is on this host")
        until((tmp_path / "t.db").exists)
    finally:
        monitor.end(signal.SIGTERM)
    assert "alerts are only printed to this terminal" in monitor.said()
