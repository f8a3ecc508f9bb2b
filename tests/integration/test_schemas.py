"""What the verbs print as JSON is what the schemas in docs/schema promise, for a real database."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor_core.announce import announce
from monitor_core.cli import main
from monitor_core.cli.schemas import SCHEMAS, schema, write
from monitor_core.incident.lifecycle import resolve
from monitor_core.model.incidents import Kind, Subject, SubjectKind
from monitor_core.store import queries
from monitor_core.store.queries import HostRow, RunRow
from monitor_core.track import memory
from monitor_core.track.state import RunState
from tests.support.incidents import SAMPLES
from tests.support.process import configure
from tests.support.smtpd import MailServer
from tests.support.stage import HOST, ONCALL, RUN, START, Stage

FOLDER = Path(__file__).parents[2] / "docs" / "schema"
SUBJECTS = {SubjectKind.RUN: RUN, SubjectKind.HOST: HOST, SubjectKind.SELF: ""}
NUMBERS = range(1, len(SAMPLES) + 1)
VERBS = {
    "status": [["status"]],
    "run": [["status", RUN]],
    "self": [["status", "--self"]],
    "history": [["history"], ["history", RUN, "--since", "24h", "--limit", "1"]],
    "why": [["why", str(number)] for number in NUMBERS],
    "audit": [["audit"]],
    "thresholds": [["threshold"]],
    "threshold-change": [["threshold", "set", "stuck", "20m", "--dry-run"]],
}


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys):
    """A database in which each kind of incident has fired, some are over and some are marked; type a verb of it."""
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, f"  {HOST}: {{transport: local}}", {RUN: None, "moe-16x3b": None})
    _live_through_everything(tmp_path)
    (tmp_path / "stage.db").rename(tmp_path / "t.db")

    def printed(*words):
        capsys.readouterr()
        assert main([*words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    printed("mute", RUN, "stuck", "2h", "disk", "swap")
    printed("threshold", "set", "slow", "1.3")
    printed("ack", "3")
    printed("false-alarm", "1")
    return printed


def _live_through_everything(folder):
    with MailServer() as mail:
        stage = Stage(folder, mail=mail)
        state = RunState(iteration=100, total=1000, loss=float("nan"), ms=408.0, line_at=START)
        with stage.engine.begin() as connection:
            queries.save_run(connection, RunRow(RUN, HOST, memory.dump(state), "{}", START, 0.5))
            queries.save_host(connection, HostRow(HOST, START))
            for place, incident in enumerate(SAMPLES):
                subject = Subject(incident.subject.kind, SUBJECTS[incident.subject.kind])
                stored = announce(
                    connection,
                    stage.roster,
                    None,
                    replace(incident, subject=subject, number=0),
                    START,
                    quiet=place == 3,
                )
                if place % 2:
                    announce(connection, stage.roster, stored, resolve(stored, START + 60), START)
        mail.replies[ONCALL] = "451 later"
        stage.outboxes["email"].send_next()
        mail.replies.clear()
        stage.wait(600)
        stage.control.refused("slack:U034BOB", "mute all", "neither operator nor owner")
        stage.close()


def closed(of):
    """Return a schema that takes no key which it does not name."""
    of = deepcopy(of)
    for part in (of, *of.get("$defs", {}).values()):
        if "properties" in part:
            part["additionalProperties"] = False
    return of


def problems(name, data):
    return [error.message for error in Draft202012Validator(closed(schema(name))).iter_errors(data)]


def test_every_kind_of_incident_is_in_the_database(printed):
    assert {incident["kind"] for incident in printed("history", "--limit", "50")["incidents"]} == set(Kind)


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_printed_is_what_the_schema_says_and_no_key_is_left_out_of_it(printed, name):
    for words in VERBS[name]:
        assert problems(name, printed(*words)) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_asks_for_every_key(printed, name):
    Draft202012Validator.check_schema(schema(name))
    data = printed(*VERBS[name][0])
    one, wrap = (data[0], list) if isinstance(data, list) else (data, next)
    for key in one:
        assert problems(name, wrap(iter([{other: value for other, value in one.items() if other != key}])))


def test_a_schema_takes_keys_that_are_added_later(printed):
    data = {**printed("history"), "added_later": 1}
    assert Draft202012Validator(schema("history")).is_valid(data)


def test_what_is_not_finite_is_a_word(printed):
    run = printed("status", RUN)
    assert (run["loss"], run["ms_per_iteration"]) == ("nan", 408.0)
    assert problems("run", {**run, "loss": "low"})


def test_an_account_has_what_was_decided_and_answered(printed):
    accounts = [printed("why", str(number)) for number in NUMBERS]
    assert {d["outcome"] for account in accounts for d in account["decisions"]} >= {"enqueued", "recorded"}
    errors = [a["error"] for account in accounts for d in account["deliveries"] for a in d["attempts"]]
    assert "" in errors
    assert any("451 later" in error for error in errors)


def test_the_files_are_what_the_program_writes(tmp_path):
    write(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        file.name: file.read_text() for file in FOLDER.iterdir()
    }
