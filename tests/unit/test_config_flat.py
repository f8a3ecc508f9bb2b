from __future__ import annotations

import pytest

from monitor_core.model.incidents import Severity
from monitor_core.thresholds import Preset
from tests.support.configuration import load_text, problems

FLAT = """\
target_email: example_alert@domain.com
smtp_server: smtp.example.com
source_email: example_sender@domain.com
remote_host: 192.0.2.1
remote_user: example_user
remote_port: 2222
remote_log_path: /path/example_log_file.log
check_interval: 1200
"""


def test_the_original_tools_file_becomes_one_host_one_run_and_one_recipient(tmp_path):
    config = load_text(tmp_path, FLAT)
    host, run = config.hosts["192.0.2.1"], config.runs["example_log_file"]
    assert (host.address, host.user, host.port) == ("192.0.2.1", "example_user", 2222)
    assert (run.host, run.logs) == ("192.0.2.1", ("/path/example_log_file.log",))
    assert (config.defaults.check_interval, config.defaults.preset) == (1200.0, Preset.DEFAULT)
    (recipient,) = config.email.recipients
    assert (recipient.address, recipient.severity, recipient.when) == (
        "example_alert@domain.com",
        Severity.INFO,
        "always",
    )


def test_its_mail_goes_by_starttls_with_the_sender_as_account(tmp_path):
    email = load_text(tmp_path, FLAT).email
    assert (email.smtp.host, email.smtp.port, email.smtp.security) == ("smtp.example.com", 587, "starttls")
    assert (email.sender, email.smtp.username) == ("example_sender@domain.com", "example_sender@domain.com")
    assert email.smtp.password.get_secret_value() == "smtp-pass-71"


def test_its_password_is_asked_for_where_the_environment_has_none(tmp_path):
    prompts = []
    config = load_text(tmp_path, FLAT, environment={}, ask=lambda prompt: prompts.append(prompt) or "typed")
    assert config.email.smtp.password.get_secret_value() == "typed"
    assert prompts == ["SMTP password: "]


def test_without_terminal_and_variable_it_is_refused_instead_of_waiting(tmp_path):
    said = (
        "trainstatus.yaml:3: source_email: the SMTP password is needed, and there is no terminal to ask for it: "
        "export TRAINSTATUS_SMTP_PASSWORD"
    )
    assert problems(tmp_path, FLAT, environment={}) == [said]


def test_what_was_added_may_be_set(tmp_path):
    config = load_text(
        tmp_path,
        FLAT + "smtp_port: 465\nsmtp_security: tls\npreset: seed\n"
        "slack: {channel: C1, bot_token: env:SLACK_BOT_TOKEN, app_token: env:SLACK_APP_TOKEN}\n",
    )
    assert (config.email.smtp.port, config.email.smtp.security) == (465, "tls")
    assert config.defaults.preset is Preset.SEED
    assert config.slack.channel == "C1"


@pytest.mark.parametrize(
    ("host", "log", "names"),
    [
        ("gpu.example.com", "/a/train.log", ("gpu.example.com", "train")),
        ("fe80::1", "/a/my log (2).txt", ("fe80-1", "my-log-2")),
        ("node", "/a/Node.log", ("node", "Node-run")),
        ("node", "/a/*.log", ("node", "run")),
        ("all", "/a/all.log", ("host", "run")),
        ("node", "/a/" + "x" * 100, ("node", "x" * 60)),
    ],
)
def test_its_host_and_run_get_names_that_commands_can_take(tmp_path, host, log, names):
    text = FLAT.replace("192.0.2.1", host).replace("/path/example_log_file.log", log)
    config = load_text(tmp_path, text)
    assert (*config.hosts, *config.runs) == names


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1200", "20m", "8: check_interval: '20m' is not a number of seconds (example: 1200)"),
        ("1200", "0", "8: check_interval: 0 is out of range (0.05s to 7d)"),
        ("2222", "ssh", "6: remote_port: 'ssh' is not a port (1 to 65535)"),
        (
            "/path/example_log_file.log",
            "x.log",
            "7: remote_log_path: 'x.log' is not absolute (examples: /data/llama/train.log, ~/logs/*.log)",
        ),
        ("smtp_server", "smtp_servr", "2: smtp_servr: is an unknown key (did you mean smtp_server?)"),
        (
            "example_alert@domain.com",
            "bob",
            "1: target_email: 'bob' is not a mail address (example: oncall@example.com)",
        ),
        ("example_user", "", "5: remote_user: is missing (example: example_user)"),
        ("example_user", "''", "5: remote_user: '' is empty (example: example_user)"),
    ],
)
def test_its_problems_keep_its_own_lines_and_keys(tmp_path, old, new, said):
    assert f"trainstatus.yaml:{said}" in problems(tmp_path, FLAT.replace(old, new))


def test_its_slack_section_is_checked_too(tmp_path):
    said = problems(tmp_path, FLAT + "slack: {channel: C1, bot_token: env:SLACK_BOT_TOKEN}\n")
    assert said == [
        "trainstatus.yaml:9: slack.app_token: is missing: the mode socket needs it (example: env:SLACK_APP_TOKEN)"
    ]


def test_a_file_with_runs_is_not_taken_for_one_of_the_original_tool(tmp_path):
    said = problems(tmp_path, "hosts: {a: {}}\nruns: {r: {host: a, logs: /a}}\nremote_port: 22\n")
    (problem,) = said
    assert problem.startswith("trainstatus.yaml:3: remote_port: is an unknown key (there are: database, defaults, ")
