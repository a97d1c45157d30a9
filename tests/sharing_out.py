"""Which process of a run takes which tests: a file's tests stay together, for they share its servers.

The exception are the stories every provider is told: a provider's are together, for each has a target of its own. They
take longest, so they go first; else the last process would be at them when all others have ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

STORIES = "tests/connectors/test_live.py"
# What takes minutes, whatever the machine, the longest first.
LONG = (
    "tests/torture/",
    "tests/connectors/test_aws_account.py",
    "tests/connectors/test_ssh",
    "tests/connectors/test_active_directory.py",
    STORIES,
    "tests/connectors/test_windows_domain_controller.py",
    "tests/platform/test_up.py",
    "tests/demo/",
)


class TogetherByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out files; of the stories, providers."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """Return what a test stays together with."""
    file, _, rest = nodeid.partition("::")
    if file != STORIES or "[" not in rest:
        return file
    told = rest.partition("[")[2]
    return f"{file} {max((one for one in _providers() if told.startswith(one)), key=len, default='')}"


def _providers() -> list[str]:
    """Return the names of providers: the folders."""
    return [one.name for one in (Path(__file__).parents[1] / "connectors" / "providers").iterdir()]


def long_ones_first(items: list[pytest.Item]) -> None:
    """Put first what takes longest; what is together stays in its order."""
    items.sort(key=lambda item: next((at for at, one in enumerate(LONG) if item.nodeid.startswith(one)), len(LONG)))


def scheduler(config: pytest.Config, log: Any) -> TogetherByFile:
    """Return how xdist hands out the tests."""
    return TogetherByFile(config, log)
