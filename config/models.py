"""What the platform remembers of itself."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """When a job of the timetable last ran to its end."""

    name = models.CharField(max_length=200, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        """Written by the watchdog, edited by nobody."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name the job and the time."""
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"


class SkippedStep(models.Model):
    """A first step that somebody chose not to take here. What is done is never stored: it is looked at."""

    step = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        """Written by config.first_steps."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name the step."""
        return self.step
