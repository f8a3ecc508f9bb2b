from __future__ import annotations

import json
import os

import pytest

from monitor_core.config.load import load
from monitor_core.config.secret import Answers
from monitor_core.errors import ConfigError
from tests.support.configuration import ENVIRONMENT, SMALLEST, load_text, problems

MAIL = SMALLEST + "email:\n  from: a@b.c\n  smtp: {host: h, username: me, password: SECRET}\n"
KEY = "trainstatus.yaml:7: email.smtp.password: "
LEAK = "hunter2-is-secret"


def password(folder, reference, **given):
    return load_text(folder, MAIL.replace("SECRET", reference), **given).email.smtp.password.get_secret_value()


def told(folder, reference, **given):
    return problems(folder, MAIL.replace("SECRET", reference), **given)


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "smtp.password"
    path.write_text(LEAK + "\n")
    path.chmod(0o600)
    return path


def test_a_secret_comes_from_the_environment(tmp_path):
    assert password(tmp_path, "env:MAIL_PASSWORD", environment={"MAIL_PASSWORD": LEAK}) == LEAK


def test_a_secret_comes_from_a_file_without_its_last_line_feed(tmp_path, secret_file):
    assert password(tmp_path, f"file:{secret_file}") == LEAK


def test_a_secret_is_asked_for_once_with_its_name(tmp_path):
    prompts = []
    assert password(tmp_path, "ask", ask=lambda prompt: prompts.append(prompt) or LEAK) == LEAK
    assert prompts == ["SMTP password: "]


def test_nobody_is_asked_while_something_else_is_wrong(tmp_path):
    prompts = []
    text = MAIL.replace("SECRET", "ask") + "consol: true\n"
    assert len(problems(tmp_path, text, ask=lambda prompt: prompts.append(prompt) or LEAK)) == 1
    assert prompts == []


