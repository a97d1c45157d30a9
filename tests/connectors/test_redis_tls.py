"""Redis behind TLS: the server has to prove who it is, by the CA of the configuration."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Verb
from tests.connectors import redis_world
from tests.connectors.redis_world import RedisWorld, credentials, kind, redis_program, running
from tests.targets import free_port


class Authority:
    """A certificate authority."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=0))

    @property
    def pem(self) -> str:
        """Return the certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, folder: Path, address: str) -> tuple[Path, Path]:
        """Write certificate and key of a server, and return where."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = self._sign(x509.Name([]), key, names)
        paths = folder / f"{address}.crt", folder / f"{address}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paths

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(extension, critical=True)
            .sign(self.key, hashes.SHA256())
        )


@pytest.fixture(scope="module")
def authority() -> Authority:
    """The authority that signed the servers."""
    return Authority()


@pytest.fixture(scope="module")
def world(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisWorld]:
    """A server with a port that speaks TLS."""
    if reason := redis_world.missing(redis_program()):
        pytest.skip(reason)
    port = free_port()
    certificate, key = authority.issue(tmp_path_factory.mktemp("tls"), "127.0.0.1")
    options = [f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}", "tls-auth-clients no"]
    with running(redis_program(), *options) as server:
        yield RedisWorld(server, config={"tls": "true", "port": port, "ca": authority.pem})


def test_a_server_that_proves_who_it_is_is_used(world: RedisWorld) -> None:
    report = world.do(Verb.CHECK)
    assert report.error is None
    assert not any("not encrypted" in one.message for one in report.findings)
    grant = world.grant()
    given = world.apply(grant)
    details = given.grants[0].details
    assert details["uri"].startswith("rediss://")
    assert "--tls" in details["command"]
    world.server.client(grant.login, credentials(given, grant)["password"]).get("app:1")
    world.end(grant)


def test_a_server_of_another_authority_is_not(world: RedisWorld) -> None:
    for ca in (Authority().pem, ""):
        other = replace(world, config={**world.config, "ca": ca})
        report = other.apply(other.grant())
        assert kind(report) is ErrorKind.UNREACHABLE
        assert report.error is not None
        assert "prove" in report.error.message


def test_a_server_of_another_name_is_not(world: RedisWorld) -> None:
    other = replace(world, config={**world.config, "hostname": "localhost"})
    report = other.apply(other.grant())
    assert kind(report) is ErrorKind.UNREACHABLE
    assert report.error is not None
    assert "prove" in report.error.message


def test_a_ca_that_is_none_is_told(world: RedisWorld) -> None:
    other = replace(world, config={**world.config, "ca": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"})
    assert kind(other.do(Verb.CHECK)) is ErrorKind.MISCONFIGURED


def test_without_tls_chosen_the_port_gives_no_answer_that_is_understood(world: RedisWorld) -> None:
    other = replace(world, config={**world.config, "tls": "false"})
    report = other.do(Verb.CHECK, lease_seconds=3.0)
    assert kind(report) in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)
