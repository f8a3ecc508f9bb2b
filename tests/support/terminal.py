"""A command in a terminal of its own, with somebody who types."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.sshd import until

ROOT = str(Path(__file__).parents[2])
TRAINSTATUS = (sys.executable, "-c", "import sys; from bot.__main__ import main; sys.exit(main(sys.argv[1:]))")


class Terminal:
    """`trainstatus …` on a pseudo-terminal; `said` is all that it showed, with what was typed unless it hid it."""

    def __init__(self, *words, folder, **environment):
        self.said = ""
        self._ours, theirs = os.openpty()
        given = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        self._process = subprocess.Popen(
            [*TRAINSTATUS, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=given | {"PYTHONPATH": ROOT} | environment,
            start_new_session=True,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def wait_for(self, words, times=1):
        until(lambda: self.said.count(words) >= times or self._process.poll() is not None)
        assert self.said.count(words) >= times, self.said

    def type(self, text):
        os.write(self._ours, f"{text}\n".encode())

    def end(self, number=None):
        """Wait for the end, after a signal if one is given; return the exit status."""
        if number is not None:
            self._process.send_signal(number)
        status = self._process.wait(60)
        self._reader.join()
        os.close(self._ours)
        return status

    def _listen(self):
        # Linux reports the end of the other side as an error.
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 4096):
                self.said += data.decode(errors="replace").replace("\r\n", "\n")
