"""Measures one way in a process of its own: a job comes in as JSON, what was measured goes out as JSON."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from importlib import import_module
from pathlib import Path

# A way is imported when it is measured, so that its process holds what it needs and nothing more.
WAYS = {
    "original check": ("original", "Check"),
    "original check, prompt": ("original", "PromptCheck"),
    "original match": ("original", "Match"),
    "floor": ("original", "Floor"),
    "poll": ("ours", "Poll"),
    "read": ("ours", "Read"),
    "first look": ("ours", "FirstLook"),
    "read all": ("ours", "ReadAll"),
    "parse": ("ours", "Parse"),
    "parse, format named": ("ours", "ParseNamed"),
    "parse, nothing kept": ("ours", "ParseStream"),
}


def measure(job):
    """Return seconds, CPU seconds, bytes moved (if they are counted) and memory (bytes) of `times` runs of a way."""
    module, name = WAYS[job["way"]]
    make = getattr(import_module(f"tests.bench.{module}"), name)
    sample = {"wall": [], "cpu": [], "moved": [], "loaded": _peak()}
    with _counter(job) as moved, contextlib.closing(make(job)) as way:
        for number in range(-job["warm_up"], job["times"]):
            way.prepare()
            before = (time.perf_counter(), time.process_time(), moved())
            way.run()
            after = (time.perf_counter(), time.process_time(), moved())
            way.check()
            if number >= 0:
                for key, start, end in zip(("wall", "cpu", "moved"), before, after, strict=True):
                    sample[key].append(end - start)
        sample["peak"] = _peak()
    return sample


@contextlib.contextmanager
def _counter(job):
    """Yield what tells how many bytes have passed so far; counting goes through a proxy, which costs time."""
    if not job["counted"]:
        yield int
        return
    from tests.support.proxy import Proxy  # noqa: PLC0415 what it imports would count as memory of the original

    proxy = Proxy(job["host"]["port"])
    job["host"]["port"] = proxy.port
    try:
        yield lambda: proxy.sent + proxy.received
    finally:
        proxy.close()


def _peak():
    """Return the most memory that this process has held, in bytes.

    `ru_maxrss` would not do: a new process begins with that of the one that started it (getrusage(2)).
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


# Who interrupts the bench is told so by the bench itself.
if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(json.dumps(measure(json.load(sys.stdin))))
