"""The life of a grant, on a simulated target."""

from __future__ import annotations

import pytest

from access_requests import actions
from access_requests.models import Proof, StandingRecord
from connectors.contract.errors import CredentialsRejected, Unreachable
from connectors.contract.orders import Unit
from integrations.choices import OrderState
from integrations.models import Order
from tests.story import Story, unit


def test_a_request_is_approved_granted_and_ends_by_itself_with_proof(story: Story) -> None:
    request = story.ask("orders_prod", duration_seconds=1800)
    assert request.state == "pending"
    assert story.held() == set()
    story.approve(request)
    story.work()
    request = story.fresh(request)
    assert request.state == "active"
    assert request.ends_at is not None
    assert (request.ends_at - story.now).total_seconds() == 1800
    assert story.held() == {unit("orders_prod")}
    story.later(seconds=1799)
    assert story.fresh(request).state == "active"
    story.later(seconds=1)
    request = story.fresh(request)
    assert (request.state, request.ended_how, request.end_reason) == ("revoked", "proven", "time")
    assert story.held() == set()
    proof = Proof.objects.get(group__request=request)
    assert proof.found == []
    assert proof.due_at == request.due_at
    assert proof.lag_seconds == 0
    assert proof.functions == [{"name": "simulate", "digest": "0" * 64}]


def test_without_approval_access_opens_at_once(story: Story) -> None:
    from tests.story import flow

    flow(story.integration, "At once", mode="none", columns={"name": "At once", "grant_duration_minutes": 90})
    request = story.granted("orders_dev", duration_seconds=5400)
    assert request.state == "active"
    assert request.flow_name == "At once"


def test_a_no_ends_the_request(story: Story) -> None:
    request = story.ask("orders_prod")
    approver = story.cast.approver
    actions.reject(request, approver=approver, actor=story.by(approver), reason="not now", at=story.now)
    story.work()
    request = story.fresh(request)
    assert (request.state, request.note) == ("rejected", "not now")
    assert story.held() == set()


def test_who_was_not_asked_cannot_answer(story: Story) -> None:
    request = story.ask("orders_prod")
    for user in (story.cast.requester, story.cast.outsider, story.cast.admin):
        with pytest.raises(actions.NotYours):
            actions.approve(request, approver=user, actor=story.by(user), at=story.now)
    assert story.fresh(request).state == "pending"


def test_an_answer_counts_once_and_only_while_it_waits(story: Story) -> None:
    request = story.ask("orders_prod")
    story.approve(request)
    with pytest.raises(actions.NotPossible):
        story.approve(request)


def test_a_request_is_withdrawn_by_its_requestor_only(story: Story) -> None:
    request = story.ask("orders_prod")
    with pytest.raises(actions.NotYours):
        actions.cancel(request, user=story.cast.outsider, actor=story.by(story.cast.outsider), at=story.now)
    actions.cancel(request, user=story.cast.requester, actor=story.by(story.cast.requester), at=story.now)
    assert story.fresh(request).state == "cancelled"


def test_access_is_handed_back_early(story: Story) -> None:
    request = story.granted("orders_prod")
    with pytest.raises(actions.NotYours):
        actions.hand_back(request, user=story.cast.approver, actor=story.by(story.cast.approver), at=story.now)
    actions.hand_back(request, user=story.cast.requester, actor=story.by(story.cast.requester), at=story.now)
    story.work()
    request = story.fresh(request)
    assert (request.state, request.end_reason) == ("revoked", "handed_back")
    assert story.held() == set()


def test_an_admin_revokes_with_a_reason_and_an_outsider_cannot(story: Story) -> None:
    request = story.granted("orders_prod")
    admin, outsider = story.cast.admin, story.cast.outsider
    with pytest.raises(actions.NotYours):
        actions.revoke(request, user=outsider, actor=story.by(outsider), reason="because", at=story.now)
    with pytest.raises(actions.NotPossible):
        actions.revoke(request, user=admin, actor=story.by(admin), reason=" ", at=story.now)
    actions.revoke(request, user=admin, actor=story.by(admin), reason="an incident", at=story.now)
    story.work()
    request = story.fresh(request)
    assert (request.state, request.note) == ("revoked", "an incident")


def test_of_two_overlapping_grants_one_ends_and_the_other_stays(story: Story) -> None:
    first = story.granted("orders_prod", duration_seconds=600)
    second = story.granted("orders_prod", duration_seconds=1200)
    assert len(story.target.holds[str(story.cast.requester.pk)]) == 2
    story.later(seconds=600)
    assert story.fresh(first).state == "revoked"
    assert story.fresh(second).state == "active"
    assert story.held() == {unit("orders_prod")}
    story.later(seconds=600)
    assert story.fresh(second).state == "revoked"
    assert story.held() == set()


