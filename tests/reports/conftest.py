"""Fixtures of the tests of activity, reports and exports: the portal's stage and browser."""

from tests.portal.conftest import enter, stage

__all__ = ["enter", "stage"]
