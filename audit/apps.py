"""The app's name for Django, and the guard over its tables."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    """The trail."""

    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Watch over the triggers."""
        from audit import checks, triggers  # noqa: PLC0415  # signals and checks are wired when the app is ready

        pre_migrate.connect(triggers.before_migrate, sender=self, dispatch_uid="audit.triggers")
        post_migrate.connect(triggers.after_migrate, sender=self, dispatch_uid="audit.triggers")
        register(checks.check_triggers, Tags.database)
