"""Asks for the passphrases of SSH keys, once for each file."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable

from monitor_core.cli.setup import asker
from monitor_core.collect.hops import Hop
from monitor_core.collect.network import Network
from monitor_core.config.models import Config
from monitor_core.config.secret import Ask

_TRIES = 3


def network(config: Config, hosts: Collection[str]) -> Network:
    """Return what the connections to these hosts share, with the passphrases that a person at the terminal typed."""
    shared, ask = Network(), asker()
    if ask is not None and any(config.hosts[name].transport != "local" for name in hosts):
        from monitor_core.collect.unlock import hops_to  # noqa: PLC0415 paramiko takes 160 ms to import

        ask_for_passphrases(hops_to(hosts, config.hosts), shared, ask)
    return shared


def ask_for_passphrases(hops: Iterable[Hop], shared: Network, ask: Ask) -> None:
    """Ask for what opens the keys for these hosts, and keep what is right."""
    from monitor_core.collect.keys import unlock  # noqa: PLC0415 see above
    from monitor_core.collect.unlock import locked  # noqa: PLC0415 see above

    for path in locked(hops, shared.keyring):
        for _ in range(_TRIES):
            typed = ask(f"Passphrase of {path} (empty: go on without): ")
            if not typed or unlock(path, typed, shared.keyring):
                break
            print(f"That is not the passphrase of {path}.", file=sys.stderr)
