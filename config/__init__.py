"""The top floor: settings, addresses, processes, the timetable. Imported by nobody."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
