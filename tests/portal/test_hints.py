"""What approvers are told before they answer: facts of our own, and only those."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from access_requests.models import AccessRequest
from accounts.models import User
from integrations.models import Resource
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text

NIGHT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def told(stage: Stage, enter: SignIn) -> str:
    return text(enter(stage.cast.approver).get("/tasks/"))


def test_the_first_time_is_told_and_the_second_is_not(stage: Stage, enter: SignIn) -> None:
    first = stage.ask("orders")
    assert "The first time Rita asks for this" in told(stage, enter)
    making.approved(first, stage.cast.approver)
    stage.ask("orders")
    said = told(stage, enter)
    assert "The first time" not in said
    assert "Asked for twice in 90 days, this one included" in said


def test_some_of_it_may_be_new(stage: Stage, enter: SignIn) -> None:
    making.approved(stage.ask("orders"), stage.cast.approver)
    stage.ask("orders", "ledger")
    assert "The first time Rita asks for 1 of these 2" in told(stage, enter)


def test_another_permission_on_the_same_is_new(stage: Stage, enter: SignIn) -> None:
    making.approved(stage.ask("orders"), stage.cast.approver)
    stage.ask("orders", permission="READ_WRITE")
    assert "The first time Rita asks for this" in told(stage, enter)


def test_asking_again_after_a_no_is_told(stage: Stage, enter: SignIn) -> None:
    first = stage.ask("orders")
    enter(stage.cast.approver).post(address("reject_request", first), {"reason": "No."})
    day = AccessRequest.objects.get(pk=first.pk).ended_at
    assert day is not None
    again = stage.ask("orders")
    words = f"Asked for again after it was rejected on {day.day} {day:%b %Y}"
    assert words in told(stage, enter)
    assert words in text(page(enter(stage.cast.approver), again))


@pytest.mark.parametrize(
    ("zone", "hint"),
    [("Europe/Berlin", "Asked at 03:30 by Rita’s clock"), ("Asia/Tokyo", ""), ("", ""), ("Mars/Base", "")],
)
def test_the_hour_is_told_by_the_clock_the_person_lives_by(stage: Stage, enter: SignIn, zone: str, hint: str) -> None:
    User.objects.filter(pk=stage.cast.requester.pk).update(time_zone=zone)
    access = stage.ask("orders")
    AccessRequest.objects.filter(pk=access.pk).update(requested_at=NIGHT)
    said = told(stage, enter)
    assert ("Asked at" in said) is bool(hint)
    assert hint in said


def test_the_risk_is_the_higher_of_permission_and_resource(stage: Stage, enter: SignIn) -> None:
    stage.ask("orders")
    assert "Low 3" in told(stage, enter)
    Resource.objects.filter(name="orders").update(risk_level=8)
    assert "High 8" in told(stage, enter)


def test_access_without_an_end_is_told(stage: Stage, enter: SignIn) -> None:
    making.flow(
        making.integration("endless", ("attic",)), stage.cast.requester, stage.cast.approver, name="Endless",
        indefinite=True, grant_duration_minutes=None,
    )  # fmt: skip
    making.ask(stage.cast.requester, "attic", duration_seconds=None)
    assert "Access without an end" in told(stage, enter)


def test_what_others_asked_for_counts_for_nobody_else(stage: Stage, enter: SignIn) -> None:
    making.flow(stage.integration, stage.cast.admin, stage.cast.approver, name="Ada’s")
    making.ask(stage.cast.admin, "orders")
    stage.ask("orders")
    assert "The first time Rita asks for this" in told(stage, enter)


def test_what_is_older_than_ninety_days_is_counted_no_more(stage: Stage, enter: SignIn) -> None:
    old = making.approved(stage.ask("orders"), stage.cast.approver)
    AccessRequest.objects.filter(pk=old.pk).update(requested_at=datetime.now(UTC) - timedelta(days=91))
    stage.ask("orders")
    assert "Asked for once in 90 days, this one included" in told(stage, enter)
