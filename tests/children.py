"""Server processes that end with the test process, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

START_SECONDS = 600.0
STOP_SECONDS = 15.0


def _end_with_parent() -> None:
    """Ask the kernel to send SIGTERM when the test process dies."""
    ctypes.CDLL("libc.so.6", use_errno=True).prctl(1, signal.SIGTERM)


def start(
    command: list[str],
    log: Path,
    answers: Callable[[], bool],
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers. Raises RuntimeError with the end of its log when it does not."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            env=dict(environment) if environment is not None else None,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  # nothing but two system calls runs in it
        )
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if answers():
            return process
        time.sleep(0.05)
    stop(process)
    raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to stop, and insist after a while."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end(pid: int) -> None:
    """End a process that is no child of ours but was started by one."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
