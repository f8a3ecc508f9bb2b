"""The pictures of the documents: what they need, and what is drawn."""

from __future__ import annotations

import pytest

from monitor_core.notify.mail import mail_html
from tests.pictures.__main__ import main
from tests.pictures.chart import draw_chart
from tests.pictures.render import Page, mail_pages
from tests.pictures.scenes import Mail
from tests.support.messages import STUCK


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The only folder in which programs are found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(folder, *programs):
    for program in programs:
        (folder / program).write_text("#!/bin/sh\n")
        (folder / program).chmod(0o755)


def test_without_node_nothing_is_drawn_and_it_is_said_what_to_install(path, tmp_path, capsys):
    put(path, "chromium")
    assert main([str(tmp_path / "img")]) == 2
    assert capsys.readouterr().err.startswith("pictures: Node is missing: install ")
    assert not (tmp_path / "img").exists()


def test_without_chromium_nothing_is_drawn_and_it_is_said_what_to_install(path, tmp_path, capsys):
    put(path, "node", "npm")
    assert main([str(tmp_path / "img")]) == 2
    assert capsys.readouterr().err.startswith("pictures: Chromium is missing: install ")
    assert not (tmp_path / "img").exists()


def test_a_mail_is_drawn_by_day_and_in_the_dark():
    html = mail_html(STUCK, ("footer",))
    day, night = mail_pages(Mail("mail", html))
    assert day == Page("mail", html, 600)
    assert night.name == "mail-dark"
    assert "@media all{" in night.html.replace("\n", "").replace(" {", "{")
    assert "prefers-color-scheme" not in night.html


def test_the_chart_of_the_documents_is_a_small_png(tmp_path):
    picture = draw_chart(tmp_path).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 150_000
