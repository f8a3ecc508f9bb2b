"""The private keys that a login offers: of files, and of a running SSH agent."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import UnknownKeyType

from monitor_core.config.models import Host

_USUAL = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_AGENT_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Offer:
    """A key, or, where `key` is None, why there is none; `label` is for people."""

    label: str
    key: paramiko.PKey | None


@contextlib.contextmanager
def offers(host: Host) -> Iterator[list[Offer]]:
    """Give the keys for a host in the order in which to try them; those of the agent work until the end."""
    with contextlib.ExitStack() as stack:
        yield _of_files(host) + (_of_agent(stack) if host.agent else [])


def _of_files(host: Host) -> list[Offer]:
    if host.keys:
        return [_of_file(path) for path in host.keys]
    return [_of_file(path) for path in _USUAL if Path(path).expanduser().exists()]


def _of_file(path: str) -> Offer:
    try:
        # Not by connect(key_filename=): it reports a refused key as an invalid one.
        return Offer(path, paramiko.PKey.from_path(Path(path).expanduser()))
    except FileNotFoundError:
        return Offer(f"{path} (there is no such file)", None)
    except OSError as error:
        return Offer(f"{path} (cannot be read: {error.strerror})", None)
    except (TypeError, paramiko.PasswordRequiredException):
        return Offer(f"{path} (has a passphrase: add it to an SSH agent)", None)
    except (ValueError, paramiko.SSHException, UnknownKeyType):
        return Offer(f"{path} (is no private key that can be used)", None)


def _of_agent(stack: contextlib.ExitStack) -> list[Offer]:
    path = os.environ.get("SSH_AUTH_SOCK")
    if not path:
        return []
    connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    connection.settimeout(_AGENT_TIMEOUT)
    try:
        connection.connect(path)
        keys = _Agent(connection).get_keys()
    except (OSError, paramiko.SSHException):
        return [Offer(f"SSH agent at {path} (does not answer)", None)]
    return [Offer(f"{key.comment or key.get_name()} of the SSH agent", key) for key in keys]


class _Agent(AgentSSH):
    """An agent on a connection of ours: paramiko's own has no timeout, and a hanging agent would hang us."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connect(connection)  # type: ignore[attr-defined]  # missing in the stubs
