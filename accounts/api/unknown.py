"""The answer to every address of the API that there is not: included last of all (config/urls.py)."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from accounts.rest.views import unknown

urlpatterns: list[URLPattern] = [re_path(r"^api/(?P<rest>.*)$", unknown, name="api_unknown")]
