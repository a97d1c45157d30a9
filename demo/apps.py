"""The demo as an app: what it records, its provider, its way in."""

from pathlib import Path

from django.apps import AppConfig

from demo.folder import FIRST_ACTION

ACTIONS = {
    FIRST_ACTION: "Began a demo: everything marked Demo is made up",
    "demo.made": "Finished making the demo",
}
PROVIDERS = Path(__file__).resolve().parent / "providers"


class DemoConfig(AppConfig):
    """A made-up organisation."""

    name = "demo"
    verbose_name = "Demo"

    def ready(self) -> None:
        """Declare what is recorded, name the way in, and let the registry know the simulated systems."""
        from accounts import trail  # noqa: PLC0415  # needs the models, which are loaded only now
        from audit.actions import declare  # noqa: PLC0415
        from connectors.registry import BUILT_IN  # noqa: PLC0415

        declare(ACTIONS)
        BUILT_IN.add(PROVIDERS)
        trail.WAYS["demo_sign_in"] = "demo button"
