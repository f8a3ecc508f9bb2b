"""How a verb of people is carried out: through `control`, by whoever sits at this shell."""

from __future__ import annotations

import argparse
import getpass
import os
from collections.abc import Callable
from typing import Any

from monitor_core.app import door
from monitor_core.cli.setup import configuration, print_json
from monitor_core.control import Control


def actor() -> str:
    """Return who types, as the audit log names them."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):
        # In a container the account often has no name.
        return f"shell:{os.getuid()}"


def answer(arguments: argparse.Namespace, act: Callable[[Control], Any], lay_out: Callable[..., str]) -> int:
    """Do what is asked and print the answer as text or JSON; `lay_out` takes the answer and the time."""
    with door(configuration(arguments, secrets=False)) as control:
        found = act(control)
        now = control.clock()
    if arguments.json:
        print_json(found)
    else:
        print(lay_out(found, now))
    return 0
