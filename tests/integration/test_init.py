"""The verb init: with all it needs, asking in a terminal, and what is in a built package."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from monitor_core.cli import main
from monitor_core.config.load import load
from tests.support.process import ROOT
from tests.support.sshd import until

COMMAND = [sys.executable, "-c", "import sys; from bot.__main__ import main; sys.exit(main())", "init"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded():
    return load("trainstatus.yaml", environment={}, ask=None, secrets=False)


class Terminal:
    """A process in a terminal of its own: what it shows, and what a person types."""

    def __init__(self, *words):
        self._own, other = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *words], stdin=other, stdout=other, stderr=other, env=os.environ | {"PYTHONPATH": ROOT}
        )
        os.close(other)
        os.set_blocking(self._own, False)
        self.shown = ""

    def answer(self, question, typed):
        until(lambda: question in self._read())
        self.shown = ""
        os.write(self._own, f"{typed}\n".encode())

    def _read(self):
        with contextlib.suppress(OSError):
            self.shown += os.read(self._own, 65536).decode()
        return self.shown

    def end(self):
        until(lambda: self._read() is not None and self.process.poll() is not None)
        self._read()
        os.close(self._own)
        return self.process.returncode


def test_a_terminal_is_asked_until_each_answer_can_be_used():
    terminal = Terminal()
    terminal.answer("Host on which the log lies", "")
    terminal.answer("This one is needed.", "me@gpu-01")
    terminal.answer("Path of the log", "train.log")
    terminal.answer("'train.log' is not absolute", "/data/llama-70b/train.log")
    terminal.answer("Name of the run [llama-70b]:", "")
    terminal.answer("Mail address", "oncall@example.com")
    terminal.answer("Mail server", "smtp.example.com")
    terminal.answer("Address the mail comes from, and account on the mail server [oncall@example.com]:", "")
    terminal.answer("Slack channel", "")
    assert terminal.end() == 0
    assert "Written: trainstatus.yaml. Next:" in terminal.shown
    assert "export TRAINSTATUS_SMTP_PASSWORD" in terminal.shown
    config = loaded()
    assert (list(config.runs), list(config.hosts), config.slack) == (["llama-70b"], ["gpu-01"], None)
    assert config.email.sender == "oncall@example.com"


def test_what_was_said_already_is_not_asked():
    terminal = Terminal("--host", "local", "--email", "oncall@example.com", "--smtp", "smtp.example.com")
    terminal.answer("Path of the log", "/data/moe.log")
    terminal.answer("Name of the run", "moe-16x3b")
    terminal.answer("Address the mail comes from", "")
    terminal.answer("Slack channel", "C0123ABCD")
    assert terminal.end() == 0
    assert "SLACK_BOT_TOKEN" in terminal.shown
    assert loaded().slack.channel == "C0123ABCD"


def test_all_that_it_needs_may_be_said_at_once_and_nothing_is_asked(capsys):
    assert main(["init", "--host", "me@192.0.2.1", "--log", "/data/llama-70b/train.log"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Written: trainstatus.yaml. Next:",
        "  trainstatus doctor        examines all of it and says what to do",
        "  trainstatus test-alert    sends one alert to everybody",
        "  trainstatus run           watches",
    ]
    assert loaded().hosts["192.0.2.1"].address == "192.0.2.1"


def test_the_next_steps_name_the_file_where_it_is_not_the_usual_one(capsys):
    assert main(["init", "--host", "local", "--log", "/l.log", "--output", "my own.yaml"]) == 0
    assert "  trainstatus run --config 'my own.yaml' " in capsys.readouterr().out


def test_a_file_that_is_there_is_never_overwritten(folder, capsys):
    (folder / "trainstatus.yaml").write_text("mine\n")
    assert main(["init", "--host", "local", "--log", "/l.log"]) == 2
    assert "trainstatus.yaml is there already" in capsys.readouterr().err
    assert (folder / "trainstatus.yaml").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "There is no terminal to ask in: say at least --host [user@]address and --log /path."),
        (("--host", "gpu-01", "--log", "train.log"), "--log: 'train.log' is not absolute"),
        (("--host", "gpu-01", "--log", "/l", "--slack-channel", "#alerts"), "--slack-channel: '#alerts' is not the id"),
        (("--host", "gpu-01", "--log", "/l", "--email", "a@example.com"), "Mail needs a server: add --smtp"),
        (
            ("--host", "gpu-01", "--log", "/l", "--output", "no/such.yaml"),
            "no/such.yaml cannot be written: No such file",
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(folder, words, why):
    done = subprocess.run(
        [*COMMAND, *words],
        stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(why)
    assert list(folder.iterdir()) == []


def test_a_built_package_holds_the_templates():
    """Hatch takes all files of the packages that git does not ignore."""
    wheel = tomllib.loads((Path(ROOT) / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    templates = [path.relative_to(ROOT) for path in Path(ROOT).rglob("*.j2") if ".venv" not in path.parts]
    assert len(templates) == 2
    assert all(template.parts[0] in wheel["packages"] for template in templates)
    ignored = subprocess.run(["git", "check-ignore", *templates], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode != 0
    assert wheel.keys() == {"packages"}
