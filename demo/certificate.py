"""TLS for the demo's target: a certificate of its own making, where the server was built with TLS."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.programs import Account, Programs

DAYS = 3650
CERTIFICATE, KEY = "server.crt", "server.key"


def make(data: Path, account: Account | None) -> None:
    """Write key and certificate into the server's data folder, for the account's eyes."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    address = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    for file, content in ((CERTIFICATE, certificate.public_bytes(form)), (KEY, key.private_bytes(form, *plain))):
        # Never through a link: the folder is the account's, and we may be root.
        descriptor = os.open(data / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            if account is not None:
                os.fchown(descriptor, account.uid, account.gid)


def settings(programs: Programs, data: Path) -> dict[str, str]:
    """Return the server's settings for TLS; none when it was built without."""
    tried = programs.run("postgres", "-D", str(data), "-c", "ssl=on", "-C", "ssl", cwd=data)
    return {"ssl": "on"} if tried.returncode == 0 else {}
