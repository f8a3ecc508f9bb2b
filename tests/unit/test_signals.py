"""Signals, each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BEGIN = """
import os, signal, threading, time
from monitor_core.signals import RELOAD, Signals
signals = Signals().__enter__()
"""
TO_ANOTHER_THREAD = """
signals.listen()
def send():
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.pthread_kill(threading.get_ident(), number)
# The main thread waits by then, or the signal would be seen before it does.
timer = threading.Timer(0.3, send)
timer.start()
print(signals.next() == RELOAD, signals.next() == signal.SIGTERM)
"""
BEFORE_LISTENING = """
os.kill(os.getpid(), signal.SIGHUP)
print("still here", flush=True)
os.kill(os.getpid(), signal.{name})
time.sleep(600)
"""


def run(program):
    return subprocess.run(
        [sys.executable, "-c", BEGIN + program], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_signal_that_another_thread_gets_wakes_the_one_that_waits_for_it():
    assert run(TO_ANOTHER_THREAD).stdout == "True True\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_before_anybody_listens_an_end_ends_the_process_at_once_and_a_reload_does_not(number):
    done = run(BEFORE_LISTENING.format(name=number.name))
    assert (done.returncode, done.stdout, done.stderr) == (0, "still here\n", "")
