"""The app's name for Django, and what it says to the floors below."""

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    """Policy."""

    name = "flows"
    verbose_name = "Policy"

    def ready(self) -> None:
        """Declare what this app records."""
        from audit.actions import declare  # noqa: PLC0415 - models are not loaded before
        from flows.choices import AUDIT_ACTIONS  # noqa: PLC0415

        declare(AUDIT_ACTIONS)
