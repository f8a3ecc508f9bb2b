"""What can be configured: every key with its type, default, meaning and an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from monitor_core.config.secret import from_environment, secret
from monitor_core.config.values import (
    Age,
    ApiUrl,
    Channel,
    Database,
    HostAddress,
    KnownHosts,
    LocalPath,
    LogPaths,
    MailAddress,
    MarkerPatterns,
    Name,
    OneLine,
    PidFile,
    Port,
    ProgressPatterns,
    Seconds,
    SlackId,
    SlurmJob,
    SshConfig,
    Texts,
    ThresholdTexts,
    listed,
)
from monitor_core.model.incidents import Severity
from monitor_core.model.records import KnownBy, ProcessQuery
from monitor_core.parse.dialect import Dialect
from monitor_core.patterns import dialect
from monitor_core.thresholds import Preset


class Section(BaseModel):
    """A part of the configuration: it cannot be changed, takes no unknown keys, and never repeats values in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class Defaults(Section):
    """What holds for all runs unless a host or a run says otherwise."""

    check_interval: Seconds = Field(60.0, description="How often each log is looked at.", examples=["60s"])
    preset: Preset = Field(
        Preset.DEFAULT, description="The rules: ours (`default`), or the original tool's (`seed`).", examples=["seed"]
    )
    thresholds: ThresholdTexts = Field(
        default_factory=dict, description="Thresholds for all runs.", examples=["{slow: 1.2}"]
    )


class Host(Section):
    """A machine on which logs lie; `name` is its key under `hosts`."""

    name: str = Field("", exclude=True)
    transport: Literal["ssh", "sftp", "local"] = Field(
        "ssh",
        description=(
            "How it is read: `ssh` (by a shell, or by SFTP if the account has none), `sftp` without trying a shell, "
            "or `local` for the machine of trainstatus."
        ),
        examples=["local"],
    )
    address: HostAddress = Field(
        "", description="Host name or IP address; the host's key if left out.", examples=["192.0.2.1"]
    )
    ssh_config: SshConfig = Field(
        default=True,
        description="Whether what is left out here comes from ~/.ssh/config, or the path of another such file.",
        examples=["false"],
    )
    user: str = Field("", description="SSH user; the one who runs trainstatus if left out.", examples=["example_user"])
    port: Port = Field(22, description="SSH port.", examples=["22"])
    jump: str = Field(
        "",
        description=(
            "The host through which it is reached: one of `hosts`, or an address that takes SSH's defaults; "
            "several with commas, the nearest first; `none` for the straight way."
        ),
        examples=["bastion"],
    )
    host_key: KnownHosts = Field(
        "known_hosts",
        description="`known_hosts` (~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts) or the path of such a file.",
        examples=["known_hosts"],
    )
    keys: Annotated[tuple[LocalPath, ...], listed] = Field(
        (), description="Private key files; the usual ones in ~/.ssh if left out.", examples=["[~/.ssh/id_ed25519]"]
    )
    passphrase: Annotated[SecretStr, secret("passphrase of the SSH key", looking=True)] = Field(
        SecretStr(""),
        description="Secret: the passphrase of its keys; if left out, a person is asked at start, once for each file.",
        examples=["env:TRAINSTATUS_SSH_PASSPHRASE"],
    )
    agent: bool = Field(True, description="Whether keys of a running SSH agent are used.", examples=["false"])  # noqa: FBT003 a default
    check_interval: Seconds | None = Field(
        None,
        description="How often the logs of its runs are looked at; that of `defaults` if left out.",
        examples=["30s"],
    )
    thresholds: ThresholdTexts = Field(
        default_factory=dict, description="Thresholds for the runs of this host.", examples=["{unreachable: 5m}"]
    )


