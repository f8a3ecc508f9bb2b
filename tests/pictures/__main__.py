"""`make pictures`: draws what people see: messages in Slack and mails of a simulated morning, and a chart."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from tests.pictures.chart import draw_chart
from tests.pictures.render import CannotDrawError, mail_pages, shoot, slack_pages, slack_sheet, tools
from tests.pictures.scenes import Slack, kinds, scenes

ROOT = Path(__file__).parents[2]
IMAGES, KINDS = ROOT / "docs" / "img", ROOT / "build" / "pictures"


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=IMAGES, metavar="OUT", help="folder, default: docs/img")
    parser.add_argument("--kinds", type=Path, default=KINDS, metavar="OUT", help="folder, default: build/pictures")
    arguments = parser.parse_args(argv)
    logging.disable(logging.WARNING)  # that a host gives no answer is part of the morning
    try:
        draw(arguments.out, arguments.kinds)
    except CannotDrawError as error:
        sys.stderr.write(f"pictures: {error}\n")
        return 2
    return 0


def draw(out, out_of_kinds):
    """Draw what the documents show, and every kind of incident in each state, which is to be looked at."""
    node, chromium = tools()
    taken, people = scenes()
    messages = [scene for scene in taken if isinstance(scene, Slack)]
    mails = [scene for scene in taken if not isinstance(scene, Slack)]
    pages = [*slack_pages(node, messages, people), *(page for mail in mails for page in mail_pages(mail))]
    _shoot_all(chromium, pages, out)
    _say(draw_chart(out))
    _shoot_all(chromium, [slack_sheet(node, name, rows, people) for name, rows in kinds().items()], out_of_kinds)


def _shoot_all(chromium, pages, out):
    out.mkdir(parents=True, exist_ok=True)
    for page in pages:
        _say(shoot(chromium, page, out))


def _say(picture):
    sys.stderr.write(f"pictures: {picture} ({picture.stat().st_size // 1024} KB)\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
