"""The app's name for Django."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Configured systems."""

    name = "integrations"
    verbose_name = "Integrations"