class Format(Section):
    """A log format of one's own, under its name. docs/log-formats.md says how patterns are written."""

    progress: ProgressPatterns = Field(
        description="Pattern of the lines that tell how far it is, or a list of them; "
        "a regular expression with named groups begins with `regex:`.",
        examples=['"step {iteration}/{total} took {s}s loss={loss}"'],
    )
    pause: MarkerPatterns = Field(
        (),
        description="Patterns of lines after which it is silent for a reason, until the next progress line.",
        examples=['"saving {any}"'],
    )
    end: MarkerPatterns = Field(
        (),
        description="Patterns of lines that end the training; the last iteration does if left out.",
        examples=["training complete"],
    )

    def dialect(self, name: str) -> Dialect:
        """Return the dialect that it is."""
        return dialect(name, self.progress, self.pause, self.end)


class Process(Section):
    """By what it is known whether a training still runs: exactly one of these, looked for on the host of its logs."""

    pid_file: PidFile = Field(
        "",
        description="A file with the number of its process, as launchers write it: an absolute path.",
        examples=["/data/llama/pids/host_0.pid"],
    )
    command: OneLine = Field(
        "",
        description="A part of its command line that no other has; `*` stands for anything.",
        examples=['"pretrain_gpt.py --config llama-70b"'],
    )
    slurm: SlurmJob = Field(
        "", description="Its job in Slurm: the number, or the name, which no other job has.", examples=["llama-70b"]
    )

    @property
    def query(self) -> ProcessQuery:
        """Return what is asked for."""
        return next(
            ProcessQuery(by, name)
            for by, name in zip(KnownBy, (self.pid_file, self.command, self.slurm), strict=True)
            if name
        )


class Run(Section):
    """One training; `name` is its key under `runs`."""

    name: str = Field("", exclude=True)
    host: str = Field(description="The host on which its logs lie: one of `hosts`.", examples=["gpu-01"])
    logs: LogPaths = Field(
        description="Its log: an absolute path, a glob, or a list of them.",
        examples=['["/data/llama/logs/*.output"]'],
    )
    format: str = Field(
        "auto",
        description="Layout of its log: `auto` recognises it; else one of docs/log-formats.md or of `formats`.",
        examples=["megatron"],
    )
    process: Process | None = Field(
        None, description="By what it is known whether it still runs; its log alone tells if left out."
    )
    check_interval: Seconds | None = Field(
        None, description="How often its log is looked at; that of its host if left out.", examples=["30s"]
    )
    preset: Preset | None = Field(
        None, description="The rules for this run; those of `defaults` if left out.", examples=["seed"]
    )
    owner: str = Field(
        "", description="Its owner: a Slack id, who may then mute and tune it, or a name.", examples=["U012ALICE"]
    )
    channel: Channel | Literal[""] = Field(
        "", description="Id of another alert channel than `slack.channel`.", examples=["C0456EFGH"]
    )
    thresholds: ThresholdTexts = Field(
        default_factory=dict, description="Thresholds for this run.", examples=["{stuck: 3.0}"]
    )


class Smtp(Section):
    """The mail server."""

    host: HostAddress = Field(min_length=1, description="Its name or address.", examples=["smtp.example.com"])
    port: Port = Field(587, description="Its port.", examples=["587"])
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="Encryption, which is then required: `starttls` (port 587), `tls` (465), or `none`.",
        examples=["starttls"],
    )
    username: str = Field("", description="Account; no login if left out.", examples=["me"])
    password: Annotated[SecretStr, secret("SMTP password")] = Field(
        SecretStr(""), description="Secret: password of the account.", examples=["env:TRAINSTATUS_SMTP_PASSWORD"]
    )
    ca_file: LocalPath = Field(
        "", description="Certificates to trust besides the system's.", examples=["/etc/ssl/own.pem"]
    )


class Recipient(Section):
    """Somebody who gets mail."""

    address: MailAddress = Field(description="Mail address.", examples=["oncall@example.com"])
    when: Literal["always", "fallback"] = Field(
        "always", description="`fallback`: only when Slack could not be told.", examples=["fallback"]
    )
    severity: Severity = Field(
        Severity.WARNING,
        description="The least severity that is mailed (info, warning, critical); endings always are.",
        examples=["critical"],
    )
    runs: Texts = Field(("*",), description="Patterns of the runs it is about.", examples=['["llama-*"]'])


