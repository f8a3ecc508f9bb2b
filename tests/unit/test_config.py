from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor_core.config.advice import warnings
from monitor_core.config.load import find, load
from monitor_core.config.models import Config
from monitor_core.errors import ConfigError
from monitor_core.model.incidents import Severity
from tests.support.configuration import ENVIRONMENT, SMALLEST, load_text, problems

AS_DOCUMENTED = """\
database: sqlite:///trainstatus.db
defaults: {check_interval: 60s, preset: default}
hosts:
  gpu-01: {address: 192.0.2.1, user: example_user, port: 22, jump: bastion, host_key: known_hosts}
runs:
  llama-70b:
    host: gpu-01
    logs: ["/data/llama/logs/host_*_*.output"]
    format: auto
    check_interval: 30s
    owner: U012ALICE
    channel: C0456EFGH
    thresholds: {stuck: 3.0, slow: 1.2}
email:
  smtp: {host: smtp.example.com, port: 587, security: starttls, username: me, password: env:TRAINSTATUS_SMTP_PASSWORD}
  from: trainstatus@example.com
  recipients:
    - {address: oncall@example.com, when: always, severity: warning}
    - {address: boss@example.com, when: fallback, severity: critical, runs: ["llama-*"]}
slack:
  channel: C0123ABCD
  mode: socket
  bot_token: env:SLACK_BOT_TOKEN
  app_token: env:SLACK_APP_TOKEN
  api_url: env:SLACK_API_URL
  operators: [U012ALICE, S012ONCALL]
"""


def test_a_full_configuration_means_what_it_says(tmp_path):
    config = load_text(tmp_path, AS_DOCUMENTED)
    run, host = config.runs["llama-70b"], config.hosts["gpu-01"]
    assert (run.name, run.host, run.check_interval) == ("llama-70b", "gpu-01", 30.0)
    assert run.logs == ("/data/llama/logs/host_*_*.output",)
    assert run.thresholds == {"stuck": "3", "slow": "1.2"}
    assert (host.name, host.address, host.jump) == ("gpu-01", "192.0.2.1", "bastion")
    assert config.email.sender == "trainstatus@example.com"
    assert config.email.smtp.password.get_secret_value() == "smtp-pass-71"
    assert [r.severity for r in config.email.recipients] == [Severity.WARNING, Severity.CRITICAL]
    assert config.slack.bot_token.get_secret_value() == "xoxb-bot-token-72"
    assert config.slack.api_url == "http://127.0.0.1:8080/api/"


def test_a_jump_that_is_no_configured_host_is_an_address_with_the_defaults_of_ssh(tmp_path):
    bastion = load_text(tmp_path, AS_DOCUMENTED).hosts["bastion"]
    assert (bastion.name, bastion.address, bastion.user, bastion.port) == ("bastion", "bastion", "", 22)


def test_the_smallest_configuration_has_defaults_for_all_else(tmp_path):
    config = load_text(tmp_path, SMALLEST)
    assert config.defaults.check_interval == 60.0
    assert config.hosts["gpu-01"].address == "gpu-01"
    assert config.runs["llama"].logs == ("/data/train.log",)
    assert (config.email, config.slack) == (None, None)


@pytest.mark.parametrize("name", ["trainstatus.example.yaml", "minimal.yaml"])
def test_the_example_files_load_with_the_environment_set(name):
    path = Path(__file__).parents[2] / "config" / name
    config = load(str(path), environment=ENVIRONMENT, ask=None)
    assert config.runs
    assert not warnings(config)


def test_several_jumps_are_hosts_each_and_none_is_no_host(tmp_path):
    text = "hosts:\n  a: {jump: 'one, two'}\n  b: {jump: none}\nruns: {r: {host: a, logs: /a}}\n"
    config = load_text(tmp_path, text)
    assert set(config.hosts) == {"a", "b", "one", "two"}
    assert not [warning for warning in warnings(config) if "one" in warning or "two" in warning]


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("false", False), ("~/.ssh/other", "~/.ssh/other")])
def test_ssh_config_is_taken_or_not_or_another_one(tmp_path, written, meant):
    text = SMALLEST.replace("{user: me}", f"{{ssh_config: {written}}}")
    assert load_text(tmp_path, text).hosts["gpu-01"].ssh_config == meant


