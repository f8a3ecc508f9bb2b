"""Hosts that are not Linux with GNU's tools: an SSH account whose shell finds other tools, and nothing besides them.

The tools of BusyBox are real. Those of BSD are GNU's behind scripts that refuse and answer as BSD's do (hosts/bsd); a
host with nothing but what POSIX asks for has no `stat` and no `readlink` either.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_HOSTS = Path(__file__).with_name("hosts")
# What POSIX has, and nobody's version does much more than that.
_COMMON = ("awk", "cat", "cut", "grep", "head", "ls", "sed", "sort", "tail", "tr", "wc", "xargs")
_TOOLS = {
    "bsd": (*_COMMON, "find", "readlink"),
    "posix": _COMMON,
}
_SCRIPTS = {"bsd": ("bsd",), "posix": ("bsd", "posix")}
KINDS = ("busybox", "bsd", "posix", "bash")


def why_not(kind: str) -> str:
    """Say why such a host cannot stand here; empty if it can."""
    needed = {"busybox": "busybox", "bash": "bash"}.get(kind, "sh")
    return "" if shutil.which(needed) else f"{needed} is not installed"


def settings(kind: str, folder: Path) -> str:
    """Put the tools of a kind of host into a folder; return the lines of sshd_config that let its shell use them."""
    tools = folder / kind
    tools.mkdir()
    if kind == "busybox":
        subprocess.run([shutil.which("busybox"), "--install", "-s", tools], check=True)
    elif kind == "bash":
        (tools / "sh").symlink_to(shutil.which("bash"))
        return f"ForceCommand exec {tools}/sh -s\n"
    else:
        for name in (*_TOOLS[kind], "sh"):
            (tools / name).symlink_to(shutil.which(name))
        for script in (each for source in _SCRIPTS[kind] for each in (_HOSTS / source).iterdir()):
            (tools / script.name).unlink(missing_ok=True)
            (tools / script.name).symlink_to(script)
        if kind == "posix":
            (tools / "stat").unlink()
    return f"ForceCommand exec env -i PATH={tools} {tools}/sh -s\n"