def test_a_target_that_is_down_at_the_end_is_tried_until_it_is_proven(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=60)
    story.target.down = Unreachable("It does not answer.")
    story.later(seconds=60)
    assert story.fresh(request).state == "revoking"
    story.later(seconds=61)
    late = story.fresh(request)
    assert late.overdue_since == late.due_at
    for _ in range(5):
        story.later(seconds=30)
    assert story.held() == {unit("orders_prod")}
    story.target.down = None
    story.later(hours=1)
    request = story.fresh(request)
    assert (request.state, request.ended_how) == ("revoked", "proven")
    assert story.held() == set()
    assert Proof.objects.get(group__request=request).lag_seconds > 3600


def test_a_read_back_that_still_finds_access_is_no_proof(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=60)
    grant = str(story.group(request).pk)
    story.target.stuck.add(grant)
    story.later(seconds=60)
    story.later(seconds=10)
    assert story.fresh(request).state == "revoking"
    assert not Proof.objects.exists()
    story.target.stuck.clear()
    story.later(seconds=10)
    assert story.fresh(request).state == "revoked"


def test_a_unit_that_cannot_be_granted_makes_a_warning(story: Story) -> None:
    story.target.ungrantable.add(unit("orders_dev"))
    request = story.granted("orders_prod", "orders_dev")
    assert (request.state, request.warning) == ("active", True)
    states = dict(story.group(request).units.values_list("resource_path", "state"))
    assert states == {"server/orders_prod": "active", "server/orders_dev": "failed"}


def test_when_nothing_could_be_granted_the_request_fails_after_a_read_back(story: Story) -> None:
    story.target.ungrantable.add(unit("orders_dev"))
    request = story.granted("orders_dev")
    assert request.state == "failed"
    assert "orders_dev is not there" in request.note
    assert Proof.objects.filter(group__request=request).exists()


def test_a_grant_that_cannot_work_is_given_up_and_its_end_is_seen_to(story: Story) -> None:
    story.target.down = CredentialsRejected("The password is wrong.", fix="Enter it again.")
    request = story.granted("orders_prod")
    assert (request.state, request.end_reason) == ("revoking", "nothing_granted")
    assert "The password is wrong. Enter it again." in request.note
    story.target.down = None
    story.later(hours=2)
    assert story.fresh(request).state == "revoked"


def test_a_grant_is_tried_while_the_target_does_not_answer_and_opens_when_it_does(story: Story) -> None:
    story.target.faults = [Unreachable("Not now."), Unreachable("Not now.")]
    request = story.ask("orders_prod", duration_seconds=600)
    story.approve(request)
    story.work()
    assert story.fresh(request).state == "granting"
    story.later(seconds=20)
    story.later(seconds=20)
    request = story.fresh(request)
    assert request.state == "active"
    assert request.activated_at == story.now or (story.now - request.activated_at).total_seconds() <= 20
    assert (request.ends_at - request.activated_at).total_seconds() == 600


def test_nobody_answers_and_it_lapses(story: Story) -> None:
    request = story.ask("orders_prod")
    story.later(hours=25)
    request = story.fresh(request)
    assert (request.state, request.end_reason) == ("lapsed", "no_answer")


def test_standing_access_is_recorded_and_never_asked_to_go(story: Story) -> None:
    story.target.standing.append(Unit("database", "orders_dev", "ADMIN"))
    request = story.granted("orders_prod", duration_seconds=60)
    record = StandingRecord.objects.get()
    assert (record.login, record.resource, record.permission) == ("standing_login", "orders_dev", "ADMIN")
    story.later(seconds=60)
    assert story.fresh(request).state == "revoked"
    assert story.target.standing == [Unit("database", "orders_dev", "ADMIN")]
    assert StandingRecord.objects.count() == 1


def test_a_login_left_behind_is_cleaned_up_when_its_days_are_over(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=60)
    story.later(seconds=60)
    login = story.group(request).login
    assert login in story.target.passwords
    assert actions.sweep_cleanups(at=story.now) == 0
    story.later(days=91)
    assert actions.sweep_cleanups(at=story.now) == 1
    story.work()
    assert login not in story.target.passwords
    assert story.group(request).cleaned_at is not None
    assert actions.sweep_cleanups(at=story.now) == 0


def test_at_most_one_order_is_open_per_person_and_integration(story: Story) -> None:
    story.target.down = Unreachable("Not now.")
    for name in ("orders_prod", "orders_dev"):
        story.approve(story.ask(name))
        story.work()
    open_orders = Order.objects.filter(person=story.cast.requester, state__in=["queued", "leased"])
    assert open_orders.count() == 1
    assert len(open_orders.get().desired["holds"]) == 2
    assert Order.objects.filter(person=story.cast.requester, state=OrderState.SUPERSEDED).exists()
