"""Filters mean what a naive reading of RFC 7644 means by them, on whatever is pushed; and what is wrong is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from accounts import actions
from accounts.models import PushedGroup, PushedPerson
from accounts.scim import filters, people
from accounts.scim.facts import read
from accounts.scim.resources import Person
from audit.actor import system
from tests.scim.directory import ENTERPRISE, Directory, Json, person

pytestmark = pytest.mark.django_db

TEXTS = ["a", "A", "ab", "B%", "b_", "É", "e\u0301", "ss", "ß", "z' or 1=1", 'q"', "\\", "İ", "k", "zz"]
TYPES = ["work", "Work", "home"]
# How a filter names an attribute, and how one finds its values in a document.
NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "nickName": ("nickName",),
    "name.givenName": ("name", "givenName"),
    f"{ENTERPRISE}:department": (ENTERPRISE, "department"),
    "externalId": ("externalId",),
    "addresses.locality": ("addresses", "locality"),
    "addresses.type": ("addresses", "type"),
}


@some.composite
def documents(draw: Any) -> Json:
    """Make what is pushed of one person."""
    told: Json = {
        name: draw(some.sampled_from(TEXTS)) for name in ("title", "nickName", "externalId") if draw(some.booleans())
    }
    if draw(some.booleans()):
        told["name"] = {"givenName": draw(some.sampled_from(TEXTS))}
    if draw(some.booleans()):
        told[ENTERPRISE] = {"department": draw(some.sampled_from(TEXTS))}
    places = some.fixed_dictionaries(
        {"locality": some.sampled_from(TEXTS)}, optional={"type": some.sampled_from(TYPES)}
    )
    if addresses := draw(some.lists(places, max_size=3)):
        told["addresses"] = addresses
    return told | {"active": draw(some.booleans())}


def compared(names: list[str]) -> Any:
    """Make comparisons as (text, tree)."""
    ops = some.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
    tests = some.tuples(some.sampled_from(names), ops, some.sampled_from([*TEXTS, *TYPES, ""]))
    present = some.tuples(some.sampled_from(names), some.just("pr"), some.just(""))
    return some.one_of(tests, present)


PARTS = some.tuples(
    some.just("["),
    some.recursive(
        compared(["locality", "type"]),
        lambda inner: some.one_of(
            some.tuples(some.just("not"), inner), some.tuples(some.sampled_from(["and", "or"]), inner, inner)
        ),
        max_leaves=3,
    ),
)
TREES = some.recursive(
    some.one_of(compared(list(NAMES)), PARTS, some.tuples(some.just("active"), some.booleans())),
    lambda inner: some.one_of(
        some.tuples(some.just("not"), inner), some.tuples(some.sampled_from(["and", "or"]), inner, inner)
    ),
    max_leaves=5,
)


def written(tree: Any) -> str:
    """Write a tree as a filter."""
    match tree:
        case ("not", inner):
            return f"not ({written(inner)})"
        case ("and" | "or" as word, left, right):
            return f"({written(left)}) {word} ({written(right)})"
        case ("[", inner):
            return f"addresses[{written(inner)}]"
        case ("active", value):
            return f"active eq {'true' if value else 'false'}"
        case (name, "pr", _):
            return f"{name} pr"
        case (name, op, value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'{name} {op} "{escaped}"'
    raise AssertionError(tree)


def holds(tree: Any, told: Json, item: Json | None = None) -> bool:
    """Say naively whether a document fulfils a tree."""
    match tree:
        case ("not", inner):
            return not holds(inner, told, item)
        case ("and", left, right):
            return holds(left, told, item) and holds(right, told, item)
        case ("or", left, right):
            return holds(left, told, item) or holds(right, told, item)
        case ("[", inner):
            return any(holds(inner, told, one) for one in told.get("addresses", []))
        case ("active", value):
            return bool(told["active"] == value)
        case (name, op, value):
            return _compares(_values(name, told, item), op, value, exact=name == "externalId")
    raise AssertionError(tree)


def _values(name: str, told: Json, item: Json | None) -> list[str]:
    if item is not None:
        return [item[name]] if name in item else []
    found: list[Any] = [told]
    for part in NAMES[name]:
        inner = [one[part] for one in found if part in one]
        found = [each for one in inner for each in (one if isinstance(one, list) else [one])]
    return found


def _compares(values: list[str], op: str, value: str, *, exact: bool) -> bool:
    import unicodedata

    def plain(text: str) -> str:
        text = unicodedata.normalize("NFC", text)
        return text if exact else unicodedata.normalize("NFC", text.lower())

    there, wanted = [plain(one) for one in values], plain(value)
    tests: dict[str, Callable[[str], bool]] = {
        "pr": bool,
        "eq": lambda one: one == wanted,
        "co": lambda one: wanted in one,
        "sw": lambda one: one.startswith(wanted),
        "ew": lambda one: one.endswith(wanted),
        "gt": lambda one: one > wanted,
        "ge": lambda one: one >= wanted,
        "lt": lambda one: one < wanted,
        "le": lambda one: one <= wanted,
    }
    if op == "ne":
        return wanted not in there
    return any(tests[op](one) for one in there)


@settings(max_examples=25)
@given(some.lists(documents(), min_size=1, max_size=4), some.lists(TREES, min_size=6, max_size=12))
def test_a_filter_finds_whom_a_naive_reading_finds(told: list[Json], trees: list[Any]) -> None:
    from django.db import transaction

    class Undo(Exception):
        pass

    try:
        with transaction.atomic():
            made = []
            for number, one in enumerate(told):
                resource = Person.model_validate(person(f"p{number}") | one)
                made.append((actions.provision(read(resource), actor=system()).pk, one))
            for tree in trees:
                found = set(PushedPerson.objects.filter(filters.people(written(tree))).values_list("pk", flat=True))
                assert found == {pk for pk, one in made if holds(tree, one)}, written(tree)
            rows = [people.resource(row) for row in people.rows()]
            assert len(rows) == len(told)
            raise Undo
    except Undo:
        return


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('id eq "{ann}"', {"ann"}),
        ('id ne "{ann}"', {"bob"}),
        ('emails co "ANN@"', {"ann"}),
        ('emails[type eq "work" and value sw "bob"]', {"bob"}),
        ('emails.primary eq true', {"ann", "bob"}),
        ('groups.value eq "{group}"', {"ann"}),
        ('groups pr', {"ann"}),
        (ENTERPRISE + ':manager.value eq "{ann}"', {"bob"}),
        (ENTERPRISE + ":manager pr", {"bob"}),
        (ENTERPRISE + ":department pr", set()),
        ("title eq null", {"ann", "bob"}),
        ("userName ne null", {"ann", "bob"}),
        ('meta.created gt "2000-01-01T00:00:00Z" and meta.lastModified lt "2100-01-01T00:00:00+02:00"', {"ann", "bob"}),
        ('USERNAME EQ "ANN" or urn:ietf:params:scim:schemas:core:2.0:User:userName eq "bob"', {"ann", "bob"}),
    ],
)  # fmt: skip
def test_filters_reach_what_stands_elsewhere(text: str, found: set[str]) -> None:
    idp = Directory()
    ann = idp.person("ann")
    idp.person("bob", **{ENTERPRISE: {"manager": {"value": ann["id"]}}})
    group = idp.group("Ops", ann["id"])
    told = text.replace("{ann}", ann["id"]).replace("{group}", group["id"])
    assert {one["userName"] for one in idp.found("Users", filter=told)["Resources"]} == found


def test_groups_are_found_by_name_and_by_member() -> None:
    idp = Directory()
    ann = idp.person("ann")
    group = idp.group("Ops Team", ann["id"])
    idp.group("Other")
    for text in (
        'displayName eq "ops team"',
        f'members.value eq "{ann["id"]}"',
        f'members[value eq "{ann["id"]}"]',
        f'id eq "{group["id"]}" and members eq "{ann["id"]}"',
        'displayName sw "OPS" and not (externalId pr)',
        'members pr',
    ):  # fmt: skip
        assert [one["id"] for one in idp.found("Groups", filter=text)["Resources"]] == [group["id"]], text
    assert idp.found("", filter='displayName eq "ops team"')["totalResults"] == 1
    assert idp.found("", count=2, startIndex=2)["totalResults"] == 3
    assert PushedGroup.objects.count() == 2


@pytest.mark.parametrize(
    "text",
    [
        "", "(", "userName", "userName eq", 'userName eq "a', "userName xx 1", 'nothing eq "x"', 'password eq "x"',
        "active gt true", 'active co "t"', "meta.created gt 5", 'meta.created gt "yesterday"', "title eq [1]",
        'emails[type eq "work"', 'name[givenName eq "x"]', "not userName pr", 'userName eq "a" and',
        'meta.location eq "x"', 'schemas eq "x"', 'groups.value co "x"', "(" * 500 + "title pr" + ")" * 500,
        "not (" * 60 + "title pr" + ")" * 60, " or ".join(["title pr"] * 200), 'title eq "' + "x" * 5000 + '"',
        'title eq "\x01"', "emails[emails[value pr]]",
    ],
)  # fmt: skip
def test_a_filter_that_is_wrong_or_too_much_is_refused_as_one(text: str) -> None:
    idp = Directory()
    idp.person("ann")
    answer = idp.call("POST", "Users/.search", {"filter": text or " "})
    assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter"), answer.body
