"""The top floor as an app: it brings the commands and the system checks."""

from django.apps import AppConfig, apps
from django.contrib import admin


class ConfigConfig(AppConfig):
    """Processes and checks."""

    name = "config"
    verbose_name = "Latchkey"

    def ready(self) -> None:
        """Register the checks, begin to watch the timetable, and take its tables out of the admin's reach."""
        from config import checks, watchdog  # noqa: PLC0415  # models load after the apps

        checks.register()
        watchdog.connect()
        # One click there would stop expiry. The timetable is a file; whoever changes it changes that.
        for model in apps.get_app_config("django_celery_beat").get_models():
            if admin.site.is_registered(model):
                admin.site.unregister(model)
