"""The first configuration that `init` writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.config.first import CHECKS, Wishes, place, run_name, text
from tests.support.configuration import ENVIRONMENT, load_text

LEAST = Wishes("me@gpu-01", "/data/llama-70b/logs/train.log")
ALL = replace(
    LEAST, email="oncall@example.com", smtp="smtp.example.com", sender="bot@example.com", slack_channel="C0123ABCD"
)


def loaded(folder, wishes):
    return load_text(folder, text(wishes), environment=ENVIRONMENT)


def test_the_least_of_it_is_a_host_and_a_run(tmp_path):
    config = loaded(tmp_path, LEAST)
    assert (config.hosts["gpu-01"].user, config.hosts["gpu-01"].port) == ("me", 22)
    assert config.runs["llama-70b"].logs == ("/data/llama-70b/logs/train.log",)
    assert (config.email, config.slack) == (None, None)


def test_all_of_it_names_who_is_told(tmp_path):
    config = loaded(tmp_path, ALL)
    assert (config.email.smtp.host, config.email.smtp.port, config.email.smtp.security) == (
        "smtp.example.com",
        587,
        "starttls",
    )
    assert (config.email.sender, config.email.smtp.username) == ("bot@example.com", "bot@example.com")
    assert [one.address for one in config.email.recipients] == ["oncall@example.com"]
    assert config.slack.channel == "C0123ABCD"
    assert config.slack.bot_token.get_secret_value() == ENVIRONMENT["SLACK_BOT_TOKEN"]


def test_what_is_commented_out_loads_too(tmp_path):
    lines = text(LEAST).splitlines()
    begin = lines.index("# email:                             # alerts by mail")
    shown = "\n".join(line.removeprefix("# ").removeprefix("#") for line in lines[begin:] if line)
    config = load_text(tmp_path, "\n".join([*lines[:begin], shown, ""]), environment=ENVIRONMENT)
    assert config.email is not None
    assert config.slack is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "local"},
        {"host": "192.0.2.1"},
        {"host": "[2001:db8::1]:2222"},
        {"host": "all"},
        {"host": f"{60 * 'a'}.example.com"},
        {"host": "llama-70b"},
        {"log": "~/runs/*/train.log"},
        {"log": '/data/a "b" #c: {d}.log'},
        {"run": 63 * "r"},
        {"run": "no"},
        {"email": '"o{n}#c"@example.com', "smtp": "[2001:db8::2]:465"},
    ],
)
def test_whatever_is_asked_for_loads(tmp_path, changes):
    config = loaded(tmp_path, replace(ALL, **changes))
    assert len(config.runs) == len(config.hosts) == 1


@pytest.mark.parametrize("host", ["local", "me@gpu-01:2222"])
def test_no_blank_line_parts_a_host_from_what_is_said_of_it(host):
    lines = text(replace(ALL, host=host)).splitlines()
    assert lines[lines.index("hosts:") + 2].startswith("    ")


def test_the_port_of_a_mail_server_says_how_it_encrypts(tmp_path):
    assert loaded(tmp_path, replace(ALL, smtp="smtp.example.com:465")).email.smtp.security == "tls"


@pytest.mark.parametrize(
    ("log", "name"),
    [
        ("/data/llama-70b/logs/train.log", "llama-70b"),
        ("/data/llama-70b/logs/host_*_*.output", "llama-70b"),
        ("/scratch/moe-16x3b.log", "moe-16x3b"),
        ("/log/*", "run-1"),
        ("~/all.log", "run-1"),
    ],
)
def test_a_run_is_named_after_its_log(log, name):
    assert run_name(log) == name


def test_a_place_is_user_address_and_port():
    found = place("me@gpu-01:2222")
    assert (found.user, found.address, found.port, found.name) == ("me", "gpu-01", 2222, "gpu-01")
    assert place("local").local


@pytest.mark.parametrize(
    ("wish", "value", "sentence"),
    [
        ("host", "two words", "'two words' is not [user@]address[:port] (example: example_user@192.0.2.1)"),
        ("host", "gpu-01:70000", "'70000' is not a port (1 to 65535)"),
        ("smtp", "smtp.example.com:0", "'0' is not a port (1 to 65535)"),
        ("log", "train.log", "'train.log' is not absolute (examples: /data/llama/train.log, ~/logs/*.log)"),
        ("run", "two words", "'two words' is not a name: up to 63 letters"),
        ("email", "oncall", "'oncall' is not a mail address (example: oncall@example.com)"),
        ("slack_channel", "#alerts", "'#alerts' is not the id of a Slack channel (example: C0123ABCD)"),
    ],
)
def test_what_cannot_be_meant_is_said(wish, value, sentence):
    with pytest.raises(ValueError) as caught:
        CHECKS[wish](value)
    assert str(caught.value).startswith(sentence)
