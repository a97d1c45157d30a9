"""Latchkey's settings with the probe in it."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.platform.probe"]  # noqa: F405
ROOT_URLCONF = "tests.platform.probe.urls"
