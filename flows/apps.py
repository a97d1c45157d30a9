"""The app's name for Django."""

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    """Policy."""

    name = "flows"
    verbose_name = "Policy"
