"""Escalation: who is asked next when nobody answers, and whose yes is enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from access_requests import actions
from access_requests.actions import tiers
from access_requests.actions.rules import enough
from access_requests.models import AccessRequest, Approval
from accounts.models import User
from audit.models import AuditEntry
from flows.models import AccessFlow
from integrations.models import IntegrationOwner
from tests.cast import person
from tests.story import Story, amend, approval, asked, put_into

HALF_HOUR = 1800


@pytest.fixture
def chain(story: Story) -> dict[str, User]:
    """The approvers are asked first, then the leads, then the directors; half an hour apart."""
    people = {name: person(name) for name in ("Lena", "Dirk")}
    put_into("leads", people["Lena"])
    put_into("directors", people["Dirk"])
    escalating(story, asked("approvers"), asked("leads", tier=1), asked("directors", tier=2))
    return people


def escalating(story: Story, *groups: dict[str, Any], mode: str = "any_of") -> None:
    amend(AccessFlow.objects.get(), approval=approval(*groups, mode=mode, after=HALF_HOUR))


def pass_time(story: Story, seconds: float) -> int:
    story.now += timedelta(seconds=seconds)
    return tiers.sweep_escalations(at=story.now)


def names(request: AccessRequest) -> list[tuple[int, int, str]]:
    rows = Approval.objects.filter(request=request).order_by("group_index")
    return [(one.tier, one.group_index, one.approver.name) for one in rows]


def yes(story: Story, request: AccessRequest, user: User) -> str:
    actions.approve(request, approver=user, actor=story.by(user), at=story.now)
    return story.fresh(request).state


def test_each_tier_is_asked_when_nobody_answered_for_the_interval(story: Story, chain: dict[str, User]) -> None:
    request = story.ask("orders_prod")
    assert names(request) == [(0, 0, "Abel")]
    assert pass_time(story, HALF_HOUR - 1) == 0
    assert pass_time(story, 1) == 1
    assert names(request) == [(0, 0, "Abel"), (1, 1, "Lena")]
    assert pass_time(story, HALF_HOUR - 1) == 0
    assert pass_time(story, 1) == 1
    assert names(request)[2:] == [(2, 2, "Dirk")]
    assert pass_time(story, 10 * HALF_HOUR) == 0
    entries = AuditEntry.objects.filter(action="request.escalated").order_by("pk")
    assert [entry.details["asked"] for entry in entries] == [["lena@example.com"], ["dirk@example.com"]]


def test_sweeping_twice_asks_once(story: Story, chain: dict[str, User]) -> None:
    request = story.ask("orders_prod")
    story.now += timedelta(seconds=HALF_HOUR)
    found = AccessRequest.objects.get(pk=request.pk)
    assert tiers.escalate(found, at=story.now)
    # As a second process that had found it due before.
    assert not tiers.escalate(found, at=story.now)
    assert len(names(request)) == 2


def test_an_earlier_tier_may_still_answer_and_then_nobody_else_is_asked(story: Story, chain: dict[str, User]) -> None:
    request = story.ask("orders_prod")
    pass_time(story, HALF_HOUR)
    assert yes(story, request, story.cast.approver) == "approved"
    assert pass_time(story, HALF_HOUR) == 0
    assert len(names(request)) == 2


def test_a_tier_of_nobody_is_not_waited_for(story: Story, chain: dict[str, User]) -> None:
    escalating(story, asked("approvers"), asked("nobody at all", tier=1), asked("directors", tier=2))
    request = story.ask("orders_prod")
    assert pass_time(story, HALF_HOUR) == 1
    assert names(request)[1:] == [(2, 2, "Dirk")]
    assert story.fresh(request).escalates_at is None


def test_who_asks_is_nobody_in_a_tier(story: Story, chain: dict[str, User]) -> None:
    put_into("bosses", story.cast.requester)
    escalating(story, asked("approvers"), asked("bosses", tier=1), asked("directors", tier=2))
    request = story.ask("orders_prod")
    pass_time(story, HALF_HOUR)
    assert names(request)[1:] == [(2, 2, "Dirk")]


def test_when_nobody_is_in_the_first_tier_the_next_is_asked_at_once(story: Story, chain: dict[str, User]) -> None:
    escalating(story, asked("nobody at all"), asked("leads", tier=1), asked("directors", tier=2))
    request = story.ask("orders_prod")
    assert names(request) == [(1, 1, "Lena")]
    assert pass_time(story, HALF_HOUR) == 1
    assert yes(story, request, chain["Lena"]) == "approved"


def test_all_of_takes_one_of_each_first_group_by_its_real_index(story: Story, chain: dict[str, User]) -> None:
    # Stored in an order in which positions and indexes differ.
    escalating(story, asked("directors", tier=1), asked("approvers"), asked("leads"), mode="all_of")
    request = story.ask("orders_prod")
    assert names(request) == [(0, 1, "Abel"), (0, 2, "Lena")]
    assert yes(story, request, story.cast.approver) == "pending"
    assert yes(story, request, chain["Lena"]) == "approved"


def test_a_yes_of_a_later_tier_stands_for_all_of_the_first(story: Story, chain: dict[str, User]) -> None:
    escalating(story, asked("directors", tier=1), asked("approvers"), asked("leads"), mode="all_of")
    request = story.ask("orders_prod")
    yes(story, request, story.cast.approver)
    pass_time(story, HALF_HOUR)
    assert yes(story, request, chain["Dirk"]) == "approved"


def test_all_of_with_nobody_in_one_group_and_no_later_tier_is_refused(story: Story) -> None:
    escalating(story, asked("approvers"), asked("nobody at all"), mode="all_of")
    with pytest.raises(actions.BadAsk, match="Nobody but you could approve"):
        story.ask("orders_prod")


def test_an_extension_escalates_as_a_request_does(story: Story, chain: dict[str, User]) -> None:
    amend(AccessFlow.objects.get(), settings={"max_extensions": 1, "extension_seconds": 7200})
    request, rita = story.granted("orders_prod"), story.cast.requester
    more = actions.extend(request, user=rita, actor=story.by(rita), seconds=600, justification="more", at=story.now)
    assert pass_time(story, HALF_HOUR) == 1
    assert {one.approver.name for one in more.approvals.all()} == {"Abel", "Lena"}
    lena = chain["Lena"]
    given_ = actions.approve_extension(more, approver=lena, actor=story.by(lena), at=story.now)
    assert given_.state == "approved"


def test_an_owner_of_the_integration_is_asked_where_no_tag_names_one(story: Story, chain: dict[str, User]) -> None:
    IntegrationOwner.objects.create(integration=story.integration, user=chain["Lena"])
    escalating(story, asked(kind="Owner"), asked(kind="Owner", tier=1))
    request = story.ask("orders_prod")
    assert names(request) == [(0, 0, "Lena")]
    IntegrationOwner.objects.update(user=chain["Dirk"])
    # A later tier asks whoever owns it by then.
    pass_time(story, HALF_HOUR)
    assert names(request)[1:] == [(1, 1, "Dirk")]


@pytest.mark.django_db
@given(
    groups=some.lists(some.integers(0, 2), min_size=1, max_size=5),
    said=some.sets(some.integers(0, 4)),
    mode=some.sampled_from(["any_of", "all_of"]),
)
def test_enough_is_what_the_rule_says(groups: list[int], said: set[int], mode: str) -> None:
    answers = {index for index in said if index < len(groups)}
    document = {"approval": {"mode": mode, "groups": [{"tier": tier} for tier in groups]}}
    first = [index for index, tier in enumerate(groups) if tier == 0]
    each_first = bool(first) and all(index in answers for index in first)
    expected = bool(answers) if mode == "any_of" else each_first or any(groups[index] for index in answers)
    assert enough(_Rows(answers), document) == expected  # type: ignore[arg-type]


class _Rows:
    """Answers as the database would give them."""

    def __init__(self, indexes: set[int]) -> None:
        """Keep the indexes of groups that said yes."""
        self.indexes = indexes

    def filter(self, **_: object) -> _Rows:
        """Return those who said yes: all of these."""
        return self

    def values_list(self, *_: object, **__: object) -> set[int]:
        """Return the indexes."""
        return self.indexes
