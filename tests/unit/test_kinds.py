"""Every kind of incident in each state of its life, as Slack, mail and terminal show it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from bot.blocks import EMOJI, alert
from bot.grammar import parse
from bot.people import mentioned
from bot.words import Names
from monitor_core.cli.arguments import parser
from monitor_core.incident.catalogue import MEANINGS
from monitor_core.model.incidents import ENDINGS, KINDS, Kind, Severity
from monitor_core.model.message import Action, Look
from monitor_core.notify.console import ConsoleNotifier
from monitor_core.notify.mail import mail_html, mail_text
from monitor_core.thresholds import CATALOGUE
from monitor_core.units import NBSP
from tests.support.incidents import BY_KIND, LIVES, SAMPLES, STATES, made, say, scene_of
from tests.support.slack_rules import check_blocks, stray_markup, texts
from tests.unit.test_mail_layout import Shown

NAMES = [f"{kind}-{state}" for kind, state in LIVES]
every_life = pytest.mark.parametrize(("kind", "state"), LIVES, ids=NAMES)
UNKNOWN = {Kind.UNREACHABLE, Kind.HOST_KEY, Kind.LOG_MISSING, Kind.LOG_UNREADABLE, Kind.BLIND, Kind.MONITOR_ERROR}
OF_STATE = {"acknowledged": Look.ACKNOWLEDGED, "muted": Look.MUTED, "resolved": Look.RESOLVED}
OF_SEVERITY = {severity: Look(severity) for severity in Severity}
FIRST_BUTTON = {"firing": "Acknowledge", "acknowledged": "Unacknowledge", "muted": "Unmute"}
NEWS = {Kind.FINISHED, Kind.STOPPED, Kind.BLIND, Kind.TEST}


def message(kind, state):
    of = STATES[state](BY_KIND[kind])
    return made(of, scene_of(of))


def look(kind, state):
    """Return the one mark by the priorities: resolved, muted, acknowledged, unknown, flapping, severity."""
    if kind is Kind.FINISHED:
        return Look.FINISHED
    firing = {Kind.FLAPPING: Look.FLAPPING, **dict.fromkeys(UNKNOWN, Look.UNKNOWN)}
    return OF_STATE.get(state) or firing.get(kind) or OF_SEVERITY[BY_KIND[kind].severity]


@every_life
def test_slack_takes_it_and_it_fits_a_phone(kind, state):
    shown = message(kind, state)
    text, blocks = alert(shown)
    assert check_blocks(blocks) == []
    assert [stray for part in (text, *(each["text"] for each in texts(blocks))) for stray in stray_markup(part)] == []
    emoji, _, headline = blocks[0]["text"]["text"].partition(" ")
    assert emoji == EMOJI[look(kind, state)]
    assert len(headline) <= 38
    assert 20 <= len(text) <= 300
    assert len(say(shown.sentence)) <= 200
    assert len(shown.facts) <= 8
    assert [fact for fact in shown.facts if len(say(fact.value)) > 50] == []


@every_life
def test_an_edit_shows_the_same_with_people_as_slack_names_them(kind, state):
    assert check_blocks(alert(mentioned(message(kind, state)))[1]) == []


@every_life
def test_buttons_are_those_that_do_something(kind, state):
    rows = [block for block in alert(message(kind, state))[1] if block["type"] == "actions"]
    labels = [button["text"]["text"] for row in rows for button in row["elements"]]
    if state == "resolved" or kind in NEWS:
        assert labels == []
    else:
        assert labels[0] == FIRST_BUTTON[state]
        assert len(labels) == 2


@every_life
def test_what_is_shortened_once_somebody_is_on_it_is_the_log_and_the_hint(kind, state):
    shown = message(kind, state)
    if state != "firing":
        assert (shown.excerpt, shown.hint) == ((), "")
    if state in {"acknowledged", "muted"}:
        assert say(shown.sentence).startswith(f"{state.capitalize()} by U034BOB")
        assert shown.facts[0].label in {"Since", "Silent"}


@every_life
def test_a_mail_says_all_of_it_in_text_and_in_html(kind, state):
    shown = message(kind, state)
    text, html = mail_text(shown, ("why you get this",)), Shown(mail_html(shown, ("why you get this",))).text
    title = shown.headline.removesuffix(f" · {shown.severity}").replace(NBSP, " ")
    marks, _, first = text.splitlines()[0].partition(": ")
    assert first == title
    severity = [] if shown.severity == "info" else [shown.severity]
    words = [state] if state == "resolved" else [*severity, *([shown.state] if shown.state else [])]
    assert marks.lower() == ("finished" if kind is Kind.FINISHED else ", ".join(words))
    for words in (title, *(fact.label for fact in (*shown.facts, *shown.members)), *shown.excerpt, shown.hint):
        assert " ".join(words.split()) in " ".join(text.split())
        assert " ".join(words.split()) in html
    assert max(map(len, text.splitlines())) <= 300


@every_life
def test_the_terminal_prints_it(kind, state):
    shown, out = message(kind, state), io.StringIO()
    ConsoleNotifier(Console(file=out, width=100)).send("terminal", shown, key="k", previous="")
    printed = " ".join(out.getvalue().replace(NBSP, " ").split())
    assert shown.headline.removesuffix(f" · {shown.severity}").replace(NBSP, " ") in printed
    details = () if state == "resolved" else (*shown.facts, *shown.members)
    assert [fact.label for fact in details if fact.label not in printed] == []


@pytest.mark.parametrize("kind", Kind)
def test_commands_are_understood_where_they_are_typed(kind):
    of = BY_KIND[kind]
    names = Names(runs=("moe-16x3b",), hosts=("gpu-07",))
    for prefix in ("/trainstatus", "trainstatus"):
        for _, command in made(of, replace(scene_of(of), prefix=prefix)).commands:
            program, *words = command.split()
            assert program == prefix
            if prefix.startswith("/"):
                parse(" ".join(words), now=0.0, names=names)
            else:
                asked = parser().parse_args(words)
                assert asked.verb != "status" or asked.run in {"moe-16x3b", None, ""}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_a_sample_is_what_its_kind_may_be(sample):
    spec = KINDS[sample.kind]
    assert sample.severity in spec.severities
    assert sample.subject.kind is spec.subject
    assert spec.closes[0].islower()


def test_there_is_a_sample_and_a_meaning_for_every_kind():
    assert BY_KIND.keys() == MEANINGS.keys() == KINDS.keys() == set(Kind)
    assert {name for meaning in MEANINGS.values() for name in meaning.thresholds} == set(CATALOGUE)


class Read(Mapping):
    """Facts that know which of them were asked for."""

    def __init__(self, facts):
        self.facts, self.asked = facts, set()

    def __getitem__(self, name):
        self.asked.add(name)
        return self.facts[name]

    def __iter__(self):
        return iter(self.facts)

    def __len__(self):
        return len(self.facts)


@every_life
def test_messages_are_made_of_no_facts_but_those_that_are_documented(kind, state):
    of = STATES[state](BY_KIND[kind])
    facts = Read(of.facts)
    made(replace(of, facts=facts), scene_of(of))
    assert facts.asked - {"closed_by", "advice"} <= MEANINGS[kind].facts.keys()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_a_sample_has_every_fact_that_can_be_seen_in_a_message(sample):
    facts = Read(sample.facts)
    made(replace(sample, facts=facts), scene_of(sample))
    unknown = {"closed_by", "advice", "limit_critical", "cause", "rank", "exit_code", "usual_ms", "how", "derived"}
    assert facts.asked - sample.facts.keys() <= unknown


@pytest.mark.parametrize("kind", Kind)
def test_only_what_is_critical_and_untaken_is_important_and_mentions_somebody(kind):
    firing, taken = message(kind, "firing"), BY_KIND[kind]
    mentions = [
        span.mention for fact in firing.facts if fact.person for span in fact.value if not isinstance(span, str)
    ]
    assert any(mentions) is (taken.severity is Severity.CRITICAL)
    assert Action.ACKNOWLEDGE in firing.actions or kind in NEWS
    assert (kind in ENDINGS) is (KINDS[kind].ends != frozenset())
