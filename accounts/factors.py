"""Second factors: allauth's authenticator apps, recovery codes and WebAuthn keys, read and tried.

And how long a success counts. What adds, removes and proves them is in accounts.actions.
"""

from __future__ import annotations

import base64
import ipaddress
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import User
from accounts.queries import factor_counts

Kind = Authenticator.Type
# What proves by itself; recovery codes are a spare for one of these.
REAL = (Kind.TOTP, Kind.WEBAUTHN)
# Who changes the factors has signed in, or given the password again, this short a time ago.
FRESH = timedelta(minutes=15)
# The clock of a phone may be one step of thirty seconds off.
_STEPS_OFF = 1
_PROVEN, _NEW_SECRET = "accounts.factor", "accounts.new_app"
Session = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a person, as pages show it. `left`: how many recovery codes are not used."""

    id: int
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    left: int | None = None


def factors_of(user: User) -> list[Factor]:
    """Return the person's factors, oldest first, recovery codes last. One query."""
    rows = sorted(Authenticator.objects.filter(user=user), key=lambda row: (row.type == Kind.RECOVERY_CODES, row.pk))
    return [_shown(row) for row in rows]


def name_of(row: Any) -> str:
    """Return what people call a factor: a key by the name they gave it."""
    return str({Kind.TOTP: "Authenticator app", Kind.RECOVERY_CODES: "Recovery codes"}.get(row.type) or row.wrap().name)


def _shown(row: Any) -> Factor:
    left = len(row.wrap().get_unused_codes()) if row.type == Kind.RECOVERY_CODES else None
    return Factor(row.pk, row.type, name_of(row), row.created_at, row.last_used_at, left)


def has_factor(user: User) -> bool:
    """Whether the person could prove a second factor. One query."""
    return bool(Authenticator.objects.filter(user=user, type__in=REAL).exists())


# Authenticator apps.


def begin_app(session: Session, *, anew: bool) -> str:
    """Return the secret of the app that is being added; it waits in the session, on the server."""
    if anew or _NEW_SECRET not in session:
        session[_NEW_SECRET] = generate_totp_secret()
    return str(session[_NEW_SECRET])


def forget_app(session: Session) -> None:
    """Forget the secret of the app that was being added."""
    session.pop(_NEW_SECRET, None)


def picture_of(user: User, secret: str) -> str:
    """Return the QR code of a secret, as the address of an image."""
    adapter = get_adapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """Return the step of time whose code this is, looked for around `at`; None when it is none of these."""
    now = int(at.timestamp()) // app_settings.TOTP_PERIOD
    for step in range(now - _STEPS_OFF, now + _STEPS_OFF + 1):
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            return step
    return None


def code_of(secret: str, at: datetime) -> str:
    """Return the code that an app with this secret shows at `at`."""
    return str(format_hotp_value(hotp_value(secret, int(at.timestamp()) // app_settings.TOTP_PERIOD)))


# Security keys. The browser's part is allauth's script; the challenge waits in the session.


def key_to_add(user: User) -> dict[str, Any]:
    """Return what the browser needs to make a key known."""
    return {"creation_options": webauthn.begin_registration(user, False)}


def key_to_ask(user: User) -> dict[str, Any]:
    """Return what the browser needs to ask one of the person's keys."""
    return {"request_options": webauthn.begin_authentication(user)}


def read_new_key(credential: Any) -> int:
    """Check what the browser made of `key_to_add`; return the key's counter. Raises ValidationError."""
    try:
        return int(webauthn.complete_registration(webauthn.parse_registration_response(credential)).counter)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValidationError("The browser’s answer could not be read. Try again.") from error


def read_key(user: User, credential: Any) -> tuple[Any, int]:
    """Check what the browser made of `key_to_ask`; return the key's row and its counter. Raises ValidationError."""
    try:
        counter = webauthn.parse_authentication_response(credential).response.authenticator_data.counter
        return webauthn.complete_authentication(user, credential), int(counter)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValidationError("The browser’s answer could not be read. Try again.") from error


def keys_work_at(host: str) -> bool:
    """Whether browsers let keys work at this host: it needs a name, an address in numbers has none."""
    try:
        ipaddress.ip_address(host.rpartition(":")[0].strip("[]") or host)
    except ValueError:
        return True
    return False


# How long a success counts. Sessions lie in our database, so nobody writes into theirs.


def remember(session: Session, user: User, at: datetime) -> None:
    """Note in the session that the person has proven a factor."""
    session[_PROVEN] = {"user": str(user.pk), "at": at.isoformat()}


def forget(session: Session) -> None:
    """Let no earlier success count in this session any more."""
    session.pop(_PROVEN, None)


def proven_in(session: Session, user: User) -> datetime | None:
    """Return when this person last proved a factor in this session, however long ago."""
    noted = session.get(_PROVEN)
    if not isinstance(noted, dict) or noted.get("user") != str(user.pk):
        return None
    return datetime.fromisoformat(noted["at"])


def proven_at(session: Session, user: User, at: datetime) -> datetime | None:
    """Return when this person proved a factor in this session, if that still counts."""
    when = proven_in(session, user)
    return when if when is not None and factor_counts(when, at) else None


def note_sign_in(request: HttpRequest, user: User, how: str, at: float | None = None) -> None:
    """Note in the session how and when the person signed in, as allauth does for passwords.

    `at` is when a provider says they did, by its clock: one that knows them still, and asks nothing, is not fresh.
    """
    record_authentication(request, user, method=how, at=None if at is None else min(at, time.time()))


def is_fresh(request: HttpRequest, user: User) -> bool:
    """Whether the person signed in, or gave the password again, a short time ago."""
    latest = max((float(one["at"]) for one in get_authentication_records(request, user)), default=0.0)
    return time.time() - latest < FRESH.total_seconds()
