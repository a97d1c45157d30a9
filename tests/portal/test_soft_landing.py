"""The end is near: pages say so, the letter leads to two buttons, and more time takes what the flow demands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access_requests import actions
from access_requests.actions import NotPossible
from access_requests.models import AccessRequest, Extension
from access_requests.reminding import near
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from audit.models import AuditEntry
from flows.models import AccessFlow, FlowVersion
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PROVEN = "access_requests.views.{}.proven"


def demand(**settings: object) -> None:
    version = FlowVersion.objects.get(pk=AccessFlow.objects.get().current_id)
    version.document["settings"] |= settings
    version.save(update_fields=["document"])


@pytest.fixture
def held(stage: Stage) -> AccessRequest:
    """Rita's active access, which began two hours ago and ends in nine minutes; it may be extended."""
    access = stage.active()
    making.extendable(AccessFlow.objects.get())
    now = timezone.now()
    AccessRequest.objects.filter(pk=access.pk).update(activated_at=now - 2 * HOUR, ends_at=now + 9.5 * MINUTE)
    return AccessRequest.objects.get(pk=access.pk)


def ending(access: AccessRequest) -> str:
    return address("access_ending", access)


@pytest.mark.parametrize(
    ("length", "left", "is_near"),
    [(10, 6, False), (10, 5, True), (60, 11, False), (60, 10, True), (1440, 61, False), (1440, 60, True)],
)
def test_how_near_is_near_goes_by_the_length(length: int, left: int, is_near: bool) -> None:
    ends = NOON + length * MINUTE
    assert near(NOON, ends, ends - left * MINUTE) is is_near


def test_both_pages_say_the_minutes_in_words_and_lead_on(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    rita = enter(stage.cast.requester)
    for response in (rita.get("/"), page(rita, held), rita.get(address("request_part", held))):
        assert "go on, or hand it back" in text(response)
        assert "9 min left" in text(response)
        assert ending(held) in response.content.decode()
    AccessRequest.objects.update(ends_at=timezone.now() + HOUR)
    for response in (rita.get("/"), page(rita, held)):
        assert ending(held) not in response.content.decode()


def test_who_cannot_act_on_it_is_not_told(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    assert ending(held) not in page(enter(stage.cast.approver), held).content.decode()


def test_opening_the_page_changes_nothing(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    rita, before = enter(stage.cast.requester), AuditEntry.objects.count()
    for _ in range(2):
        told = rita.get(ending(held))
        assert (told.status_code, rita.head(ending(held)).status_code) == (200, 200)
    assert "Ask for 2 h more" in text(told) and "I’m done, end it now" in text(told)
    assert AuditEntry.objects.count() == before
    row = AccessRequest.objects.get(pk=held.pk)
    assert (row.state, row.ends_at) == ("active", held.ends_at)


def test_only_the_two_it_is_about_have_the_page_and_who_is_signed_out_comes_back_to_it(
    stage: Stage, enter: SignIn, held: AccessRequest
) -> None:
    for who in (stage.cast.approver, stage.cast.admin, stage.cast.outsider):
        assert enter(who).get(ending(held)).status_code == 404
        assert enter(who).post(ending(held), {"code": "1"}).status_code == 404
    away = Client().get(ending(held))
    assert away.status_code == 302 and ending(held) in away["Location"]


def test_one_press_asks_for_more_with_the_justification_kept_or_changed(
    stage: Stage, enter: SignIn, held: AccessRequest
) -> None:
    rita = enter(stage.cast.requester)
    assert f">{held.justification}</textarea>" in rita.get(ending(held)).content.decode()
    given = {"seconds": "7200", "back": "ending"}
    refused = rita.post(address("extend_access", held), given | {"justification": ""})
    assert refused.status_code == 409 and "wants a justification" in text(refused)
    assert "></textarea>" in refused.content.decode()
    rita.post(address("extend_access", held), given | {"justification": "The import runs on."})
    assert Extension.objects.get().justification == "The import runs on."


def test_done_ends_it_also_where_nothing_can_be_extended(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    demand(max_extensions=0)
    rita = enter(stage.cast.requester)
    told = text(rita.get(ending(held)))
    assert "cannot be extended" in told and "more" not in told.split("Done?")[1].split("I’m done")[0].lower()
    assert "hand it back when you are done" in text(page(rita, held))
    rita.post(address("hand_back_access", held))
    assert AccessRequest.objects.get(pk=held.pk).state == "revoking"
    assert "Nothing is left to do here" in text(rita.get(ending(held)))


def ask(held: AccessRequest, who: User, mfa_at: datetime | None = None) -> Extension:
    by = person(who, Source.PORTAL)
    return actions.extend(held, user=who, actor=by, seconds=600, justification="More.", mfa_at=mfa_at)


def test_a_flow_that_demands_a_second_factor_demands_it_of_more_time_too(stage: Stage, held: AccessRequest) -> None:
    demand(mfa_required=True)
    rita, now = stage.cast.requester, timezone.now()
    for stale in (None, now - 2 * HOUR):
        with pytest.raises(NotPossible, match="second factor"):
            ask(held, rita, stale)
    assert not Extension.objects.exists()
    fresh = now - 5 * MINUTE
    assert ask(held, rita, fresh).seconds == 600
    assert AuditEntry.objects.get(action="extension.requested").details["factor_proven_at"] == fresh.isoformat()


def test_who_is_from_outside_owes_it_whatever_the_flow_says(stage: Stage, held: AccessRequest) -> None:
    told = {"is_outside": True, "invited_by": stage.cast.admin, "leaves_at": timezone.now() + 24 * HOUR}
    User.objects.filter(pk=stage.cast.requester.pk).update(**told)
    rita = User.objects.get(pk=stage.cast.requester.pk)
    with pytest.raises(NotPossible, match="second factor"):
        ask(held, rita)
    assert ask(held, rita, timezone.now()).seconds == 600


def test_the_page_asks_for_the_factor_first_and_then_has_the_button(
    stage: Stage, enter: SignIn, held: AccessRequest
) -> None:
    demand(mfa_required=True)
    rita = enter(stage.cast.requester)
    assert "More time takes your second factor" in text(rita.get(ending(held)))
    for response in (rita.get("/"), page(rita, held)):
        assert address("extend_access", held) not in response.content.decode()
        assert ending(held) in response.content.decode()
    given = {"seconds": "7200", "justification": "x", "back": "ending"}
    assert rita.post(address("extend_access", held), given).status_code == 409
    now = timezone.now()
    with (
        mock.patch(PROVEN.format("landing"), return_value=now),
        mock.patch(PROVEN.format("extending"), return_value=now),
    ):
        assert "Ask for 2 h more" in text(rita.get(ending(held)))
        assert rita.post(address("extend_access", held), given).status_code == 302
    assert Extension.objects.get().seconds == 7200


def test_a_wrong_code_is_said_and_proves_nothing(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    demand(mfa_required=True)
    rita = enter(stage.cast.requester)
    answer = rita.post(reverse("access_ending", args=[held.pk]), {"code": "000000"})
    assert answer.status_code == 422
    assert not Extension.objects.exists()