@pytest.mark.parametrize(
    ("reference", "environment", "said"),
    [
        ("env:MAIL_PASSWORD", {}, "the environment variable MAIL_PASSWORD is not set: export it before the start"),
        (
            "env:MAIL_PASSWORD",
            {"MAIL_PASSWORD": ""},
            "the environment variable MAIL_PASSWORD is empty: export it before the start",
        ),
        (
            "env:MAIL_PASSWORD",
            {"MAIL_PASSWORD": f"a\n{LEAK}"},
            "the environment variable MAIL_PASSWORD holds more than one line of text",
        ),
        (f"env:{LEAK}", {}, "env: is not followed by the name of a variable (example: env:SLACK_BOT_TOKEN)"),
        (LEAK, {}, "is written in this file: keep it elsewhere and write env:NAME, file:/path or ask"),
        ("12345678", {}, "is written in this file: keep it elsewhere and write env:NAME, file:/path or ask"),
        (f"[{LEAK}]", {}, "is written in this file: keep it elsewhere and write env:NAME, file:/path or ask"),
        (
            "file:here.txt",
            {},
            "file: is not followed by an absolute path (example: file:/etc/trainstatus/smtp.password)",
        ),
        ("file:/absent/x", {}, "the file /absent/x cannot be read: No such file or directory"),
        ("ask", {}, "there is no terminal to ask for the SMTP password: write env:NAME or file:/path"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_without_it(tmp_path, reference, environment, said):
    assert told(tmp_path, reference, environment=environment) == [KEY + said]


def without_secrets(folder, text):
    path = folder / "trainstatus.yaml"
    path.write_text(text)
    prompts = []
    config = load(str(path), environment={}, ask=lambda prompt: prompts.append(prompt) or LEAK, secrets=False)
    assert prompts == []
    return config


FLAT = """\
target_email: a@b.c
smtp_server: mail
source_email: me@b.c
remote_host: gpu-01
remote_user: me
remote_log_path: /data/train.log
check_interval: 60
"""


@pytest.mark.parametrize("reference", ["env:MAIL_PASSWORD", "file:/absent/x", "ask"])
def test_work_that_sends_nothing_needs_no_secret(tmp_path, reference):
    text = MAIL.replace("SECRET", reference) + "slack: {channel: C1, bot_token: env:B, app_token: ask}\n"
    config = without_secrets(tmp_path, text)
    for empty in (config.email.smtp.password, config.slack.bot_token, config.slack.app_token):
        assert empty.get_secret_value() == ""
    assert config.email.smtp.username == "me"


def test_work_that_sends_nothing_needs_no_password_for_the_file_of_the_original_tool(tmp_path):
    assert without_secrets(tmp_path, FLAT).email.smtp.password.get_secret_value() == ""


@pytest.mark.parametrize("reference", [LEAK, f"env:{LEAK}", f"file:{LEAK}", f"[{LEAK}]"])
def test_a_secret_in_the_file_is_refused_even_where_none_is_needed(tmp_path, reference):
    with pytest.raises(ConfigError) as caught:
        without_secrets(tmp_path, MAIL.replace("SECRET", reference))
    assert [problem.key for problem in caught.value.problems] == ["email.smtp.password"]


def test_everything_else_is_validated_where_no_secret_is_needed(tmp_path):
    with pytest.raises(ConfigError, match="consol"):
        without_secrets(tmp_path, MAIL.replace("SECRET", "ask") + "consol: true\n")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_can_open_is_refused_with_the_remedy(tmp_path, secret_file, mode):
    secret_file.chmod(mode)
    said = f"the file {secret_file} is open to others than its owner: run chmod 600 {secret_file}"
    assert told(tmp_path, f"file:{secret_file}") == [KEY + said]


def test_a_named_pipe_does_not_hold_up_the_start(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert told(tmp_path, f"file:{tmp_path}/pipe") == [KEY + f"{tmp_path}/pipe is not a file"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\n", "holds nothing"), (b"a\nb\n", "holds more than one line of text"), (b"\xff", "is not UTF-8 text")],
)
def test_a_file_without_one_line_of_text_is_refused(tmp_path, secret_file, content, said):
    secret_file.write_bytes(content)
    assert told(tmp_path, f"file:{secret_file}") == [KEY + f"the file {secret_file} {said}"]


def nothing_typed(_prompt):
    return ""


def closed_terminal(_prompt):
    raise EOFError


@pytest.mark.parametrize("ask", [nothing_typed, closed_terminal])
def test_an_answer_without_a_secret_is_a_problem(tmp_path, ask):
    assert told(tmp_path, "ask", ask=ask) == [KEY + "no SMTP password was typed"]


def test_secrets_never_show_in_a_configuration(tmp_path):
    text = MAIL.replace("SECRET", "env:TRAINSTATUS_SMTP_PASSWORD") + (
        "slack: {channel: C1, bot_token: env:SLACK_BOT_TOKEN, app_token: env:SLACK_APP_TOKEN}\n"
    )
    config = load_text(tmp_path, text)
    assert config.slack.app_token.get_secret_value() == ENVIRONMENT["SLACK_APP_TOKEN"]
    for shown in (repr(config), str(config), config.model_dump_json(), json.dumps(config.model_dump(mode="json"))):
        assert "smtp-pass" not in shown
        assert "-token-7" not in shown


@pytest.mark.parametrize(
    "text",
    [
        f"slack: {LEAK}\n",
        f"slack: {{bot_token: {LEAK}, app_token: {LEAK}}}\n",
        f"slack: {{bot_tokn: {LEAK}}}\n",
        f"slack: {{channel: xoxb-1234567890-{LEAK}}}\n",
        f"email: {{smtp: {LEAK}}}\n",
        f"email: {{smtp: {{password: '{LEAK}\\x'}}}}\n",
        f'email: {{smtp: {{password: "{LEAK}\\x07"}}}}\n',
        f"email: {{smtp: {{password: *{LEAK}}}}}\n",
        f"email: {{smtp: {{password: !{LEAK}}}}}\n",
        f"email: {{smtp: {{password: '{LEAK}}}}}\n",
        f"database: postgresql://me:{LEAK}@host/db\n",
        f"password={LEAK}: 1\n",
        f"target_email: a@b.c\npassword: {LEAK}\n",
    ],
)
def test_a_secret_in_the_wrong_place_is_never_repeated(tmp_path, text):
    said = "\n".join(problems(tmp_path, text))
    assert said
    assert LEAK not in said


def test_what_was_typed_at_the_start_is_known_later_and_nobody_is_asked_again(tmp_path):
    prompts = []
    answers = Answers(lambda prompt: prompts.append(prompt) or LEAK)
    assert password(tmp_path, "ask", ask=answers) == LEAK
    answers.close()
    assert password(tmp_path, "ask", ask=answers) == LEAK
    slack = "slack: {channel: C0123ABCD, bot_token: ask, app_token: env:SLACK_APP_TOKEN}\n"
    later = problems(tmp_path, MAIL.replace("SECRET", "ask") + slack, ask=answers)
    why = "nobody was asked for it at the start: restart, or write env:NAME or file:/path"
    assert later == [f"trainstatus.yaml:8: slack.bot_token: {why}"]
    assert prompts == ["SMTP password: "]
    assert LEAK not in repr(answers)


PHRASE = SMALLEST.replace("{user: me}", "{passphrase: env:SSH_PHRASE}")


@pytest.mark.parametrize("environment", [{}, {"SSH_PHRASE": LEAK}])
@pytest.mark.parametrize(("secrets", "looking"), [(False, False), (False, True), (True, True)])
def test_a_passphrase_is_needed_only_to_look_at_hosts(tmp_path, environment, secrets, looking):
    path = tmp_path / "trainstatus.yaml"
    path.write_text(PHRASE)
    given = {"environment": environment, "ask": None, "secrets": secrets, "looking": looking}
    if looking and not environment:
        with pytest.raises(ConfigError, match="the environment variable SSH_PHRASE is not set"):
            load(str(path), **given)
        return
    found = load(str(path), **given).hosts["gpu-01"].passphrase
    assert found.get_secret_value() == (LEAK if looking else "")
