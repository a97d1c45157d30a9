"""A real Active Directory for tests: a Samba domain controller of its own, in namespaces of its own."""

from __future__ import annotations

import atexit
import base64
import functools
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BASE = "DC=jit,DC=test"
ADMIN_PASSWORD = "Admin-Pass-1!"
LDAP, LDAPS = 389, 636
PROGRAMS = ("samba", "samba-tool", "ldbadd", "ldbmodify", "ldbdel", "ldbsearch", "unshare", "ip")
MODULES = "/usr/lib/x86_64-linux-gnu/samba/ldb"
NAMESPACES = ("unshare", "--net", "--pid", "--fork", "--kill-child=KILL", "--")
# The services of a domain controller that these tests use.
SERVICES = "ldap, cldap, rpc, kdc, drepl"

Attributes = Mapping[str, str | bytes | Sequence[str]]


def missing() -> str:
    """Return why there can be no domain controller here, or an empty string."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        return f"No {lacking[0]}: install the Debian packages samba-ad-dc, samba-ad-provision and ldb-tools"
    if os.geteuid() != 0:
        return "A domain controller has fixed ports, and only root can give it a network of its own"
    probe = subprocess.run(["unshare", "--net", "--pid", "--fork", "true"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "No network namespace can be made here"


@dataclass
class Samba:
    """A domain controller for jit.test. `ca` is the PEM text of the authority behind its certificate."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="latchkey-samba-")))
    ldap_port: int = 0
    ldaps_port: int = 0
    ca: str = ""
    _process: subprocess.Popen[str] | None = None

    @property
    def host(self) -> str:
        """Return the address."""
        return "127.0.0.1"

    def create(self) -> Samba:
        """Make the domain: a copy of one that was made before in this process."""
        source = _provisioned()
        subprocess.run(["cp", "-a", f"{source}/.", str(self.folder)], check=True)
        configuration = self.folder / "etc/smb.conf"
        text = configuration.read_text().replace(str(source), str(self.folder))
        configuration.write_text(text)
        self.ca = (self.folder / "private/tls/ca.pem").read_text()
        return self

    def start(self) -> Samba:
        """Start on two free ports (the same ones when it is started again)."""
        sockets = [_listening(self.ldap_port), _listening(self.ldaps_port)]
        self.ldap_port, self.ldaps_port = (one.getsockname()[1] for one in sockets)
        pairs = [f"{one.fileno()}:{port}" for one, port in zip(sockets, (LDAP, LDAPS), strict=True)]
        script = Path(__file__).with_name("samba_namespace.py")
        with (self.folder / "output").open("a") as output:
            self._process = subprocess.Popen(
                [*NAMESPACES, sys.executable, str(script), str(self.folder / "etc/smb.conf"), *pairs],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                pass_fds=[one.fileno() for one in sockets],
            )
        for one in sockets:
            one.close()
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self.stop()
            raise RuntimeError(f"Samba did not start: {(self.folder / 'output').read_text()[-2000:]}")
        return self

    def stop(self) -> None:
        """Stop, if it runs: all that is in its process namespace ends with it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, dn: str, **attributes: str | bytes | Sequence[str]) -> None:
        """Add an entry by hand."""
        self._ldb("ldbadd", _ldif(dn, attributes))

    def relaxed(self, program: str, ldif: str) -> None:
        """Change what only the directory itself may change."""
        self._run(program, *self._database(), "--relax", text=ldif)

    def user(self, dn: str, account: str, password: str, **attributes: str | bytes | Sequence[str]) -> None:
        """Add a person's account by hand. 512 is an ordinary account."""
        secret = base64.b64encode(f'"{password}"'.encode("utf-16-le")).decode()
        text = _ldif(dn, {"objectClass": "user", "sAMAccountName": account, **attributes})
        self._ldb("ldbadd", f"{text}unicodePwd:: {secret}\nuserAccountControl: 512\n")

    def modify(self, dn: str, change: str, attribute: str, *values: str) -> None:
        """Change an entry by hand: add, delete or replace values."""
        lines = [f"dn:: {_encoded(dn)}", "changetype: modify", f"{change}: {attribute}"]
        self._ldb("ldbmodify", "\n".join([*lines, *(f"{attribute}:: {_encoded(value)}" for value in values), "-\n"]))

    def rename(self, dn: str, new: str, parent: str = "") -> None:
        """Move or rename an entry by hand."""
        lines = [f"dn:: {_encoded(dn)}", "changetype: modrdn", f"newrdn: {new}", "deleteoldrdn: 1"]
        self._ldb("ldbmodify", "\n".join([*lines, f"newsuperior: {parent or dn.split(',', 1)[1]}\n"]))

    def delete(self, dn: str) -> None:
        """Delete an entry by hand."""
        self._run("ldbdel", *self._database(), dn)

    def search(self, base: str, *attributes: str, scope: str = "sub", filter: str = "(objectClass=*)") -> list[str]:
        """Return the lines of what is there, without comments, as text wherever it is text."""
        done = self._run("ldbsearch", *self._database(), "-b", base, "-s", scope, filter, *attributes)
        lines = done.stdout.replace("\n ", "").splitlines()
        return [_readable(line) for line in lines if line and not line.startswith(("#", "ref:"))]

    def value(self, dn: str, attribute: str) -> str:
        """Return one value of one entry, as ldbsearch shows it; nothing where there is none."""
        head = f"{attribute}: "
        found = [line for line in self.search(dn, attribute, scope="base") if line.startswith(head)]
        return found[0].removeprefix(head) if found else ""

    def script(self, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a set-up file as an admin of the domain controller would."""
        return self._run("sh", str(path), SAM=str(self.folder / "private/sam.ldb"), **environment)

    def _database(self) -> tuple[str, str]:
        """Return where the directory lies."""
        return ("-H", str(self.folder / "private/sam.ldb"))

    def _ldb(self, program: str, ldif: str) -> None:
        """Run a program on LDIF."""
        self._run(program, *self._database(), text=ldif)

    def _run(
        self, program: str, *arguments: str, text: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program beside the server, which shares its files."""
        done = subprocess.run(
            [program, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LDB_MODULES_PATH": MODULES, **environment},
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")
        return done


@contextmanager
def running() -> Iterator[Samba]:
    """Run a domain controller for as long as the context lasts."""
    server = Samba().create()
    try:
        yield server.start()
    finally:
        server.remove()


@functools.cache
def _provisioned() -> Path:
    """Return the folder of a domain as it is made; once per process, because a copy is quicker."""
    folder = Path(tempfile.mkdtemp(prefix="latchkey-samba-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = ["--realm=JIT.TEST", "--domain=JIT", "--server-role=dc", "--dns-backend=NONE", "--use-rfc2307"]
    options += [f"--adminpass={ADMIN_PASSWORD}", f"--targetdir={folder}", "--host-ip=127.0.0.1", "--host-name=DC1"]
    options += ["--option=interfaces=lo", "--option=bind interfaces only=yes"]
    done = subprocess.run(
        ["unshare", "--net", "--", "samba-tool", "domain", "provision", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"There is no domain: {done.stderr[-2000:]}")
    (folder / "run").mkdir()
    configuration = folder / "etc/smb.conf"
    lines = [
        line for line in configuration.read_text().splitlines() if not line.startswith(("\tlog file", "\tserver s"))
    ]
    at = lines.index("[global]") + 1
    lines[at:at] = [
        f"\tserver services = {SERVICES}",
        f"\tlog file = {folder}/log.%m",
        f"\tpid directory = {folder}/run",
        f"\tncalrpc dir = {folder}/run/ncalrpc",
        f"\ttls cafile = {folder}/private/tls/ca.pem",
        f"\ttls certfile = {folder}/private/tls/cert.pem",
        f"\ttls keyfile = {folder}/private/tls/key.pem",
    ]
    configuration.write_text("\n".join(lines))
    _certificates(folder / "private/tls")
    return folder


def _certificates(folder: Path) -> None:
    """Make an authority, and a certificate for the controller's name and address."""
    folder.mkdir(exist_ok=True)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Test CA", "dc1.jit.test")]
    alternative: list[x509.GeneralName] = [x509.DNSName("dc1.jit.test")]
    alternative.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    extensions: list[x509.ExtensionType] = [x509.BasicConstraints(True, None), x509.SubjectAlternativeName(alternative)]
    now = datetime.now(UTC)
    for name, number in (("ca.pem", 0), ("cert.pem", 1)):
        certificate = (
            x509.CertificateBuilder(names[0], names[number], keys[number].public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(extensions[number], critical=number == 0)
            .sign(keys[0], hashes.SHA256())
        )
        (folder / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(key)
    (folder / "key.pem").chmod(0o600)


def _listening(port: int) -> socket.socket:
    """Return a listening socket on a port of ours, free or given."""
    outside = socket.socket()
    outside.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    outside.bind(("127.0.0.1", port))
    outside.listen(64)
    return outside


def _ldif(dn: str, attributes: Attributes) -> str:
    """Return an entry as LDIF, every value encoded, whatever is in it."""
    lines = [f"dn:: {_encoded(dn)}"]
    for name, given in attributes.items():
        values = [given] if isinstance(given, str | bytes) else given
        lines += [f"{name}:: {_encoded(value)}" for value in values]
    return "\n".join(lines) + "\n"


def _readable(line: str) -> str:
    """Return a line of LDIF whose value may have been encoded because it is not ASCII."""
    name, mark, value = line.partition(":: ")
    return f"{name}: {base64.b64decode(value).decode(errors='replace')}" if mark else line


def _encoded(value: str | bytes) -> str:
    """Return a value in base64."""
    return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()
