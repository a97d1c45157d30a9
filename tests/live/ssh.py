"""Two servers of their own for connectors.vet.live."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.contract.orders import Person, Unit
from tests import hosts
from tests.hosts import Host, Keys

ACCOUNT = "ada.live"


class OpenSession:
    """A shell of the grantee, driven through its pipes by the real ssh."""

    def __init__(self, command: list[str], folder: tempfile.TemporaryDirectory[str]) -> None:
        self._folder = folder
        self._shell = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def alive(self) -> bool:
        """Ask the shell for an answer."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        try:
            self._shell.stdin.write("echo here\n")
            self._shell.stdin.flush()
            return self._shell.stdout.readline() == "here\n"
        except OSError:
            return False

    def close(self) -> None:
        """Hang up."""
        self._shell.kill()
        self._shell.communicate()
        self._folder.cleanup()


class SSHLive:
    """Two servers; on the second, the person has an account of their own."""

    def __init__(self, web: Host, db: Host, made: Keys, own_key: Path) -> None:
        self.hosts = {'["web"]': web, '["db","deploy"]': db}
        self.web, self.db, self._own_key = web, db, own_key
        self.config: dict[str, Any] = {
            "servers": [{"name": one.name, "host": "127.0.0.1", "port": one.port} for one in (web, db)],
            "known_hosts": web.known_hosts + db.known_hosts,
            "user": "latchkey",
            "port_forwarding": "false",
        }
        self.secrets = {"base64_private_key": made.connector, "ca_private_key": made.ca}
        self.person = Person("person-live", "Ada Live", (f"{ACCOUNT}@example.com", ACCOUNT))
        self.units = (
            Unit("server", '["web"]', "LOGIN"),
            Unit("server", '["web"]', "SUDO"),
            Unit("group", '["db","deploy"]', "MEMBER"),
            Unit("group", '["db","deploy"]', "OWN_ACCOUNT"),
        )

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Run a command that only this permission makes possible."""
        does = {"LOGIN": "true", "SUDO": "sudo -n test -r /etc/shadow"}.get(
            unit.permission, "touch /var/spool/deploy/it"
        )
        with tempfile.TemporaryDirectory() as folder:
            command = self.command(Path(folder), unit, details, credentials)
            return subprocess.run([*command, does], capture_output=True, check=False, timeout=20).returncode == 0

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> OpenSession:
        """Open a shell."""
        folder = tempfile.TemporaryDirectory()
        return OpenSession([*self.command(Path(folder.name), unit, details, credentials), "sh"], folder)

    def command(self, folder: Path, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> list[str]:
        """Return what the grantee types, with the files that were handed out."""
        host = self.hosts[unit.resource]
        (folder / "known").write_text(self.web.known_hosts + self.db.known_hosts)
        command = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={folder / 'known'}"]
        command += ["-o", "ConnectTimeout=5", "-o", "IdentitiesOnly=yes", "-p", str(host.port)]
        if unit.permission == "OWN_ACCOUNT":
            return [*command, "-i", str(self._own_key), f"{ACCOUNT}@127.0.0.1"]
        key = folder / "key"
        key.touch(mode=0o600)
        key.write_text(credentials["private_key"])
        (folder / "key-cert.pub").write_text(details["certificate"] + "\n")
        command += ["-i", str(key), "-o", f"CertificateFile={key}-cert.pub"]
        return [*command, f"{details['username']}@127.0.0.1"]

    def snapshot(self) -> object:
        """Return what the servers say of their accounts."""
        return [host.accounts() for host in (self.web, self.db)]

    def give_standing(self, unit: Unit) -> bool:
        """Make an account of the person's own on the first server."""
        self.web.add_account(ACCOUNT, self._own_key.with_suffix(".pub").read_text())
        return True

    def take_standing(self, unit: Unit) -> None:
        """Remove it."""
        self.web.run("userdel", "-r", ACCOUNT, check=False)


def missing() -> str:
    """Return why there can be no server."""
    return hosts.missing()


@contextmanager
def live() -> Iterator[SSHLive]:
    """Start two servers; on the second, only the group may write where it is tried."""
    made = hosts.keys()
    with tempfile.TemporaryDirectory() as folder, hosts.running("web", "db", made=made) as (web, db):
        own = Path(folder) / "own"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(own)], check=True)
        db.run("install", "-d", "-m", "2770", "-g", "deploy", "/var/spool/deploy")
        db.run("install", "-m", "0660", "-g", "deploy", "/dev/null", "/var/spool/deploy/it")
        db.add_account(ACCOUNT, own.with_suffix(".pub").read_text())
        yield SSHLive(web, db, made, own)
