from __future__ import annotations

import time

import pytest

from tests.support.mailing import ONCALL, notifier, refusal, send
from tests.support.smtpd import Authority, MailServer, scripted_server
from tests.support.sshd import free_port

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(authority):
    return authority.server_context("localhost", "127.0.0.1")


@pytest.fixture
def server():
    with MailServer() as server:
        yield server


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_is_used_with_a_certificate_that_is_verified_and_a_login(authority, context, security):
    with MailServer(security, context, login=("watch", PASSWORD)) as server:
        send(
            notifier(server.port, security=security, ca_file=authority.file, username="watch", password=PASSWORD),
        )
        assert server.logins == [("watch", PASSWORD)]
        assert len(server.received) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused_and_the_mail_waits(context, security):
    with MailServer(security, context, login=("watch", PASSWORD)) as server:
        error = refusal(notifier(server.port, security=security, username="watch", password=PASSWORD))
    assert (error.permanent, error.retry_after) == (False, 300)
    assert "certificate of mail server 127.0.0.1" in str(error)
    assert "email.smtp.ca_file" in str(error)
    assert (server.received, server.logins) == ([], [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_name_is_refused(authority, security):
    with MailServer(security, authority.server_context("other.example.com")) as server:
        error = refusal(notifier(server.port, security=security, ca_file=authority.file))
    assert "certificate" in str(error)
    assert not server.received


def test_a_server_without_starttls_gets_neither_password_nor_mail():
    with MailServer(login=("watch", PASSWORD)) as server:
        error = refusal(notifier(server.port, security="starttls", username="watch", password=PASSWORD))
    assert error.permanent
    assert "does not offer STARTTLS" in str(error)
    assert (server.received, server.logins) == ([], [])


def test_no_password_goes_to_another_machine_in_the_clear():
    error = refusal(notifier(25, host="mail.example.com", username="watch", password=PASSWORD))
    assert error.permanent
    assert "in the clear" in str(error)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_login_in_the_clear_is_fine_on_this_machine(host):
    with MailServer(login=("watch", PASSWORD)) as server:
        send(notifier(server.port, host=host, username="watch", password=PASSWORD))
    assert server.logins == [("watch", PASSWORD)]


def test_a_wrong_password_is_permanent_and_never_shown(authority, context):
    with MailServer("tls", context, login=("watch", "another")) as server:
        error = refusal(
            notifier(server.port, security="tls", ca_file=authority.file, username="watch", password=PASSWORD)
        )
    assert error.permanent
    assert "refused the login of watch" in str(error)
    assert "email.smtp.username" in str(error)
    assert PASSWORD not in str(error)


@pytest.mark.parametrize("quoted", [PASSWORD, "AHdhdGNoAGNvcnJlY3QtaG9yc2UtYmF0dGVyeQ=="])
def test_a_password_that_the_server_quotes_is_not_shown(quoted):
    with MailServer(login=("watch", PASSWORD), replies={"DATA": f"554 did not like {quoted}"}) as server:
        error = refusal(notifier(server.port, username="watch", password=PASSWORD))
    assert "554 did not like [redacted]" in str(error)


def test_a_password_outside_ascii_is_a_permanent_error_that_does_not_show_it():
    with MailServer(login=("watch", "pässword")) as server:
        error = refusal(notifier(server.port, username="watch", password="pässword"))
    assert error.permanent
    assert "not ASCII" in str(error)
    assert "pässword" not in str(error)


def test_a_login_that_the_server_does_not_offer_is_permanent(server):
    error = refusal(notifier(server.port, username="watch", password=PASSWORD))
    assert error.permanent
    assert "offers no login" in str(error)


@pytest.mark.parametrize(
    ("reply", "permanent", "retry_after"),
    [
        ("450 4.2.0 greylisted, come back", False, 300),
        ("451 4.7.1 try later", False, 300),
        ("421 4.3.2 shutting down", False, None),
        ("550 5.1.1 no such user", True, None),
        ("552 5.2.2 mailbox full", True, None),
    ],
)
@pytest.mark.parametrize("place", [ONCALL, "DATA"])
def test_what_a_refusal_means_follows_from_its_code(server, reply, permanent, retry_after, place):
    server.replies[place] = reply
    error = refusal(notifier(server.port))
    assert (error.permanent, error.retry_after) == (permanent, retry_after)
    assert reply in str(error)
    assert f"mail server 127.0.0.1:{server.port}" in str(error)
    assert not server.received


def test_a_refused_address_is_named(server):
    server.replies[ONCALL] = "550 5.1.1 no such user"
    assert ONCALL in str(refusal(notifier(server.port)))


def test_one_refused_address_does_not_keep_another_from_its_mail(server):
    server.replies[ONCALL] = "550 5.1.1 no such user"
    to = notifier(server.port)
    refusal(to)
    send(to, target="boss@example.com")
    assert [received.targets for received in server.received] == [["boss@example.com"]]


def test_a_server_that_turns_us_away_at_the_door_is_told_by_its_code():
    with scripted_server(b"554 5.7.1 your address is listed\r\n") as port:
        error = refusal(notifier(port))
    assert error.permanent
    assert "554 5.7.1 your address is listed" in str(error)


def test_a_server_that_dies_in_the_mail_is_tried_again():
    with MailServer(dies_in="DATA") as server:
        error = refusal(notifier(server.port))
    assert (error.permanent, error.retry_after, error.doubtful) == (False, None, True)
    assert not server.received


def test_a_server_that_dies_after_it_accepted_has_accepted():
    with MailServer(dies_in="QUIT") as server:
        assert send(notifier(server.port))
    assert len(server.received) == 1


def test_a_server_that_is_away_is_tried_again():
    error = refusal(notifier(free_port()))
    assert not error.permanent
    assert not error.doubtful
    assert "cannot be reached" in str(error)


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_silent_server_does_not_hold_us(security):
    with scripted_server() as port:
        error = refusal(notifier(port, security=security, total=0.3))
    assert not error.permanent


def test_a_server_that_speaks_one_letter_at_a_time_does_not_hold_us():
    started = time.monotonic()
    with scripted_server(*[b"2"] * 8000, pause=0.05) as port:  # would go on for 400 s
        error = refusal(notifier(port, total=0.4))
    assert not error.permanent
    assert time.monotonic() - started < 60


def test_a_host_name_that_cannot_be_one_is_permanent():
    error = refusal(notifier(25, host=f"{'x' * 70}.example.com"))
    assert error.permanent


def test_a_missing_authority_file_is_named_with_the_remedy(tmp_path):
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for path in (missing, empty):
        error = refusal(notifier(25, security="tls", ca_file=str(path)))
        assert error.permanent
        assert f"email.smtp.ca_file: {path}" in str(error)


def test_an_address_with_other_letters_needs_a_server_that_takes_them():
    with MailServer(utf8=True) as able, MailServer() as unable:
        send(notifier(able.port), target="jörg@example.com")
        assert able.received[0].targets == ["jörg@example.com"]
        error = refusal(notifier(unable.port), target="jörg@example.com")
    assert error.permanent
    assert "SMTPUTF8" in str(error)
