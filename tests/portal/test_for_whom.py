"""Asking for somebody else: who is offered, who is found, who sees it, and who does not."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from access_requests import actions
from access_requests.models import AccessRequest
from accounts.models import User
from audit.actor import person as by
from audit.choices import Source
from flows.models import AccessFlow
from tests.cast import person
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text
from tests.story import amend, put_into

NEW = "/requests/new/"


@pytest.fixture
def crew(stage: Stage) -> dict[str, User]:
    """Rita leads Dana; the shop's people are others for whom she may ask; Otto is not one of them."""
    people = {name: person(name) for name in ("Dana", "Sina", "Sven")}
    User.objects.filter(pk=people["Dana"].pk).update(manager=stage.cast.requester)
    put_into("shop", people["Sina"], people["Sven"])
    return people


def allow(*scopes: str) -> None:
    conditions = [{"type": "group", "operator": "is", "source": "", "values": ["shop"]}]
    whom = {"scopes": list(scopes), "grantees": {"operator": "or", "conditions": conditions}}
    amend(AccessFlow.objects.get(), request_for=whom)


def sent(**more: str) -> dict[str, Any]:
    picked = ":".join(map(str, making.pair("orders")))
    return {"pick": [picked], "duration": "3600", "justification": "INC-1", "do": "send", **more}


def found(client: Any, q: str) -> list[str]:
    return [one["email"] for one in client.get(reverse("find_people"), {"q": q}).json()["people"]]


def test_who_may_ask_for_nobody_else_is_not_asked_for_whom(stage: Stage, crew: dict[str, User], enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    assert 'name="whom"' not in rita.get(NEW).content.decode()
    assert found(rita, "sina") == []
    answer = rita.post(NEW, sent(whom="other", grantee="sina@example.com"))
    assert answer.status_code == 422
    assert not AccessRequest.objects.exists()


def test_direct_reports_are_offered_by_name(stage: Stage, crew: dict[str, User], enter: SignIn) -> None:
    allow("self", "direct_reports")
    rita = enter(stage.cast.requester)
    shown = rita.get(NEW).content.decode()
    assert "Dana" in shown
    assert 'name="grantee"' not in shown
    rita.post(NEW, sent(whom=str(crew["Dana"].pk)))
    request = AccessRequest.objects.get()
    assert (request.requestor, request.grantee) == (stage.cast.requester, crew["Dana"])
    # Nobody else's report, whatever is sent.
    assert rita.post(NEW, sent(whom=str(crew["Sina"].pk))).status_code == 422


def test_a_search_finds_whom_a_flow_allows_and_nobody_else(stage: Stage, crew: dict[str, User], enter: SignIn) -> None:
    allow("self", "others")
    rita = enter(stage.cast.requester)
    assert found(rita, "example.com") == ["sina@example.com", "sven@example.com"]
    assert found(rita, "SVEN") == ["sven@example.com"]
    for nobody in ("otto", "dana", "s", ""):
        assert found(rita, nobody) == []
    assert found(enter(stage.cast.outsider), "sina") == []
    User.objects.filter(email="sven@example.com").update(is_active=False)
    assert found(rita, "sven") == []


def test_without_script_somebody_is_named_by_address(stage: Stage, crew: dict[str, User], enter: SignIn) -> None:
    allow("others")
    rita = enter(stage.cast.requester)
    assert text(rita.get(NEW)).count("Somebody else, by address") == 1
    for nobody in ("otto@example.com", "unheard@example.com"):
        answer = rita.post(NEW, sent(whom="other", grantee=nobody))
        assert answer.status_code == 422
        assert "You can ask for nobody with this address" in text(answer)
        assert nobody in answer.content.decode()
    assert rita.post(NEW, sent(whom="other", grantee="Sina@example.com")).status_code == 302
    assert AccessRequest.objects.get().grantee == crew["Sina"]
    # Only for others: not for herself.
    assert rita.post(NEW, sent()).status_code == 422


def test_both_see_it_neither_approves_and_every_page_says_for_whom(
    stage: Stage, crew: dict[str, User], enter: SignIn
) -> None:
    allow("self", "others")
    access = making.ask(stage.cast.requester, "orders", grantee=crew["Sina"])
    assert {one.approver for one in access.approvals.all()} == {stage.cast.approver}
    assert "Asked by Rita for Sina" in text(enter(stage.cast.approver).get("/tasks/"))
    for user in (stage.cast.requester, crew["Sina"]):
        assert "Asked by Rita for Sina" in text(enter(user).get("/"))
        assert "Asked for by Rita, for Sina" in text(page(enter(user), access))
        assert enter(user).post(address("approve_request", access)).status_code == 404
    held = making.active(making.approved(access, stage.cast.approver))
    assert "Held by others" in text(enter(stage.cast.requester).get("/"))
    assert "Asked by Rita for you" in text(enter(crew["Sina"]).get("/"))
    # The credentials are the grantee's alone.
    session = held.access_groups.get().session
    for user, status in ((stage.cast.requester, 404), (crew["Sina"], 200)):
        answer = enter(user).post(reverse("show_password", args=[held.pk, session.pk]))
        assert (answer.status_code, making.PASSWORD in answer.content.decode()) == (status, status == 200)


def test_the_requestor_may_extend_and_withdraw(stage: Stage, crew: dict[str, User]) -> None:
    allow("self", "others")
    making.extendable(AccessFlow.objects.get())
    rita = stage.cast.requester
    access = making.ask(rita, "orders", grantee=crew["Sina"])
    actions.cancel(access, user=rita, actor=by(rita, Source.PORTAL))
    again = making.ask(rita, "orders", grantee=crew["Sina"])
    held = making.active(making.approved(again, stage.cast.approver))
    assert making.more_time(held, rita).waits


def test_the_search_shows_what_can_be_asked_for_whom(stage: Stage, crew: dict[str, User], enter: SignIn) -> None:
    allow("others")
    rita, where = enter(stage.cast.requester), reverse("find_resources")
    assert "payments-prod" not in text(rita.get(where, {"q": "orders"}))
    assert "payments-prod" in text(rita.get(where, {"q": "orders", "whom": "other", "grantee": "sina@example.com"}))
