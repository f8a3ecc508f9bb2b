"""What people are told about a bad configuration, word by word."""

from __future__ import annotations

import pytest

from tests.support.configuration import problems

# What is written, and the whole of what is told.
LLAMA = "hosts: {gpu-01: {}, gpu-02: {}}\nruns:\n  llama:\n    host: gpu-01\n    logs: /a.log\n"
MAIL = LLAMA + "email:\n  from: a@b.c\n  smtp: {host: smtp.example.com}\n"
SLACK = LLAMA + "slack:\n  app_token: env:SLACK_APP_TOKEN\n  bot_token: env:SLACK_BOT_TOKEN\n"
BAD = {
    "no duration": (
        LLAMA + "    check_interval: 5 minuts\n",
        "6: runs.llama.check_interval: '5 minuts' is not a duration (examples: 30s, 20m, 1h30m)",
    ),
    "no unit": (
        LLAMA + "defaults: {check_interval: 60}\n",
        "6: defaults.check_interval: 60 has no unit (examples: 30s, 20m, 1h30m)",
    ),
    "no time at all": (
        LLAMA + "    check_interval: 0s\n",
        "6: runs.llama.check_interval: '0s' is out of range (0.05s to 7d)",
    ),
    "a list for a duration": (
        LLAMA + "    check_interval: [1m]\n",
        "6: runs.llama.check_interval: a list is not a duration (examples: 30s, 20m, 1h30m)",
    ),
    "unknown key": (LLAMA + "    ownr: bob\n", "6: runs.llama.ownr: is an unknown key (did you mean owner?)"),
    "unknown key like no other": (
        LLAMA + "zzz: 1\n",
        (
            "6: zzz: is an unknown key "
            "(there are: database, defaults, hosts, formats, runs, email, slack, retention, console)"
        ),
    ),
    "a name beside the key": (
        LLAMA + "    name: x\n",
        "6: runs.llama.name: is an unknown key: the name is 'llama', its key",
    ),
    "missing key": (
        "hosts: {a: {}}\nruns:\n  llama:\n    host: a\n",
        '3: runs.llama.logs: is missing (example: ["/data/llama/logs/*.output"])',
    ),
    "a key without a value": (
        "hosts: {a: {}}\nruns:\n  llama:\n    host:\n    logs: /a\n",
        "4: runs.llama.host: is missing (example: gpu-01)",
    ),
    "no runs": (
        "hosts: {a: {}}\n",
        " runs: is missing or empty: say what to watch (see config/trainstatus.example.yaml)",
    ),
    "no logs": (
        "hosts: {a: {}}\nruns: {r: {host: a, logs: []}}\n",
        "2: runs.r.logs: is empty (example: /data/llama/train.log)",
    ),
    "a run that is no section": (LLAMA + "  x: 5\n", "6: runs.x: is not a section of keys and values"),
    "hosts that are a list": (
        "hosts: [a]\nruns:\n  r: {host: a, logs: /a}\n",
        "1: hosts: is not a section of keys and values",
    ),
    "a number for a text": (
        LLAMA + "    owner: 7\n",
        "6: runs.llama.owner: 7 is not text: put it in quotes (example: U012ALICE)",
    ),
    "a text for a list of sections": (MAIL + "  recipients: a@b.c\n", "9: email.recipients: 'a@b.c' is not a list"),
    "a word that is no choice": (
        LLAMA + "    format: megatronn\n",
        "6: runs.llama.format: 'megatronn' is not a log format (did you mean megatron?)",
    ),
    "a format that hides a built-in one": (
        LLAMA + "formats:\n  megatron: {progress: 'step {iteration}'}\n",
        "7: formats.megatron: is the name of a built-in format: choose another name",
    ),
    "a pattern without a partner": (
        LLAMA + "formats:\n  ours:\n    progress: ['step {iteration}', 'step {iteration']\n",
        "8: formats.ours.progress[1]: a brace at character 6 has no partner (a brace itself is written twice)",
    ),
    "a pattern without an iteration": (
        LLAMA + "formats:\n  ours:\n    progress: loss {loss}\n",
        (
            "8: formats.ours.progress: has neither {iteration} nor {batch}: say where the number stands "
            "(example: step {iteration}/{total} loss={loss})"
        ),
    ),
    "a regular expression that is none": (
        LLAMA + "formats:\n  ours:\n    progress: 'regex:(?P<iteration>[0-9]+'\n",
        "8: formats.ours.progress: is not a regular expression of RE2: missing ): (?P<iteration>[0-9]+",
    ),
    "a pause that tells a loss": (
        LLAMA + "formats:\n  ours:\n    progress: step {iteration}\n    pause: saving {loss}\n",
        "9: formats.ours.pause: {loss} has no meaning here (known: any, iteration)",
    ),
    "a pattern that is a number": (
        LLAMA + "formats:\n  ours:\n    progress: step {iteration}\n    end: 5\n",
        "9: formats.ours.end: 5 is not text: put it in quotes (example: training complete)",
    ),
    "a format without a pattern": (
        LLAMA + "formats:\n  ours: {end: done}\n",
        '7: formats.ours.progress: is missing (example: "step {iteration}/{total} took {s}s loss={loss}")',
    ),
    "a format of one's own that is not there": (
        LLAMA + "    format: ousr\nformats:\n  ours: {progress: 'step {iteration}'}\n",
        "6: runs.llama.format: 'ousr' is not a log format (did you mean ours?)",
    ),
    "a process without anything to know it by": (
        LLAMA + "    process: {}\n",
        "6: runs.llama.process: is empty: name a pid_file, a command or a slurm job",
    ),
    "a process by two things": (
        LLAMA + "    process:\n      command: train.py\n      slurm: 4711\n",
        "8: runs.llama.process.slurm: is one too many beside command: remove one of them",
    ),
    "a pid file by a pattern": (
        LLAMA + "    process: {pid_file: /data/*.pid}\n",
        "6: runs.llama.process.pid_file: '/data/*.pid' is a pattern: name one file (example: /data/llama/train.pid)",
    ),
    "a pid file that is nowhere": (
        LLAMA + "    process: {pid_file: train.pid}\n",
        "6: runs.llama.process.pid_file: 'train.pid' is not absolute (example: /data/llama/train.pid)",
    ),
    "a command that is anything": (
        LLAMA + "    process: {command: '*'}\n",
        (
            "6: runs.llama.process.command: '*' is no part of a command line "
            "(example: pretrain_gpt.py --config llama-70b)"
        ),
    ),
    "a job that is several": (
        LLAMA + "    process: {slurm: [4711, 4712]}\n",
        "6: runs.llama.process.slurm: a list is no job (examples: 4711, 4711_3, llama-70b)",
    ),
    "an unknown way to know a process": (
        LLAMA + "    process: {pidfile: /train.pid}\n",
        "6: runs.llama.process.pidfile: is an unknown key (did you mean pid_file?)",
    ),
    "a process on a host without a shell": (
        LLAMA.replace("gpu-01: {}", "gpu-01: {transport: sftp}") + "    process: {slurm: 4711}\n",
        "6: runs.llama.process: has no meaning with `transport: sftp`: by SFTP nobody can ask for a process",
    ),
    "a severity that is none": (
        MAIL + "  recipients:\n    - {address: a@b.c}\n    - {address: a@b.c, severity: bad}\n",
        "11: email.recipients[1].severity: 'bad' is not one of info, warning or critical",
    ),
    "no boolean": (LLAMA + "console: maybe\n", "6: console: 'maybe' is neither true nor false (example: true)"),
    "no mail address": (
        MAIL + "  recipients: [{address: boss}]\n",
        "9: email.recipients[0].address: 'boss' is not a mail address (example: oncall@example.com)",
    ),
    "a channel's name": (
        SLACK + "  channel: '#alerts'\n",
        "9: slack.channel: '#alerts' is not the id of a Slack channel (example: C0123ABCD)",
    ),
    "a run's channel": (
        LLAMA + "    channel: general\n",
        "6: runs.llama.channel: 'general' is not the id of a Slack channel (example: C0123ABCD)",
    ),
    "an operator's name": (
        SLACK + "  channel: C1\n  operators: ['@bob']\n",
        "10: slack.operators[0]: '@bob' is not the Slack id of a person or group (example: U012ALICE)",
    ),
    "an API that is none": (
        SLACK + "  channel: C1\n  api_url: slack.com\n",
        "10: slack.api_url: 'slack.com' is not the URL of an API (example: https://slack.com/api/)",
    ),
    "no app token": (
        LLAMA + "slack:\n  channel: C1\n  bot_token: env:SLACK_BOT_TOKEN\n",
        "6: slack.app_token: is missing: the mode socket needs it (example: env:SLACK_APP_TOKEN)",
    ),
    "a user without a password": (
        MAIL.replace("com}", "com, username: me}"),
        "8: email.smtp.password: is missing: username needs it (or leave both out)",
    ),
    "no such threshold": (
        LLAMA + "    thresholds:\n      stuk: 3\n",
        "7: runs.llama.thresholds.stuk: is an unknown key (did you mean stuck?)",
    ),
    "a threshold out of range": (
        LLAMA + "    thresholds:\n      stuck: 3\n      slow: 0.5\n",
        "8: runs.llama.thresholds.slow: '0.5' is out of range; allowed for slow: 1.01 to 100",
    ),
    "a threshold of the wrong kind": (
        LLAMA + "defaults: {thresholds: {slow: 5m}}\n",
        "6: defaults.thresholds.slow: '5m' is not a ratio (examples: 1.1, 2, 3.5); allowed for slow: 1.01 to 100",
    ),
    "an unknown host": (
        LLAMA.replace("host: gpu-01", "host: gpu-1"),
        "4: runs.llama.host: 'gpu-1' is not one of the hosts (did you mean gpu-01?)",
    ),
    "an unknown jump that is nearly a host": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {jump: gpu-1}"),
        "1: hosts.gpu-02.jump: 'gpu-1' is not one of the hosts (did you mean gpu-01?)",
    ),
    "a jump that is no name": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {jump: me@far}"),
        "1: hosts.gpu-02.jump: 'me@far' is not one of the hosts (there are: gpu-01, gpu-02)",
    ),
    "jumps in a circle": (
        "hosts:\n  a: {jump: b}\n  b: {jump: c}\n  c: {jump: b}\nruns: {r: {host: a, logs: /a}}\n",
        "3: hosts.b.jump: goes in a circle: b > c > b",
    ),
    "one of several jumps is no host": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {jump: 'bastion, gpu-1'}"),
        "1: hosts.gpu-02.jump: 'gpu-1' is not one of the hosts (did you mean gpu-01?)",
    ),
    "a host among its own jumps": (
        "hosts:\n  a: {jump: 'b, a'}\nruns: {r: {host: a, logs: /a}}\n",
        "2: hosts.a.jump: goes in a circle: a > b > a",
    ),
    "an ssh_config that is no path": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {ssh_config: x}"),
        "1: hosts.gpu-02.ssh_config: 'x' is neither true, nor false, nor an absolute path (example: ~/.ssh/other)",
    ),
    "a passphrase in the file": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {passphrase: hunter2}"),
        "1: hosts.gpu-02.passphrase: is written in this file: keep it elsewhere and write env:NAME, file:/path or ask",
    ),
    "a jump to itself": (
        "hosts:\n  a: {jump: a}\nruns: {r: {host: a, logs: /a}}\n",
        "2: hosts.a.jump: goes in a circle: a > a",
    ),
    "a jump over this machine": (
        "hosts:\n  a: {jump: b}\n  b: {transport: local}\nruns: {r: {host: a, logs: /a}}\n",
        "2: hosts.a.jump: 'b' is read with `transport: local`, which cannot be a jump",
    ),
    "a port for this machine": (
        "hosts:\n  a:\n    transport: local\n    port: 22\nruns: {r: {host: a, logs: /a}}\n",
        "4: hosts.a.port: has no meaning with `transport: local`: remove one of them",
    ),
    "a port beyond": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {port: 70000}"),
        "1: hosts.gpu-02.port: 70000 is not a port (1 to 65535)",
    ),
    "a port that is true": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {port: true}"),
        "1: hosts.gpu-02.port: true is not a port (1 to 65535)",
    ),
    "an address with a user": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {address: me@far}"),
        "1: hosts.gpu-02.address: 'me@far' is not a host's name or address (example: 192.0.2.1)",
    ),
    "a key file without a folder": (
        LLAMA.replace("gpu-02: {}", "gpu-02: {keys: id_ed25519}"),
        "1: hosts.gpu-02.keys: 'id_ed25519' is not absolute (example: ~/.ssh/id_ed25519)",
    ),
    "a log that is not absolute": (
        LLAMA.replace("/a.log", "a.log"),
        "5: runs.llama.logs: 'a.log' is not absolute (examples: /data/llama/train.log, ~/logs/*.log)",
    ),
    "a log above": (
        LLAMA.replace("/a.log", "[/b, /a/../c]"),
        "5: runs.llama.logs[1]: '/a/../c' goes up with '..': write the path without it",
    ),
    "a log with a line break": (
        LLAMA.replace("/a.log", '"/a\\nb"'),
        "5: runs.llama.logs: holds a line break or control character: remove it",
    ),
    "a log with NUL": (
        LLAMA.replace("/a.log", '"/a\\0b"'),
        "5: runs.llama.logs: holds a line break or control character: remove it",
    ),
    "a run with a space": (
        LLAMA.replace("llama:", "my run:"),
        "3: runs.my run: 'my run' is not a name: up to 63 letters, digits, '.', '_', '-' (example: llama-70b)",
    ),
    "a run with a slash": (
        LLAMA.replace("llama:", "a/b:"),
        "3: runs.a/b: 'a/b' is not a name: up to 63 letters, digits, '.', '_', '-' (example: llama-70b)",
    ),
    "a run called all": (
        LLAMA.replace("llama:", "All:"),
        "3: runs.All: 'all' means every run in commands: choose another name",
    ),
    "a run called like a host": (
        LLAMA.replace("llama:", "GPU-02:"),
        "3: runs.GPU-02: is named like hosts.gpu-02: choose another name",
    ),
    "another database": (
        LLAMA + "database: postgresql://u:hunter2@h/d\n",
        "6: database: 'postgresql://u:[redacted]@h/d' is not the URL of an SQLite file (example: sqlite:///trainstatus.db)",
    ),
    "a database in memory": (
        LLAMA + "database: 'sqlite:///:memory:'\n",
        "6: database: 'sqlite:///:memory:' is not the URL of an SQLite file (example: sqlite:///trainstatus.db)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_with_line_key_value_and_remedy(tmp_path, case):
    text, told = BAD[case]
    assert problems(tmp_path, text) == [f"trainstatus.yaml:{told}"]


def test_all_problems_come_at_once_in_the_order_of_the_file(tmp_path):
    text = """\
# Eight lines of comment
#
#
#
#
#
#
#
defaults: {check_interval: 60}
hosts:
  gpu-01: {adress: 192.0.2.1}
runs:
  llama:
    host: gpu-1
    logs: a.log
  llama: {}
slack: {channel: C1, bot_token: env:NOWHERE, app_token: env:SLACK_APP_TOKEN}
"""
    told = problems(tmp_path, text)
    assert [" ".join(problem.split(": ")[:2]).removeprefix("trainstatus.yaml:") for problem in told] == [
        "9 defaults.check_interval",
        "11 hosts.gpu-01.adress",
        "14 runs.llama.host",
        "15 runs.llama.logs",
        "16 runs.llama",
        "17 slack.bot_token",
    ]


def test_a_key_has_one_spelling(tmp_path):
    missing, unknown = problems(tmp_path, MAIL.replace("from:", "sender:"))
    assert missing == "trainstatus.yaml:6: email.from: is missing (example: trainstatus@example.com)"
    assert unknown.startswith("trainstatus.yaml:7: email.sender: is an unknown key (there are: smtp, from, ")
