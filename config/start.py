"""What an embedded start needs before the settings are read: the folder, its lock, its keys, the port.

Everything that can be wrong here is told in one sentence (BadSetting).
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from config import keys
from config.env import BadSetting

PORT = 8810
BACKLOG = 2048


@dataclass
class Prepared:
    """What was taken for this process; closing either gives it back."""

    folder: Path
    lock: IO[str]
    listener: socket.socket


# The command `up` takes over from here; None in every other process.
prepared: Prepared | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that have to be known before the settings are read."""
    parser.add_argument("--port", type=int, default=PORT, help="port to listen on (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--data", help="folder for the database and the keys (default: data, beside the code)")


def prepare(arguments: list[str]) -> None:
    """Take folder, lock, keys and port for `up` with these arguments, and set the environment accordingly."""
    global prepared  # noqa: PLW0603  # one process, one folder: the command takes it over from here
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    options, _ = parser.parse_known_args(arguments)
    if {"-h", "--help"} & set(arguments):
        return
    os.umask(0o077)
    default = os.environ.get("LATCHKEY_DATA") or str(Path(__file__).resolve().parent.parent / "data")
    # script/up changes into the code's folder; a relative folder means where the command was typed.
    folder = (Path(os.environ.pop("LATCHKEY_HERE", "")) / (options.data or default)).absolute()
    _make(folder)
    lock = _lock(folder)
    listener = _listen(options.host, options.port)
    keys.ensure(folder)
    prepared = Prepared(folder, lock, listener)
    os.environ["LATCHKEY_DATA"] = str(folder)
    os.environ.setdefault("LATCHKEY_EMBEDDED", "true")
    os.environ.setdefault("LATCHKEY_PUBLIC_URL", _address(options.host, listener.getsockname()[1]))


def _make(folder: Path) -> None:
    """Make the folder, for the owner only. One that is in use already keeps its rights: it may not be ours alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            folder.chmod(0o700)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> BadSetting:
    """Return the sentence for a folder we cannot use."""
    return BadSetting(
        "E005", f"The data folder {folder} cannot be written: {error.strerror}.", "Name another with --data."
    )


def _lock(folder: Path) -> IO[str]:
    """Take the folder for this process; the kernel gives it back when the process ends, however it ends."""
    try:
        file = (folder / "up.lock").open("w")
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BadSetting(
            "E007", f"Latchkey already runs on {folder}.", "Stop that one first, or name another folder with --data."
        ) from None
    return file


def _listen(host: str, port: int) -> socket.socket:
    """Listen at once, so that of two starts the second learns of it now. Callers wait until the server accepts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    listener.set_inheritable(True)
    return listener


def _cannot_listen(host: str, port: int, error: OSError | OverflowError) -> BadSetting:
    """Return the sentence for a port we cannot have."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return BadSetting("E008", f"Port {port} on {host} is taken.", "Choose another with --port.")
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else "a port is a number from 0 to 65535"
    return BadSetting("E008", f"Cannot listen on {host} port {port}: {reason}.", "See --host and --port.")


def _address(host: str, port: int) -> str:
    """Return the address that people on this machine type."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
