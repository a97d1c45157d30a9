"""Older addresses about requests."""

from django.urls import path

from access_requests.api.older import activity, requests

REQUEST = "api/v3/access-requests"

urlpatterns = [
    path(REQUEST, requests.access_requests, name="api_older_requests"),
    path("api/v3/access-requests-bulk/revoke", requests.revoke, name="api_older_requests_revoke"),
    path(f"{REQUEST}/<str:pk>", requests.access_request, name="api_older_request"),
    path(f"{REQUEST}/<str:pk>/access-details", requests.access_details, name="api_older_request_details"),
    path(f"{REQUEST}/<str:pk>/reset", requests.reset, name="api_older_request_reset"),
    path("api/v3/activity", activity.activity, name="api_older_activity"),
]
