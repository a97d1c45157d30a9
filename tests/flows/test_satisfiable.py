"""Approval that nobody could ever give is refused at save, and no other: against a plain search for somebody."""

from __future__ import annotations

import random
from typing import Any

import pytest

from accounts.models import User
from flows.findings.approvers import about_approval
from tests.cast import Cast
from tests.story import put_into

pytestmark = pytest.mark.django_db
GROUPS = ("engineers", "approvers", "nobody", "left")


@pytest.fixture
def people(cast: Cast) -> list[User]:
    put_into("engineers", cast.requester, cast.outsider)
    put_into("approvers", cast.approver)
    put_into("nobody")
    put_into("left", cast.admin)
    User.objects.filter(pk=cast.admin.pk).update(is_active=False)
    return list(User.objects.filter(is_active=True))


def a_group(rng: random.Random, people: list[User], most: int = 2) -> dict[str, Any]:
    values = {"group": GROUPS, "user": [*(one.email for one in people), "gone@example.com"]}
    conditions = []
    for _ in range(rng.randint(1, most)):
        kind = rng.choice(["group", "user"])
        operator = rng.choice(["is", "is", "is_not"])
        conditions.append({"type": kind, "operator": operator, "source": "", "values": [rng.choice(values[kind])]})
    return {"operator": rng.choice(["and", "or"]), "conditions": conditions}


def members(group: dict[str, Any], people: list[User]) -> set[Any]:
    def says(one: dict[str, Any], person: User) -> bool:
        held = {person.email} if one["type"] == "user" else {each.name for each in person.groups.all()}
        return bool(held & set(one["values"])) is (one["operator"] == "is")

    join = all if group["operator"] == "and" else any
    return {person.pk for person in people if join(says(one, person) for one in group["conditions"])}


def somebody_could(document: dict[str, Any], people: list[User]) -> bool:
    """Whether there is one who may ask, and others who could say all the yes that it takes."""
    approval = document["approval"]
    asking = members(document["requestors"], people) or {None}
    for person in asking:
        able = [bool(members(group, people) - {person}) for group in approval["groups"]]
        first = [one for one, group in zip(able, approval["groups"], strict=True) if group["tier"] == 0]
        later = [one for one, group in zip(able, approval["groups"], strict=True) if group["tier"]]
        if any(later) or (all(first) if approval["mode"] == "all_of" else any(first)):
            return True
    return False


def test_what_is_saved_somebody_could_approve_and_what_is_refused_nobody(
    people: list[User], rng: random.Random
) -> None:
    seen = set()
    for _ in range(60):
        tiers = [0] * rng.randint(1, 2) + ([1] if rng.random() < 0.3 else [])
        document = {
            "requestors": a_group(rng, people),
            "targets": [],
            "approval": {
                "mode": rng.choice(["any_of", "all_of"]),
                "groups": [a_group(rng, people) | {"tier": tier} for tier in tiers],
                "escalation_seconds": 600 if 1 in tiers else None,
            },
            "settings": {"self_approval": False},
        }
        told = about_approval(document)
        assert (told == []) is somebody_could(document, people), (told, document)
        seen.add(bool(told))
    assert seen == {True, False}
