"""`python -m monitor_core`: the headless monitor, without Slack."""

from __future__ import annotations

import sys

from monitor_core.cli import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
