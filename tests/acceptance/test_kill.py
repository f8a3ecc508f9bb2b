"""`kill -9` between two steps of poll and delivery: nobody is left untold, and what may be a repeat says so.

A run has about a thousand such steps. All those around the acceptance of a message and its commit are tried, and of
the others some forty, evenly, so that it takes less than a minute; with TRAINSTATUS_KILL_ALL=1 in the environment, all
of them.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from tests.support.killer import Ward
from tests.support.slack_server import SlackServer
from tests.support.smtpd import MailServer

SAMPLED = 40
CRITICAL = {"Outbox._send", "Outbox._sent"}
REPEAT = "(May be a repeat.)"
STORY = ["firing", "resolved"]
# When a process looked is its own affair; what it saw is not.
WHEN_SEEN = {"seen_at", "lags", "clock"}


@pytest.fixture(scope="module")
def servers():
    with SlackServer() as slack, MailServer() as mail:
        yield slack, mail


@pytest.fixture(scope="module")
def ward(servers):
    with Ward(*servers) as ward:
        yield ward


def test_a_kill_between_any_two_steps_loses_no_alert_and_repeats_at_most_one_which_says_so(servers, ward, tmp_path):
    steps = ward.live(tmp_path / "undisturbed")
    untroubled = stored(tmp_path / "undisturbed")
    assert told(servers) == ([("firing", False), ("resolved", False)],) * 2
    assert untroubled["lines"] == 36
    wrong = []
    for step in fatal_steps(steps):
        folder = tmp_path / f"step-{step}"
        before = counts(servers)
        ends = ward.live(folder, step)
        problems = [
            *(() if ends == [-9, 0] else [f"the lives ended with {ends}"]),
            *complaints(told(servers, before)),
            *(f"{name} is {value}" for name, value in stored(folder).items() if value != untroubled[name]),
        ]
        wrong += [f"killed before step {step} {steps[step - 1]}: {problem}" for problem in problems]
    assert not wrong, "\n".join(wrong)


def fatal_steps(steps):
    """Return the numbers, from 1, of the steps before which the process is killed."""
    if os.environ.get("TRAINSTATUS_KILL_ALL"):
        return range(1, len(steps) + 1)
    critical = {number for number, (_, function, _) in enumerate(steps, 1) if function in CRITICAL}
    return sorted(critical | set(range(1, len(steps) + 1, len(steps) // SAMPLED)))


def complaints(by_receiver):
    repeats = 0
    for alerts in by_receiver:
        words = [word for word, _ in alerts]
        if sorted(set(words), key=words.index) != STORY or words != sorted(words):
            yield f"a receiver was told {alerts}"
        for (word, _), (next_word, marked) in pairwise(alerts):
            if word == next_word:
                repeats += 1
                if not marked:
                    yield f"a repeat does not say so: {alerts}"
    if repeats > 1:
        yield f"{repeats} repeats for one kill: {by_receiver}"


def counts(servers):
    slack, mail = servers
    return len(slack.calls), len(mail.received)


def told(servers, since=(0, 0)):
    """Return for each receiver the alerts that it got, each with whether it says that it may be a repeat."""
    slack, mail = servers
    calls = [(call.method, call.args) for call in slack.calls[since[0] :] if call.method.startswith("chat.")]
    return _in_slack(calls), [_in_mail(received) for received in mail.received[since[1] :]]


def _in_slack(calls):
    """A resolve is an edit and a reply; both must come, and both must say so if they are repeats."""
    alerts = []
    for method, args in calls:
        marked = REPEAT in json.dumps(args)
        if method == "chat.update":
            alerts.append(("edited", marked))
        elif not args.get("thread_ts"):
            alerts.append(("firing", marked))
        elif alerts and alerts[-1] == ("edited", marked):
            alerts[-1] = ("resolved", marked)
        else:
            alerts.append(("reply without its edit", marked))
    return alerts


def _in_mail(received):
    text = received.body("plain")
    return "resolved" if text.startswith("RESOLVED") else "firing", REPEAT in text


def stored(folder):
    """Return what a life left behind, without the times at which it happened to look."""
    with closing(sqlite3.connect(f"file:{folder}/story.db?mode=ro", uri=True)) as database:
        (state,) = database.execute("SELECT state FROM runs").fetchone()
        incidents = database.execute(
            "SELECT number, kind, state, severity, starts_at, fired_at, ends_at FROM incidents"
        )
        deliveries = database.execute("SELECT state, reason, target FROM deliveries ORDER BY reason, target")
        offset = database.execute("SELECT offset FROM cursors").fetchall()
        return {
            **{
                name: value
                for name, value in json.loads(state.replace(str(folder), "")).items()
                if name not in WHEN_SEEN
            },
            "incidents": incidents.fetchall(),
            "deliveries": deliveries.fetchall(),
            "offset": offset,
        }
