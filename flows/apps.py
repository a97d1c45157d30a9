"""The app's name for Django, and what it says to the floors below."""

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    """Policy."""

    name = "flows"
    verbose_name = "Policy"

    def ready(self) -> None:
        """Declare what this app records, and say what of it depends on integrations."""
        from accounts.regrouping import register_foretelling  # noqa: PLC0415
        from accounts.spaces import read_also  # noqa: PLC0415
        from audit.actions import declare  # noqa: PLC0415 - models are not loaded before
        from flows.choices import AUDIT_ACTIONS  # noqa: PLC0415
        from flows.foretelling import foretell_group  # noqa: PLC0415
        from flows.queries import dependants_of, space_rows, use_of  # noqa: PLC0415
        from integrations.queries import register_dependants, register_use  # noqa: PLC0415

        declare(AUDIT_ACTIONS)
        read_also("flows", space_rows)
        register_dependants("flows", dependants_of)
        register_use("flows", use_of)
        register_foretelling("flows", foretell_group)
