"""The probe as an app: puts its own jobs on the timetable and its web socket on the routes."""

from django.apps import AppConfig


class ProbeConfig(AppConfig):
    """The probe."""

    name = "tests.platform.probe"
    label = "probe"

    def ready(self) -> None:
        """Replace the timetable, whose tasks need the whole product."""
        from config import timetable

        timetable.TIMETABLE = (timetable.Line("tests.platform.probe.tasks.tick", 1, "Shows that beat rings."),)
