"""The app's name for Django (tables and permissions say requests), and what it hears from the floors below."""

from django.apps import AppConfig


class AccessRequestsConfig(AppConfig):
    """Asks, approvals, grants."""

    name = "access_requests"
    label = "requests"
    verbose_name = "Access requests"

    def ready(self) -> None:
        """Declare what this app records, and listen to news."""
        from access_requests import hearing  # noqa: PLC0415 - models are not loaded before
        from access_requests.drift import AUDIT_ACTIONS as DRIFT_ACTIONS  # noqa: PLC0415
        from access_requests.entries import AUDIT_ACTIONS  # noqa: PLC0415
        from access_requests.telling import dependants_of, drift_panel, use_of  # noqa: PLC0415
        from audit.actions import declare  # noqa: PLC0415
        from integrations.queries import register_dependants, register_panel, register_use  # noqa: PLC0415

        declare(AUDIT_ACTIONS | DRIFT_ACTIONS)
        register_dependants("access_requests", dependants_of)
        register_use("access_requests", use_of)
        register_panel("drift", drift_panel)
        hearing.subscribe_all()
