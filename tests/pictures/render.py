"""Draws messages and mails: Node makes HTML of Block Kit, Chromium makes pictures of HTML."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE, MAIL = 390, 600
_PATIENCE = 120  # seconds
_TALLEST = 3000
# Sharp enough for the page of the project, and small enough to lie in its repository.
_LOOK = (
    "--headless",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-lcd-text",
    "--force-device-scale-factor=1.5",
)
_DARK = "@media (prefers-color-scheme:dark)"
# The fonts are those of the pictures, not of Slack: a phone uses its own.
_STYLE = """
body{margin:0;padding:12px 14px}
*{font-family:Lato,"Noto Color Emoji",sans-serif}
pre,pre *,code,code *{font-family:"Liberation Mono",monospace!important;white-space:pre-wrap!important;
overflow-wrap:anywhere}
"""
# Chromium says how high the page is, since it cannot be told to take a picture of all of it.
_MEASURE = """
<style>html{{width:{width}px}}</style>
<script>document.title='height '+document.documentElement.offsetHeight</script>
"""


class CannotDrawError(Exception):
    """Something that pictures need is missing; the text says what, and what to do."""


@dataclass(frozen=True)
class Page:
    """HTML and the width at which it is seen."""

    name: str
    html: str
    width: int


def tools():
    """Return the commands of Node, npm and Chromium, and install what Node needs; raise CannotDrawError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if not node or not npm:
        raise CannotDrawError("Node is missing: install node and npm (Debian: apt install nodejs npm)")
    if not chromium:
        raise CannotDrawError("Chromium is missing: install it (Debian: apt install chromium), or put it on the PATH")
    if not (HERE / "node_modules").exists():
        _run([npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], cwd=HERE)
    return node, chromium


def slack_pages(node, messages, people):
    """Return a page for each message of Slack, as a phone shows it."""
    shown = {message.name: {"blocks": _without_verbatim(message.blocks), "at": message.at} for message in messages}
    drawn = json.loads(_run([node, HERE / "blocks.mjs"], said=json.dumps({"people": people, "messages": shown})))
    head = f"<!doctype html><meta charset=utf-8><style>{drawn['css']}{_STYLE}</style>"
    return [Page(name, head + html, PHONE) for name, html in drawn["pages"].items()]


def slack_sheet(node, name, rows, people):
    """Return a page with many messages of Slack: `rows` of them, to be looked at beside each other."""
    pages = iter(slack_pages(node, [message for row in rows for message in row], people))
    cell = f"<div style='flex:0 0 {PHONE}px;min-width:0;overflow-wrap:anywhere'>"
    lines = ["".join(f"{cell}{next(pages).html}</div>" for _ in row) for row in rows]
    html = "".join(f"<div style='display:flex'>{line}</div>" for line in lines)
    return Page(name, f"<!doctype html>{html}", PHONE * max(map(len, rows)))


def mail_pages(mail):
    """Return a mail as it is, and as a mail program in dark mode shows it."""
    dark = mail.html.replace(_DARK, "@media all")
    return [Page(mail.name, mail.html, MAIL), Page(f"{mail.name}-dark", dark, MAIL)]


def shoot(chromium, page, out):
    """Write the picture of a page, as high as the page is; return its file."""
    with tempfile.TemporaryDirectory() as folder:
        source, picture = Path(folder) / "page.html", out.resolve() / f"{page.name}.png"
        source.write_text(page.html + _MEASURE.format(width=page.width), encoding="utf-8")
        look = [chromium, *_LOOK, f"--user-data-dir={folder}/profile"]
        if os.geteuid() == 0:
            look.append("--no-sandbox")  # Chromium refuses root otherwise; the pages are ours and load nothing
        seen = _run([*look, _size(page.width, _TALLEST), "--dump-dom", source.as_uri()])
        height = re.search(r"<title>height (\d+)", seen)
        if height is None:
            raise CannotDrawError(f"{chromium} opened {page.name} but did not say how high it is")
        _run([*look, _size(page.width, height[1]), f"--screenshot={picture}", source.as_uri()])
    return picture


def _size(width, height):
    return f"--window-size={width},{height}"


def _without_verbatim(blocks):
    """Return blocks without `verbatim`, of which the renderer would show the markup instead of its meaning."""
    if isinstance(blocks, dict):
        return {key: _without_verbatim(value) for key, value in blocks.items() if key != "verbatim"}
    return [_without_verbatim(block) for block in blocks] if isinstance(blocks, list) else blocks


def _run(command, *, said=None, cwd=None):
    """Run a command that hears `said` and return what it writes; raise CannotDrawError if it fails."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command, input=said, cwd=cwd, timeout=_PATIENCE, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotDrawError(f"{name} did not end within {_PATIENCE} s") from None
    if done.returncode:
        raise CannotDrawError(f"{name} failed ({done.returncode}): {done.stderr.strip()}")
    return done.stdout
