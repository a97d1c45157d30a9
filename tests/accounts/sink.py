"""A mail server for tests: a real one, on a free port, that takes letters, refuses them, hangs up or falls silent."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings

from tests.servers import free_port

USER, PASSWORD = "latchkey", "s3cret-of-the-mail-server"
HOST = "127.0.0.1"


class Sink:
    """What the server got, and how it is to answer."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.envelopes: list[Any] = []
        self.to_recipient = self.to_data = self.to_sender = ""
        self.hang_up_at_data = self.silent_at_data = False
        self.signed_in: list[str] = []
        self.encrypted: list[bool] = []

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.to_sender:
            return self.to_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.to_recipient:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.hang_up_at_data:
            server.transport.close()
            return "250 nobody hears this"
        if self.silent_at_data:
            await asyncio.sleep(30)
        if self.to_data:
            return self.to_data
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        self.letters.append(email.message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.signed_in += [USER] if good else []
        return AuthResult(success=good, handled=False)


def certificate(folder: Path) -> Path:
    """Make a certificate for 127.0.0.1 that signs itself; return the file with it and its key."""
    import ipaddress

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "mail.pem"
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def serving(sink: Sink, tls: str = "none", pem: Path | None = None, sign_in: bool = False) -> Iterator[int]:
    """Run the server while the settings point at it; yields its port."""
    context = None
    if pem is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
    options: dict[str, Any] = {"authenticator": sink.authenticate, "auth_required": True} if sign_in else {}
    if sign_in and tls != "starttls":
        options["auth_require_tls"] = False
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    port = free_port()
    controller = Controller(
        sink, hostname=HOST, port=port, ssl_context=context if tls == "tls" else None, ready_timeout=20, **options
    )
    controller.start()
    try:
        with pointing_at(port, tls, sign_in=sign_in):
            yield port
    finally:
        controller.stop()


def pointing_at(port: int, tls: str = "none", *, sign_in: bool = False, timeout: int = 5) -> Any:
    """Return a context in which mail goes to this port."""
    return override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=HOST,
        EMAIL_PORT=port,
        EMAIL_TLS=tls,
        EMAIL_USE_TLS=tls == "starttls",
        EMAIL_USE_SSL=tls == "tls",
        EMAIL_HOST_USER=USER if sign_in else "",
        EMAIL_HOST_PASSWORD=PASSWORD if sign_in else "",
        EMAIL_TIMEOUT=timeout,
    )
