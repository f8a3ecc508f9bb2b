"""The verb hostkeys: which keys of hosts are known, and how a new one becomes known."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection, Iterator
from typing import Any

from monitor_core.cli.passphrases import ask_for_passphrases
from monitor_core.cli.setup import asker, configuration, print_json
from monitor_core.cli.text import table
from monitor_core.collect.greeting import Greeting, greet
from monitor_core.collect.hops import Hop, Route, route
from monitor_core.collect.known_hosts import fingerprint
from monitor_core.collect.login import known_keys_of, said, show_own
from monitor_core.collect.network import Network
from monitor_core.config.models import Config
from monitor_core.errors import CollectError, CommandError
from monitor_core.roster import Roster
from monitor_core.targets import Targets

_DONE, _REFUSED = 0, 1
_VERBS = ("list", "add")
_DEADLINE = 10.0


def hostkeys(arguments: argparse.Namespace, _extension: object) -> int:
    """List what is known, or add the keys of a host and of those on the way to it."""
    what, host = _asked(arguments)
    if what == "add":
        return _add(configuration(arguments, secrets=False, looking=True), host, arguments.fingerprint)
    if arguments.fingerprint:
        raise CommandError("--fingerprint goes with `add`: trainstatus hostkeys add HOST --fingerprint SHA256:….")
    config = configuration(arguments, secrets=False)
    names = [_name(config, host)] if host else [n for n in config.hosts if _has_keys(config, n)]
    return _list(config, names, as_json=arguments.json)


def _asked(arguments: argparse.Namespace) -> tuple[str, str | None]:
    """Return what to do and of which host: `hostkeys gpu-01` lists what is known of gpu-01."""
    what, host = arguments.what, arguments.host
    if what in _VERBS:
        return what, host
    if host is not None:
        raise CommandError(
            f"{what} is neither `list` nor `add`: type `trainstatus hostkeys [list] [HOST]` or `add HOST`."
        )
    return "list", what


def _name(config: Config, text: str | None) -> str:
    if not text:
        raise CommandError("Say of which host: `trainstatus hostkeys add HOST`.")
    name = Targets(Roster(config, frozenset())).host(text)
    if not _has_keys(config, name):
        raise CommandError(f"{name} is this machine (`transport: local`): there is no host key to know.")
    return name


def _has_keys(config: Config, name: str) -> bool:
    return config.hosts[name].transport != "local"


def _way(config: Config, name: str) -> Route:
    return route(config.hosts[name], config.hosts, ends_at=time.monotonic() + _DEADLINE)


def _add(config: Config, host: str | None, expected: Collection[str]) -> int:
    """Go the way to the host, one after the other: each is logged in to as soon as its key is known."""
    name = _name(config, host)
    shared, ask = Network(), asker()
    try:
        way = _way(config, name)
        if ask is not None:
            ask_for_passphrases(way[:-1], shared, ask)
        return (
            _DONE if all(_is_known(way[:length], shared, expected) for length in range(1, len(way) + 1)) else _REFUSED
        )
    except CollectError as error:
        print(error, file=sys.stderr)
        return _REFUSED


def _is_known(way: Route, shared: Network, expected: Collection[str]) -> bool:
    """Return whether the last host of the way is known, by now."""
    found = greet(way, shared)
    through = f" through {way[-2].label}" if len(way) > 1 else ""
    print(f"{found.hop.label}{through} shows {said(found.key)}")
    if found.known:
        print(f"  It is known: {found.known.role} in {found.known.file}:{found.known.line}")
        return True
    if not _is_right(found, expected):
        return False
    try:
        print(f"  Written to {found.accept()}")
    except OSError as error:
        print(f"  {found.hop.known_hosts[0]} cannot be written: {error.strerror}", file=sys.stderr)
        return False
    return True


def _is_right(found: Greeting, expected: Collection[str]) -> bool:
    if expected:
        right = found.fingerprint in expected
        if not right:
            print(f"  That is not {' or '.join(expected)}. Nothing was written.", file=sys.stderr)
        return right
    print(f"  Compare it with what this says on its console: {show_own(found.key)}")
    if not (sys.stdin is not None and sys.stdin.isatty()):
        print("  There is no terminal to ask: run it again with --fingerprint SHA256:…", file=sys.stderr)
        return False
    return _confirmed(found.fingerprint)


def _confirmed(fingerprint: str) -> bool:
    question = "  Is it right (yes/no/[fingerprint])? "
    while True:
        try:
            answer = input(question).strip()
        except EOFError:
            answer = "no"
        if answer.lower() == "yes" or answer == fingerprint:
            return True
        if answer.lower() == "no":
            print("  Nothing was written.")
            return False
        question = "  Type yes, no or the fingerprint: "


def _list(config: Config, names: Collection[str], *, as_json: bool) -> int:
    hops, status = {}, _DONE
    for name in names:
        try:
            hops.update(dict.fromkeys(_way(config, name)))
        except CollectError as error:
            print(error, file=sys.stderr)
            status = _REFUSED
    if as_json:
        print_json([_plain(hop) for hop in hops])
    else:
        rows = [("HOST", "ADDRESS", "KNOWN AS", "KEY", "IN")] + [row for hop in hops for row in _rows(hop)]
        print("\n".join(table(rows)))
    return status


def _rows(hop: Hop) -> Iterator[tuple[str, ...]]:
    place = (hop.name, f"{hop.address}:{hop.port}")
    known = known_keys_of(hop)
    for key in known:
        yield (*place, key.role, f"{key.type} {fingerprint(key.blob)}", f"{key.file}:{key.line}")
    if not known:
        yield (*place, "not known", f"add it: trainstatus hostkeys add {hop.ask_for}", "")


def _plain(hop: Hop) -> dict[str, Any]:
    keys = [
        {"type": key.type, "fingerprint": fingerprint(key.blob), "role": key.role, "file": key.file, "line": key.line}
        for key in known_keys_of(hop)
    ]
    return {"host": hop.name, "address": hop.address, "port": hop.port, "known_as": hop.known_as, "keys": keys}
