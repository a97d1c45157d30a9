"""Addresses of the API that are about people, and the answer to those there are not."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from accounts.api import document, session, tokens
from accounts.rest.views import unknown

urlpatterns: list[URLPattern] = [
    path("api/openapi.json", document.openapi, name="api_openapi"),
    path("api/docs/", document.docs, name="api_docs"),
    path("api/client/v1/session", session.Session.as_view(), name="api_session"),
    path("api/client/v1/session/is-mfa-enrolled", session.FactorEnrolled.as_view(), name="api_factor_enrolled"),
    path("api/client/v1/personal-tokens", tokens.PersonalTokens.as_view(), name="api_personal_tokens"),
    path("api/client/v1/personal-tokens/<str:token>", tokens.PersonalToken.as_view(), name="api_personal_token"),
    path(
        "api/client/v1/personal-tokens/<str:token>/expiry",
        tokens.PersonalTokenExpiry.as_view(),
        name="api_personal_token_expiry",
    ),
]
# Stands last of all addresses (config/urls.py).
unknown_addresses: list[URLPattern] = [re_path(r"^api/(?P<rest>.*)$", unknown, name="api_unknown")]
