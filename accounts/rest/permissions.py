"""What a token may be used for. What its owner may do is the action's own question, asked of the owner as ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.choices import TokenScope
from accounts.models import ApiToken

# For a method in a view's `scopes`: any token will do.
ANY_TOKEN: tuple[TokenScope, ...] = ()
Scopes = Mapping[str, Sequence[TokenScope]]


class HasScope(BasePermission):
    """Whether the token has one of the scopes that the view names for the method: `scopes = {"GET": (A, B)}`.

    A method without a line is open to nobody; one with ANY_TOKEN, to every token.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say yes; or no, which without a token is a 401. Raises PermissionDenied, naming what is missing."""
        if not isinstance(request.auth, ApiToken):
            return False
        method = {"HEAD": "GET", "OPTIONS": "GET"}.get(str(request.method), str(request.method))
        wanted = getattr(view, "scopes", {}).get(method)
        if wanted is None:
            return False
        if wanted and not set(wanted) & set(request.auth.scopes):
            raise PermissionDenied(f"This token lacks the scope {' or '.join(wanted)}.", code="missing_scope")
        return True


class OfAPerson(BasePermission):
    """Whether the token is a person's. What a person holds or asks for, no service has."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say yes. Raises PermissionDenied for a service's token."""
        if isinstance(request.auth, ApiToken) and request.auth.owner.is_service:
            raise PermissionDenied(
                "This address is for people: use a personal token. A service has no access and asks for none.",
                code="personal_token_needed",
            )
        return True
