"""Who one is: what a client asks first after signing in."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.factors import has_factor
from accounts.rest.authentication import user_of
from accounts.rest.permissions import ANY_TOKEN, Scopes
from accounts.rest.views import Endpoint

# One installation is one account; clients keep its id beside their token.
ACCOUNT_ID = "latchkey"


class OneselfShown(serializers.Serializer[object]):
    """Oneself."""

    id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.EmailField()
    photo = serializers.CharField(allow_null=True)


class AccountShown(serializers.Serializer[object]):
    """The installation."""

    id = serializers.CharField()
    name = serializers.CharField()
    plan = serializers.CharField()


class SettingsShown(serializers.Serializer[object]):
    """What of the installation's settings a client goes by."""

    require_duration_for_access_request = serializers.BooleanField()
    mfa_enabled_for_account = serializers.BooleanField()
    request_custom_fields = serializers.ListField(child=serializers.DictField())
    logout_redirect_url = serializers.CharField(allow_null=True)
    disable_approver_reason = serializers.BooleanField(allow_null=True)
    enable_ai_features = serializers.BooleanField()


class SessionShown(serializers.Serializer[object]):
    """Who one is, and where."""

    user = OneselfShown()
    account = AccountShown()
    settings = SettingsShown()


class EnrolledShown(serializers.Serializer[object]):
    """Whether there is a second factor."""

    is_mfa_enrolled = serializers.BooleanField()


class Session(Endpoint):
    """Who one is, and the settings that a client goes by."""

    scopes: ClassVar[Scopes] = {"GET": ANY_TOKEN}

    @extend_schema(responses=SessionShown)
    def get(self, request: Request) -> Response:
        """Return oneself and the installation."""
        user = user_of(request)
        return Response(
            {
                "user": {"id": str(user.pk), "name": user.name, "email": user.email, "photo": None},
                "account": {"id": ACCOUNT_ID, "name": settings.PUBLIC_URL.partition("://")[2], "plan": "self-hosted"},
                "settings": {
                    "require_duration_for_access_request": False,
                    "mfa_enabled_for_account": True,
                    "request_custom_fields": [],
                    "logout_redirect_url": None,
                    "disable_approver_reason": None,
                    "enable_ai_features": False,
                },
            }
        )


class FactorEnrolled(Endpoint):
    """Whether one has a second factor."""

    scopes: ClassVar[Scopes] = {"GET": ANY_TOKEN}

    @extend_schema(responses=EnrolledShown)
    def get(self, request: Request) -> Response:
        """Return whether one has set up a second factor."""
        return Response({"is_mfa_enrolled": has_factor(user_of(request))})
