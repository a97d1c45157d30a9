"""A new request: searching, picking, the dry run, sending."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from access_requests.forms import JUSTIFICATION_MAX
from access_requests.models import AccessRequest
from integrations.models import Resource, Tag
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, text

NEW = "/requests/new/"
CHECK = "/requests/new/check/"
BOX = re.compile(r'<input\s+type="checkbox"\s+name="pick"\s+value="([\d:]+)"\s*([^/>]*)')


def value(name: str, permission: str = "READ_ONLY") -> str:
    resource, allowed = making.pair(name, permission)
    return f"{resource}:{allowed}"


def form(*names: str, **rest: Any) -> dict[str, Any]:
    return {"pick": [value(name) for name in names], "duration": "3600", "justification": "INC-4821", **rest}


def offered(response: Any) -> set[str]:
    """Return the values of the boxes that can be ticked."""
    boxes = BOX.findall(response.content.decode())
    return {box for box, rest in boxes if "disabled" not in rest}


def ticked(response: Any) -> set[str]:
    boxes = BOX.findall(response.content.decode())
    return {box for box, rest in boxes if "checked" in rest}


def test_the_list_holds_what_i_may_ask_for_and_nothing_else(stage: Stage, enter: SignIn) -> None:
    making.integration("hr", ("salaries",))
    response = enter(stage.cast.requester).get(NEW)
    pairs = {value(name, permission) for name in ("orders", "ledger") for permission in ("READ_ONLY", "READ_WRITE")}
    assert offered(response) == pairs
    assert "salaries" not in text(response)


def test_who_may_ask_for_nothing_is_told_so(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.outsider).get(NEW)
    assert offered(response) == set()
    assert "No access flow gives you anything" in text(response)


def test_a_selector_narrows_the_permissions_too(stage: Stage, enter: SignIn) -> None:
    only_ledger = {"mode": "include_resources", "type": "name", "values": ["ledger"]}
    making.flow(
        stage.integration, stage.cast.requester, stage.cast.approver,
        name="Ledger admin", permissions=("ADMIN",), selectors=(only_ledger,),
    )  # fmt: skip
    boxes = offered(enter(stage.cast.requester).get(NEW))
    assert value("ledger", "ADMIN") in boxes
    assert value("orders", "ADMIN") not in boxes


def test_a_resource_with_many_tags_is_there_once(stage: Stage, enter: SignIn) -> None:
    orders = Resource.objects.get(name="orders")
    for key in ("env", "team", "tier"):
        Tag.objects.create(resource=orders, type="database", key=key, value="x")
    tagged = tuple(
        {"mode": "include_resources", "type": "tag", "key": key, "values": ["x"]} for key in ("env", "team", "tier")
    )
    making.flow(
        stage.integration, stage.cast.outsider, stage.cast.approver, name="By tag", selectors=tagged,
        permissions=("READ_ONLY",),
    )  # fmt: skip
    response = enter(stage.cast.outsider).get(NEW)
    assert response.content.decode().count(f'value="{value("orders")}"') == 1
    assert offered(response) == {value("orders")}


def test_what_cannot_be_granted_says_why_and_cannot_be_ticked(stage: Stage, enter: SignIn) -> None:
    making.resource(stage.integration, "archive", refusals={"READ_ONLY": "Its roles are not prepared."})
    response = enter(stage.cast.requester).get(NEW)
    assert "Its roles are not prepared." in text(response)
    assert value("archive") not in offered(response)
    assert value("archive", "READ_WRITE") in offered(response)


def test_search_is_done_by_the_server(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).get(NEW, {"q": "ledg"})
    assert {box.split(":")[0] for box in offered(response)} == {str(making.pair("ledger")[0])}


def test_a_search_that_finds_nothing_says_what_to_do(stage: Stage, enter: SignIn) -> None:
    assert "Nothing of that name" in text(enter(stage.cast.requester).get(NEW, {"q": "zebra"}))


@pytest.mark.parametrize("q", ["\x00", "%", "_", "'; drop table", "x" * 500])
def test_odd_searches_do_no_harm(stage: Stage, enter: SignIn, q: str) -> None:
    assert enter(stage.cast.requester).get(NEW, {"q": q}).status_code == 200


def test_the_list_comes_in_pages_and_what_is_picked_elsewhere_stays(stage: Stage, enter: SignIn) -> None:
    for number in range(25):
        making.resource(stage.integration, f"mart_{number:02}")
    rita = enter(stage.cast.requester)
    first = rita.post(NEW, form("ledger", do="check"))
    assert "mart_00" in text(first)
    assert "mart_24" not in text(first)
    second = rita.post(NEW, form("ledger", page="2", at="1"))
    assert "mart_24" in text(second)
    assert "Also picked" in text(second)
    assert ticked(second) == {value("ledger")}
    assert "INC-4821" in second.content.decode()


def test_a_new_search_begins_at_the_first_page(stage: Stage, enter: SignIn) -> None:
    for number in range(25):
        making.resource(stage.integration, f"mart_{number:02}")
    response = enter(stage.cast.requester).post(NEW, form(q="mart", at="2", do="search"))
    assert "mart_00" in text(response)


def test_a_check_stays_on_its_page(stage: Stage, enter: SignIn) -> None:
    for number in range(25):
        making.resource(stage.integration, f"mart_{number:02}")
    response = enter(stage.cast.requester).post(NEW, form("orders", at="2", do="check"))
    assert "mart_24" in text(response)


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
    said = text(enter(stage.cast.requester).post(CHECK, form("orders", justification=" ", duration="86400")))
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
    second.conditions.create(flow=flow, type="user", values=[cast.admin.email])
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
    assert ticked(response) == {value("orders")}
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
    assert response.redirect_chain == [(reverse("my_access"), 302)]
    assert all(str(one) in text(response) for one in AccessRequest.objects.all())
    assert AccessRequest.objects.count() == 2


def test_as_long_as_the_flow_allows(stage: Stage, enter: SignIn) -> None:
    enter(stage.cast.requester).post(NEW, form("orders", duration="", do="send"))
    assert AccessRequest.objects.get().duration_seconds == 4 * 3600


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"justification": ""}, "justification", "wants a justification"),
        ({"duration": "86400"}, "duration", "At most 4 h"),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_nothing_is_lost(
    stage: Stage, enter: SignIn, change: dict[str, str], field: str, words: str
) -> None:
    response = enter(stage.cast.requester).post(NEW, form("orders", q="ord", do="send", **change))
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page[page.index(f'id="{field}"') : page.index(f'id="{field}-hint"')]
    assert ticked(response) == {value("orders")}
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
