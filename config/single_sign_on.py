"""Reads the settings of sign-in by OIDC, and says what is wrong with them. Beside the settings, which have a limit."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from config import env

_ISSUER, _CLIENT_ID, _SECRET = "LATCHKEY_OIDC_ISSUER", "LATCHKEY_OIDC_CLIENT_ID", "LATCHKEY_OIDC_CLIENT_SECRET"


@dataclass(frozen=True, slots=True)
class Oidc:
    """The one identity provider. `name` stands on the button, `groups_claim` is empty where groups are not taken."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "single sign-on"
    groups_claim: str = "groups"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    # Whether somebody unknown with a verified address becomes a person here, with no rights.
    create_people: bool = True

    def may_call(self, url: str) -> bool:
        """Whether an address that the provider names is safe to use."""
        return is_safe(url)


def read() -> Oidc | None:
    """Return the provider that the environment names, or None. Raises BadSetting."""
    issuer, client_id, secret = env.text(_ISSUER).strip(), env.text(_CLIENT_ID).strip(), env.text(_SECRET)
    name = env.text("LATCHKEY_OIDC_NAME").strip() or "single sign-on"
    claim = env.text("LATCHKEY_OIDC_GROUPS_CLAIM", "groups").strip()
    scopes = env.text("LATCHKEY_OIDC_SCOPES", "openid email profile").replace(",", " ").split()
    create_people = env.boolean("LATCHKEY_OIDC_CREATE_PEOPLE", default=True)
    if not (issuer or client_id or secret):
        return None
    # Without "openid" the provider would answer by OAuth 2, which says nothing of who it is.
    return Oidc(issuer, client_id, secret, name, claim, tuple(dict.fromkeys(["openid", *scopes])), create_people)


def problems(oidc: Oidc | None, *, password_sign_in: bool) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong: number, problem, hint."""
    if oidc is None:
        if not password_sign_in:
            yield (
                "E030",
                "Password sign-in is off and there is no identity provider: nobody could sign in.",
                f"Set {_ISSUER}, or LATCHKEY_PASSWORD_SIGN_IN=on.",
            )
        return
    given = {_ISSUER: oidc.issuer, _CLIENT_ID: oidc.client_id, _SECRET: oidc.client_secret}
    missing = [name for name, value in given.items() if not value]
    if missing:
        yield "E031", f"{' and '.join(missing)} not set.", "Sign-in by OIDC takes issuer, client id and client secret."
    if oidc.issuer and not is_address(oidc.issuer):
        yield (
            "E032",
            f"{_ISSUER} is no address.",
            "Set it as the provider writes it, such as https://login.example.com.",
        )
    elif oidc.issuer and not is_safe(oidc.issuer):
        yield (
            "E033",
            f"{_ISSUER} is not https: whoever is on the way could sign in as anybody.",
            "Only a provider on this machine (127.0.0.1, localhost) may go without TLS.",
        )


def is_address(url: str) -> bool:
    """Whether it is the address of a provider: a host, perhaps a path, and nothing after it."""
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return False
    rest = parts.query or parts.fragment or parts.username or parts.password
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not rest and port != 0


def is_safe(url: str) -> bool:
    """Whether nobody on the network can change what goes there: TLS, or this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
