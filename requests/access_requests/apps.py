"""The app's name for Django: tables and permissions say requests."""

from django.apps import AppConfig


class AccessRequestsConfig(AppConfig):
    """Asks, approvals, grants."""

    name = "access_requests"
    label = "requests"
    verbose_name = "Access requests"
