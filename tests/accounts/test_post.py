"""Letters through a real mail server: encrypted, signed in, refused, dropped, silent; and into a folder."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from accounts import actions, post
from accounts.choices import LetterState
from accounts.letters import Attachment
from accounts.models import Letter, User
from tests.accounts.sink import HOST, PASSWORD, Sink, certificate, pointing_at, serving
from tests.accounts.test_letters import NOON, states, write
from tests.cast import Cast
from tests.servers import free_port

LATER = NOON + timedelta(minutes=1)


def error() -> str:
    """Return why the only letter has not left."""
    return Letter.objects.get().last_error


def test_a_real_server_gets_both_parts_and_the_attachment_whole(cast: Cast) -> None:
    sink = Sink()
    User.objects.filter(pk=cast.requester.pk).update(name="Ríta")
    cast.requester.refresh_from_db()
    letter = write(
        cast.requester,
        subject="Größe – “quoted”\r\nBcc: evil@example.com",
        context={"by": "Ríta\r\n.\r\nQUIT", "where": "x" * 400},
        attachment=Attachment("Übersicht.csv", "text/csv", "a;ä\r\n".encode()),
    )
    assert letter
    with serving(sink):
        assert actions.send_letters(at=NOON) == 1
    (made,), (envelope,) = sink.letters, sink.envelopes
    assert envelope.rcpt_tos == ["rita@example.com"]
    assert made["Subject"].strip() == "Größe – “quoted” Bcc: evil@example.com"
    assert made["Bcc"] is None
    assert made["Message-ID"] == f"<{letter.message_id}>"
    assert made["Auto-Submitted"] == "auto-generated"
    text, html = made.get_body(("plain",)), made.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "sent by Ríta . QUIT, through" in text.get_content()
    assert "sent by Ríta . QUIT, through" in html.get_content()
    (attached,) = made.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Übersicht.csv", "a;ä\r\n")


def test_many_letters_go_through_one_connection(cast: Cast) -> None:
    sink = Sink()
    for number in range(5):
        write(cast.requester, str(number))
    with serving(sink):
        assert actions.send_letters(at=NOON) == 5
    assert len({id(one) for one in sink.letters}) == 5


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_the_connection_is_encrypted_and_signed_in(
    cast: Cast, tmp_path: Path, tls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, pem = Sink(), certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    write(cast.requester)
    with serving(sink, tls, pem, sign_in=True):
        assert actions.send_letters(at=NOON) == 1, error()
    assert (len(sink.letters), sink.signed_in) == (1, ["latchkey"])
    assert tls == "tls" or sink.encrypted == [True]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused_and_no_password_is_told(
    cast: Cast, tmp_path: Path, tls: str
) -> None:
    sink = Sink()
    write(cast.requester)
    with serving(sink, tls, certificate(tmp_path), sign_in=True):
        assert actions.send_letters(at=NOON) == 0
    assert "certificate" in error()
    assert "SSL_CERT_FILE" in error()
    assert (sink.letters, sink.signed_in, states()) == ([], [], ["queued"])


def test_a_wrong_password_is_told_without_the_password_and_tried_again(cast: Cast) -> None:
    sink = Sink()
    write(cast.requester)
    with serving(sink, sign_in=True), override_settings(EMAIL_HOST_PASSWORD="wrong-and-secret"):
        assert actions.send_letters(at=NOON) == 0
    assert "refused user or password: 535" in error()
    assert "wrong-and-secret" not in error()
    with serving(sink, sign_in=True):
        assert actions.send_letters(at=LATER) == 1


@pytest.mark.parametrize(
    ("where", "answer", "state", "says"),
    [
        ("to_recipient", "450 4.2.1 mailbox busy", "queued", "refused the address: 450"),
        ("to_recipient", "550 5.1.1 no such user", "failed", "refused the address: 550 5.1.1 no such user."),
        ("to_data", "451 4.3.0 try later", "queued", "refused the letter: 451"),
        ("to_data", "554 5.7.1 looks like spam", "failed", "refused the letter: 554"),
        # Not the letter's fault: nobody's letter would leave.
        ("to_sender", "550 5.7.1 sender not allowed", "queued", "refuses our sender: 550"),
    ],
)
def test_what_a_server_refuses_for_now_is_tried_again_and_what_it_refuses_for_good_is_given_up(
    cast: Cast, where: str, answer: str, state: str, says: str
) -> None:
    sink = Sink()
    setattr(sink, where, answer)
    write(cast.requester)
    with serving(sink):
        assert actions.send_letters(at=NOON) == 0
        assert (states(), says in error()) == ([state], True), error()
        setattr(sink, where, "")
        write(cast.approver, "b", at=NOON + timedelta(hours=1))
        assert actions.send_letters(at=NOON + timedelta(hours=1)) == 1 + (state == "queued")


def test_a_refused_address_holds_up_nobody_else(cast: Cast) -> None:
    sink = Sink()
    User.objects.filter(pk=cast.requester.pk).update(email="ríta@example.com")
    for user in (cast.requester, cast.approver, cast.outsider):
        write(user, user.name)
    with serving(sink):
        assert actions.send_letters(at=NOON) == 2


def test_a_server_that_hangs_up_in_the_middle_gets_the_letter_again(cast: Cast) -> None:
    sink = Sink()
    sink.hang_up_at_data = True
    letter = write(cast.requester)
    assert letter
    with serving(sink):
        assert actions.send_letters(at=NOON) == 0
        assert "hung up" in error()
        sink.hang_up_at_data = False
        assert actions.send_letters(at=LATER) == 1
    assert [one["Message-ID"] for one in sink.letters] == [f"<{letter.message_id}>"]


def test_a_server_that_says_nothing_costs_a_timeout_and_no_more(cast: Cast) -> None:
    sink = Sink()
    sink.silent_at_data = True
    write(cast.requester)
    with serving(sink) as port, pointing_at(port, timeout=1):
        began = datetime.now(UTC)
        assert actions.send_letters(at=NOON) == 0
        assert datetime.now(UTC) - began < timedelta(seconds=15)
    assert "did not answer within 1 s" in error()


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that accepts and never says a word."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(8)
        yield int(listener.getsockname()[1])


def test_a_port_that_never_speaks_is_told(cast: Cast, deaf: int) -> None:
    write(cast.requester)
    with pointing_at(deaf, timeout=1):
        assert actions.send_letters(at=NOON) == 0
    assert "did not answer within 1 s" in error()


def test_a_port_where_nobody_is_and_a_name_nobody_knows_are_told(cast: Cast) -> None:
    write(cast.requester)
    with pointing_at(free_port()):
        actions.send_letters(at=NOON)
        assert "cannot be reached: Connection refused" in error()
        with override_settings(EMAIL_HOST="mail.nowhere.example"):
            actions.send_letters(at=LATER)
    assert "The name mail.nowhere.example is unknown." in error()


def test_the_wrong_way_to_encrypt_is_told(cast: Cast, tmp_path: Path) -> None:
    sink = Sink()
    write(cast.requester)
    with serving(sink) as port:
        with pointing_at(port, "starttls"):
            actions.send_letters(at=NOON)
            assert "offers no STARTTLS" in error()
        with pointing_at(port, "tls", timeout=2):
            actions.send_letters(at=LATER)
            assert "does not speak TLS" in error()


def test_a_good_bye_that_goes_wrong_does_not_make_a_second_letter(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    import smtplib

    def gone(self: smtplib.SMTP) -> None:
        raise TimeoutError("no answer to QUIT")

    sink = Sink()
    write(cast.requester)
    with serving(sink):
        monkeypatch.setattr(smtplib.SMTP, "quit", gone)
        assert actions.send_letters(at=NOON) == 1
    assert states() == [LetterState.SENT]


def test_without_a_server_a_letter_is_a_file_that_only_we_read(cast: Cast, tmp_path: Path) -> None:
    letter = write(cast.requester)
    assert letter
    with override_settings(EMAIL_BACKEND=post.FOLDER_BACKEND, EMAIL_FILE_PATH=tmp_path / "mail"):
        assert actions.send_letters(at=NOON) == 1
        Letter.objects.update(state=LetterState.QUEUED, settled_at=None)
        assert actions.send_letters(at=NOON + timedelta(hours=1)) == 1
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == f"{letter.message_id.partition('@')[0]}.eml"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert email.message_from_bytes(file.read_bytes())["To"] == "rita@example.com"


def test_a_folder_that_cannot_be_written_is_told(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    write(cast.requester)
    with override_settings(EMAIL_BACKEND=post.FOLDER_BACKEND, EMAIL_FILE_PATH=tmp_path / "mail"):
        assert actions.send_letters(at=NOON) == 0
    assert "cannot be written: File exists" in error()


def say(*arguments: str) -> str:
    """Run `manage.py mail` and return what it says."""
    out = StringIO()
    call_command("mail", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_sends_a_letter_and_says_where(tmp_path: Path) -> None:
    sink = Sink()
    with serving(sink, sign_in=True) as port:
        said = say("test", "someone@example.com")
    assert f"handed to {HOST}, port {port}, with no encryption" in said
    assert sink.letters[0]["To"] == "someone@example.com"
    with override_settings(EMAIL_BACKEND=post.FOLDER_BACKEND, EMAIL_FILE_PATH=tmp_path):
        assert f"the folder {tmp_path}" in say("test", "someone@bücher.example")
    assert "xn--bcher-kva.example" in next(tmp_path.iterdir()).read_text()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("sömeone@example.com", "not plain ASCII"),
        ("nobody", "is no e-mail address"),
        ("a b@example.com", "is no e-mail address"),
        ("a@example.com\nBcc: b@example.com", "is no e-mail address"),
        ("a@" + "x" * 70 + ".example", "is no name a mail server can have"),
        ("someone@example.com", "Connection refused"),
    ],
)
def test_the_command_says_what_went_wrong(address: str, says: str) -> None:
    with pointing_at(free_port(), sign_in=True), pytest.raises(CommandError, match=says) as raised:
        say("test", address)
    assert PASSWORD not in str(raised.value)
