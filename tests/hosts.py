"""Real servers to sign in to: OpenSSH and sudo of this machine, each in namespaces of its own.

A server has its own processes and its own copies of /etc, /home, /run, /usr/local/sbin and what else accounts touch, so
nothing that is made there is made on this machine. It listens on a free port of the loopback interface.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from connectors.registry import PROVIDERS
from tests.targets import free_port

SETUP = PROVIDERS / "ssh" / "setup"
NEEDED = ("unshare", "nsenter", "sshd", "ssh", "ssh-keygen", "sudo", "visudo", "useradd", "gpasswd", "flock", "setpriv")
# Folders of which a server has its own: a copy, or an empty one.
COPIED = ("/etc",)
EMPTY = {
    "/home": 0o755,
    "/run": 0o755,
    "/usr/local/sbin": 0o755,
    "/var/log": 0o755,
    "/var/mail": 0o2775,
    "/var/spool": 0o755,
    "/var/lib/sudo": 0o700,
    "/var/lib/systemd": 0o755,
    "/tmp": 0o1777,  # last: the folders may lie in it
}
UNSHARE = ("unshare", "-m", "-p", "-f", "--mount-proc")
LISTENING = "Server listening on"
SECONDS = 20.0


def missing() -> str:
    """Return why no server can be run here, or an empty string."""
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)} (Debian's openssh-server, sudo and util-linux)"
    if os.geteuid() != 0:
        return "a server with accounts of its own needs root"
    if subprocess.run(
        ["unshare", "-m", "-p", "-f", "--mount-proc", "true"], capture_output=True, check=False
    ).returncode:
        return "this machine does not let its root make namespaces"
    return ""


@dataclass
class Keys:
    """The key pairs of an integration."""

    connector: str
    connector_public: str
    ca: str
    ca_public: str


def keys() -> Keys:
    """Make key pairs, with the set-up's own script."""
    with tempfile.TemporaryDirectory(prefix="latchkey-keys-") as name:
        subprocess.run(["sh", str(SETUP / "1_keys.sh")], cwd=name, check=True, capture_output=True)
        read = {path.name: path.read_text() for path in Path(name).iterdir()}
    return Keys(
        read["latchkey_connector"],
        read["latchkey_connector.pub"].strip(),
        read["latchkey_ca"],
        read["latchkey_ca.pub"].strip(),
    )


