"""Addresses of the API that are about people."""

from __future__ import annotations

from django.urls import URLPattern, path

from accounts.api import document, session, tokens

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
