"""`make pictures`: draws what people see, messages in Slack and mails, from a simulated morning."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from tests.pictures.render import CannotDrawError, mail_pages, shoot, slack_pages, tools
from tests.pictures.scenes import Slack, scenes

IMAGES = Path(__file__).parents[2] / "docs" / "img"


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=IMAGES, metavar="OUT", help="folder, default: docs/img")
    out = parser.parse_args(argv).out
    logging.disable(logging.WARNING)  # that a host gives no answer is part of the morning
    try:
        draw(out)
    except CannotDrawError as error:
        sys.stderr.write(f"pictures: {error}\n")
        return 2
    return 0


def draw(out):
    node, chromium = tools()
    taken, people = scenes()
    messages = [scene for scene in taken if isinstance(scene, Slack)]
    mails = [scene for scene in taken if not isinstance(scene, Slack)]
    pages = [*slack_pages(node, messages, people), *(page for mail in mails for page in mail_pages(mail))]
    out.mkdir(parents=True, exist_ok=True)
    for page in pages:
        picture = shoot(chromium, page, out)
        sys.stderr.write(f"pictures: {picture} ({picture.stat().st_size // 1024} KB)\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
