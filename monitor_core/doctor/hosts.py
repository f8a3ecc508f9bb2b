"""Whether hosts let us in and have the logs: one look at each, as the monitor looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor_core.config.models import Host
from monitor_core.model.records import Presence
from monitor_core.model.views import Diagnosis, State, Verdict
from monitor_core.sight import UNKNOWN, HostSight
from monitor_core.units import duration

_SKEW = 5.0  # seconds; less is no reason to do anything
# What stands in a sentence about a host or a log, and what to do about it.
_FIXES = (
    ("name service", "set hosts.{host}.address to a name or an IP address that this machine can reach"),
    ("no SSH server listens", "start sshd there, or set hosts.{host}.port"),
    ("SSH banner", "set hosts.{host}.port to the port of sshd"),
    ("revoked", "ask whoever revoked the key; nothing is read until the host has another one"),
    ("but known is", "compare the keys; if the new one is right, take the old line out of known_hosts, and: {accept}"),
    ("host key", "compare it with the host's own, then: {accept}"),
    ("SSH agent", "put the public key of this account into ~/.ssh/authorized_keys there, or set hosts.{host}.keys"),
    ("refused the login", "put the key into ~/.ssh/authorized_keys there, or set hosts.{host}.user and keys"),
    ("takes no keys", "let sshd there take public keys (PubkeyAuthentication yes)"),
    ("more than a key", "let this account log in with a key alone"),
    ("did not run our commands", "give the account a shell, /bin/sh, or SFTP (Subsystem sftp in its sshd_config)"),
    ("no SFTP server", "let sshd there have SFTP (Subsystem sftp in its sshd_config), or set transport: ssh"),
    ("opened no further session", "let sshd there open more sessions on a connection (MaxSessions)"),
    ("file system may hang", "on the host: df, and see whether the server of that file system answers"),
    ("no match", "set runs.{run}.logs"),
    ("no file matches", "set runs.{run}.logs; on the host: ls -l"),
    ("there is no", "set runs.{run}.logs, or start the run"),
    (
        "may not be read",
        "let the account of hosts.{host}.user read it: chmod a+r, or the group of the file",
    ),
    ("is a folder", "name its files in runs.{run}.logs"),
    ("absolute path", "write runs.{run}.logs as an absolute path"),
)
_PROCESS_FIXES = (
    ("by SFTP", "give the account a shell, or leave runs.{run}.process out"),
    ("not on the PATH", "let a shell without a login find squeue there, or name a pid_file or a command"),
    ("squeue", "on the host: squeue; until it answers, the log alone tells"),
    ("Slurm job", "set runs.{run}.process.slurm to the job that runs now, or to its name"),
    ("may not be read", "let the account of hosts.{host}.user read it, or name a command"),
    ("no command line", "set runs.{run}.process.command to a part of what `ps -ef` shows there, or start the run"),
    ("", "set runs.{run}.process, or start the run; on the host: ps -ef"),
)
_TRY = "try it by hand: {ssh}"


def examine(sight: HostSight, host: Host, runs: Sequence[str]) -> Iterator[Diagnosis]:
    """Look at a host once: how it answers, its clock, and the log of each run."""
    verdicts = sight.check(runs)
    part = f"host {host.name}"
    skew = next((verdict.clock_skew for verdict in verdicts if verdict.clock_skew is not None), None)
    if skew is None:
        why = verdicts[0].text
        yield Diagnosis(part, State.FAIL, why.removeprefix(f"{host.name}: "), _fix(why, host, ""))
        for run in runs:
            yield Diagnosis(f"run {run}", State.WARN, "not looked at, its host does not answer")
        return
    yield Diagnosis(part, State.OK, f"{_way(host)} answers")
    yield _clock(part, skew)
    for verdict in verdicts:
        yield _log(verdict, host)
        if verdict.process:
            yield _process(verdict, host)


def _way(host: Host) -> str:
    return "this machine" if host.transport == "local" else f"{_account(host)}:{host.port} lets us in and"


def _account(host: Host) -> str:
    return f"{host.user}@{host.address}" if host.user else host.address


def _clock(part: str, skew: float) -> Diagnosis:
    ahead = "ahead of" if skew > 0 else "behind"
    if abs(skew) < _SKEW:
        return Diagnosis(part, State.OK, "its clock is right")
    fix = "let chrony or ntpd set it; trainstatus corrects for it meanwhile"
    return Diagnosis(part, State.WARN, f"its clock is {duration(abs(skew))} {ahead} ours", fix)


def _log(verdict: Verdict, host: Host) -> Diagnosis:
    part = f"run {verdict.run}"
    if verdict.status == UNKNOWN:
        return Diagnosis(part, State.FAIL, verdict.text, _fix(verdict.text, host, verdict.run))
    if verdict.iteration is None:
        fix = f"if it trains already, set runs.{verdict.run}.format; `trainstatus replay --explain` on a copy shows why"
        return Diagnosis(part, State.WARN, f"{verdict.text}: no progress line was recognised", fix)
    return Diagnosis(part, State.OK, verdict.text)


def _process(verdict: Verdict, host: Host) -> Diagnosis:
    part, said = f"run {verdict.run}", f"its process is {verdict.process}"
    if verdict.process.startswith((Presence.ALIVE, Presence.WAITING)):
        return Diagnosis(part, State.OK, said)
    fix = next(fix for sign, fix in _PROCESS_FIXES if sign in verdict.process)
    return Diagnosis(part, State.WARN, said, fix.format(host=host.name, run=verdict.run))


def _fix(why: str, host: Host, run: str) -> str:
    names = {"host": host.name, "run": run, "accept": f"trainstatus hostkeys add {host.name}"}
    names["ssh"] = f"ssh -p {host.port} {_account(host)}"
    return next((fix for sign, fix in _FIXES if sign in why), _TRY).format(**names)
