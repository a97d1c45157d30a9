"""How a letter leaves: by SMTP, or into a folder where no mail server is set. And what went wrong, in words."""

from __future__ import annotations

import contextlib
import email.utils
import os
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from accounts.letters import Attachment, one_line

FOLDER_BACKEND = "accounts.post.FolderBackend"


class BadAddress(ValueError):
    """An address that mail cannot be sent to; the message says why."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a letter did not leave. `final`: trying again would not help. `everywhere`: no other would leave either."""

    words: str
    final: bool = False
    everywhere: bool = False


def message(
    *, to: str, subject: str, text: str, html: str, message_id: str, attachment: Attachment | None = None
) -> EmailMultiAlternatives:
    """Return a letter as it is sent. Raises BadAddress."""
    made = EmailMultiAlternatives(
        subject=one_line(subject, 200),
        body=text,
        to=[_sendable(to)],
        headers={
            "Message-ID": f"<{message_id}>",
            # Nobody's holiday notice answers us, and no list server takes us for a person.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    made.attach_alternative(html, "text/html")
    if attachment is not None:
        made.attach(attachment.name, attachment.content, attachment.type)
    return made


def _sendable(address: str) -> str:
    """Return the address as SMTP takes it: the domain in its ASCII form. Raises BadAddress."""
    name, at, domain = one_line(address).rpartition("@")
    if not at or not name or not domain or " " in address:
        raise BadAddress(f"{one_line(address)} is no e-mail address.")
    if not name.isascii():
        raise BadAddress(
            f"The address {one_line(address)} has characters before the @ that are not plain ASCII. Mail servers on "
            "the way lose them, so nothing was sent. Give the person another address."
        )
    try:
        return f"{name}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise BadAddress(f"{one_line(domain)}, of {one_line(address)}, is no name a mail server can have.") from None


class Way:
    """A connection to wherever mail goes, opened with the first letter and kept until closed."""

    def __init__(self) -> None:
        """Prepare; nothing is opened yet."""
        self._connection: Any = get_connection()

    def __enter__(self) -> Way:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it. What a server says at good-bye changes nothing: its letters were taken before."""
        self.close()

    def send(self, letter: EmailMultiAlternatives) -> None:
        """Hand one letter over; when this returns, the server (or the disk) has it. Raises what `trouble_of` reads."""
        try:
            self._connection.open()
            self._connection.send_messages([letter])
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next letter opens a new one."""
        with contextlib.suppress(Exception):
            self._connection.close()


def where() -> str:
    """Say where mail goes, in words."""
    if settings.EMAIL_BACKEND == FOLDER_BACKEND:
        return f"the folder {settings.EMAIL_FILE_PATH}"
    how = {"starttls": "STARTTLS", "tls": "TLS", "none": "no encryption"}[settings.EMAIL_TLS]
    return f"{settings.EMAIL_HOST}, port {settings.EMAIL_PORT}, with {how}"


def to_folder() -> bool:
    """Whether mail goes into a folder, since no server is set."""
    return bool(settings.EMAIL_BACKEND == FOLDER_BACKEND)


class FolderBackend(BaseEmailBackend):
    """One file per letter, named by its Message-ID: a second copy of a letter replaces the first."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Write the letters; each file is whole or not there at all."""
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in email_messages:
            made = one.message()
            name = email.utils.parseaddr(str(made["Message-ID"]))[1].partition("@")[0]
            draft, file = folder / f".{name}.{os.getpid()}", folder / f"{name}.eml"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(made.as_bytes())
            draft.replace(file)
        return len(email_messages)


def trouble_of(error: Exception) -> Trouble:
    """Return what went wrong and what to do, in one or two sentences without any secret."""
    if isinstance(error, BadAddress):
        return Trouble(str(error), final=True)
    if isinstance(error, smtplib.SMTPException):
        return _of_smtp(error)
    if isinstance(error, OSError):
        return Trouble(_of_network(error), everywhere=True)
    return Trouble(
        f"The letter could not be put together ({type(error).__name__}).", final=isinstance(error, ValueError)
    )


def _of_smtp(error: smtplib.SMTPException) -> Trouble:
    """Return what a mail server's answer means. A refusal for good (5xx) of one letter is final; of us it is not."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return _refused("the address", code, _said(code, words))
    if isinstance(error, smtplib.SMTPDataError):
        return _refused("the letter", error.smtp_code, _said(error.smtp_code, error.smtp_error))
    return Trouble(_of_us(error), everywhere=True)


def _refused(what: str, code: int, said: str) -> Trouble:
    """421 means that the server stops talking to us, whatever it was about."""
    return Trouble(f"The mail server refused {what}: {said}", final=code >= 500, everywhere=code == 421)


def _of_us(error: smtplib.SMTPException) -> str:
    """Say what a mail server has against us, whichever letter it is."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _of_answer(error)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # What smtplib makes of a silence, too.
        if isinstance(error.__context__, TimeoutError):
            return _of_network(error.__context__)
        return f"The mail server hung up. Is {settings.EMAIL_PORT} the port for {settings.EMAIL_TLS}?"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return (
            "The mail server offers no STARTTLS, or no way to sign in. Set LATCHKEY_EMAIL_TLS to tls (port 465) or, on "
            "a network you trust, to none."
        )
    return f"The mail server did not follow the protocol ({type(error).__name__})."


def _of_answer(error: smtplib.SMTPResponseException) -> str:
    said = _said(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server refused user or password: {said} Correct LATCHKEY_EMAIL_USER and its password."
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"The mail server refuses our sender: {said} Correct LATCHKEY_EMAIL_FROM."
    return f"The mail server refused to serve us: {said}"


def _of_network(error: OSError) -> str:
    """Say what lies between us and the mail server, or the folder."""
    place = f"{settings.EMAIL_HOST}, port {settings.EMAIL_PORT}"
    if to_folder():
        return f"{settings.EMAIL_FILE_PATH} cannot be written: {error.strerror or type(error).__name__}."
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "it is not trusted"
        return f"The certificate of {place} was refused: {one_line(why, 120)}. Trust its authority by SSL_CERT_FILE."
    if isinstance(error, ssl.SSLError):
        return f"{place} does not speak TLS. Set LATCHKEY_EMAIL_TLS to starttls, or correct the port."
    if isinstance(error, socket.gaierror):
        return f"The name {settings.EMAIL_HOST} is unknown. Correct LATCHKEY_EMAIL_HOST, or look at DNS."
    if isinstance(error, TimeoutError):
        return f"{place} did not answer within {settings.EMAIL_TIMEOUT} s."
    return f"{place} cannot be reached: {error.strerror or type(error).__name__}."


def _said(code: int, said: bytes | str) -> str:
    """Return a server's answer as one line, ending in a full stop."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    line = one_line(f"{code} {words}", 200)
    return line if line.endswith((".", "…")) else f"{line}."
