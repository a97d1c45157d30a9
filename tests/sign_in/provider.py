"""The certified OpenID provider "oidc-provider" (tests/npm/provider.mjs) as a process on a free port."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.single_sign_on import Oidc
from tests.servers import free_port

FOLDER = Path(__file__).resolve().parents[1] / "npm"
CLIENT_ID, CLIENT_SECRET = "latchkey", "the client secret of the tests, of a sensible length"
CALLBACK = "/account/oidc/callback/"
PATIENCE = 30


def missing() -> str:
    """Return why the provider cannot run here; "" when it can."""
    if shutil.which("node") is None:
        return "no node: install the Debian package nodejs"
    if not (FOLDER / "node_modules" / "oidc-provider").exists():
        return "no oidc-provider: run npm ci in tests/npm"
    return ""


@dataclass
class Provider:
    """A running provider. Whom it knows is changed by `person`, and counts from the next answer on."""

    port: int
    file: Path
    product: str
    options: dict[str, Any] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def person(self, account: str, **claims: Any) -> None:
        """Know an account and what is said of it; a claim that is None is not said."""
        said = {"sub": account, "email": f"{account}@example.com", "email_verified": True, **claims}
        self.people[account] = {name: value for name, value in said.items() if value is not None}
        self.write()

    def write(self) -> None:
        """Write what the process reads."""
        client = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [self.product + CALLBACK],
            "post_logout_redirect_uris": [f"{self.product}/account/login/"],
            "backchannel_logout_uri": f"{self.product}/account/oidc/back-channel/",
            "backchannel_logout_session_required": True,
        }
        # In one go: the process may be reading.
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps({"client": client, "people": self.people, **self.options}))
        draft.rename(self.file)

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.write()
        self.process = subprocess.Popen(
            ["node", "provider.mjs", str(self.port), str(self.file)],
            cwd=FOLDER,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        said = self.process.stdout.readline()
        watchdog.cancel()
        assert said.strip() == "ready", "the provider did not start"

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def settings(self, **changes: Any) -> Oidc:
        """Return the product's settings for it."""
        given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "name": "Acme", **changes}
        return Oidc(self.issuer, **given)


@contextmanager
def providing(folder: Path, product: str, **options: Any) -> Iterator[Provider]:
    """Run a provider that knows `product` (an address) as its client, until the block is left. Skips where none can."""
    if why := missing():
        pytest.skip(why)
    provider = Provider(free_port(), folder / "provider.json", product, options)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


@contextmanager
def configured(oidc: Oidc | tuple[Oidc, ...] | None, product: str, *, password_sign_in: bool = True) -> Iterator[None]:
    """Have the product use these settings."""
    from django.core.cache import cache
    from django.test import override_settings

    cache.clear()
    providers = oidc if isinstance(oidc, tuple) else (oidc,) if oidc else ()
    with override_settings(OIDC_PROVIDERS=providers, PUBLIC_URL=product, PASSWORD_SIGN_IN=password_sign_in):
        assert settings.OIDC_PROVIDERS is providers
        yield
    cache.clear()
