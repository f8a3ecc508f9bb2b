"""Asks a host over SSH: by its shell, or by SFTP where the account has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from monitor_core.collect.frames import Answer
from monitor_core.collect.network import Network
from monitor_core.collect.questions import Ask
from monitor_core.collect.sftp import Sftp
from monitor_core.collect.shell import Shell
from monitor_core.collect.ssh import SshTransport
from monitor_core.collect.transport import Call, Deadline, NoSftp, NoShell
from monitor_core.config.models import Host


class Remote:
    """A host that is reached over SSH. Whether its account has a shell is found out anew with each connection."""

    def __init__(self, host: Host, hosts: Mapping[str, Host], network: Network) -> None:
        self._transport = SshTransport(host, hosts, network)
        self._shell = Shell(host.name or host.address, self._transport)
        self._sftp = Sftp(self._transport)
        self._wants_shell = host.transport == "ssh"

    def ask(self, asked: Sequence[Ask], patience: float, deadline: Deadline) -> tuple[Answer, Call | None]:
        """Ask the host; see `Speaker`."""
        if not self._wants_shell or not self._transport.has_shell:
            return self._sftp.ask(asked, patience, deadline)
        try:
            return self._shell.ask(asked, patience, deadline)
        except NoShell as no_shell:
            return self._without_shell(asked, patience, deadline, no_shell)

    def watch(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Make sure that nothing within lasts much longer than the deadline."""
        return self._transport.watch(deadline)

    def close(self) -> None:
        """Let go of the connection; may be called from any thread."""
        self._transport.close()

    def _without_shell(
        self, asked: Sequence[Ask], patience: float, deadline: Deadline, no_shell: NoShell
    ) -> tuple[Answer, Call | None]:
        try:
            answered = self._sftp.ask(asked, patience, deadline)
        except NoSftp:
            raise no_shell from None
        self._transport.forget_shell()
        return answered
