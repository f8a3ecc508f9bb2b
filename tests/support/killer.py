"""Lets the monitor die by SIGKILL between two steps of its work, and begins it again.

    python -m tests.support.killer PARENT-OF-FOLDERS      # a ward: takes a line of JSON, answers with one

Each request names a folder, the ports of the servers, and the step at which the process is killed (0: never). Steps are
counted by a trace function, before each line of the modules that poll, announce and deliver: the product knows nothing
of it. The ward has imported everything and has no threads, so that a life of the monitor costs only a fork.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import subprocess
import sys
import threading
from heapq import heappop
from pathlib import Path
from types import SimpleNamespace

from monitor_core import announce, delivery, poller
from tests.support.story import START, SimulatedClock, Story

WATCHED = {module.__file__ for module in (announce, delivery, poller)}
PATH = os.environ["PATH"]
BEFORE, SILENCE, AFTER, EVERY = 30, 110.0, 6, 10.0


class Steps:
    """Counts the lines that run in the watched modules; kills the process before the `fatal` one."""

    def __init__(self, fatal):
        self.fatal, self.places = fatal, []

    def __enter__(self):
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        return self

    def __exit__(self, *exc):
        sys.settrace(None)
        threading.settrace(None)

    def _enter(self, frame, _event, _argument):
        return self._line if frame.f_code.co_filename in WATCHED else None

    def _line(self, frame, event, _argument):
        if event == "line":
            self.places.append((Path(frame.f_code.co_filename).stem, frame.f_code.co_qualname, frame.f_lineno))
            if len(self.places) == self.fatal:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._line


def live(folder, request, fatal):
    """Live from where the life before ended to the end of the story; return the steps that it took."""
    shims = folder / "bin"
    shims.mkdir(exist_ok=True)
    os.environ["PATH"] = f"{shims}{os.pathsep}{PATH}"
    now = shims / "now"
    resumed = float(now.read_text()) if now.exists() else START
    clock = SimulatedClock(shims, START)
    with Steps(fatal) as steps:
        # Time passes from look to look: a life begins with a look, which must be one of those of the life before.
        house = {"house_every": math.inf}
        story = Story(folder, clock, slack=_slack(request), mail=_mail(request), check_interval="120s", **house)
        _plan(story)
        # What had been written before the death is in the log.
        clock.set(resumed)
        while fatal == 0 and story.log.exists() and story._planned and story._planned[0][0] <= resumed:
            heappop(story._planned)
        story.due = resumed
        story.play(100)
        story.close()
    return steps.places


def _plan(story):
    """A training that is read for the first time, falls silent, and goes on."""
    story.at -= BEFORE * EVERY
    for lines, silence in ((BEFORE, SILENCE), (AFTER, 0.0)):
        batch = []
        for _ in range(lines):
            story.at += EVERY
            story.iteration += 1
            batch.append(story.line(story.iteration, EVERY * 1000))
        story.write("\n".join(batch))
        story.silence(silence)


def _slack(request):
    return SimpleNamespace(**request["slack"], calls=[])


def _mail(request):
    return SimpleNamespace(port=request["mail"], received=[])


def _fork(folder, request, fatal):
    """Let a child live; return its exit status (negative: the signal that ended it)."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        live(folder, request, fatal)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def main():
    logging.disable(logging.WARNING)  # what is said of deliveries that were cut off
    for line in sys.stdin:
        request = json.loads(line)
        folder = Path(request["folder"])
        folder.mkdir(parents=True)
        if request["fatal"]:
            answer = [_fork(folder, request, request["fatal"]), _fork(folder, request, 0)]
        else:
            # Lived in this process: what is imported on the way is there for all that are forked later.
            answer = live(folder, request, 0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class Ward:
    """The process in which the monitor lives and dies, as a test sees it."""

    def __init__(self, slack, mail):
        keys = ("channel", "bot_token", "app_token", "api_url", "alice")
        self._servers = {"slack": {key: getattr(slack, key) for key in keys}, "mail": mail.port}
        command = [sys.executable, "-m", "tests.support.killer"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def live(self, folder, fatal=0):
        """Live a life in a new folder, and a second one if the first was cut off; return how they ended."""
        request = self._servers | {"folder": str(folder), "fatal": fatal}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


if __name__ == "__main__":
    main()
