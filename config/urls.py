"""Addresses."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import metrics, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("metrics", metrics.metrics, name="metrics"),
    path("readyz", views.readyz, name="readyz"),
    path("", include("access_requests.api.client.urls")),
    path("", include("access_requests.api.extensions.urls")),
    path("", include("access_requests.api.older.urls")),
    path("", include("access_requests.api.user.urls")),
    path("", include("access_requests.api.selectable")),
    path("", include("access_requests.urls")),
    path("", include("accounts.urls")),
    path("", include("audit.urls")),
    path("", include("accounts.api.urls")),
    path("", include("flows.api.urls")),
    path("", include("integrations.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("accounts.api.unknown")),
]
