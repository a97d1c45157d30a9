"""The app's name for Django, and what it says to the floors below."""

from __future__ import annotations

import os
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from connectors.registry import BUILT_IN


class IntegrationsConfig(AppConfig):
    """Configured systems."""

    name = "integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        """Declare what this app records, and add the providers of one's own."""
        from accounts.inviting import ask_also  # noqa: PLC0415
        from audit.actions import declare  # noqa: PLC0415 - models are not loaded before
        from integrations.choices import AUDIT_ACTIONS  # noqa: PLC0415
        from integrations.queries import owns_something, people_panel, register_panel  # noqa: PLC0415

        declare(AUDIT_ACTIONS)
        ask_also("owners", owns_something)
        register_panel("people", people_panel)
        for folder in filter(None, settings.PROVIDERS.split(os.pathsep)):
            BUILT_IN.add(Path(folder))
