"""A private authority, and a server's certificate from it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def authority(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """Return the authority's certificate as a file, and what a server called `host` shows."""
    now = datetime.now(UTC)
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def base(subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        """Return what both certificates have."""
        begun = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name("A private authority"))
        dated = begun.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        return dated.public_key(key).serial_number(x509.random_serial_number())

    basic = x509.BasicConstraints(ca=True, path_length=None)
    key_id = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
    own = base("A private authority", root.public_key()).add_extension(basic, critical=True)
    own = own.add_extension(key_id, critical=False)
    alternative = x509.SubjectAlternativeName([x509.DNSName(host)])
    issued = base(host, leaf.public_key()).add_extension(alternative, critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id)
    issued = issued.add_extension(issuer, critical=False)
    files = {name: folder / f"{name}.pem" for name in ("ca", "server", "key")}
    files["ca"].write_bytes(own.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files["server"].write_bytes(issued.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files["key"].write_bytes(
        leaf.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["server"], files["key"])
    return files["ca"], context
