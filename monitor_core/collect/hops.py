"""The way to a host: the machines that are logged in to one after the other, each with all that it takes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from monitor_core.collect.known_hosts import USUAL, files, name_of
from monitor_core.collect.ssh_config import Question, Settings, default_known_hosts, settings
from monitor_core.config.models import Host
from monitor_core.config.values import jumps_in
from monitor_core.errors import Unreachable

_MOST = 8
# What `ssh` tries where no IdentityFile is set; it names them all, whether they exist or not.
_UNSET_KEYS = frozenset({"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"})
# [user@]host[:port], as in ProxyJump; an IPv6 address with a port stands in brackets.
_JUMP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?:\[(?P<v6>[^]]+)\]|(?P<host>[^:/]+|[^:]*:[^:]*:.*))(?::(?P<port>\d+))?/?"
)


@dataclass(frozen=True, slots=True)
class Hop:
    """One machine on the way. Hops that are equal can share a connection.

    `known_as` is its name in the files of `known_hosts`, in the first of which new keys are written (`hashed`: so that
    the name cannot be read); `revoked` is a file of keys that nobody may show. `keys` are those that somebody chose;
    `only` says that the agent may add no others, and `agent` is its socket. `command` connects instead of a socket
    (ProxyCommand). `ask_for` is what to type after `trainstatus hostkeys add`.
    """

    name: str
    address: str
    port: int
    user: str
    known_as: str
    known_hosts: tuple[str, ...]
    hashed: bool = False
    revoked: str = ""
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    only: bool = False
    agent: str = ""
    passphrase: str = field(default="", repr=False)
    command: str = ""
    ask_for: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """Return how the machine is called in a sentence."""
        return f"{self.name} ({self.address}:{self.port})"


Route = tuple[Hop, ...]


def route(host: Host, hosts: Mapping[str, Host], *, ends_at: float) -> Route:
    """Return the way to a host, itself last; raise Unreachable with a sentence if there is none.

    What is configured comes before what ~/.ssh/config says, which is read anew each time. `ends_at` is a time of the
    monotonic clock.
    """
    found = _way(host, hosts, ends_at, ())
    names = [hop.name for hop in found]
    if len(set(names)) < len(names):
        raise _through_itself(host)
    return tuple(hop if hop.name in hosts else replace(hop, ask_for=host.name) for hop in found)


def _way(host: Host, hosts: Mapping[str, Host], ends_at: float, above: tuple[str, ...]) -> list[Hop]:
    if host.name in above:
        raise _through_itself(host)
    if len(above) >= _MOST:
        raise Unreachable(f"the way to {above[0]} leads over more than {_MOST} hosts: {', '.join(above)}")
    told = settings(_question(host), ends_at=ends_at)
    jumps = _jumps(host, hosts, told)
    if not jumps:
        return [replace(_hop(host, told), command=_command(host, told))]
    first, *others = jumps
    way = _way(first, hosts, ends_at, (*above, host.name))
    # As with `ssh -J`: of all but the first the own jumps do not count.
    way += [_hop(other, settings(_question(other), ends_at=ends_at)) for other in others]
    return [*way, _hop(host, told)]


def _through_itself(host: Host) -> Unreachable:
    return Unreachable(f"{host.name} is to be reached through itself: check the `jump` of its hosts and ProxyJump")


def _question(host: Host) -> Question:
    port = host.port if "port" in host.model_fields_set else 0
    return Question(host.address or host.name, host.ssh_config, host.user, port)


def _jumps(host: Host, hosts: Mapping[str, Host], told: Settings) -> list[Host]:
    """Return through which hosts a host is reached, the nearest to us first."""
    if host.jump:
        for jump in jumps_in(host.jump):
            if jump not in hosts:
                raise Unreachable(f"{host.name} is to be reached through {jump}, which is not among the hosts")
        return [hosts[jump] for jump in jumps_in(host.jump)]
    jumps = told.expanded(told.one("proxyjump"))
    return [_jump(host, hosts, each) for each in jumps.split(",") if each]


def _jump(host: Host, hosts: Mapping[str, Host], text: str) -> Host:
    """Return the host that a ProxyJump means; what it says holds unless that host is configured otherwise."""
    parts = _JUMP.fullmatch(text.strip())
    if parts is None:
        raise Unreachable(f"{host.name} is to be reached through ProxyJump {text}, which is not [user@]host[:port]")
    name = parts["v6"] or parts["host"]
    said = {"user": parts["user"], "port": int(parts["port"]) if parts["port"] else None}
    base = hosts.get(name) or Host(name=name, ssh_config=host.ssh_config)
    return base.model_copy(update={k: v for k, v in said.items() if v and k not in base.model_fields_set})


def _hop(host: Host, told: Settings) -> Hop:
    alias = told.one("hostkeyalias")
    return Hop(
        name=host.name or host.address,
        address=told.hostname,
        port=told.port,
        user=told.user,
        known_as=alias.lower() or name_of(told.hostname, told.port),
        known_hosts=_known_hosts(host, told),
        hashed=told.one("hashknownhosts") == "yes",
        revoked=told.expanded(told.one("revokedhostkeys")),
        keys=tuple(host.keys) or _keys(told),
        certificates=tuple(told.expanded(path) for path in told.several("certificatefile")),
        only=told.one("identitiesonly") == "yes",
        agent=_agent(told) if host.agent else "",
        passphrase=host.passphrase.get_secret_value(),
        ask_for=host.name,
    )


def _keys(told: Settings) -> tuple[str, ...]:
    """Return the keys that somebody chose; none where `ssh` only names the usual ones."""
    named = told.several("identityfile")
    return () if set(named) >= _UNSET_KEYS else tuple(told.expanded(path) for path in named)


def _known_hosts(host: Host, told: Settings) -> tuple[str, ...]:
    if host.host_key != "known_hosts":
        return files((host.host_key,))
    own, common = (told.one(f"{whose}knownhostsfile").split() for whose in ("user", "global"))
    if not (own or common) or default_known_hosts(own):
        return files((*USUAL[:2], *(common or USUAL[2:])))
    return files((*(told.expanded(path) for path in own), *common))


def _agent(told: Settings) -> str:
    named = next(iter(told.options.get("identityagent", ())), "SSH_AUTH_SOCK")
    if named.lower() == "none":
        return ""
    if named == "SSH_AUTH_SOCK" or named.startswith("$"):
        return os.environ.get(named.lstrip("$").strip("{}"), "")
    return str(Path(told.expanded(named)).expanduser())


def _command(host: Host, told: Settings) -> str:
    command = "" if host.jump else told.one("proxycommand")
    if command and told.one("proxyusefdpass") == "yes":
        raise Unreachable(
            f"{host.name} has a ProxyCommand that hands over a connection (ProxyUseFdpass), which is not supported: "
            "use ProxyJump, or a ProxyCommand that passes data on"
        )
    return told.expanded(command)