@dataclass
class Host:
    """One server. `name` is what the integration calls it."""

    name: str
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="latchkey-host-")))
    port: int = field(default_factory=free_port)
    _inside: int = 0
    _outside: subprocess.Popen[bytes] | None = None

    @property
    def known_hosts(self) -> str:
        """Return the server's host key as a line of known_hosts."""
        kind, key = (self.folder / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    @property
    def log(self) -> str:
        """Return what sshd has logged."""
        return (self.folder / "var/log/sshd.log").read_text()

    def create(self) -> Host:
        """Make the folders, as a fresh installation of Debian has them."""
        for place in COPIED:
            subprocess.run(["cp", "-a", place, str(self.folder / place[1:])], check=True)
        for place, mode in EMPTY.items():
            path = self.folder / place[1:]
            path.mkdir(parents=True)
            path.chmod(mode)
        ssh = self.folder / "etc/ssh"
        for path in [*ssh.glob("ssh_host_*"), *ssh.glob("sshd_config.d/*")]:
            path.unlink()
        config = ssh / "sshd_config"
        config.write_text(f"Port {self.port}\nListenAddress 127.0.0.1\nLogLevel VERBOSE\n{config.read_text()}")
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(ssh / "ssh_host_ed25519_key")], check=True
        )
        return self

    def boot(self) -> Host:
        """Begin the namespaces; their first process waits for whatever ends in them."""
        places = [*COPIED, *EMPTY]
        mounts = " && ".join(f"mount --bind {self.folder}{place} {place}" for place in places)
        script = f"{mounts} && mkdir -p /run/sshd && : >/run/booted && while :; do sleep 1000 & wait; done"
        # Nothing of it outlives us, whatever ends us.
        command = ["setpriv", "--pdeathsig", "KILL", *UNSHARE, "--kill-child", "sh", "-c", script]
        self._outside = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self._wait((self.folder / "run/booted").exists)
        (child,) = psutil.Process(self._outside.pid).children()
        self._inside = child.pid
        return self

    def run(self, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command there, as root, as an admin at the console would."""
        enter = ["nsenter", "-t", str(self._inside), "-m", "-p", "--"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, cwd="/", check=False, **options)
        if check and done.returncode:
            raise RuntimeError(f"{command} failed with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def set_up(self, made: Keys | None = None, **choices: str) -> None:
        """Run the set-up file as an admin would; without keys, again."""
        keys = {"CONNECTOR_KEY": made.connector_public, "CA_KEY": made.ca_public} if made is not None else {}
        given = {**keys, **choices}
        text = (SETUP / "2_server.sh").read_text()
        runs = (self.folder / "run/sshd.pid").exists()
        began = self.log.count(LISTENING) if runs else 0
        self.run("sh", "-s", input=text, env={"PATH": os.environ["PATH"], **given})
        if runs:  # it begins anew to read its rules
            self._wait(lambda: self.log.count(LISTENING) > began)

    def start(self) -> Host:
        """Start sshd."""
        self.run("/usr/sbin/sshd", "-E", "/var/log/sshd.log")
        self._wait((self.folder / "run/sshd.pid").exists)
        return self

    def stop(self) -> None:
        """Stop sshd, and whoever is signed in."""
        self.run("pkill", "-KILL", "-x", "sshd", check=False)
        (self.folder / "run/sshd.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """End everything that runs there, and delete it."""
        if self._outside is not None:
            self._outside.kill()
            self._outside.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def add_account(self, name: str, public_key: str, *groups: str) -> None:
        """Make an account of a person, with a key of their own."""
        self.run("useradd", "-m", "-s", "/bin/bash", "-p", "*", *(["-G", ",".join(groups)] if groups else []), name)
        folder = f"/home/{name}/.ssh"
        self.run("install", "-d", "-m", "0700", "-o", name, "-g", name, folder)
        self.run(
            "sh", "-c", f"cat >{folder}/authorized_keys && chown {name} {folder}/authorized_keys", input=public_key
        )

    def accounts(self) -> object:
        """Return who there is, in which groups, and what Latchkey keeps of them. Revoked stays revoked."""
        lines = ("passwd", "shadow", "group", "gshadow", "latchkey/groups", "latchkey/programs", "latchkey/user_ca.pub")
        files = {name: sorted((self.folder / "etc" / name).read_text().splitlines()) for name in lines}
        places = (
            "home",
            "etc/latchkey/certificates",
            "etc/latchkey/principals",
            "etc/latchkey/members",
            "var/spool",
            "etc/sudoers.d",
        )
        found = {place: sorted(str(path) for path in (self.folder / place).rglob("*")) for place in places}
        return files, found

    def _wait(self, true: Any) -> None:
        until = time.monotonic() + SECONDS
        while not true():
            if time.monotonic() > until:
                raise RuntimeError(f"The server {self.name} does not come up.")
            time.sleep(0.02)


@contextmanager
def running(*names: str, made: Keys, **choices: str) -> Iterator[list[Host]]:
    """Run prepared servers for the length of a block."""
    hosts: list[Host] = []
    try:
        for name in names:
            host = Host(name)
            hosts.append(host)
            host.create().boot()
            host.run("groupadd", "deploy")
            host.set_up(made, **{"GIVE_GROUPS": "deploy", "GIVE_SUDO": "yes", **choices})
            host.start()
        yield hosts
    finally:
        for host in hosts:
            host.remove()
