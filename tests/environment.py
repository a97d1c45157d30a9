"""The environment of a test run, made before anything reads the settings. Loaded as a plugin (pyproject.toml)."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests import network, servers

held = ExitStack()


def _begin_run() -> None:
    """Make the run's folder and, for PostgreSQL, its server; set the environment that config.settings reads.

    Runs when pytest loads this plugin, before anything reads the settings. xdist's workers inherit the environment and
    find the run already begun.
    """
    if "LATCHKEY_TEST_RUN" not in os.environ:
        run = Path(tempfile.mkdtemp(prefix="latchkey-test-"))
        run.chmod(0o755)
        held.callback(shutil.rmtree, run, ignore_errors=True)
        if contracts := os.environ.get("LATCHKEY_CONTRACTS"):
            os.environ["LATCHKEY_TEST_CONTRACTS"] = contracts
        for name in [name for name in os.environ if name.startswith("LATCHKEY_") and "_TEST_" not in name]:
            del os.environ[name]
        os.environ["LATCHKEY_TEST_RUN"] = str(run)
        os.environ.setdefault("LATCHKEY_TEST_SEED", str(secrets.randbelow(10**6)))
        if os.environ.get("LATCHKEY_TEST_DATABASE", "sqlite") == "postgresql":
            os.environ["LATCHKEY_DATABASE_URL"] = held.enter_context(servers.postgres(run)).url("postgres")
        held.callback(os.environ.pop, "LATCHKEY_TEST_RUN")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LATCHKEY_DATA": os.environ["LATCHKEY_TEST_RUN"],
        "LATCHKEY_EMBEDDED": "true",
        "LATCHKEY_SECRET_KEY": "a secret key that is for tests only, long enough to please the checks: 0123456789",
        "LATCHKEY_STORE_KEYS": f"test:{'5a' * 32}",
        "LATCHKEY_SEALING_KEYS": f"test:{'a5' * 32}",
        "LATCHKEY_SIGNING_KEYS": f"test:{'c7' * 32}",
    }


_begin_run()
network.block()
