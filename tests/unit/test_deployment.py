"""What stands beside the program for its set-up: the systemd unit, the container's recipe, the Procfile."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor_core.cli.arguments import parser

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "config" / "trainstatus.service"
DOCKERFILE = (ROOT / "config" / "Dockerfile").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


@pytest.fixture
def service():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(UNIT.read_text())
    return unit["Service"]


def test_the_unit_starts_a_command_line_that_the_program_takes(service):
    _, *arguments = shlex.split(service["ExecStart"])
    assert parser().parse_args(arguments).verb == "run"


def test_a_reload_of_the_unit_is_the_signal_that_rereads_the_configuration(service):
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_the_unit_names_only_what_systemd_knows(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed: its unit cannot be verified")
    # The program and its account are not on this machine.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE)
    copy = tmp_path / "trainstatus.service"
    copy.write_text(text.replace("User=trainstatus\n", ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], check=False, capture_output=True, text=True, timeout=60
    )
    assert "Unknown" not in done.stderr
    assert "Failed to parse" not in done.stderr


def test_the_container_copies_what_the_package_is_built_from():
    copied = re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert {"pyproject.toml", "README.md", "bot", "monitor_core"} <= set(names)
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_container_starts_a_command_line_that_the_program_takes():
    (arguments,) = re.findall(r'^CMD \["(.+)"\]$', DOCKERFILE, re.MULTILINE)
    assert parser().parse_args([arguments]).verb == "run"


def test_the_procfile_has_the_one_process_that_the_documents_name():
    line = (ROOT / "Procfile").read_text().strip()
    assert line == "bot: python -m bot"
    assert f"`{line}`" in OPERATIONS
