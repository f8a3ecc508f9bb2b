"""The verb doctor: real SSH, real mail servers, the test Slack, and what is wrong with them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from bot.__main__ import slack as extension
from monitor_core.cli import main
from monitor_core.doctor.database import disk, room
from monitor_core.model.views import State
from monitor_core.store.database import open_database
from tests.support.process import train
from tests.support.slack_server import SlackServer, refused
from tests.support.smtpd import Authority, MailServer
from tests.support.sshd import free_port, make_key


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """Write a configuration and examine it; return the exit status and what was said, a line each."""
    monkeypatch.chdir(tmp_path)

    def examine(text, *words):
        (tmp_path / "trainstatus.yaml").write_text(text)
        capsys.readouterr()
        status = main(["doctor", *words], extension=extension)
        out = capsys.readouterr().out
        return status, json.loads(out) if "--json" in words else out.splitlines()

    return examine


def local(folder, *, age=0.0, more=""):
    """Return a configuration of one run on this machine that is well."""
    train(folder / "llama.log", folder.stat().st_mtime - age)
    return (
        f"database: sqlite:///{folder}/t.db\nhosts: {{here: {{transport: local}}}}\n"
        f"runs: {{llama: {{host: here, logs: {folder}/llama.log}}}}\n{more}"
    )


def failures(lines):
    return [line for line in lines if not line.startswith("ok ")]


def about(part, lines):
    return [line for line in lines if f" {part}: " in line]


# All of it


def test_a_set_up_that_is_well_has_a_line_for_each_check_and_exits_with_0(doctor, tmp_path):
    status, lines = doctor(local(tmp_path, more="console: true\n"))
    assert status == 0
    assert all(line.startswith("ok   ") for line in lines)
    assert [line.partition(": ")[0].split(maxsplit=1)[1] for line in lines] == [
        "configuration",
        *2 * ["database"],
        *2 * ["host here"],
        "run llama",
    ]
    assert re.search(r"run llama: training, 40 / 10,000 \(0\.4%\), last line", lines[-1])
    assert not (tmp_path / "t.db").exists()


def test_a_configuration_that_is_wrong_is_told_line_by_line_and_exits_with_2(doctor, tmp_path):
    status, found = doctor(local(tmp_path, more="nonsense: 1\nconsole: perhaps\n"), "--json")
    assert status == 2
    assert [each["state"] for each in found] == ["FAIL", "FAIL"]
    assert found[0]["what"].startswith("trainstatus.yaml:4: nonsense: is an unknown key")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", "trainstatus.example.yaml."),
        ("{}slack: {{channel: C0123ABCD, bot_token: env:NO_SUCH, app_token: env:NO_SUCH}}\n", "before the start."),
    ],
)
def test_what_is_not_the_fault_of_a_line_is_not_to_be_corrected_there(doctor, tmp_path, monkeypatch, text, end):
    monkeypatch.delenv("NO_SUCH", raising=False)
    status, lines = doctor(text.format(local(tmp_path)))
    assert status == 2
    assert all(line.endswith(end) for line in lines)


def test_one_run_on_one_host_is_counted_as_one(doctor, tmp_path):
    _, lines = doctor(local(tmp_path))
    assert lines[0] == "ok   configuration: 1 run on 1 host."


def test_a_run_whose_host_is_down_is_told_as_not_looked_at(doctor, tmp_path):
    away = f"{{address: 127.0.0.1, user: me, port: {free_port()}}}"
    status, lines = doctor(local(tmp_path, more="console: true\n").replace("{transport: local}", away))
    assert status == 1
    assert lines[-1] == "warn run llama: not looked at, its host does not answer."


def test_what_is_hardly_meant_is_a_warning_and_no_failure(doctor, tmp_path):
    status, lines = doctor(local(tmp_path))
    assert status == 0
    (line,) = failures(lines)
    assert line.startswith("warn configuration: alerts are only printed to this terminal: there is neither slack, nor")
    assert line.endswith(" Fix: correct it, or leave it if it is meant so.")


def test_json_has_part_state_what_and_fix(doctor, tmp_path):
    status, found = doctor(local(tmp_path, more="console: true\n"), "--json")
    assert status == 0
    assert {tuple(each) for each in found} == {("part", "state", "what", "fix")}


# The database


def test_a_database_that_is_there_is_examined_and_not_changed(doctor, tmp_path):
    open_database(f"sqlite:///{tmp_path}/t.db").dispose()
    before = (tmp_path / "t.db").read_bytes()
    status, lines = doctor(local(tmp_path, more="console: true\n"))
    assert status == 0
    assert about("database", lines)[:2] == [
        f"ok   database: {tmp_path}/t.db can be written.",
        "ok   database: its schema is known.",
    ]
    assert (tmp_path / "t.db").read_bytes() == before
    assert not list(tmp_path.glob("t.db-*"))


def test_a_database_that_is_none_is_told_and_hosts_are_examined_all_the_same(doctor, tmp_path):
    (tmp_path / "t.db").write_text("this is a letter, not a database\n" * 100)
    status, lines = doctor(local(tmp_path, more="console: true\n"))
    assert status == 1
    assert f"FAIL database: {tmp_path}/t.db cannot be written: file is not a database." in lines[1]
    assert any(line.startswith("ok   run llama: training") for line in lines)


def test_a_database_that_is_none_has_one_failure_with_the_right_fix(doctor, tmp_path):
    (tmp_path / "t.db").write_bytes(bytes(range(1, 256)) * 20)
    _, lines = doctor(local(tmp_path, more="console: true\n"))
    (line,) = failures(lines)
    assert line.endswith("Fix: name another file under `database`, or put a backup in its place.")


def test_a_folder_in_place_of_the_database_is_told_once(doctor, tmp_path):
    (tmp_path / "t.db").mkdir()
    status, lines = doctor(local(tmp_path, more="console: true\n"))
    assert status == 1
    assert failures(lines) == [f"FAIL database: {tmp_path}/t.db is a folder. Fix: name a file under `database`."]
    assert "its schema is known" not in "\n".join(lines)


def test_a_folder_that_is_yet_to_be_made_for_the_database_is_a_warning(doctor, tmp_path):
    status, lines = doctor(local(tmp_path, more="console: true\n").replace("/t.db", "/stat/t.db"))
    assert status == 0
    (line,) = failures(lines)
    assert line.startswith(f"warn database: {tmp_path}/stat does not exist; it will be made at the first start.")
    assert line.endswith(" Fix: check the path under `database`.")
    assert not (tmp_path / "stat").exists()


def test_a_database_of_a_newer_version_is_told(doctor, tmp_path):
    engine = open_database(f"sqlite:///{tmp_path}/t.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    status, lines = doctor(local(tmp_path, more="console: true\n"))
    assert status == 1
    (line,) = failures(lines)
    assert line.startswith(f"FAIL database: database {tmp_path}/t.db: a newer trainstatus has written it")


def test_a_database_that_cannot_be_made_is_told(doctor, tmp_path):
    (tmp_path / "file").touch()
    config = local(tmp_path, more="console: true\n").replace("/t.db", "/file/t.db")
    status, lines = doctor(config)
    assert status == 1
    assert failures(lines)[0].startswith(f"FAIL database: {tmp_path}/file/t.db cannot be ")


@pytest.mark.parametrize(("free", "state"), [(10**7, State.FAIL), (5 * 10**8, State.WARN), (5 * 10**9, State.OK)])
def test_a_disk_that_is_nearly_full_is_told(free, state):
    assert room(free, Path("/data")).state is state


def test_a_database_on_another_machine_is_told():
    mounts = "/dev/sda1 / ext4 rw 0 0\nbox:/home /home nfs4 rw 0 0\n/dev/sdb1 /home/me/my\\040disk xfs rw 0 0\n"
    (found,) = disk(Path("/home/me"), mounts)
    assert (found.state, found.what) == (State.FAIL, "/home/me lies on another machine (nfs4)")
    assert list(disk(Path("/home/me/my disk/x"), mounts)) == []
    assert list(disk(Path("/var/lib"), mounts)) == []


# Hosts


def remote(server, folder, log="/data/train.log", **changes):
    host = server.host("gpu-01", **changes)
    kept = host.model_dump(mode="json", include={"address", "user", "port", "host_key", "keys", "agent"})
    return f"console: true\nhosts: {{gpu-01: {json.dumps(kept)}}}\nruns: {{llama: {{host: gpu-01, logs: {log}}}}}\n"


def test_a_host_that_is_well_says_so(doctor, sshd, tmp_path):
    train(tmp_path / "train.log", tmp_path.stat().st_mtime)
    status, lines = doctor(remote(sshd, tmp_path, tmp_path / "train.log"))
    assert status == 0
    assert f":{sshd.port} lets us in and answers." in about("host gpu-01", lines)[0]


def test_a_name_that_nobody_knows_is_told(doctor, sshd, tmp_path):
    _, lines = doctor(remote(sshd, tmp_path, address="no-such-host.invalid"))
    line, _ = failures(lines)
    assert "the name no-such-host.invalid is not known to the name service" in line
    assert "Fix: set hosts.gpu-01.address to a name" in line


def test_a_port_on_which_nobody_listens_is_told(doctor, sshd, tmp_path):
    status, lines = doctor(remote(sshd, tmp_path, port=free_port()))
    assert status == 1
    assert "Fix: start sshd there, or set hosts.gpu-01.port." in failures(lines)[0]


def test_a_port_of_something_else_is_told(doctor, sshd, tmp_path):
    with MailServer() as other:
        _, lines = doctor(remote(sshd, tmp_path, port=other.port))
    assert "no SSH banner came" in failures(lines)[0]
    assert "Fix: set hosts.gpu-01.port to the port of sshd." in failures(lines)[0]


def test_a_host_key_that_nobody_knows_is_told_with_how_to_accept_it(doctor, make_sshd, tmp_path):
    server = make_sshd()
    server.known_hosts.write_text("")
    _, lines = doctor(remote(server, tmp_path))
    line, _ = failures(lines)
    assert server.fingerprint in line
    assert line.endswith("Fix: compare it with the host's own, then: trainstatus hostkeys add gpu-01.")


def test_a_host_key_that_has_changed_is_told(doctor, make_sshd, tmp_path):
    server = make_sshd()
    server.stop()
    server.change_host_key()
    server.start()
    _, lines = doctor(remote(server, tmp_path))
    assert "but known is" in failures(lines)[0]
    assert "Fix: compare the keys; if the new one is right, take the old line out of known_hosts" in failures(lines)[0]


def test_a_login_that_is_refused_is_told(doctor, sshd, tmp_path):
    _, lines = doctor(remote(sshd, tmp_path, keys=(str(make_key(tmp_path / "other")),)))
    line, _ = failures(lines)
    assert "refused the login of" in line
    assert "Fix: put the key into ~/.ssh/authorized_keys there" in line


def test_a_clock_that_is_off_is_a_warning(doctor, tmp_path, monkeypatch):
    (tmp_path / "date").write_text("#!/bin/sh\necho $(($(/bin/date +%s) - 150)).5\n")
    (tmp_path / "date").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    status, lines = doctor(local(tmp_path, more="console: true\n"))
    assert status == 0
    assert re.match(
        r"warn host here: its clock is 2m (29|3\d)s behind ours\. Fix: let chrony or ntpd set it", failures(lines)[0]
    )


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("none.log", "there is no ", "set runs.llama.logs, or start the run"),
        ("none-*.log", "no file matches ", "set runs.llama.logs; on the host: ls -l"),
        ("folder", " is a folder", "name its files in runs.llama.logs"),
        ("empty.log", "no progress line was recognised", "if it trains already, set runs.llama.format"),
    ],
)
def test_a_log_that_is_not_as_it_should_be_is_told(doctor, tmp_path, name, what, fix):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.log").write_text("INFO starting\n")
    _, lines = doctor(local(tmp_path, more="console: true\n").replace("llama.log", name))
    (line,) = failures(lines)
    assert what in line
    assert f"Fix: {fix}" in line


def test_a_format_of_ones_own_that_matches_nothing_is_told(doctor, tmp_path):
    formats = "formats: {ours: {progress: 'step {iteration}'}}\nconsole: true\n"
    _, lines = doctor(local(tmp_path, more=formats).replace("llama.log}", "llama.log, format: ours}"))
    (line,) = failures(lines)
    assert re.match(r"warn run llama: starting, format ours matches none of \d+ lines: no progress line was rec", line)
    assert "`trainstatus replay --explain` on a copy shows why" in line


def test_a_run_that_is_in_trouble_is_no_fault_of_the_set_up(doctor, tmp_path):
    status, lines = doctor(local(tmp_path, age=3000, more="console: true\n"))
    assert status == 0
    assert "STUCK" in lines[-1]


# Mail


@pytest.mark.parametrize(
    ("process", "said", "fix"),
    [
        ("pid_file: {folder}/self.pid", r"ok   run llama: its process is alive \(process \d+\)", ""),
        (
            "pid_file: {folder}/no.pid",
            r"warn run llama: its process is not found \(there is no .*no.pid\)",
            "set runs.l",
        ),
        (
            "command: no-such-process",
            r"warn run llama: its process is not found \(no command line",
            "runs.llama.process",
        ),
        ("slurm: 4711", r"warn run llama: its process is not known \(squeue is not on the PATH", "find squeue there"),
    ],
)
def test_whether_a_process_can_be_asked_for_is_told(doctor, tmp_path, process, said, fix):
    (tmp_path / "self.pid").write_text(str(os.getpid()))
    text = local(tmp_path).replace("llama.log}", f"llama.log, process: {{{process.format(folder=tmp_path)}}}}}")
    status, lines = doctor(text)
    line = about("run llama", lines)[-1]
    assert status == 0
    assert re.match(said, line)
    assert fix in line


def mailed(server, **smtp):
    host = {"host": "127.0.0.1", "port": server.port, "security": "none", **smtp}
    return f"email: {{smtp: {json.dumps(host)}, from: t@example.com, recipients: [{{address: oncall@example.com}}]}}\n"


def test_a_mail_server_that_takes_us_gets_no_mail(doctor, tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("PASSWORD", "right")
    with MailServer("starttls", authority.server_context("127.0.0.1"), login=("me", "right")) as server:
        account = {"security": "starttls", "ca_file": authority.file, "username": "me", "password": "env:PASSWORD"}
        status, lines = doctor(local(tmp_path, more=mailed(server, **account)))
    assert (status, server.received, server.logins) == (0, [], [("me", "right")])
    assert lines[-1] == f"ok   mail: 127.0.0.1:{server.port} lets us in, starttls, with the account me."


def test_a_login_that_the_mail_server_refuses_is_told_without_the_password(doctor, tmp_path, monkeypatch):
    monkeypatch.setenv("PASSWORD", "wrong-secret")
    with MailServer(login=("me", "right")) as server:
        account = {"username": "me", "password": "env:PASSWORD"}
        status, lines = doctor(local(tmp_path, more=mailed(server, **account)))
    assert status == 1
    assert "refused the login of me (check email.smtp.username and password)" in failures(lines)[0]
    assert "wrong-secret" not in "\n".join(lines)


def test_a_mail_server_without_encryption_or_away_is_told(doctor, tmp_path):
    with MailServer() as server:
        _, lines = doctor(local(tmp_path, more=mailed(server, security="starttls")))
    assert "does not offer STARTTLS" in failures(lines)[0]
    _, lines = doctor(local(tmp_path, more=mailed(server)))
    assert f"a firewall lets it through: nc -vz 127.0.0.1 {server.port}." in failures(lines)[0]


# Slack


@pytest.fixture
def slack(monkeypatch):
    with SlackServer() as server:
        monkeypatch.setenv("SLACK_BOT_TOKEN", server.bot_token)
        monkeypatch.setenv("SLACK_APP_TOKEN", server.app_token)
        yield server


def slacked(server, channel=""):
    section = {"channel": channel or server.channel, "api_url": server.api_url}
    tokens = {"bot_token": "env:SLACK_BOT_TOKEN", "app_token": "env:SLACK_APP_TOKEN"}
    return f"slack: {json.dumps(section | tokens)}\n"


def test_a_slack_that_lets_us_in_is_asked_all_and_told_nothing(doctor, tmp_path, slack):
    status, lines = doctor(local(tmp_path, more=slacked(slack)))
    assert status == 0
    assert about("slack", lines) == [
        "ok   slack: the bot token is that of trainstatus in Train.",
        "ok   slack: it has the scopes chat:write, commands, users:read, usergroups:read.",
        "ok   slack: the bot is in #train-alerts (C0TRAIN01).",
        "ok   slack: the app token opens a socket.",
    ]
    assert {call.method for call in slack.calls} == {"auth.test", "conversations.info", "apps.connections.open"}


def test_a_bot_token_that_slack_refuses_is_told_and_ends_the_questions(doctor, tmp_path, slack):
    slack.fail("auth.test", refused("token_revoked"))
    status, lines = doctor(local(tmp_path, more=slacked(slack)))
    assert status == 1
    (line,) = about("slack", lines)
    assert line.startswith(
        "FAIL slack: Slack says token_revoked. Fix: install the app again and put its bot token (xoxb-"
    )


def test_a_scope_that_is_missing_is_told_with_what_does_not_work(doctor, tmp_path, slack):
    slack.scopes -= {"commands"}
    _, lines = doctor(local(tmp_path, more=slacked(slack)))
    (line,) = failures(lines)
    assert line.startswith("FAIL slack: the scope commands is missing: /trainstatus does not work. Fix: add it to the")


def test_a_channel_that_cannot_be_asked_about_is_a_warning(doctor, tmp_path, slack):
    slack.scopes -= {"channels:read"}
    status, lines = doctor(local(tmp_path, more=slacked(slack)))
    assert status == 0
    assert failures(lines)[0].endswith("Fix: add them to the app, or try: trainstatus test-alert --to slack.")


def test_channels_in_which_the_bot_is_not_or_that_are_not_there_are_told(doctor, tmp_path, slack):
    slack.kick(slack.channel)
    _, lines = doctor(local(tmp_path, more=slacked(slack)))
    assert failures(lines)[0] == (
        "FAIL slack: the bot is not in #train-alerts (C0TRAIN01). Fix: type in that channel: /invite @trainstatus."
    )
    _, lines = doctor(local(tmp_path, more=slacked(slack, "C0NONE123")))
    assert failures(lines)[0].startswith("FAIL slack: channel C0NONE123: Slack says channel_not_found. Fix: set it to")
    slack.add_channel("C0OLD0001", "old")
    slack.archive("C0OLD0001")
    _, lines = doctor(local(tmp_path, more=slacked(slack, "C0OLD0001")))
    assert failures(lines)[0].startswith("FAIL slack: #old (C0OLD0001) is archived. Fix: unarchive it")


def test_an_app_token_that_opens_nothing_is_told(doctor, tmp_path, slack):
    slack.fail("apps.connections.open", refused("not_allowed_token_type"))
    _, lines = doctor(local(tmp_path, more=slacked(slack)))
    assert failures(lines)[0].startswith("FAIL slack: app token: Slack says not_allowed_token_type. Fix: make an app-")


def test_a_slack_that_gives_no_answer_is_told(doctor, tmp_path, slack):
    with slack.away():
        status, lines = doctor(local(tmp_path, more=slacked(slack)))
    assert status == 1
    assert about("slack", lines)[0].startswith("FAIL slack: Slack gives no answer (")
    assert len(about("slack", lines)) == 1
