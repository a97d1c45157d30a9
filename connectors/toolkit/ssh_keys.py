"""Keys and certificates of OpenSSH: read, made, signed. Nothing here talks to anybody."""

from __future__ import annotations

import base64
import binascii
import math
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificate,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_identity,
)

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey

# The end of a certificate that does not end.
FOREVER = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Certificate:
    """An OpenSSH user certificate. `line` is its file; moments are in seconds since the epoch.

    `public_key` and `signer` (the CA) are written as in a .pub file.
    """

    line: str
    serial: int
    valid_after: int
    valid_before: int
    public_key: str
    key_id: str
    principals: tuple[str, ...]
    signer: str

    @property
    def ends_at(self) -> float:
        """Return its end; infinite for one that has none."""
        return math.inf if self.valid_before == FOREVER else float(self.valid_before)


def private_key(secret: Secret, what: str) -> PrivateKey:
    """Return a private key from its file, or from the base64 of its file. Raises Misconfigured saying `what` is bad."""
    text = secret.reveal().strip()
    if "-----BEGIN" not in text:
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Misconfigured(f"{what} is neither a private key file nor its base64.") from None
    data = (text.strip() + "\n").encode()
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        key = load(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause may quote the key; it stays here.
        raise Misconfigured(
            f"{what} cannot be read.", fix="It must be a private key of ssh-keygen, without a passphrase."
        ) from None
    if not isinstance(key, PrivateKey):
        raise Misconfigured(f"{what} is of a kind that is not supported.", fix="Use Ed25519, ECDSA or RSA.")
    return key


def openssh(key: PrivateKey) -> str:
    """Return a private key as OpenSSH's own file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def public_line(key: PrivateKey) -> str:
    """Return the public half as it stands in a .pub file, without a comment."""
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def new_key() -> Ed25519PrivateKey:
    """Return a new key pair."""
    return Ed25519PrivateKey.generate()


def sign(
    ca: PrivateKey,
    public_key: str,
    *,
    principal: str,
    key_id: str,
    valid_after: float,
    ends_at: float,
    extensions: tuple[str, ...],
) -> Certificate:
    """Return a user certificate for one principal, with a serial number that cannot be guessed."""
    builder = SSHCertificateBuilder()
    builder = builder.public_key(_ed25519(public_key)).serial(secrets.randbits(63) + 1).type(SSHCertificateType.USER)
    builder = builder.key_id(key_id.encode()).valid_principals([principal.encode()])
    builder = builder.valid_after(int(valid_after)).valid_before(FOREVER if math.isinf(ends_at) else int(ends_at))
    for name in sorted(extensions):
        builder = builder.add_extension(name.encode(), b"")
    return _described(builder.sign(ca))


def certificate(line: str) -> Certificate:
    """Return the certificate in a line, whoever signed it. Raises Misconfigured when there is none, or a broken one."""
    try:
        found = load_ssh_public_identity(line.encode())
        if not isinstance(found, SSHCertificate):
            raise Misconfigured("What should be a certificate is a plain key.")
        found.verify_cert_signature()
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise Misconfigured("What should be a certificate cannot be read.") from error
    return _described(found)


def _described(found: SSHCertificate) -> Certificate:
    key, signer = found.public_key(), found.signature_key()
    return Certificate(
        line=found.public_bytes().decode().strip(),
        serial=found.serial,
        valid_after=found.valid_after,
        valid_before=found.valid_before,
        public_key=key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
        key_id=found.key_id.decode(errors="replace"),
        principals=tuple(name.decode(errors="replace") for name in found.valid_principals),
        signer=signer.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
    )


def _ed25519(public_key: str) -> Ed25519PublicKey:
    """Return the public key of a pair that `new_key` made. Raises Misconfigured for another."""
    found = load_ssh_public_identity(public_key.encode())
    if not isinstance(found, Ed25519PublicKey):
        raise Misconfigured("The certificate belongs to a key that was not made here.")
    return found
