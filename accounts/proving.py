"""Asking for a second factor, as pages of any floor do it: what the form needs, and trying what was sent."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import actions, factors
from accounts.models import User
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
    }


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
    factors.remember(http.session, user, now)
    return ""


def proven(http: HttpRequest, at: datetime) -> datetime | None:
    """Return when the person proved a factor in this session, if that still counts."""
    return factors.proven_at(http.session, cast(User, http.user), at)


def credential_of(http: HttpRequest) -> Any:
    """Return what the browser said of a key; None when it cannot be read."""
    try:
        return json.loads(http.POST.get("credential", ""))
    except ValueError:
        return None
