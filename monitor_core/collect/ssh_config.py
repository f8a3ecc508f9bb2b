"""What ~/.ssh/config says of a host, as `ssh` itself understands it (ssh_config(5))."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor_core.errors import Unreachable
from monitor_core.redact import redact

# A `Match exec` of the file may hang.
_PATIENCE = 3.0
_LAST_WAIT = 1.0
_TOKEN = re.compile(r"%(.)|\$\{(\w+)\}")
_MULTIPLE = frozenset({"identityfile", "certificatefile"})
# paramiko passes over an Include, and takes some conditions of Match for met: it would use settings of other hosts.
_MISREAD = re.compile(r"\s*(include|match)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """Whose settings are asked for: what would be typed after `ssh`, and in which file they stand.

    `file` is True for the files that `ssh` reads by itself, False for none. `user` and `port` are what is known to
    hold already; empty and 0 where the file decides.
    """

    alias: str
    file: bool | str = True
    user: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a host: options by their name in lower case; those that may stand several times have many values.

    Values may hold tokens, see `expanded`.
    """

    question: Question
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """Return the value of an option; empty if it is not set, or set to `none`."""
        value = next(iter(self.options.get(name, ())), "")
        return "" if value.lower() == "none" else value

    def several(self, name: str) -> tuple[str, ...]:
        """Return the values of an option that may stand several times."""
        return tuple(value for value in self.options.get(name, ()) if value.lower() != "none")

    @property
    def hostname(self) -> str:
        """Return the name or address under which the host is reached."""
        return self.one("hostname") or self.question.alias

    @property
    def port(self) -> int:
        """Return its port."""
        return self.question.port or int(self.one("port") or 22)

    @property
    def user(self) -> str:
        """Return the account that is used there."""
        return self.question.user or self.one("user") or getpass.getuser()

    def expanded(self, text: str) -> str:
        """Return a value with its tokens and variables put in; what is not known stays as it is."""
        known = {
            "%": "%",
            "d": str(Path.home()),
            "h": self.hostname,
            "i": str(os.getuid()),
            "k": self.one("hostkeyalias") or self.hostname,
            "L": socket.gethostname().partition(".")[0],
            "l": socket.gethostname(),
            "n": self.question.alias,
            "p": str(self.port),
            "r": self.user,
            "u": getpass.getuser(),
        }
        return _TOKEN.sub(
            lambda found: known.get(found[1], found[0]) if found[1] else os.environ.get(found[2], found[0]), text
        )


def settings(question: Question, *, ends_at: float) -> Settings:
    """Ask `ssh`, or where there is none read the file; raise Unreachable with a sentence if it cannot be used.

    `ends_at` is a time of the monotonic clock.
    """
    if question.file is False:
        return Settings(question)
    program = shutil.which("ssh")
    return Settings(question, _asked(program, question, ends_at) if program else read(question))


def default_known_hosts(files: Sequence[str]) -> bool:
    """Say whether these are the files that `ssh` takes if its configuration names none."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    usual = [".ssh/known_hosts", ".ssh/known_hosts2"]
    return list(files) in ([f"{home}/{name}" for name in usual], [f"~/{name}" for name in usual])


def read(question: Question) -> dict[str, list[str]]:
    """Read the file without `ssh`, as far as paramiko understands it; raise Unreachable where it would not."""
    path = Path(question.file if isinstance(question.file, str) else "~/.ssh/config").expanduser()
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        if question.file is True and isinstance(error, FileNotFoundError):
            return {}
        raise Unreachable(f"{path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if found := _MISREAD.match(line):
            raise Unreachable(
                f"{path}:{number} has `{found[1]}`, which takes the program `ssh` to understand: install "
                "openssh-client, or set `ssh_config: false` and configure the host here"
            )
    return _by_paramiko(text, path, question.alias)


def _by_paramiko(text: str, path: Path, alias: str) -> dict[str, list[str]]:
    import paramiko  # noqa: PLC0415 needed only where there is no `ssh`

    try:
        found = paramiko.SSHConfig.from_text(text).lookup(alias)
    except paramiko.ConfigParseError as error:
        raise Unreachable(f"{path} cannot be understood: {error}") from error
    return {name: [value] if isinstance(value, str) else list(value) for name, value in found.items()}


def _asked(program: str, question: Question, ends_at: float) -> dict[str, list[str]]:
    command = [program, "-G", "-T"]
    command += ["-F", str(Path(question.file).expanduser())] if isinstance(question.file, str) else []
    command += ["-l", question.user] if question.user else []
    command += ["-p", str(question.port)] if question.port else []
    patience = min(_PATIENCE, max(0.1, ends_at - time.monotonic()))
    process = subprocess.Popen(
        [*command, "--", question.alias],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            said, complaint = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            _kill(process)
            hint = "does a `Match exec` of its configuration hang, or the name service?"
            raise Unreachable(f"`ssh -G {question.alias}` gave no answer within {patience:.3g} s: {hint}") from None
    if process.returncode:
        words = redact(" ".join(complaint.decode(errors="replace").split()))
        raise Unreachable(f"ssh cannot tell how to reach {question.alias}: {words}")
    return _options(said.decode(errors="replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=_LAST_WAIT)


def _options(said: str) -> dict[str, list[str]]:
    """A name alone is an option without a value; only some stand several times."""
    found: dict[str, list[str]] = {}
    for line in said.splitlines():
        name, _, value = line.partition(" ")
        values = found.setdefault(name.lower(), [])
        if value and (not values or name.lower() in _MULTIPLE):
            values.append(value)
    return found
