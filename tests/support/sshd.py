"""A real OpenSSH server on a free port of this machine, with keys and settings of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from monitor_core.config.models import Host

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
ADDRESS = "127.0.0.1"
_SETTINGS = """
ListenAddress {address}
Port {port}
SetEnv HOME={folder}/home
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel ERROR
"""
# Of this one setting the last line counts.
_MANY_LOGINS = "MaxStartups 200\n"
# Settings of a server that allows nothing but SFTP.
SFTP_ONLY = "Subsystem sftp internal-sftp\nForceCommand internal-sftp -d {folder}/home\n"
# Only newer servers know it; they would shut us out after a few refused logins.
_NO_PENALTIES = "PerSourcePenalties no\n"


def why_not() -> str:
    """Say why no server can be started here; empty if one can."""
    return "" if SSHD and shutil.which("ssh-keygen") else "openssh-server is not installed: no sshd, or no ssh-keygen"


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Write a new key pair and return the path of the private key."""
    for old in (path, path.with_name(path.name + ".pub")):
        old.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", path], check=True)
    return path


def until(condition, seconds: float = 60.0):
    """Wait for a condition and return its value; fail if it does not come in time, which a busy machine has too."""
    ends_at = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < ends_at, f"{condition} did not come true within {seconds} s"
        time.sleep(0.01)
    return value


def free_port() -> int:
    """Return a port on which nobody listens, of those that the system gives to nobody who asks for any.

    So no test beside this one, and no connection, comes by it before it is used or while its server is away. Hypothesis
    seeds the usual generator alike for all.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_768)
        with contextlib.suppress(OSError), socket.create_server((ADDRESS, port)):
            return port


class Sshd:
    """The server; `settings` are further lines of its configuration."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "home").mkdir(exist_ok=True)
        self.key = make_key(folder / "id_test")
        self.known_hosts = folder / "known_hosts"
        self._settings = settings.format(folder=folder) if "{folder}" in settings else settings
        make_key(folder / "second_key", "rsa")
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copy(f"{self.key}.pub", folder / "authorized_keys")
        self.change_host_key()
        self.trust()

    def host(self, name: str = "gpu-01", **changes) -> Host:
        """Return how this server stands in a configuration."""
        values = {
            "address": ADDRESS,
            "user": getpass.getuser(),
            "port": self.port,
            "host_key": str(self.known_hosts),
            "keys": (str(self.key),),
            "agent": False,
        }
        return Host(name=name, **(values | changes))

    def change_host_key(self, kind: str = "ed25519") -> None:
        make_key(self.folder / "host_key", kind)

    @property
    def host_key(self) -> str:
        """Return type and key in base64."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    @property
    def fingerprint(self) -> str:
        shown = subprocess.run(
            ["ssh-keygen", "-lf", self.folder / "host_key.pub"], check=True, capture_output=True, text=True
        )
        return shown.stdout.split()[1]

    def trust(self) -> None:
        """Make known_hosts hold the host key, under any port, and nothing else."""
        self.known_hosts.write_text(f"[{ADDRESS}]:* {self.host_key}\n")

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        config = self.folder / "sshd_config"
        # The first line about a thing counts.
        text = self._settings + _SETTINGS.format(address=ADDRESS, port=self.port, folder=self.folder)
        text = text if "MaxStartups" in text else text + _MANY_LOGINS
        config.write_text(_NO_PENALTIES + text)
        if subprocess.run([SSHD, "-t", "-f", config], check=False, capture_output=True).returncode:
            config.write_text(text)
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stderr=log)
        until(self._answers)

    def stop(self) -> None:
        """End the server and its sessions."""
        if not self._process:
            return
        for process in self._processes():
            _signal(process, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def pause(self) -> None:
        """Make the server and its sessions fall silent without closing anything."""
        for process in self._processes():
            _signal(process, signal.SIGSTOP)

    def resume(self) -> None:
        for process in self._processes():
            _signal(process, signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the server, its sessions and what ran in them have spent."""
        return sum(map(_spent, self._processes()))

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
        try:
            with socket.create_connection((ADDRESS, self.port), timeout=5) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False

    def _processes(self) -> list[int]:
        """Return the listener and all its descendants."""
        assert self._process
        return [self._process.pid, *descendants(self._process.pid)]


def descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started."""
    parents = dict(filter(None, map(_parent, Path("/proc").glob("[0-9]*"))))
    found = [process]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def _parent(process: Path) -> tuple[int, int] | None:
    try:
        return int(process.name), int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _spent(process: int) -> float:
    """Return the CPU time of a process and of those of its children that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _signal(process: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, which)
