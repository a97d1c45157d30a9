"""A request that takes a second factor waits for it, unseen by approvers; one success lasts an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access_requests import actions, queries
from access_requests.actions import letters as writing
from access_requests.choices import EndReason
from access_requests.models import AccessRequest
from accounts import actions as people
from accounts import factors
from accounts.models import Letter, User
from audit.models import AuditEntry
from tests.accounts.threads import together
from tests.cast import Cast
from tests.story import Story, begin, flow, simulated_provider, take_factor

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HOUR = timedelta(hours=1)


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """A flow that takes a second factor and then an approver's yes."""
    with simulated_provider():
        told = begin(cast)
        take_factor(flow(told.integration))
        yield told


def prove(story: Story, request: AccessRequest, user: User | None = None, **more: Any) -> AccessRequest:
    who = user or story.cast.requester
    return actions.prove_factor(request, user=who, actor=story.by(who), at=story.now, **more)


def with_app(story: Story, user: User) -> list[str]:
    """Give somebody an app, set up ten minutes ago."""
    then = timezone.now() - timedelta(minutes=10)
    return people.add_app(user, SECRET, factors.code_of(SECRET, then), actor=story.by(user), at=then)


def at_the_portal(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_it_waits_for_the_factor_and_then_for_the_approver(story: Story) -> None:
    request = story.ask("orders_prod")
    assert story.fresh(request).state == "pending_mfa"
    proven = prove(story, request)
    assert (proven.state, proven.mfa_at) == ("pending", story.now)
    actions_of = AuditEntry.objects.filter(subject_id=str(request.pk)).order_by("id").values_list("action", flat=True)
    assert list(actions_of)[-2:] == ["request.factor_proven", "request.pending"]
    story.approve(request)
    story.work()
    assert story.fresh(request).state == "active"


def test_an_approver_has_no_task_and_no_letter_before(story: Story) -> None:
    request, abel = story.ask("orders_prod"), story.cast.approver
    story.now += timedelta(minutes=5)
    writing.sweep(at=story.now)
    assert (queries.task_count(abel), list(queries.tasks_of(abel)), Letter.objects.count()) == (0, [], 0)
    assert "orders_prod" not in at_the_portal(abel).get("/tasks/").content.decode()
    with pytest.raises(actions.NotPossible):
        story.approve(request)
    prove(story, request)
    writing.sweep(at=story.now)
    assert (queries.task_count(abel), Letter.objects.filter(to=abel).count()) == (1, 1)


def test_only_the_requestor_proves_it(story: Story) -> None:
    request = story.ask("orders_prod")
    for other in (story.cast.approver, story.cast.admin, story.cast.outsider):
        with pytest.raises(actions.NotYours):
            prove(story, request, other)
    people.disable_user(story.cast.requester, actor=story.by(story.cast.admin))
    with pytest.raises(actions.NotYours):
        prove(story, request)
    assert story.fresh(request).mfa_at is None


def test_it_is_proven_once_whoever_is_quicker(story: Story) -> None:
    request = story.ask("orders_prod")
    results = together(lambda: prove(story, request), lambda: prove(story, request))
    assert sum(isinstance(one, actions.NotPossible) for one in results) == 1
    assert AuditEntry.objects.filter(action="request.factor_proven").count() == 1
    with pytest.raises(actions.NotPossible):
        prove(story, request)


@pytest.mark.parametrize(
    ("ago", "good"), [(HOUR, False), (HOUR - timedelta(seconds=1), True), (-timedelta(seconds=1), False)]
)
def test_one_success_lasts_an_hour(story: Story, ago: timedelta, good: bool) -> None:
    when = story.now - ago
    asked = story.ask("orders_prod", mfa_at=when)
    assert (asked.state, asked.mfa_at) == (("pending", when) if good else ("pending_mfa", None))
    waiting = story.ask("orders_dev")
    if good:
        assert prove(story, waiting, proven_at=when).mfa_at == when
    else:
        with pytest.raises(actions.NotPossible):
            prove(story, waiting, proven_at=when)


def test_it_lapses_by_its_own_time_and_says_what_was_missing(story: Story) -> None:
    request = story.ask("orders_prod")
    assert request.lapses_at is not None
    story.now = request.lapses_at
    story.work()
    ended = story.fresh(request)
    assert (ended.state, ended.end_reason) == ("lapsed", EndReason.NO_ANSWER)
    assert ended.note == "No second factor was proven in time."
    with pytest.raises(actions.NotPossible):
        prove(story, request)


def test_it_can_be_withdrawn_while_it_waits(story: Story) -> None:
    request, rita = story.ask("orders_prod"), story.cast.requester
    actions.cancel(request, user=rita, actor=story.by(rita), at=story.now)
    assert story.fresh(request).state == "cancelled"


def asked_now(story: Story, *names: str) -> AccessRequest:
    """Have Rita ask at the real time, which pages go by."""
    story.now = timezone.now()
    return story.ask(*(names or ("orders_prod",)))


def page_of(request: AccessRequest) -> str:
    return reverse("request_factor", args=[request.pk])


def test_who_has_no_factor_is_told_what_to_do_and_the_request_waits(story: Story) -> None:
    request, rita = asked_now(story), at_the_portal(story.cast.requester)
    said = rita.get(page_of(request)).content.decode()
    assert "You have no second factor yet" in said
    assert reverse("second_factor") in said
    assert rita.post(page_of(request), {"code": "123456"}).status_code == 422
    assert story.fresh(request).state == "pending_mfa"
    assert "Prove your second factor" in rita.get(reverse("request_page", args=[request.pk])).content.decode()


def test_a_right_code_lets_it_go_on_and_the_next_takes_one_press(story: Story) -> None:
    first, rita = asked_now(story), at_the_portal(story.cast.requester)
    with_app(story, story.cast.requester)
    answer = rita.post(page_of(first), {"code": factors.code_of(SECRET, timezone.now())})
    assert (answer.status_code, answer["Location"]) == (302, reverse("request_page", args=[first.pk]))
    assert story.fresh(first).state == "pending"
    second = asked_now(story, "orders_dev")
    assert "that still counts" in rita.get(page_of(second)).content.decode()
    rita.post(page_of(second))
    assert story.fresh(second).state == "pending"
    # In another session nothing counts, though it is the same person.
    third, elsewhere = asked_now(story), at_the_portal(story.cast.requester)
    assert elsewhere.post(page_of(third)).status_code == 422
    assert story.fresh(third).state == "pending_mfa"


def test_a_recovery_code_does_as_well(story: Story) -> None:
    request = asked_now(story)
    codes = with_app(story, story.cast.requester)
    at_the_portal(story.cast.requester).post(page_of(request), {"code": codes[0]})
    assert story.fresh(request).state == "pending"


def test_an_hour_later_it_is_asked_for_again(story: Story) -> None:
    request, rita = asked_now(story), at_the_portal(story.cast.requester)
    with_app(story, story.cast.requester)
    session = rita.session
    factors.remember(session, story.cast.requester, timezone.now() - HOUR)
    session.save()
    assert "that still counts" not in rita.get(page_of(request)).content.decode()
    assert rita.post(page_of(request)).status_code == 422
    assert story.fresh(request).state == "pending_mfa"


def test_what_somebody_else_proved_in_this_browser_counts_for_nobody_else(story: Story) -> None:
    request, browser = asked_now(story), at_the_portal(story.cast.outsider)
    session = browser.session
    factors.remember(session, story.cast.outsider, timezone.now())
    session.save()
    browser.force_login(story.cast.requester)
    assert browser.post(page_of(request)).status_code == 422
    session = browser.session
    factors.remember(session, story.cast.outsider, timezone.now())
    session.save()
    assert browser.post(page_of(request)).status_code == 422
    assert story.fresh(request).state == "pending_mfa"


def test_the_page_is_the_requestors_alone(story: Story) -> None:
    request = asked_now(story)
    for other in (story.cast.approver, story.cast.admin, story.cast.outsider):
        browser = at_the_portal(other)
        assert (browser.get(page_of(request)).status_code, browser.post(page_of(request)).status_code) == (404, 404)


def test_guessing_is_stopped_and_every_guess_is_in_the_trail_without_its_code(story: Story) -> None:
    request, rita = asked_now(story), at_the_portal(story.cast.requester)
    with_app(story, story.cast.requester)
    answers = [rita.post(page_of(request), {"code": f"00000{number}"}).status_code for number in range(10)]
    assert answers == [422] * 10
    stopped = rita.post(page_of(request), {"code": factors.code_of(SECRET, timezone.now())})
    assert (stopped.status_code, "Too often" in stopped.content.decode()) == (429, True)
    assert story.fresh(request).state == "pending_mfa"
    refusals = AuditEntry.objects.filter(action="user.factor_refused")
    assert refusals.count() == 10
    assert "00000" not in str([one.details for one in refusals])


def test_asking_from_the_portal_leads_there_and_passes_on_what_counts(story: Story) -> None:
    rita = at_the_portal(story.cast.requester)

    def send(name: str) -> Any:
        resource, permission = story.pair(name)
        form = {"pick": [f"{resource}:{permission}"], "duration": "3600", "justification": "INC-1", "do": "send"}
        return rita.post("/requests/new/", form)

    sent = send("orders_prod")
    request = AccessRequest.objects.latest("pk")
    assert (sent["Location"], request.state) == (page_of(request), "pending_mfa")
    session = rita.session
    factors.remember(session, story.cast.requester, timezone.now())
    session.save()
    send("orders_dev")
    assert AccessRequest.objects.latest("pk").state == "pending"
