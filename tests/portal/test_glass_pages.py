"""Breaking the glass on pages: offered where it may be done, deliberate, loud until it is reviewed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access_requests.actions.tiers import sweep_escalations
from access_requests.models import AccessRequest, Review
from flows.models import AccessFlow
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text
from tests.story import amend, approval, asked

NEW, CHECK = "/requests/new/", "/requests/new/check/"
OFFER, BANNER = "It is an emergency: break the glass", "The glass was broken"


@pytest.fixture(autouse=True)
def allowed(stage: Stage) -> None:
    amend(AccessFlow.objects.get(), settings={"break_glass": True})


def sent(**more: str) -> dict[str, Any]:
    picked = ":".join(map(str, making.pair("orders")))
    return {"pick": [picked], "duration": "3600", "justification": "the shop is down", "do": "break", **more}


def broken(stage: Stage, enter: SignIn) -> AccessRequest:
    assert enter(stage.cast.requester).post(NEW, sent(sure="yes")).status_code == 302
    return AccessRequest.objects.latest("pk")


def test_it_is_offered_only_where_a_flow_allows_it_for_all_that_is_picked(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    assert OFFER not in text(rita.get(NEW))
    assert OFFER in text(rita.post(CHECK, sent()))
    making.flow(making.integration("wh", ("events",)), stage.cast.requester, name="Warehouse")
    both = [":".join(map(str, making.pair(name))) for name in ("orders", "events")]
    assert OFFER not in text(rita.post(CHECK, {"pick": both, "justification": "x"}))


def test_it_takes_a_tick_and_a_justification(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    answer = rita.post(NEW, sent())
    assert answer.status_code == 422
    assert "Tick that it is an emergency" in text(answer)
    assert rita.post(NEW, sent(sure="yes", justification="")).status_code == 422
    assert not AccessRequest.objects.exists()


def test_everybody_concerned_has_it_on_every_page_until_it_is_reviewed(stage: Stage, enter: SignIn) -> None:
    access, cast = broken(stage, enter), stage.cast
    assert (access.break_glass, access.state) == (True, "approved")
    for user in (cast.requester, cast.approver, cast.admin):
        assert BANNER in text(enter(user).get("/"))
    assert BANNER not in text(enter(cast.outsider).get("/"))
    abel = enter(cast.approver)
    assert "Reviews owed" in text(abel.get("/tasks/"))
    abel.post(address("review_request", access), {"justified": "no", "note": "It could have waited.", "back": "tasks"})
    assert Review.objects.get().state == "unjust"
    assert BANNER not in text(enter(cast.requester).get("/"))
    assert "It could have waited." in text(page(enter(cast.requester), access))


def test_a_review_without_a_note_loses_nothing(stage: Stage, enter: SignIn) -> None:
    access, abel = broken(stage, enter), enter(stage.cast.approver)
    for back in ("", "tasks"):
        answer = abel.post(address("review_request", access), {"justified": "yes", "note": " ", "back": back})
        assert answer.status_code == 409
        assert "Say what you found" in text(answer)
    assert abel.post(address("review_request", access), {"note": "x"}).status_code == 422
    assert Review.objects.get().state == "due"


def test_whoever_broke_it_is_not_offered_its_review(stage: Stage, enter: SignIn) -> None:
    access = broken(stage, enter)
    rita = enter(stage.cast.requester)
    assert "Give the review" not in text(page(rita, access))
    assert "Reviews owed" not in text(rita.get("/tasks/"))
    assert rita.post(address("review_request", access), {"justified": "yes", "note": "me"}).status_code == 404


def test_an_overdue_review_is_on_the_overview_and_stops_the_next(stage: Stage, enter: SignIn) -> None:
    broken(stage, enter)
    Review.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert "overdue since" in text(enter(stage.cast.admin).get("/admin/"))
    rita = enter(stage.cast.requester)
    told = text(rita.post(CHECK, sent()))
    assert "is overdue" in told
    answer = rita.post(NEW, sent(sure="yes"))
    assert answer.status_code == 422
    assert "cannot break the glass again" in text(answer)


def test_who_was_asked_by_escalation_reads_so(stage: Stage, enter: SignIn) -> None:
    groups = asked(stage.cast.approver.email, kind="user"), asked(stage.cast.outsider.email, kind="user", tier=1)
    amend(AccessFlow.objects.get(), approval=approval(*groups, after=1800))
    start = timezone.now() - timedelta(minutes=31)
    access = stage.ask(at=start)
    sweep_escalations(at=start + timedelta(minutes=30))
    assert "Escalated to you after 30 min" in text(enter(stage.cast.outsider).get("/tasks/"))
    told = text(page(enter(stage.cast.approver), access))
    assert "Nobody had answered after 30 min, so Otto was asked as well" in told
