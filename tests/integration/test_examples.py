"""The examples of the documents, run: what a page tells people to type works."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import pytest

from monitor_core.cli import main
from monitor_core.cli.arguments import parser
from monitor_core.collect import HostReader
from monitor_core.config.load import load
from monitor_core.poller import Poller
from monitor_core.roster import Roster
from monitor_core.store.database import open_database
from tests.support.bot import Bot
from tests.support.process import train
from tests.support.slack_server import SlackServer

ROOT = Path(__file__).parents[2]
PAGES = {str(page.relative_to(ROOT)): page.read_text() for page in (ROOT / "README.md", *ROOT.glob("docs/*.md"))}
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CONFIG = """\
database: sqlite:///trainstatus.db
console: true
hosts: {{gpu-07: {{transport: local}}}}
runs:
  moe-16x3b: {{host: gpu-07, logs: "{folder}/moe-16x3b.log"}}
  dense-13b: {{host: gpu-07, logs: "{folder}/train.log"}}
"""
ENVIRONMENT = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "TRAINSTATUS_SMTP_PASSWORD": "secret"}


def blocks(language):
    """Return page and text of each block in a language."""
    return [(page, match[3]) for page, text in PAGES.items() for match in _BLOCK.finditer(text) if match[2] == language]


def typed(language, prompt):
    return [line.removeprefix(prompt) for _, text in blocks(language) for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which a monitor has looked at a run that is stuck and at one that is not."""
    monkeypatch.chdir(tmp_path)
    train(tmp_path / "moe-16x3b.log", time.time() - 600)
    train(tmp_path / "train.log", time.time())
    (tmp_path / "trainstatus.yaml").write_text(_CONFIG.format(folder=tmp_path))
    config = load("trainstatus.yaml", environment={}, ask=None)
    engine = open_database(config.database)
    reader = HostReader(config.hosts["gpu-07"], config.hosts)
    Poller(engine, Roster(config, frozenset({"console"})), {"gpu-07": reader}, time.time).poll_host("gpu-07")
    engine.dispose()
    return tmp_path


def test_the_examples_of_the_shell_do_what_the_pages_say(folder, capfd):
    lines = typed("console", "$ ")
    assert len(lines) > 10
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "trainstatus"
        status = main(words)
        # The run of the examples is stuck, which `check` says with its exit status.
        assert status == 0 or (words[0] == "check" and status < 3), f"{line}: {capfd.readouterr()}"


def test_the_examples_of_slack_are_answered(tmp_path):
    lines = typed("slack", "/trainstatus")
    assert len(lines) > 10
    with SlackServer() as slack:
        bot = Bot(slack, tmp_path)
        bot.start()
        try:
            bot.runs()
            assert bot.fires() == "1"
            answers = {line: bot.ask(line.strip(), user=slack.bob) for line in lines}
        finally:
            bot.close()
    assert [line for line, answer in answers.items() if "Nothing was changed" in answer] == []


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_a_configuration_of_a_page_loads(page, text, tmp_path):
    (tmp_path / "trainstatus.yaml").write_text(text)
    load(str(tmp_path / "trainstatus.yaml"), environment=ENVIRONMENT, ask=None)


def test_the_command_lines_of_set_up_are_taken():
    lines = [re.sub(r"\$\(.*?\)", "today", line) for _, text in blocks("sh") for line in text.splitlines()]
    ours = [line.partition("#")[0] for line in lines if re.match(r"\S*\btrainstatus [a-z]", line.strip())]
    for line in ours:
        parser().parse_args(shlex.split(line)[1:])
