"""What one key alone cannot show: hosts that runs and jumps name, and settings that need or exclude each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from monitor_core.config.strict_yaml import Path, Tree
from monitor_core.config.values import did_you_mean, is_name, jumps_in, shown
from monitor_core.errors import Problem
from monitor_core.model.records import KnownBy
from monitor_core.parse.dialects import AUTO, DIALECTS

_BUILT_IN = (AUTO, *DIALECTS)
_SSH_ONLY = ("ssh_config", "user", "port", "jump", "host_key", "keys", "passphrase", "agent")


def problems(tree: Tree) -> Iterator[Problem]:
    """Find what does not fit together. It reads the file's own values, so that one bad value hides nothing else."""
    yield from _about_runs(tree)
    yield from _about_processes(tree)
    yield from _about_formats(tree)
    yield from _about_names(tree)
    yield from _about_hosts(tree)
    yield from _about_jumps(tree)
    yield from _about_mail(tree)
    yield from about_slack(tree)


def jump_addresses(tree: Tree) -> set[str]:
    """Return the jumps that are not configured as hosts: they are addresses, taken with SSH's defaults."""
    hosts = _entries(tree, "hosts")
    jumps = {jump for host in hosts.values() for jump in _jumps_of(host)}
    return {jump for jump in jumps - hosts.keys() if is_name(jump) and not get_close_matches(jump, hosts, n=1)}


def about_slack(tree: Tree) -> Iterator[Problem]:
    """Find what a Slack section lacks for its mode."""
    slack = tree.value(("slack",))
    if isinstance(slack, dict) and slack.get("mode", "socket") == "socket" and "app_token" not in slack:
        text = "is missing: the mode socket needs it (example: env:SLACK_APP_TOKEN)"
        yield tree.problem(("slack", "app_token"), text)


def _entries(tree: Tree, section: str) -> Mapping[str, Mapping[str, Any]]:
    entries = tree.value((section,))
    if not isinstance(entries, dict):
        return {}
    return {name: entry if isinstance(entry, dict) else {} for name, entry in entries.items()}


def _about_runs(tree: Tree) -> Iterator[Problem]:
    if not tree.value(("runs",)):
        yield tree.problem(("runs",), "is missing or empty: say what to watch (see config/trainstatus.example.yaml)")
    hosts = _entries(tree, "hosts")
    known = isinstance(tree.value(("hosts",)), (dict, type(None)))
    for name, run in _entries(tree, "runs").items():
        host = run.get("host")
        if known and isinstance(host, str) and host not in hosts:
            text = f"{shown(host)} is not one of the hosts{did_you_mean(host, hosts)}"
            yield tree.problem(("runs", name, "host"), text)


def _about_processes(tree: Tree) -> Iterator[Problem]:
    """A process is known by one thing, and only a host with a shell can be asked for it."""
    hosts = _entries(tree, "hosts")
    for name, run in _entries(tree, "runs").items():
        process, path = run.get("process"), ("runs", name, "process")
        if not isinstance(process, dict):
            continue
        named = [key for key in KnownBy if key in process]
        if not named and process.keys() <= set(KnownBy):
            yield tree.problem(path, "is empty: name a pid_file, a command or a slurm job")
        for key in named[1:]:
            yield tree.problem((*path, key), f"is one too many beside {named[0]}: remove one of them")
        if hosts.get(str(run.get("host")), {}).get("transport") == "sftp":
            yield tree.problem(path, "has no meaning with `transport: sftp`: by SFTP nobody can ask for a process")


def _about_formats(tree: Tree) -> Iterator[Problem]:
    """A format of one's own may not hide a built-in one, and a run's must be there."""
    own = _entries(tree, "formats")
    for name in own:
        if name in _BUILT_IN:
            yield tree.problem(("formats", name), "is the name of a built-in format: choose another name")
    for name, run in _entries(tree, "runs").items():
        chosen = run.get("format")
        if isinstance(chosen, str) and chosen not in (*_BUILT_IN, *own):
            text = f"{shown(chosen)} is not a log format{did_you_mean(chosen, dict.fromkeys((*_BUILT_IN, *own)))}"
            yield tree.problem(("runs", name, "format"), text)


def _about_names(tree: Tree) -> Iterator[Problem]:
    """Commands take the names of runs and hosts in any case, so no two may be told apart by case alone."""
    taken: dict[str, Path] = {}
    for section in ("hosts", "runs"):
        for name, entry in _entries(tree, section).items():
            first = taken.setdefault(name.lower(), (section, name))
            if first != (section, name):
                yield tree.problem((section, name), f"is named like {first[0]}.{first[1]}: choose another name")
            if "name" in entry:
                yield tree.problem((section, name, "name"), f"is an unknown key: the name is {shown(name)}, its key")


def _about_hosts(tree: Tree) -> Iterator[Problem]:
    for name, host in _entries(tree, "hosts").items():
        for key in _SSH_ONLY if host.get("transport") == "local" else ():
            if key in host:
                yield tree.problem(("hosts", name, key), "has no meaning with `transport: local`: remove one of them")


def _jumps_of(host: Mapping[str, Any]) -> tuple[str, ...]:
    return jumps_in(host["jump"]) if isinstance(host.get("jump"), str) else ()


def _about_jumps(tree: Tree) -> Iterator[Problem]:
    hosts = _entries(tree, "hosts")
    addresses = jump_addresses(tree)
    jumps = {name: found for name, host in hosts.items() if (found := _jumps_of(host))}
    for name, way in jumps.items():
        path = ("hosts", name, "jump")
        wrong = list(_wrong_jumps(way, hosts, addresses))
        circle = _circle(name, jumps)
        if wrong:
            yield tree.problem(path, wrong[0])
        elif circle and name == min(circle):
            yield tree.problem(path, f"goes in a circle: {' > '.join((*circle, name))}")


def _wrong_jumps(jumps: tuple[str, ...], hosts: Mapping[str, Mapping[str, Any]], addresses: set[str]) -> Iterator[str]:
    for jump in jumps:
        if jump not in hosts and jump not in addresses:
            yield f"{shown(jump)} is not one of the hosts{did_you_mean(jump, hosts)}"
        elif hosts.get(jump, {}).get("transport") == "local":
            yield f"{shown(jump)} is read with `transport: local`, which cannot be a jump"


def _circle(start: str, jumps: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the hosts on the way from a host back to itself; empty if the way ends or turns elsewhere.

    As with SSH's own ProxyJump, only of the first of several jumps the own jump counts.
    """
    if start in jumps[start]:
        return [start, *jumps[start][: jumps[start].index(start)]]
    way, host = [start], jumps[start][0]
    while host in jumps and host not in way:
        way.append(host)
        host = jumps[host][0]
    return way if host == start else []


def _about_mail(tree: Tree) -> Iterator[Problem]:
    smtp = tree.value(("email", "smtp"))
    for one, other in (("username", "password"), ("password", "username")):
        if isinstance(smtp, dict) and one in smtp and other not in smtp:
            yield tree.problem(("email", "smtp", other), f"is missing: {one} needs it (or leave both out)")