def test_two_unknown_jumps_and_their_hosts_leave_no_host_behind_without_a_name(tmp_path):
    text = "hosts:\n  a: {jump: one}\n  b: {jump: two}\nruns: {r: {host: a, logs: /a}}\n"
    assert set(load_text(tmp_path, text).hosts) == {"a", "b", "one", "two"}


def test_a_configuration_made_in_code_names_its_hosts_and_runs():
    config = Config.model_validate({"hosts": {"a": {}}, "runs": {"r": {"host": "a", "logs": "/a"}}})
    assert (config.hosts["a"].name, config.hosts["a"].address, config.runs["r"].name) == ("a", "a", "r")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SMALLEST, "alerts are only printed to this terminal: there is neither slack, nor email with recipients"),
        (SMALLEST + "console: true\n", None),
        (
            SMALLEST + "email: {from: a@b.c, smtp: {host: h}, recipients: [{address: a@b.c, runs: llma}]}\n",
            "email.recipients[0].runs: 'llma' matches none of the runs (did you mean llama?)",
        ),
        (
            "console: true\n" + SMALLEST.replace("runs:", "  gpu-02: {}\nruns:"),
            "hosts.gpu-02: no run is on this host, so it is not looked at",
        ),
        (
            SMALLEST + "slack: {channel: C1, bot_token: env:SLACK_APP_TOKEN, app_token: env:SLACK_APP_TOKEN}\n",
            "slack.bot_token: does not start with xoxb-, so Slack will refuse it (are the two swapped?)",
        ),
    ],
)
def test_what_is_allowed_but_hardly_meant_is_a_warning(tmp_path, text, told):
    assert warnings(load_text(tmp_path, text)) == ([told] if told else [])


def test_the_option_comes_before_the_variable_and_both_before_the_folder(tmp_path):
    (tmp_path / "trainstatus.yaml").touch()
    environment = {"TRAINSTATUS_CONFIG": "/from/variable.yaml"}
    assert find("given.yaml", environment, tmp_path) == "given.yaml"
    assert find(None, environment, tmp_path) == "/from/variable.yaml"
    assert find(None, {}, tmp_path) == str(tmp_path / "trainstatus.yaml")


def test_the_original_tools_file_is_tried_after_our_own(tmp_path):
    (tmp_path / "config.yaml").touch()
    assert find(None, {}, tmp_path) == str(tmp_path / "config.yaml")
    (tmp_path / "trainstatus.yaml").touch()
    assert find(None, {}, tmp_path) == str(tmp_path / "trainstatus.yaml")


def test_where_there_is_no_configuration_people_are_told_how_to_get_one(tmp_path):
    with pytest.raises(
        ConfigError, match=r"no configuration: write one with `trainstatus init`, or name one with --config"
    ):
        find(None, {}, tmp_path)


def test_reading_a_configuration_imports_no_network_library():
    code = "import sys, monitor_core.config.load; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "monitor_core.config.load" in answer.stdout.split()
    assert not {"paramiko", "slack_sdk", "slack_bolt", "sqlalchemy", "jinja2"} & set(answer.stdout.split())


NAMES = """hosts runs llama gpu-01 host logs jump email smtp from recipients slack channel bot_token
    thresholds stuck console target_email remote_host env:X file:/x ask /a.log"""
SIGNS = """3 1e9 no ~ {} [] [ ] { } , : - & * ! | > ' " # % @ ` \\"""
WORDS = st.sampled_from([*NAMES.split(), *SIGNS.split(), "\n", "\t"])
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.text() | st.binary() | st.lists(WORDS, max_size=30).map(" ".join) | SHAPES.map(str))
def test_any_file_is_a_configuration_or_refused_in_words(tmp_path, text):
    assert isinstance(problems(tmp_path, text, ask=lambda _prompt: "typed"), list)
