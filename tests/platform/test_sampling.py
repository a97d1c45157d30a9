"""The fast lane's part of the long matrices: repeatable by its seed, never empty, and all of it in time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests import sampling

ROOT = Path(__file__).parents[2]
PROVIDERS = ("aws_account", "ssh", "ssh_trouble", "redis", "github", "mysql_apply", "mariadb")
CASES = [f"tests/journeys/test_outsider.py::test_nothing[{number}]" for number in range(10)]
TESTS = [
    *(f"tests/connectors/test_{one}.py::test_{number}" for one in PROVIDERS for number in range(3)),
    *(f"tests/desk/test_{one}.py::test_it" for one in "abc"),
    *(f"tests/demo/test_{one}.py::test_{number}" for one in "ab" for number in range(4)),
    *(f"tests/connectors/test_live.py::test_the_story_holds[{one}-access_is_given]" for one in PROVIDERS),
    *CASES,
    "tests/requests/test_lifecycle.py::test_it",
    "tests/requests/test_lifecycle.py::test_it[1]",
    "tests/portal/test_query_counts.py::test_it[1]",
]


def taken(seed: object, tests: list[str] = TESTS) -> list[str]:
    items: list[Any] = [SimpleNamespace(nodeid=one) for one in tests]
    takes = sampling.chosen(items, str(seed))
    return [one.nodeid for one in items if takes(one)]


def provider(test: str) -> str:
    match = sampling.ONE_PROVIDER.match(test)
    return match[1] if match else ""


@given(st.integers())
def test_what_decides_and_one_story_of_every_provider_is_always_there(seed: int) -> None:
    always = {one for one in TESTS if "lifecycle" in one or "access_is_given" in one or "query_counts" in one}
    assert always <= set(taken(seed))


@given(st.integers(), st.permutations(TESTS))
def test_the_seed_says_it_whatever_the_order(seed: int, tests: list[str]) -> None:
    assert set(taken(seed)) == set(taken(seed, tests))


@given(st.integers())
def test_of_each_matrix_there_is_the_part_that_is_said_and_never_nothing(seed: int) -> None:
    names = taken(seed)
    assert len([one for one in names if one in CASES]) == 4  # a third of ten, and never less than it
    assert len([one for one in names if one.startswith("tests/desk/")]) == 2
    assert len([one for one in names if one.startswith("tests/demo/")]) == 2


@given(st.integers())
def test_a_provider_is_tried_whole_or_not(seed: int) -> None:
    names = {one for one in taken(seed) if provider(one)}
    found = {provider(one) for one in names}
    assert len(found) == 2  # of six
    assert names == {one for one in TESTS if provider(one) in found}


def test_in_time_everything_is_tried() -> None:
    assert set().union(*(taken(seed) for seed in range(60))) == set(TESTS)


def test_two_that_are_alike_do_not_always_go_together() -> None:
    pairs = {(CASES[0] in names, CASES[1] in names) for names in map(taken, range(60))}
    assert len(pairs) == 4


def test_every_part_that_is_named_is_there() -> None:
    here = {*sampling.CASES, *sampling.TESTS, *sampling.FILES}
    assert not [one for one in here if not (ROOT / one).exists()]
