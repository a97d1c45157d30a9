"""Reads the settings of sign-in by OIDC, and says what is wrong with them. Beside the settings, which have a limit."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from config import env
from config.env import BadSetting

# The provider whose settings carry no name of their own; its callback address has none either.
MAIN = "oidc"
_MORE = "LATCHKEY_OIDC_MORE"
_ID = re.compile(r"[a-z][a-z0-9-]{0,19}")


@dataclass(frozen=True, slots=True)
class Oidc:
    """One identity provider. `name` stands on the button, `groups_claim` is empty where groups are not taken."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "single sign-on"
    groups_claim: str = "groups"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    # Whether somebody unknown with a verified address becomes a person here, with no rights.
    create_people: bool = True
    id: str = MAIN
    # Where the manager's address is; empty where managers are not taken from here.
    manager_claim: str = ""
    # Of which domains it may vouch for addresses; of all where none is named.
    email_domains: tuple[str, ...] = ()
    # What it calls a sign-in with a second factor; empty where it is not asked for one.
    step_up_acr: tuple[str, ...] = ()
    # Whether it says when somebody signed in there; where it does not, every answer counts as a fresh sign-in.
    tells_auth_time: bool = True

    def may_call(self, url: str) -> bool:
        """Whether an address that the provider names is safe to use; this machine, only by a provider on it."""
        return is_safe(url) and (urlsplit(url).scheme == "https" or urlsplit(self.issuer).scheme == "http")

    def vouches_for(self, email: str) -> bool:
        """Whether it may say whose address this is."""
        return not self.email_domains or email.rpartition("@")[2].lower() in self.email_domains

    @property
    def prefix(self) -> str:
        """What its settings begin with."""
        return prefix_of(self.id)


def prefix_of(name: str) -> str:
    """Return what the settings of the provider with this id begin with."""
    return "LATCHKEY_OIDC" if name == MAIN else f"LATCHKEY_OIDC_{name.upper().replace('-', '_')}"


def read() -> tuple[Oidc, ...]:
    """Return the providers that the environment names, in the order of their buttons. Raises BadSetting."""
    ids = env.words(_MORE)
    wrong = next((one for one in ids if not _ID.fullmatch(one) or one == MAIN or ids.count(one) > 1), None)
    if wrong is not None:
        hint = "Ids are short names, each once: small letters, digits and dashes, such as partner."
        raise BadSetting("E034", f"{_MORE} names {wrong!r}.", hint)
    return tuple(one for one in map(_read_one, [MAIN, *ids]) if one is not None)


def _read_one(name: str) -> Oidc | None:
    start = prefix_of(name)
    issuer, client_id = env.text(f"{start}_ISSUER").strip(), env.text(f"{start}_CLIENT_ID").strip()
    secret = env.text(f"{start}_CLIENT_SECRET")
    # Groups of a further provider are somebody else's: they are taken where that is said.
    claim = env.text(f"{start}_GROUPS_CLAIM", "groups" if name == MAIN else "").strip()
    scopes = env.text(f"{start}_SCOPES", "openid email profile").replace(",", " ").split()
    given = Oidc(
        issuer,
        client_id,
        secret,
        env.text(f"{start}_NAME").strip() or ("single sign-on" if name == MAIN else name),
        claim,
        # Without "openid" the provider would answer by OAuth 2, which says nothing of who it is.
        tuple(dict.fromkeys(["openid", *scopes])),
        env.boolean(f"{start}_CREATE_PEOPLE", default=name == MAIN),
        id=name,
        manager_claim=env.text(f"{start}_MANAGER_CLAIM").strip(),
        email_domains=tuple(one.lower().lstrip("@") for one in env.words(f"{start}_EMAIL_DOMAINS")),
        step_up_acr=tuple(env.words(f"{start}_STEP_UP_ACR")),
        tells_auth_time=env.boolean(f"{start}_AUTH_TIME", default=True),
    )
    return given if issuer or client_id or secret or name != MAIN else None


def problems(providers: Iterable[Oidc], *, password_sign_in: bool) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong: number, problem, hint."""
    known: set[str] = set()
    for one in providers:
        yield from _problems_of(one)
        if one.issuer.rstrip("/") in known:
            yield "E034", f"{one.prefix}_ISSUER is named twice.", "A provider is configured once."
        known.add(one.issuer.rstrip("/"))
    if not known and not password_sign_in:
        yield (
            "E030",
            "Password sign-in is off and there is no identity provider: nobody could sign in.",
            "Set LATCHKEY_OIDC_ISSUER, or LATCHKEY_PASSWORD_SIGN_IN=on.",
        )


def _problems_of(oidc: Oidc) -> Iterator[tuple[str, str, str]]:
    issuer = f"{oidc.prefix}_ISSUER"
    given = {
        issuer: oidc.issuer,
        f"{oidc.prefix}_CLIENT_ID": oidc.client_id,
        f"{oidc.prefix}_CLIENT_SECRET": oidc.client_secret,
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        yield "E031", f"{' and '.join(missing)} not set.", "Sign-in by OIDC takes issuer, client id and client secret."
    if oidc.issuer and not is_address(oidc.issuer):
        yield (
            "E032",
            f"{issuer} is no address.",
            "Set it as the provider writes it, such as https://login.example.com.",
        )
    elif oidc.issuer and not is_safe(oidc.issuer):
        yield (
            "E033",
            f"{issuer} is not https: whoever is on the way could sign in as anybody.",
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
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
