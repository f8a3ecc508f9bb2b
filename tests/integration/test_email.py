from __future__ import annotations

import time
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.mailing import ONCALL, notifier, send
from tests.support.messages import ALL, FINISHED, RESOLVED_STUCK, SLOW, STUCK
from tests.support.smtpd import MailServer


@pytest.fixture
def server():
    with MailServer() as server:
        yield server


def test_a_mail_goes_to_its_one_target_from_the_configured_sender(server):
    send(notifier(server.port))
    [received] = server.received
    assert (received.sender, received.targets) == ("trainstatus@example.com", [ONCALL])
    assert received.mail["From"] == "trainstatus <trainstatus@example.com>"
    assert received.mail["To"] == ONCALL


def test_the_subject_names_run_state_host_and_incident(server):
    send(notifier(server.port))
    assert server.received[0].mail["Subject"] == "[trainstatus] moe-16x3b STUCK on gpu-07 (incident 4127)"


def test_a_resolve_answers_the_firing_mail_in_its_thread(server):
    to = notifier(server.port)
    root = send(to)
    assert send(to, RESOLVED_STUCK, key="4127:resolved:oncall", previous=root) == root
    firing, resolved = (received.mail for received in server.received)
    assert resolved["Subject"] == f"Re: {firing['Subject']}"
    assert firing["Message-ID"] == root
    assert resolved["Message-ID"] != root
    assert (resolved["In-Reply-To"], resolved["References"]) == (root, root)
    assert (firing["In-Reply-To"], firing["References"]) == (None, None)


def test_every_attempt_of_a_delivery_has_the_same_short_message_id(server):
    to = notifier(server.port, sender=f"watch@{'very-long-name.' * 8}example.com")
    first, again, other = send(to), send(to), send(to, key="another")
    assert first == again != other
    assert len(first) < 60
    assert all(received.raw.count(first.encode()) == 1 for received in server.received[:2])


def test_a_mail_says_that_a_machine_wrote_it_and_belongs_to_a_list(server):
    before = time.time()
    send(notifier(server.port, reply_to="people@example.com"))
    mail = server.received[0].mail
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["List-Id"] == "trainstatus <trainstatus.example.com>"
    assert mail["Reply-To"] == "people@example.com"
    assert before - 1 <= parsedate_to_datetime(mail["Date"]).timestamp() <= time.time() + 1


def test_only_a_critical_firing_is_important(server):
    to = notifier(server.port)
    for message in (STUCK, SLOW, RESOLVED_STUCK, FINISHED):
        send(to, message)
    assert [received.mail["Importance"] for received in server.received] == ["high", None, None, None]


def test_the_text_comes_first_and_both_parts_tell_the_same(server):
    send(notifier(server.port))
    [received] = server.received
    assert received.mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in received.mail.iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        for fact in ("12,400 / 50,000 (24.8%)", "U034BOB", "trainstatus ack 4127", "watchdog: ALLREDUCE", ONCALL):
            assert fact in received.body(kind)


@pytest.mark.parametrize("name", ALL)
def test_no_line_of_a_mail_is_too_long_for_a_server(server, name):
    send(notifier(server.port), replace(ALL[name], excerpt=("x" * 5000, "ü" * 5000)))
    headers, _, body = server.received[0].raw.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 78
    assert max(map(len, headers.split(b"\r\n"))) <= 998


def test_a_subject_shows_only_what_can_be_seen(server):
    send(notifier(server.port), replace(STUCK, subject="a\u202eb \ud800 c\x00d\u2028 e\u00a0f"))
    assert server.received[0].mail["Subject"] == "[trainstatus] ab \ufffd c d e f"


HOSTILE = "".join(
    map(chr, [*range(32), 0x7F, 0x85, 0xA0, 0x200F, 0x2028, 0x2029, 0x202E, 0x2066, 0xD800, 0xDFFF, 0xFEFF])
)
texts = st.text(st.one_of(st.characters(codec=None), st.sampled_from(HOSTILE + "=?_<>&")), max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=texts, name=texts)
def test_whatever_a_log_held_the_mail_is_delivered(server, line, name):
    server.received.clear()
    message = replace(
        STUCK,
        headline=name,
        subject=name,
        sentence=(line,),
        fallback=(line,),
        excerpt=(line,),
        hint=line,
        context=(line,),
    )
    send(notifier(server.port), message)
    [received] = server.received
    assert received.mail["Subject"].startswith("[trainstatus]")
    assert "trainstatus ack 4127" in received.body("plain")
    assert "trainstatus ack 4127" in received.body("html")
    assert received.mail["X-Auto-Response-Suppress"] == "All"


@pytest.mark.parametrize(
    "hidden", ["x\r\nBcc: a@b.c", "x\nBcc: a@b.c", "=?utf-8?q?x=0D=0ABcc:_a@b.c?=", "x\u2028Bcc: a@b.c"]
)
def test_a_name_cannot_bring_in_a_header(server, hidden):
    send(notifier(server.port), replace(STUCK, subject=hidden))
    [received] = server.received
    assert received.mail["Bcc"] is None
    assert received.targets == [ONCALL]


@pytest.mark.parametrize("target", ["oncall@example.com", "o.n+call@mail.example.com", "jörg@example.com"])
def test_an_address_is_a_target(target):
    assert notifier(25).check_target(target) == ""


@pytest.mark.parametrize(
    "target", ["", "oncall", "a@b@c", "a b@example.com", "a,b@example.com", "a@b\u202e.com", "<a@b.c>"]
)
def test_what_is_no_address_is_refused_with_an_example(target):
    assert "is not a mail address (example: oncall@example.com)" in notifier(25).check_target(target)


def test_mail_cannot_be_edited_and_close_leaves_it_usable(server):
    to = notifier(server.port)
    to.close()
    send(to)
    assert (to.name, to.edits, len(server.received)) == ("email", False, 1)
