"""Asking for a second factor, as pages of any floor do it: what the form needs, and trying what was sent."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import actions, factors, sessions
from accounts.models import Identity, User
from audit.actor import person
from audit.choices import Source


def asking(http: HttpRequest) -> dict[str, Any]:
    """Return what templates/account/_ask_factor.html needs."""
    user = cast(User, http.user)
    found = factors.factors_of(user)
    has_key = any(one.kind == factors.Kind.WEBAUTHN for one in found)
    return {
        "has_factor": any(one.kind in factors.REAL for one in found),
        "has_app": any(one.kind == factors.Kind.TOTP for one in found),
        "codes_left": next((one.left for one in found if one.kind == factors.Kind.RECOVERY_CODES), 0),
        "options": factors.key_to_ask(user) if has_key else None,
        "keys_work": factors.keys_work_at(http.get_host()),
        "steps": steps_of(user),
        "here": http.path,
    }


def providers_of(user: User) -> list[Any]:
    """Return the identity providers at which the person has an account that is theirs here too. One query."""
    if not settings.OIDC_PROVIDERS:
        return []
    theirs = set(Identity.objects.filter(user=user).values_list("issuer", flat=True))
    return [one for one in settings.OIDC_PROVIDERS if one.issuer.rstrip("/") in theirs]


def steps_of(user: User) -> list[Any]:
    """Return those of them that ask for a second factor when they are asked to. No query where none is set up to."""
    return [one for one in providers_of(user) if one.step_up_acr] if _any_steps() else []


def _any_steps() -> bool:
    return any(one.step_up_acr for one in settings.OIDC_PROVIDERS)


@sensitive_variables()
def try_factor(http: HttpRequest) -> str:
    """Prove a factor with what was sent, and remember it in the session; return why it proves nothing, or "".

    How often it may be tried is limited by allauth's rate "second_factor", which the view takes on.
    """
    user, now = cast(User, http.user), timezone.now()
    actor = person(user, Source.PORTAL)
    try:
        if http.POST.get("credential"):
            actions.prove_by_key(user, credential_of(http), actor=actor, at=now)
        else:
            actions.prove_by_code(user, http.POST.get("code", ""), actor=actor, at=now)
    except actions.Refused as refused:
        return str(refused)
    remember(http, now)
    return ""


def remember(http: HttpRequest, at: datetime) -> None:
    """Note in the session that the person proved a factor; it may do more now, so it gets another key."""
    factors.remember(http.session, cast(User, http.user), at)
    sessions.rotate(http)


def proven(http: HttpRequest, at: datetime) -> datetime | None:
    """Return when the person proved a factor in this session, if that still counts."""
    return factors.proven_at(http.session, cast(User, http.user), at)


def credential_of(http: HttpRequest) -> Any:
    """Return what the browser said of a key; None when it cannot be read."""
    try:
        return json.loads(http.POST.get("credential", ""))
    except ValueError:
        return None
