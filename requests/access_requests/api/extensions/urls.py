"""Addresses of the extensions of the client API."""

from django.urls import path

from access_requests.api.client.urls import BASE as CLIENT
from access_requests.api.extensions import previewing, reasons

BASE = f"{CLIENT}/extensions"

urlpatterns = [
    path(f"{BASE}/preview", previewing.preview, name="api_extension_preview"),
    path(f"{BASE}/why-not", reasons.why_not, name="api_extension_why_not"),
]
