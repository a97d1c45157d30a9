"""What the fast lane takes of the long matrices in one run. The seed says which part; the full lane takes all.

What decides, gives, ends and proves is in every run. Sampled is where many cases are alike (a story told of every
provider, a page seen by every person, an address tried by every outsider), and what only shows.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol


class Test(Protocol):
    """What is read of a test."""

    nodeid: str


# Of the cases of each test of these files one in so many.
CASES = {
    "tests/connectors/test_live.py": 3,
    "tests/accounts/test_every_action.py": 3,
    "tests/journeys/test_outsider.py": 3,
    "tests/journeys/test_every_provider.py": 3,
    "tests/remote/test_every_provider.py": 3,
    "tests/browser/test_every_page.py": 3,
    "tests/browser/test_explaining_journeys.py": 2,
    "tests/browser/test_policy_journeys.py": 2,
    "tests/browser/test_journey.py": 2,
    "tests/browser/test_security_key.py": 2,
    "tests/platform/test_settings.py": 3,
    "tests/desk/test_roles.py": 2,
}
# Of all tests of these, whatever file they are in, one in so many.
TESTS = {
    "tests/demo/": 4,
    "tests/platform/test_up.py": 3,
    "tests/client_api/": 4,
    "tests/api/test_browser.py": 3,
    "tests/sign_in/test_browser.py": 3,
    "tests/sign_in/test_hostile.py": 2,
    "tests/people/": 8,
    "tests/older_api/": 6,
    "tests/user_api/": 4,
    "tests/command_line/": 4,
    "tests/public/": 4,
    "tests/scim/": 3,
}
# Of these files one in so many.
FILES = {"tests/desk/": 2, "tests/portal/": 2, "tests/reports/": 2, "tests/browser/": 2}
# What only one provider's tests try: one in so many providers. (A story of each is told in every run all the same.)
PROVIDERS = 3
ONE_PROVIDER = re.compile(
    r"tests/connectors/test_(active_directory|aws|gcp|github|kube|mysql|mariadb|postgresql|rabbitmq|redis|ssh|windows)"
)
# Each run says that no directory empties us without a yes, that what breaks off changes nothing, and that what of a
# client's calls is other people's stays theirs.
ALWAYS = re.compile(
    r"test_live\.py::.*access_is_given|test_query_counts\.py|(client|user)_api/test_theirs\.py"
    r"|older_api/test_outsider\.py|command_line/test_journey\.py"
    r"|tests/people/test_(taking_over\.py::test_more_than_a_tenth|okta\.py::test_a_page_that_fails)"
)


def chosen(tests: Iterable[Test], seed: str) -> Callable[[Test], bool]:
    """Return whether a run with this seed takes a test. All tests there are have to be given, whichever run here."""
    pools: dict[tuple[str, int], set[str]] = defaultdict(set)
    for test in tests:
        for pool, unit, one_in in _places(test.nodeid):
            pools[pool, one_in].add(unit)
    taken = {
        pool: set(sorted(units, key=lambda unit: _chance(seed, pool, unit))[: -(-len(units) // one_in)])
        for (pool, one_in), units in pools.items()
    }
    return lambda test: all(unit in taken[pool] for pool, unit, _ in _places(test.nodeid))


def _chance(seed: str, pool: str, unit: str) -> bytes:
    """Return where a unit stands. Not a checksum: its bits would move for all units alike with the seed."""
    return hashlib.sha256(f"{seed}:{pool}:{unit}".encode()).digest()


def _places(nodeid: str) -> list[tuple[str, str, int]]:
    """Return (pool, what of it this test is part of, one in how many of the pool a run takes)."""
    if ALWAYS.search(nodeid):
        return []
    file, _, rest = nodeid.partition("::")
    found = []
    if file in CASES and "[" in rest:
        found.append((f"{file}::{rest.partition('[')[0]}", nodeid, CASES[file]))
    if pool := next((one for one in TESTS if file.startswith(one)), None):
        found.append((pool, nodeid, TESTS[pool]))
    if file not in CASES and (pool := next((one for one in FILES if file.startswith(one)), None)):
        found.append((pool, file, FILES[pool]))
    if provider := ONE_PROVIDER.match(file):
        found.append(("providers", provider[1], PROVIDERS))
    return found
