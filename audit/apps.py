"""The app's name for Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The trail."""

    name = "audit"
    verbose_name = "Audit"
