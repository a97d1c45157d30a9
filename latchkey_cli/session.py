"""Which server is spoken to, and as whom: by the environment, or by a profile whose tokens are renewed in time."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from latchkey_cli import signing
from latchkey_cli.client import Client
from latchkey_cli.problems import SignedOut, Unreachable, Usage
from latchkey_cli.profiles import BROWSER, Profile, Profiles, Store, address, checked_name

URL, TOKEN = "LATCHKEY_URL", "LATCHKEY_TOKEN"
# A token is renewed so long before its end: a request that begins with it also ends with it.
EARLY_SECONDS = 90
_SIGN_IN = "Sign in: latchkey login URL"
_CUT_OFF = "Your sign-in was being renewed when the line broke, and nobody knows whether it was."


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """A personal token out of the environment. There is none to put in its place."""

    text: str

    def token(self) -> str:
        """Return it."""
        return self.text

    def renewed(self, bad: str) -> str:
        """Return nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class FromProfile:
    """The token of a profile; one that came by browser is renewed, by one process at a time."""

    store: Store
    name: str

    def token(self) -> str:
        """Return a token that is good for a while. Raises SignedOut."""
        profile = _named(self.name, self.store.load())
        if profile.kind != BROWSER or profile.expires_at - EARLY_SECONDS > time.time():
            return profile.access
        return self.renewed(profile.access) or profile.access

    def renewed(self, bad: str) -> str:
        """Return another token than `bad`: one that another process got meanwhile, or a new one.

        A refresh token that is used twice revokes the whole sign-in. So it leaves the file before it is sent, under the
        lock, and comes back only if it certainly was not used.
        """
        with self.store.locked() as kept:
            profile = _named(self.name, kept)
            if profile.access != bad or profile.kind != BROWSER:
                return profile.access if profile.access != bad else ""
            spent, profile.refresh = profile.refresh, ""
            if not spent:
                if profile.expires_at > time.time():
                    return ""
                raise SignedOut(_CUT_OFF, then="Sign in again: latchkey login")
            self.store.save(kept)
            try:
                given = signing.exchange(profile.url, {"grant_type": "refresh_token", "refresh_token": spent})
            except signing.Uncertain:
                raise
            except Unreachable:
                profile.refresh = spent
                self.store.save(kept)
                raise
            profile.access, profile.refresh, profile.expires_at = given.access, given.refresh, given.expires_at
            self.store.save(kept)
            return profile.access


def _named(name: str, kept: Profiles) -> Profile:
    if name not in kept.named:
        others = f" There are the profiles {', '.join(kept.named)}." if kept.named else ""
        raise SignedOut(f"Nobody is signed in as “{name}”.{others}", then=_SIGN_IN)
    return kept.named[name]


def name_of(profile: str, store: Store) -> str:
    """Return the profile that is meant: the one that is named, or the one in use, or the one at LATCHKEY_URL."""
    if profile:
        return checked_name(profile)
    kept, wanted = store.load(), os.environ.get(URL, "")
    if not wanted:
        return kept.current
    url = address(wanted)
    found = [name for name, one in kept.named.items() if one.url == url]
    if not found:
        raise SignedOut(f"Nobody is signed in at {url}, which {URL} names.", then=f"latchkey login {url}")
    return kept.current if kept.current in found else found[0]


def connect(profile: str = "") -> Client:
    """Return the server, as the person. Raises SignedOut."""
    text = os.environ.get(TOKEN, "").strip()
    if text and not profile:
        if not os.environ.get(URL):
            raise Usage(f"{TOKEN} is set, but not {URL}: no token is sent to a server that was not named with it.")
        return Client(address(os.environ[URL]), FromEnvironment(checked_token(text)))
    store = Store()
    name = name_of(profile, store)
    found = _named(name, store.load())
    # The file is ours, but an address is judged wherever it comes from.
    return Client(address(found.url), FromProfile(store, name))


def checked_token(text: str) -> str:
    """Return a token that can stand in a header. Raises Usage without showing it."""
    if not text.isascii() or not text.isprintable() or " " in text or not 8 <= len(text) <= 500:
        raise Usage("This is no token: it is one word that begins with lk_.")
    return text
