"""My access: what I hold, what waits, what is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from access_requests.models import AccessRequest
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, text


def ago(**delta: float) -> datetime:
    return datetime.now(UTC) - timedelta(**delta)


def test_who_holds_nothing_is_told_what_to_do(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).get("/")
    assert "You hold no access right now" in text(response)
    assert f'href="{reverse("new_request")}"' in response.content.decode()


def test_what_i_hold_says_how_long_it_lasts_and_how_to_get_in(stage: Stage, enter: SignIn) -> None:
    access = stage.active(at=ago(minutes=19, seconds=30))
    response = enter(stage.cast.requester).get("/")
    said = text(response)
    assert "payments-prod" in said
    assert "Read only on orders" in said
    assert "40 min left" in said
    assert "The next access ends at" in said
    assert "Connect" in said
    assert address("request_page", access) in response.content.decode()
    assert address("hand_back_access", access) in response.content.decode()


def test_what_ends_first_comes_first_and_what_has_no_end_last(stage: Stage, enter: SignIn) -> None:
    endless = making.integration("endless", ("attic",))
    making.flow(
        endless, stage.cast.requester, name="Endless", permissions=("READ_ONLY",), indefinite=True,
        grant_duration_minutes=None,
    )  # fmt: skip
    making.active(making.ask(stage.cast.requester, "attic", duration_seconds=None))
    stage.active("orders", at=ago())
    stage.active("ledger", at=ago(minutes=30))
    said = text(enter(stage.cast.requester).get("/"))
    assert said.index("on ledger") < said.index("on orders") < said.index("on attic")
    assert "No end" in said


def test_what_waits_can_be_withdrawn(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.ask(), enter(stage.cast.requester)
    said = text(rita.get("/"))
    assert "Waiting" in said
    assert "Pending" in said
    response = rita.post(address("withdraw_request", access), {"back": "home"}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert f"{access} was withdrawn." in text(response)
    assert "Cancelled" in text(response)
    assert AccessRequest.objects.get(pk=access.pk).state == "cancelled"


def test_i_am_done_ends_access_at_once(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    response = rita.post(address("hand_back_access", access), {"back": "home"}, follow=True)
    assert f"{access} was handed back." in text(response)
    stored = AccessRequest.objects.get(pk=access.pk)
    assert (stored.state, stored.end_reason) == ("revoking", "handed_back")


def test_handing_back_twice_says_why_not(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    rita.post(address("hand_back_access", access))
    response = rita.post(address("hand_back_access", access), {"back": "home"})
    assert response.status_code == 409
    assert "There is no access to hand back." in text(response)


def test_an_overdue_end_is_loud(stage: Stage, enter: SignIn) -> None:
    access = stage.active(at=ago(minutes=101))
    making.ending(access, due_at=ago(minutes=41), overdue=True)
    response = enter(stage.cast.requester).get("/")
    assert f"not proven to be gone {access} Overdue 41 min: due" in text(response)
    assert "The next access ends" not in text(response)
    assert "is-loud" in response.content.decode()


def test_nothing_is_loud_when_nothing_is_late(stage: Stage, enter: SignIn) -> None:
    access = stage.active(at=ago(minutes=60))
    making.ending(access, due_at=ago())
    assert "is-loud" not in enter(stage.cast.requester).get("/").content.decode()


def test_what_ended_says_how(stage: Stage, enter: SignIn) -> None:
    due = ago(hours=1)
    making.ended(stage.active(at=due - timedelta(hours=1)), due_at=due)
    said = text(enter(stage.cast.requester).get("/"))
    assert "Revoked (proven)" in said
    assert "The time ended" in said


def test_nobody_elses_access_is_there(stage: Stage, enter: SignIn) -> None:
    stage.active()
    for who in (stage.cast.approver, stage.cast.admin, stage.cast.outsider):
        assert "You hold no access right now" in text(enter(who).get("/"))


def test_what_ended_comes_in_pages(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    made = [stage.ask() for _ in range(11)]
    for access in made:
        rita.post(address("withdraw_request", access))
    rita.get("/")  # reads the messages
    first, second = text(rita.get("/")), text(rita.get("/?page=2"))
    assert f"{made[-1]} " in first
    assert f"{made[0]} " not in first
    assert f"{made[0]} " in second
    assert f"{made[-1]} " not in second


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999", "", "1.5"])
def test_a_page_that_makes_no_sense_is_the_first(stage: Stage, enter: SignIn, number: str) -> None:
    stage.active()
    assert "Held now" in text(enter(stage.cast.requester).get("/", {"page": number}))


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_back_is_never_taken_from_the_form(stage: Stage, enter: SignIn, back: str) -> None:
    access = stage.ask()
    response = enter(stage.cast.requester).post(address("withdraw_request", access), {"back": back, "next": back})
    assert response["Location"] == address("request_page", access)
