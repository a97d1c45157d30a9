"""A new request: searching, picking, the dry run, sending."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from access_requests.forms import JUSTIFICATION_MAX
from access_requests.models import AccessRequest, SentForm
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, in_basket, page, text

NEW = "/requests/new/"
CHECK = "/requests/new/check/"


def value(name: str, permission: str = "READ_ONLY") -> str:
    resource, allowed = making.pair(name, permission)
    return f"{resource}:{allowed}"


def form(*names: str, **rest: Any) -> dict[str, Any]:
    return {"pick": [value(name) for name in names], "duration": "3600", "justification": "INC-4821", **rest}


def test_the_dry_run_names_flow_approvers_why_and_how_long(stage: Stage, enter: SignIn) -> None:
    said = text(enter(stage.cast.requester).post(CHECK, form("orders")))
    assert "Needs one approval" in said
    assert "Named by the access flow: Abel" in said
    assert "Read only on orders in payments-prod" in said
    assert "Access flow Payments data · at most 4 h" in said


def test_the_dry_run_changes_nothing(stage: Stage, enter: SignIn) -> None:
    enter(stage.cast.requester).post(CHECK, form("orders"))
    assert not AccessRequest.objects.exists()


def test_the_dry_run_says_what_is_missing(stage: Stage, enter: SignIn) -> None:
    said = text(
        enter(stage.cast.requester).post(CHECK, form("orders", justification=" ", duration="other", other="1 d"))
    )
    assert "The access flow Payments data wants a justification." in said
    assert "At most 4 h with the access flow Payments data." in said


def test_the_dry_run_tells_each_flow_by_itself(stage: Stage, enter: SignIn) -> None:
    making.flow(making.integration("wh", ("events",)), stage.cast.requester, name="Warehouse")
    said = text(enter(stage.cast.requester).post(CHECK, form("orders", "events")))
    assert "Approved at once" in said
    assert "Access flow Warehouse" in said
    assert "Access flow Payments data" in said


def test_a_flow_that_takes_one_of_each_group_says_so(stage: Stage, enter: SignIn) -> None:
    cast = stage.cast
    flow = making.flow(making.integration("wh", ("events",)), cast.requester, cast.approver, name="Both")
    second = flow.approver_groups.create(position=1)
    second.conditions.create(flow=flow, party="approver", type="user", values=[cast.admin.email])
    flow.approval_mode = "all_of"
    flow.save()
    making.flow_actions.save(flow, actor=making.system())
    said = text(enter(cast.requester).post(CHECK, form("events")))
    assert "Needs 2 approvals, one from each group" in said
    assert "Named by the access flow: Abel" in said
    assert "Named by the access flow: Ada" in said


def test_without_anything_picked_the_dry_run_says_what_to_do(stage: Stage, enter: SignIn) -> None:
    assert "Pick something" in text(enter(stage.cast.requester).post(CHECK, form()))


def test_the_dry_run_does_not_name_what_is_not_mine_to_ask_for(stage: Stage, enter: SignIn) -> None:
    making.integration("hr", ("salaries",))
    rita = enter(stage.cast.requester)
    known = rita.post(CHECK, {**form(), "pick": [value("salaries")]})
    unknown = rita.post(CHECK, {**form(), "pick": ["999999:999999"]})
    assert "salaries" not in text(known)
    assert known.content == unknown.content
    assert "No access flow gives you some of this" in text(known)


def test_nor_does_the_page(stage: Stage, enter: SignIn) -> None:
    making.integration("hr", ("salaries",))
    response = enter(stage.cast.requester).post(NEW, {**form(), "pick": [value("salaries")], "do": "check"})
    assert "salaries" not in response.content.decode()


def test_the_check_works_without_script(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).post(NEW, form("orders", do="check"))
    assert response.status_code == 200
    assert "Needs one approval" in text(response)
    assert in_basket(response) == {value("orders")}
    assert not AccessRequest.objects.exists()


def test_sending_makes_the_request_and_opens_its_page(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).post(NEW, form("orders", "ledger", do="send"))
    access = AccessRequest.objects.get()
    assert response["Location"] == address("request_page", access)
    assert (access.requestor, access.grantee) == (stage.cast.requester, stage.cast.requester)
    assert (access.duration_seconds, access.justification) == (3600, "INC-4821")
    assert access.state == "pending"
    assert sorted(access.access_groups.get().units.values_list("resource_path", flat=True)) == ["ledger", "orders"]


def test_an_ask_over_two_flows_becomes_two_requests(stage: Stage, enter: SignIn) -> None:
    making.flow(making.integration("wh", ("events",)), stage.cast.requester, name="Warehouse")
    response = enter(stage.cast.requester).post(NEW, form("orders", "events", do="send"), follow=True)
    assert response.redirect_chain == [(reverse("sent_requests", args=[SentForm.objects.get().token]), 302)]
    assert all(str(one) in text(response) for one in AccessRequest.objects.all())
    first, second = AccessRequest.objects.order_by("pk")
    # Each names the other.
    assert str(second) in text(page(enter(stage.cast.requester), first))
    assert str(first) in text(page(enter(stage.cast.requester), second))
    # An approver of one who has no part in the other does not hear of it.
    waiting, other = (first, second) if first.state == "pending" else (second, first)
    assert str(other) not in text(page(enter(stage.cast.approver), waiting))


def test_as_long_as_the_flow_allows(stage: Stage, enter: SignIn) -> None:
    enter(stage.cast.requester).post(NEW, form("orders", duration="", do="send"))
    assert AccessRequest.objects.get().duration_seconds == 4 * 3600


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"justification": ""}, "justification", "wants a justification"),
        ({"duration": "other", "other": "1 d"}, "duration", "At most 4 h"),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_nothing_is_lost(
    stage: Stage, enter: SignIn, change: dict[str, str], field: str, words: str
) -> None:
    response = enter(stage.cast.requester).post(NEW, form("orders", q="ord", do="send", **change))
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page[page.index(f'id="{field}"') : page.index(f'id="{field}-hint"')]
    assert in_basket(response) == {value("orders")}
    assert 'value="ord"' in page
    assert ("INC-4821" in page) == (field != "justification")
    assert not AccessRequest.objects.exists()


def test_an_ask_for_nothing_is_said_at_the_list(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).post(NEW, form(do="send"))
    assert response.status_code == 422
    assert "Choose what you need." in text(response)


def test_a_justification_that_is_too_long_is_kept_and_refused(stage: Stage, enter: SignIn) -> None:
    long = "x" * (JUSTIFICATION_MAX + 1)
    response = enter(stage.cast.requester).post(NEW, form("orders", justification=long, do="send"))
    assert response.status_code == 422
    assert long in response.content.decode()
    assert f"at most {JUSTIFICATION_MAX} characters" in text(response)


@pytest.mark.parametrize("pick", ["x", "1", "1:", ":1", "-1:2", "1:2:3", "9" * 30 + ":1", "١:٢", "1:2\x00"])
def test_a_pick_that_no_page_of_ours_can_have_sent_is_refused(stage: Stage, enter: SignIn, pick: str) -> None:
    response = enter(stage.cast.requester).post(NEW, {**form(), "pick": [pick], "do": "send"})
    assert response.status_code == 422
    assert not AccessRequest.objects.exists()


def test_what_no_flow_gives_me_cannot_be_sent(stage: Stage) -> None:
    making.integration("hr", ("salaries",))
    client = Client()
    client.force_login(stage.cast.outsider)
    response = client.post(NEW, form("orders", "salaries", do="send"))
    assert response.status_code == 422
    assert not AccessRequest.objects.exists()
