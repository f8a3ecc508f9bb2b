"""On what was measured: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import paramiko

from tests.support.sshd import SSHD


def machine():
    """Return what the measurements depend on, by name."""
    return {
        "Processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "System": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "Load before": " ".join(f"{load:.2f}" for load in os.getloadavg()) + " (1, 5, 15 min)",
        "Python": platform.python_version(),
        "OpenSSH": _openssh(),
        "paramiko": paramiko.__version__,
    }


def _processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _openssh():
    said = subprocess.run([SSHD, "-V"], check=False, capture_output=True, text=True)
    lines = (said.stdout + said.stderr).splitlines()
    return next(
        (line.split(",")[0].removeprefix("OpenSSH_") for line in lines if line.startswith("OpenSSH_")), "unknown"
    )
