"""The one door for people: what they may do, how forgiving it is, and what is written down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.announce import announce, announce_all
from monitor_core.errors import CommandError
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import SELF, Incident, IncidentState, Kind, Severity, Subject, SubjectKind
from monitor_core.roster import Roster
from monitor_core.store import queries
from tests.support.smtpd import MailServer
from tests.support.stage import BOSS, HOST, ONCALL, OTHER_RUN, RUN, START, Stage, subjects

ALICE = "shell:alice"
FIRING = (Severity.WARNING, IncidentState.FIRING, START - 60, {"what": "a part", "error": "broke"})
STUCK = f"{RUN} STUCK on gpu-01 (incident 1)"


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


@pytest.fixture
def stage(tmp_path, mail):
    made = Stage(tmp_path, mail=mail, recipients=({"address": ONCALL},))
    yield made
    made.close()


@pytest.fixture
def control(stage):
    return stage.control


def audit(stage):
    return stage.rows("SELECT actor, verb, subject, old, new FROM audit ORDER BY number")


def refusal(act, *words, **more):
    with pytest.raises(CommandError) as caught:
        act(*words, **more)
    return str(caught.value)


@pytest.mark.parametrize("typed", ["llama-70b", "LLAMA-70B", "llama", "L"])
def test_a_run_is_found_by_any_case_and_any_unique_beginning(control, typed):
    assert control.run(typed).name == RUN


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("lama-70b", "No run or host named lama-70b. Did you mean llama-70b?"),
        ("zzz", "No run or host named zzz. There are llama-70b, moe-16x3b or gpu-01."),
        ("x-*", "No run and no host matches x-*."),
        ("99", "There is no incident 99."),
        ("9" * 40, f"There is no incident {'9' * 40}."),
        ("²", "No run or host named ². There are llama-70b, moe-16x3b or gpu-01."),
    ],
)
def test_a_target_that_is_not_known_is_refused_with_what_there_is(stage, control, typed, answer):
    assert refusal(control.mute, ALICE, typed) == answer
    assert audit(stage) == []


def test_a_mute_lasts_an_hour_unless_something_else_is_said(control):
    (mute,) = control.mute(ALICE, RUN, reason="maintenance").mutes
    assert (mute.until, mute.reason) == (START + 3600, "maintenance")


@pytest.mark.parametrize("until", [START - 1, START, START + 31 * 86400])
def test_a_mute_that_ends_in_the_past_or_in_a_far_future_is_refused(stage, control, until):
    assert "A mute ends within 30d" in refusal(control.mute, ALICE, RUN, until=until)
    assert control.mutes() == ()


@pytest.mark.parametrize("target", [RUN, HOST, "all", "llama-*", "*"])
def test_under_a_mute_nobody_is_told_and_at_its_end_once_if_it_is_still_wrong(stage, control, mail, target):
    control.mute(ALICE, target, until=START + 600)
    stage.fire()
    stage.wait(599)
    control.settle()
    stage.drain()
    assert subjects(mail) == []
    for _ in range(2):
        stage.clock.now += 1
        control.settle()
        stage.drain()
    assert subjects(mail) == [STUCK]


def test_what_somebody_has_taken_is_not_told_anew_when_a_mute_ends(stage, control, mail):
    stage.fire()
    stage.drain()
    control.ack(ALICE, "1")
    control.mute(ALICE, RUN)
    control.unmute(ALICE, RUN)
    stage.drain()
    assert subjects(mail) == [STUCK]


def test_what_was_over_before_its_mute_ended_is_never_told(stage, control, mail):
    control.mute(ALICE, RUN, until=START + 600)
    stage.resolve(stage.fire())
    stage.wait(700)
    control.settle()
    stage.drain()
    assert subjects(mail) == []


def test_a_resolve_goes_to_those_who_were_told_though_it_was_muted_since(stage, control, mail):
    stuck = stage.fire()
    stage.drain()
    control.mute(ALICE, RUN)
    stage.resolve(stage.incident(stuck.number))
    stage.drain()
    assert subjects(mail) == [STUCK, f"Re: {STUCK}"]


def test_a_mute_of_one_kind_lets_the_others_through(stage, control, mail):
    control.mute(ALICE, RUN, kind="SLOW")
    stage.fire(kind=Kind.SLOW)
    stage.fire(kind=Kind.FAILED, severity=Severity.CRITICAL)
    stage.drain()
    assert subjects(mail) == [f"{RUN} FAILED on gpu-01 (incident 2)"]


def test_unmute_ends_the_mute_tells_what_is_still_wrong_and_a_second_one_is_refused(stage, control, mail):
    control.mute(ALICE, RUN)
    stage.fire()
    answer = control.unmute("shell:bob", RUN)
    stage.drain()
    assert [incident.kind for incident in answer.firing] == [Kind.STUCK]
    assert subjects(mail) == [STUCK]
    assert refusal(control.unmute, ALICE, RUN) == f"{RUN} has no mute of its own."


def test_an_unmute_of_a_run_says_which_wider_mute_covers_it(control):
    control.mute(ALICE, "all")
    assert "It is covered by the mute of all." in refusal(control.unmute, ALICE, RUN)


def test_of_two_mutes_the_longer_one_holds(stage, control, mail):
    control.mute(ALICE, RUN, until=START + 600)
    control.mute(ALICE, HOST, until=START + 1200)
    stage.fire()
    stage.wait(700)
    control.settle()
    stage.drain()
    assert subjects(mail) == []


def test_an_acknowledgement_belongs_to_whoever_was_first(stage, control):
    stuck = stage.fire()
    assert [i.acknowledged_by for i in control.ack(ALICE, RUN).incidents] == [ALICE]
    assert [i.acknowledged_by for i in control.ack("shell:bob", str(stuck.number)).already] == [ALICE]
    assert stage.incident(stuck.number).acknowledged_by == ALICE


def test_an_incident_may_be_named_with_the_sign_that_chats_write_before_a_number(stage, control):
    stage.fire()
    assert [i.number for i in control.ack(ALICE, "#1").incidents] == [1]
    assert control.runs_of("#1") == (RUN,)
    assert refusal(control.ack, ALICE, "##1").startswith("No run or host named ##1.")


def test_what_was_acknowledged_can_be_given_back(stage, control):
    stage.fire()
    control.ack(ALICE, RUN)
    control.unack(ALICE, RUN)
    assert stage.incident(1).acknowledged_by == ""
    assert refusal(control.unack, ALICE, RUN) == f"Nothing of {RUN} is acknowledged."


def test_a_false_alarm_belongs_to_whoever_marked_it_first_and_can_be_undone(stage, control):
    stage.fire()
    assert control.false_alarm(ALICE, "#1").changed
    stage.clock.now += 5
    second = control.false_alarm("shell:bob", "1")
    assert (second.changed, second.incident.false_alarm_by, second.incident.false_alarm_at) == (False, ALICE, START)
    assert control.overview().runs[0].incidents[0].taken_by == ALICE
    assert control.history().incidents[0].false_alarm_by == ALICE
    assert control.false_alarm("shell:bob", "1", undo=True).incident.taken_by == ""
    assert refusal(control.false_alarm, ALICE, "1", undo=True) == "Incident 1 is not marked as a false alarm."
    assert audit(stage) == [
        (ALICE, "false-alarm", "incident 1", "", f"STUCK of {RUN}"),
        ("shell:bob", "false-alarm undo", "incident 1", "", f"STUCK of {RUN}"),
    ]


def test_what_is_over_may_be_marked_and_what_gets_worse_is_told_as_if_it_had_not_been(stage, control, mail):
    stage.resolve(stage.fire())
    assert control.false_alarm(ALICE, "1").incident.false_alarm_by == ALICE
    seen = stage.fire()
    control.false_alarm(ALICE, "2")
    for now, taken_by in ((seen, ALICE), (replace(seen, severity=Severity.CRITICAL), "")):
        with stage.engine.begin() as connection:
            announce_all(connection, stage.roster, [seen], [now], START)
        assert stage.incident(2).taken_by == taken_by
    stage.drain()
    assert "CRITICAL" in mail.received[-1].body("plain").splitlines()[0]


def test_there_is_nothing_to_acknowledge_where_nothing_fires_or_what_did_is_over(stage, control):
    assert refusal(control.ack, ALICE, RUN) == f"Nothing fires on {RUN}."
    stage.resolve(stage.fire())
    answer = refusal(control.ack, ALICE, "1")
    assert answer == "Incident 1 was already resolved at 09:52 UTC."


def test_the_narrowest_threshold_counts_and_says_where_it_comes_from(control):
    for value, scope in (("3", "all"), ("4", f"host {HOST}"), ("20m", f"run {RUN}")):
        control.set_threshold(ALICE, "stuck", value, scope=scope)

    def shown(target):
        view = next(view for view in control.thresholds(target) if view.name == "stuck")
        return view.value, view.source

    assert shown(RUN) == ("20m", f"set for run {RUN}")
    assert shown(OTHER_RUN) == ("4", f"set for host {HOST}")
    assert shown("all") == ("3", "set for all")
    change = control.reset_threshold(ALICE, "stuck", scope=f"run {RUN}")
    assert (change.old, change.new) == ("20m", "4")
    assert shown(RUN) == ("4", f"set for host {HOST}")


@pytest.mark.parametrize(
    ("name", "value", "answer"),
    [
        ("stuk", "3", "No threshold named stuk. Did you mean stuck?"),
        ("stuck_f", "soon", "'soon' is not a duration (examples: 30s, 20m, 1h30m)"),
        ("slow", "0.5", "'0.5' is out of range; allowed for slow: 1.01 to 100."),
        ("st", "3", "st may be stuck, stuck_critical or stuck_floor."),
    ],
)
def test_a_threshold_that_cannot_be_is_refused_and_nothing_is_changed(stage, control, name, value, answer):
    assert refusal(control.set_threshold, ALICE, name, value, scope="all").startswith(answer)
    assert audit(stage) == []


def test_a_threshold_that_nobody_has_set_cannot_be_reset(control):
    answer = refusal(control.reset_threshold, ALICE, "slow", scope=f"run {RUN}")
    assert answer == f"Nobody has set slow for run {RUN}."


def test_every_change_is_written_down_with_who_what_old_and_new(stage, control):
    stage.fire()
    control.mute(ALICE, RUN, until=START + 60, reason="disk swap")
    control.unmute("slack:U034BOB", RUN)
    control.set_threshold(ALICE, "slow", "1.3", scope="all")
    control.reset_threshold(ALICE, "slow", scope="all")
    control.ack(ALICE, RUN)
    control.unack(ALICE, RUN)
    assert audit(stage) == [
        (ALICE, "mute", RUN, "", "until 2026-11-24 09:53 UTC: disk swap"),
        ("slack:U034BOB", "unmute", RUN, "until 2026-11-24 09:53 UTC by alice: disk swap", ""),
        (ALICE, "threshold set", "slow for all", "1.1", "1.3"),
        (ALICE, "threshold reset", "slow for all", "1.3", "1.1"),
        (ALICE, "ack", "incident 1", "", f"STUCK of {RUN}"),
        (ALICE, "unack", "incident 1", "", f"STUCK of {RUN}"),
    ]


def test_a_mute_that_replaces_another_and_its_end_say_what_was_before(stage, control):
    control.mute(ALICE, RUN, kind="slow", until=START + 60, reason="disk swap")
    control.mute("shell:bob", RUN, kind="slow", until=START + 120)
    control.unmute(ALICE, RUN)
    first, second = "until 2026-11-24 09:53 UTC slow", "until 2026-11-24 09:54 UTC slow"
    assert audit(stage) == [
        (ALICE, "mute", RUN, "", f"{first}: disk swap"),
        ("shell:bob", "mute", RUN, f"{first} by alice: disk swap", second),
        (ALICE, "unmute", RUN, f"{second} by bob", ""),
    ]


def test_the_owner_of_all_is_nobody_where_runs_have_different_ones(control):
    assert control.owners_of(RUN) == {"U034BOB"}
    assert control.owners_of("all") == frozenset()


def test_an_incident_of_a_run_that_is_no_longer_configured_can_still_be_acknowledged(stage, control):
    gone = stage.fire("gone-1b")
    assert control.owners_of(str(gone.number)) == frozenset()
    assert control.ack(ALICE, str(gone.number)).incidents


def test_a_recipient_of_critical_incidents_hears_of_an_escalation_and_then_of_its_end(tmp_path, mail):
    stage = Stage(tmp_path, mail=mail, recipients=({"address": BOSS, "severity": "critical"},))
    stuck = stage.fire()
    stage.drain()
    assert subjects(mail) == []
    worse = stage.escalate(stuck)
    stage.drain()
    stage.resolve(worse)
    stage.drain()
    assert subjects(mail) == [STUCK, f"Re: {STUCK}"]
    stage.close()


def test_a_new_mute_takes_the_place_of_one_that_covers_the_same(control):
    control.mute(ALICE, RUN, until=START + 2 * 86400)
    control.mute(ALICE, RUN, kind="slow", until=START + 7200)
    control.mute(ALICE, RUN, until=START + 1800)
    assert [(mute.kind, mute.until) for mute in control.mutes()] == [(None, START + 1800), ("slow", START + 7200)]


def test_an_unmute_says_what_still_keeps_it_silent(control):
    control.mute(ALICE, "all")
    control.mute(ALICE, RUN)
    done = control.unmute(ALICE, RUN)
    assert [mute.subject for mute in done.still] == [None]
    assert control.unmute(ALICE, "all").still == ()


# What happened


def test_history_is_newest_first_with_how_long_it_lasted_and_who_was_on_it(stage, control):
    stuck = stage.fire()
    control.ack(ALICE, RUN)
    stage.clock.now += 60
    stage.resolve(stage.incident(stuck.number))
    stage.fire(OTHER_RUN, Kind.FAILED, Severity.CRITICAL)
    failed, stuck = control.history().incidents
    assert (stuck.run, stuck.host, stuck.lasted, stuck.acknowledged_by) == (RUN, HOST, 180.0, ALICE)
    assert (stuck.state, stuck.ends_at) == ("resolved", START + 60)
    assert (failed.number, failed.kind, failed.severity, failed.lasted) == (2, "failed", "critical", None)


def test_history_of_a_run_has_its_host_and_that_of_a_host_its_runs_and_no_others(stage, control):
    host = Incident(
        Subject(SubjectKind.HOST, HOST), Kind.UNREACHABLE, Severity.WARNING, IncidentState.FIRING, START, fired_at=START
    )
    stage.fire()
    stage.fire(OTHER_RUN)
    stage.fire("gone-1b")
    with stage.engine.begin() as connection:
        announce(connection, stage.roster, None, host, START)
        announce(connection, stage.roster, None, replace(host, subject=SELF, kind=Kind.MONITOR_ERROR), START)

    def found(target):
        return [incident.name for incident in control.history(target).incidents]

    assert found("llama") == [HOST, RUN]
    assert found(HOST) == [HOST, OTHER_RUN, RUN]
    assert found("") == found("all") == ["trainstatus", HOST, "gone-1b", OTHER_RUN, RUN]
    assert refusal(control.history, "lama") == "No run or host named lama. Did you mean llama-70b?"


def test_history_since_a_moment_has_what_held_then_or_later(stage, control):
    stage.resolve(stage.fire())
    stage.fire(kind=Kind.SLOW)
    stage.clock.now += 3600
    stage.resolve(stage.fire())
    assert [incident.number for incident in control.history(since=START).incidents] == [3, 2, 1]
    assert [incident.number for incident in control.history(since=START + 1).incidents] == [3, 2]


def test_a_long_history_says_how_much_more_there_is(stage, control):
    for _ in range(5):
        stage.resolve(stage.fire())
    found = control.history(limit=2)
    assert ([incident.number for incident in found.incidents], found.more) == ([5, 4], 3)
    assert refusal(control.history, limit=0) == "0 is out of range; a list has 1 to 1000 entries."


def test_the_audit_log_is_newest_first_and_has_what_was_refused(control):
    control.mute(ALICE, RUN)
    control.set_threshold(ALICE, "slow", "1.3", scope="all")
    control.refused("slack:U034BOB", "mute all", "neither operator nor owner")
    found = control.audit(2)
    assert [(e.actor, e.verb, e.subject, e.old, e.new, e.refused) for e in found.entries] == [
        ("slack:U034BOB", "refused", "mute all", "", "", "neither operator nor owner"),
        (ALICE, "threshold set", "slow for all", "1.1", "1.3", ""),
    ]
    assert found.more == 1


def _configure(stage, **changes):
    """Go on under another configuration."""
    config = stage.config.model_copy(update=changes)
    roster = Roster(config, stage.roster.notifiers)
    for each in (stage.control, *stage.outboxes.values()):
        each.roster = roster


def test_a_run_that_is_no_longer_configured_is_closed_and_those_who_were_told_are_told_so(stage, control, mail):
    stage.execute(f"INSERT INTO runs (name, host, state, parsers) VALUES ('{RUN}', '{HOST}', '', '')")
    stage.fire()
    stage.fire(OTHER_RUN)
    stage.drain()
    _configure(stage, runs={OTHER_RUN: stage.config.runs[OTHER_RUN]})
    for _ in range(2):
        control.settle()
        stage.drain()
    assert subjects(mail)[2:] == [f"Re: {STUCK}"]
    assert "No longer watched since 09:52:35 UTC (Tue 24 Nov) on gpu-01." in mail.received[2].body("plain")
    assert [state for _, _, state in stage.incidents()] == ["resolved", "firing"]


def test_what_was_told_once_is_closed_in_silence_when_its_run_is_no_longer_configured(stage, control, mail):
    stage.fire(kind=Kind.FAILED)
    stage.drain()
    _configure(stage, runs={OTHER_RUN: stage.config.runs[OTHER_RUN]})
    control.settle()
    stage.drain()
    assert len(mail.received) == 1
    assert [state for _, _, state in stage.incidents()] == ["resolved"]


def test_a_host_without_runs_is_no_longer_watched(stage, control, mail):
    _announce(stage, Incident(Subject(SubjectKind.HOST, HOST), Kind.UNREACHABLE, *FIRING))
    stage.drain()
    _configure(stage, runs={})
    control.settle()
    stage.drain()
    assert "No longer watched since" in mail.received[1].body("plain")


@pytest.mark.parametrize(
    ("detail", "state"),
    [
        (f"run {RUN}", "resolved"),
        (f"run {OTHER_RUN}", "firing"),
        (f"host {HOST}", "firing"),
        ("host gpu-99", "resolved"),
        (f"delivery email:{ONCALL}", "firing"),
        (f"delivery email:{BOSS}", "resolved"),
        ("configuration", "firing"),
    ],
)
def test_a_trouble_of_the_monitor_ends_with_what_it_is_about(stage, control, detail, state):
    _announce(stage, Incident(SELF, Kind.MONITOR_ERROR, *FIRING, detail=detail))
    _configure(stage, runs={OTHER_RUN: stage.config.runs[OTHER_RUN]})
    control.settle()
    assert stage.incidents() == [("self:", "monitor_error", state)]


def _announce(stage, incident):
    with stage.engine.begin() as connection:
        announce(connection, stage.roster, None, incident, stage.clock.now)


def test_what_gets_worse_after_its_mute_ended_unseen_is_told_as_that_and_not_held_back(stage, control, mail):
    with stage.engine.begin() as connection:
        away = Incident(
            Subject(SubjectKind.HOST, "gpu-01"), Kind.UNREACHABLE, Severity.WARNING, IncidentState.FIRING, 1.0
        )
        queries.save_incident(connection, away)
    control.mute(ALICE, RUN)
    stuck = stage.fire()
    control.unmute(ALICE, RUN)
    assert stage.incident(stuck.number).muted, "its host gives no answer: nobody knows whether it still holds"
    stage.escalate(stage.incident(stuck.number))
    stage.drain()
    reasons = [decision.reason for decision in control.why(str(stuck.number)).decisions if decision.delivery]
    assert reasons == [Reason.ESCALATED]
    assert len(subjects(mail)) == 1
