"""Credentials of a session: handed out once, to a program that says who it is, and made anew."""

from __future__ import annotations

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import actions
from access_requests.api.door import done, me, said
from access_requests.choices import CredentialsStatus
from access_requests.models import AccessSession
from accounts.rest.authentication import actor_of
from accounts.rest.errors import Conflict


@sensitive_variables()
def taken(http: Request, session: AccessSession, surface: str) -> dict[str, str]:
    """Return the secrets, once, to who names themself as `surface`; nothing to others, nor to a browser looking ahead.

    Where there are none any more the answer is masked: that is no error to clients. Raises Conflict.
    """
    if not surface.strip() or _ahead(http) or session.credentials_status != CredentialsStatus.AVAILABLE:
        return {}
    try:
        return actions.take_credentials(session, user=me(http), actor=actor_of(http), surface=surface.strip())
    except actions.NothingToSee as problem:
        raise Conflict(str(problem)) from problem
    except actions.NotPossible:  # somebody was quicker: it was shown to them
        return {}


def _ahead(http: Request) -> bool:
    told = f"{http.headers.get('Sec-Purpose', '')} {http.headers.get('Purpose', '')}"
    return "prefetch" in told.lower()


def reset(http: Request, session: AccessSession) -> Response:
    """Have new credentials made."""
    done(lambda: actions.reset_credentials(session, user=me(http), actor=actor_of(http)))
    return said("New credentials are being made. The old ones stop working.")
