"""Addresses for people by program."""

from django.urls import path

from access_requests.api.user import available, requests, sessions

SESSION, REQUEST, DELEGATED = (
    "api/user/v1/access-sessions",
    "api/user/v4/access-requests",
    "api/user/v1/delegated-access-requests",
)

urlpatterns = [
    path(SESSION, sessions.access_sessions, name="api_user_sessions"),
    path(f"{SESSION}/<str:pk>", sessions.access_session, name="api_user_session"),
    path(f"{SESSION}/<str:pk>/access-details", sessions.access_details, name="api_user_session_details"),
    path(f"{SESSION}/<str:pk>/reset-credentials", sessions.reset_credentials, name="api_user_session_reset"),
    path("api/user/v1/available-access/bundles", available.bundles, name="api_user_bundles"),
    path("api/user/v1/available-access/entitlements", available.entitlements, name="api_user_entitlements"),
    path(DELEGATED, requests.delegated_requests, name="api_user_delegated"),
    path(f"{DELEGATED}/<str:pk>", requests.delegated_request, name="api_user_delegated_one"),
    path(REQUEST, requests.access_requests, name="api_user_requests"),
    path(f"{REQUEST}/<str:pk>", requests.access_request, name="api_user_request"),
    path(f"{REQUEST}/<str:pk>/entitlements", requests.request_entitlements, name="api_user_request_entitlements"),
    path(f"{REQUEST}/<str:pk>/request-again", requests.request_again, name="api_user_request_again"),
    path(f"{REQUEST}/<str:pk>/revoke", requests.revoke, name="api_user_request_revoke"),
]
