"""The top floor as an app: it brings the commands and the system checks."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Processes and checks."""

    name = "config"
    verbose_name = "Latchkey"
