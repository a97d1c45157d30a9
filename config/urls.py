"""Addresses."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("access_requests.urls")),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.account.urls")),
]