class Email(Section):
    """Alerts by mail."""

    smtp: Smtp = Field(description="The mail server.")
    sender: MailAddress = Field(
        alias="from", description="Address the mail comes from.", examples=["trainstatus@example.com"]
    )
    reply_to: MailAddress | Literal[""] = Field("", description="Where replies go.", examples=["oncall@example.com"])
    recipients: tuple[Recipient, ...] = Field((), description="Who gets mail.")
    fallback_after: Seconds = Field(
        120.0, description="How long Slack may take before fallback recipients get the mail.", examples=["2m"]
    )


class Slack(Section):
    """Alerts and commands in Slack."""

    channel: Channel = Field(description="Id of the alert channel.", examples=["C0123ABCD"])
    mode: Literal["socket"] = Field("socket", description="How Slack reaches us.", examples=["socket"])
    bot_token: Annotated[SecretStr, secret("Slack bot token")] = Field(
        description="Secret: the bot's token (xoxb-…).", examples=["env:SLACK_BOT_TOKEN"]
    )
    app_token: Annotated[SecretStr, secret("Slack app token")] = Field(
        SecretStr(""),
        description="Secret: the app's token (xapp-…), which the mode `socket` needs.",
        examples=["env:SLACK_APP_TOKEN"],
    )
    api_url: Annotated[ApiUrl, from_environment] = Field(
        "https://slack.com/api/", description="Another API base, for tests.", examples=["env:SLACK_API_URL"]
    )
    operators: Annotated[tuple[SlackId, ...], listed] = Field(
        (), description="Slack ids of people and groups who may do all.", examples=["[U012ALICE, S012ONCALL]"]
    )


class Retention(Section):
    """How long things are kept in the database. What still holds, or has yet to be delivered, is kept in any case."""

    incidents: Age = Field(
        90 * 86400.0,
        description="Resolved incidents, with what was decided and sent about them; from their end on.",
        examples=["90d"],
    )
    audit: Age = Field(365 * 86400.0, description="Who did what.", examples=["365d"])
    mutes: Age = Field(90 * 86400.0, description="Mutes that have ended.", examples=["90d"])
    progress_full: Age = Field(
        2 * 86400.0,
        description="Every progress line of a run, the newest 20,000 at most; then one in ten minutes, and the first "
        "and the last of each launch.",
        examples=["48h"],
    )
    progress: Age = Field(30 * 86400.0, description="The progress lines that are left then.", examples=["30d"])
    unseen: Age = Field(
        30 * 86400.0,
        description="Runs and hosts that are no longer configured, from when they were last seen on.",
        examples=["30d"],
    )


class Config(Section):
    """The whole configuration."""

    database: Database = Field(
        "sqlite:///trainstatus.db",
        description="Where state is kept: an SQLite file, relative to where trainstatus is started.",
        examples=["sqlite:////var/lib/trainstatus/trainstatus.db"],
    )
    defaults: Defaults = Field(default_factory=Defaults, description="What holds for all runs.")
    hosts: dict[Name, Host] = Field(default_factory=dict, description="The machines, each under its name.")
    formats: dict[Name, Format] = Field(
        default_factory=dict, description="Log formats of one's own, each under its name."
    )
    runs: dict[Name, Run] = Field(default_factory=dict, description="The trainings, each under its name.")
    email: Email | None = Field(None, description="Alerts by mail; none if left out.")
    slack: Slack | None = Field(None, description="Alerts and commands in Slack; none if left out.")
    retention: Retention = Field(default_factory=Retention, description="How long things are kept.")
    console: bool = Field(False, description="Whether alerts are printed to the terminal too.", examples=["true"])  # noqa: FBT003 a default

    @field_validator("hosts", mode="after")
    @classmethod
    def _name_hosts(cls, hosts: dict[str, Host]) -> dict[str, Host]:
        return {k: host.model_copy(update={"name": k, "address": host.address or k}) for k, host in hosts.items()}

    @field_validator("runs", mode="after")
    @classmethod
    def _name_runs(cls, runs: dict[str, Run]) -> dict[str, Run]:
        return {k: run.model_copy(update={"name": k}) for k, run in runs.items()}
