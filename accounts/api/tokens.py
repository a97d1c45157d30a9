"""One's own personal tokens."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.api.session import ACCOUNT_ID
from accounts.choices import TokenKind, TokenScope
from accounts.models import ApiToken
from accounts.queries import tokens_of
from accounts.rest.authentication import actor_of, token_of, user_of
from accounts.rest.fields import Instant
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint

_READ, _WRITE = (TokenScope.TOKENS_READ, TokenScope.TOKENS_WRITE), (TokenScope.TOKENS_WRITE,)


class TokenWanted(serializers.Serializer[object]):
    """A token to be made. Without scopes it may all that the token may which asks for it."""

    name = serializers.CharField(max_length=100)
    expiry_date = Instant(required=False, allow_null=True)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=TokenScope.choices), required=False, allow_null=True, max_length=50
    )


class ExpiryWanted(serializers.Serializer[object]):
    """When a token is to end; none means as late as is allowed."""

    expiry_date = Instant(required=False, allow_null=True)


class TokenShown(serializers.Serializer[object]):
    """A token, without its text."""

    id = serializers.CharField()
    account_id = serializers.CharField()
    user_id = serializers.CharField()
    name = serializers.CharField()
    masked_token = serializers.CharField()
    expiry_date = Instant(allow_null=True)
    created_date = Instant()
    scopes = serializers.ListField(child=serializers.CharField())
    last_used_date = Instant(allow_null=True)


class TokenUnmasked(serializers.Serializer[object]):
    """A token with its text, shown this once."""

    id = serializers.CharField()
    account_id = serializers.CharField()
    user_id = serializers.CharField()
    name = serializers.CharField()
    token = serializers.CharField()
    expiry_date = Instant(allow_null=True)
    created_date = Instant()
    scopes = serializers.ListField(child=serializers.CharField())


class Message(serializers.Serializer[object]):
    """What was done, in a sentence."""

    message = serializers.CharField()


def described(token: ApiToken) -> dict[str, Any]:
    """Return what the contract says of a token, but for its text."""
    return {
        "id": str(token.pk),
        "account_id": ACCOUNT_ID,
        "user_id": str(token.owner_id),
        "name": token.name,
        "expiry_date": token.expires_at.timestamp(),
        "created_date": token.created_at.timestamp(),
        "scopes": token.scopes,
    }


def masked(token: ApiToken) -> dict[str, Any]:
    """Return a token as lists show it."""
    used = token.last_used_at.timestamp() if token.last_used_at else None
    return {**described(token), "masked_token": token.masked, "last_used_date": used}


class PersonalTokens(Endpoint):
    """One's own personal tokens."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}
    secret = True

    @extend_schema(responses=TokenShown(many=True))
    def get(self, request: Request) -> Response:
        """List those that are good for something, newest first."""
        return Response([masked(token) for token in tokens_of(user_of(request), timezone.now())])

    @extend_schema(request=TokenWanted, responses=TokenUnmasked)
    def post(self, request: Request) -> Response:
        """Make one; its text is in this answer and nowhere else. It may no more than the token that asks for it."""
        wanted = TokenWanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        given, own = wanted.validated_data, token_of(request).scopes
        scopes = given.get("scopes")
        if beyond := sorted(set(scopes or ()) - set(own)):
            raise actions.NotAllowed(f"The token that asks has not itself the scope {beyond[0]}.")
        token, text = actions.issue_token(
            user_of(request),
            given["name"],
            scopes=own if scopes is None else scopes,
            expires_at=given.get("expiry_date"),
            actor=actor_of(request),
        )
        return Response({**described(token), "token": text})


class PersonalToken(Endpoint):
    """One of one's own personal tokens."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "DELETE": _WRITE}

    @extend_schema(responses=TokenShown)
    def get(self, request: Request, token: str) -> Response:
        """Return it."""
        return Response(masked(_own(request, token)))

    @extend_schema(responses=Message)
    def delete(self, request: Request, token: str) -> Response:
        """Revoke it."""
        row = _own(request, token)
        actions.revoke_token(row, actor=actor_of(request))
        return Response({"message": f"The token {row.name} is revoked."})


class PersonalTokenExpiry(Endpoint):
    """When one of one's own personal tokens ends."""

    scopes: ClassVar[Scopes] = {"PUT": _WRITE}
    secret = True

    @extend_schema(request=ExpiryWanted, responses=TokenUnmasked)
    def put(self, request: Request, token: str) -> Response:
        """Change it. The token stays the same, so its text is not in the answer: `token` is masked."""
        wanted = ExpiryWanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        ends: datetime | None = wanted.validated_data.get("expiry_date")
        row = actions.change_expiry(_own(request, token), ends, actor=actor_of(request))
        return Response({**described(row), "token": row.masked})


def _own(request: Request, token: str) -> ApiToken:
    """Return the person's token with this id. Raises Http404 for anybody else's, and for what is no id."""
    try:
        found = tokens_of(user_of(request), timezone.now()).filter(pk=uuid.UUID(token)).first()
    except ValueError:
        found = None
    if found is None or found.kind != TokenKind.PERSONAL:
        raise Http404
    return found
