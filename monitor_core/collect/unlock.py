"""Finds the private keys for which a person has to be asked, before the hosts are looked at."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from monitor_core.collect.hops import Hop, Route, route
from monitor_core.collect.keyring import Keyring
from monitor_core.collect.keys import locked_files
from monitor_core.config.models import Host
from monitor_core.errors import Unreachable

_AT_ONCE = 8
_DEADLINE = 10.0


def hops_to(names: Iterable[str], hosts: Mapping[str, Host]) -> list[Hop]:
    """Return all hosts on the way to these, each once.

    One to which no way is found is passed over: the first look at it says why.
    """
    wanted = [hosts[name] for name in names if hosts[name].transport != "local"]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(dict.fromkeys(hop for found in pool.map(partial(_route, hosts=hosts), wanted) for hop in found))


def locked(hops: Iterable[Hop], keyring: Keyring) -> list[str]:
    """Return the files of the keys for these hosts that only a passphrase opens, each once."""
    return list(dict.fromkeys(path for hop in hops for path in locked_files(hop, keyring)))


def _route(host: Host, hosts: Mapping[str, Host]) -> Route:
    try:
        return route(host, hosts, ends_at=time.monotonic() + _DEADLINE)
    except Unreachable:
        return ()
