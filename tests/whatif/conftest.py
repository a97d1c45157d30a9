"""The admin site with a simulated target behind it, as tests/desk has it."""

from tests.desk.conftest import desk, simulated

__all__ = ["desk", "simulated"]
