"""The top floor as an app: it brings the commands and the system checks."""

from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin import apps as admin_apps


class DeskConfig(admin_apps.AdminConfig):
    """The admin site, with the pages that are of no single app."""

    default = False
    default_site = "config.desk.Desk"


class ConfigConfig(AppConfig):
    """Processes and checks."""

    default = True
    name = "config"
    verbose_name = "Latchkey"

    def ready(self) -> None:
        """Register the checks, begin to watch the timetable, and take its tables out of the admin's reach."""
        from audit.actions import declare  # noqa: PLC0415  # models load after the apps
        from config import checks, watchdog  # noqa: PLC0415
        from config.first_steps import AUDIT_ACTIONS  # noqa: PLC0415

        declare(AUDIT_ACTIONS)
        checks.register()
        watchdog.connect()
        # One click there would stop expiry. The timetable is a file; whoever changes it changes that.
        for model in apps.get_app_config("django_celery_beat").get_models():
            if admin.site.is_registered(model):
                admin.site.unregister(model)
