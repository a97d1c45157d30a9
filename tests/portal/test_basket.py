"""The basket: adding, changing, removing, bundles, beginning with an earlier request, and a form that asks once."""

from __future__ import annotations

import re
import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from access_requests import actions
from access_requests.forms import seconds_of
from access_requests.models import AccessRequest, SentForm
from audit.actor import person
from audit.choices import Source
from flows.models import AccessFlow
from integrations.models import Integration
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, in_basket, offered, text

NEW = "/requests/new/"
CHECK = "/requests/new/check/"
FOUND = "/requests/new/found/"


def value(name: str, permission: str = "READ_ONLY") -> str:
    resource, allowed = making.pair(name, permission)
    return f"{resource}:{allowed}"


def form(*names: str, **rest: Any) -> dict[str, Any]:
    return {"pick": [value(name) for name in names], "duration": "3600", "justification": "INC-4821", **rest}


def a_bundle(stage: Stage, *systems: Integration, name: str = "Month-end kit") -> str:
    """Give Rita a bundle over whole systems, as a flow version has it; return how a form names it."""
    targets = [
        {"kind": "integration", "integration": str(one.pk), "resource_type": "database",
         "permissions": ["READ_ONLY"], "selectors": []}
        for one in systems
    ]  # fmt: skip
    made = making.flow_actions.define_bundle(name, targets, actor=making.system())
    document = {
        "requestors": {"conditions": [{"type": "user", "values": [stage.cast.requester.email]}]},
        "targets": [{"kind": "bundle", "bundle": str(made.pk)}],
        "approval": {"groups": []},
    }
    columns = {"name": f"Gives {name}", "approval_mode": "none", "grant_duration_minutes": 60}
    making.flow_actions.define(columns, document, actor=making.system())
    return f"bundle:{made.pk}"


def test_what_is_ticked_goes_into_the_basket_and_a_line_can_be_removed(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    both = rita.post(NEW, form("orders", add=[value("ledger")], do="add"))
    assert in_basket(both) == {value("orders"), value("ledger")}
    assert "2 entitlements" in text(both)
    one = rita.post(NEW, form("orders", "ledger", drop="0"))
    assert in_basket(one) == {value("ledger")}
    assert value("orders") in offered(one)
    assert "INC-4821" in one.content.decode()


def test_a_line_offers_the_other_permissions(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    page = rita.post(NEW, {**form(), "pick": [value("orders", "READ_WRITE")], "do": "check"}).content.decode()
    select = page[page.index('<select name="pick"') : page.index("</select>")]
    assert re.findall(r'value="([\d:]+)"', select) == [value("orders"), value("orders", "READ_WRITE")]
    assert re.search(rf'value="{value("orders", "READ_WRITE")}"\s+selected', select)


def test_two_permissions_on_one_resource_are_two_lines(stage: Stage, enter: SignIn) -> None:
    picked = [value("orders"), value("orders", "READ_WRITE")]
    response = enter(stage.cast.requester).post(NEW, {**form(), "pick": picked, "do": "send"})
    assert response.status_code == 302
    assert AccessRequest.objects.get().access_groups.get().units.count() == 2


def test_what_no_flow_gives_is_in_no_line(stage: Stage, enter: SignIn) -> None:
    making.integration("hr", ("salaries",))
    response = enter(stage.cast.requester).post(NEW, {**form("orders"), "add": [value("salaries")], "do": "check"})
    assert in_basket(response) == {value("orders")}
    assert "salaries" not in response.content.decode()
    assert "No access flow gives you some of this" in text(response)


def test_a_bundle_is_found_by_its_name_and_picked_as_a_whole(stage: Stage, enter: SignIn) -> None:
    kit = a_bundle(stage, stage.integration, making.integration("wh", ("events",)))
    making.resource(stage.integration, "vault", refusals={"READ_ONLY": "Its roles are not prepared."})
    rita = enter(stage.cast.requester)
    assert kit in offered(rita.get(FOUND, {"q": "month kit"}))
    assert kit not in offered(rita.get(FOUND, {"q": "ledger"}))
    said = text(rita.post(CHECK, {**form(), "add": [kit]}))
    assert "Bundle · 3 entitlements in 2 systems" in said
    rita.post(NEW, {**form(), "add": [kit], "do": "send"})
    paths = AccessRequest.objects.values_list("access_groups__units__resource_path", flat=True)
    assert sorted(paths) == ["events", "ledger", "orders"]


def test_a_bundle_that_is_not_mine_is_as_if_it_were_not_there(stage: Stage, enter: SignIn) -> None:
    kit = a_bundle(stage, stage.integration)
    otto = enter(stage.cast.outsider)
    known, unknown = (otto.post(CHECK, {**form(), "add": [one]}) for one in (kit, f"bundle:{uuid.uuid4()}"))
    assert known.content == unknown.content
    assert "Month-end" not in otto.get(FOUND, {"q": "month"}).content.decode()


def test_a_bundle_of_too_much_says_so_and_sends_nothing(stage: Stage, enter: SignIn) -> None:
    big = making.integration("big", ())
    kind = big.resource_types.get()
    type(kind).objects.get(pk=kind.pk).resources.bulk_create(
        [kind.resources.model(integration=big, resource_type=kind, source_id=f"r{n}", name=f"r{n}", path=f"r{n}")
         for n in range(501)]
    )  # fmt: skip
    kit = a_bundle(stage, big)
    rita = enter(stage.cast.requester)
    response = rita.post(NEW, {**form("orders"), "add": [kit], "do": "send"})
    assert response.status_code == 422
    assert "The bundle Month-end kit holds more than 500 entitlements" in text(response)
    assert in_basket(response) == {value("orders"), kit}
    assert not AccessRequest.objects.exists()


def test_more_than_five_hundred_entitlements_are_refused_in_words(stage: Stage) -> None:
    pairs = [(number, 1) for number in range(10**6, 10**6 + 501)]
    actor = person(stage.cast.requester, Source.PORTAL)
    with pytest.raises(actions.BadAsk, match="at most 500 entitlements, and this one names 501"):
        actions.ask(stage.cast.requester, [*pairs[:500], making.pair("orders")], actor=actor)


def test_it_begins_with_an_earlier_request(stage: Stage, enter: SignIn) -> None:
    before = stage.ask("orders", "ledger", duration_seconds=5400, why="INC-7 again")
    page = enter(stage.cast.requester).get(NEW, {"again": before.pk})
    assert in_basket(page) == {value("orders"), value("ledger")}
    assert "INC-7 again" in page.content.decode()
    assert 'value="1 h 30 min"' in page.content.decode()
    assert "Needs one approval" in text(page)


@pytest.mark.parametrize("again", ["999999", "x", "-1", "²", "9" * 40])
def test_a_request_that_is_not_mine_begins_nothing(stage: Stage, enter: SignIn, again: str) -> None:
    theirs = stage.ask("orders", why="INC-7 again")
    otto = enter(stage.cast.outsider)
    known, unknown = otto.get(NEW, {"again": theirs.pk}), otto.get(NEW, {"again": again})
    # Tokens, and the address that the page was asked for by.
    strip = re.compile(r'value="[\w-]{36,}"|\?again=[^"]*')
    assert strip.sub("", known.content.decode()) == strip.sub("", unknown.content.decode())
    assert "INC-7" not in known.content.decode()


def test_what_i_may_have_no_more_is_left_out_of_an_earlier_request(stage: Stage, enter: SignIn) -> None:
    before = stage.ask("orders")
    making.flow_actions.set_active(AccessFlow.objects.get(), False, actor=making.system())
    page = enter(stage.cast.requester).get(NEW, {"again": before.pk})
    assert in_basket(page) == set()
    assert "orders" not in text(page)
    assert "No access flow gives you some of this" in text(page)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("90", 5400), ("90 min", 5400), ("1 h 30 min", 5400), ("1h30m", None), ("2d", 172800), ("3 hours", 10800),
        (" 1 H ", 3600), ("1 d, 2 h", 93600), ("", None), ("soon", None), ("0", None), ("-5", None), ("1.5 h", None),
        ("²", None), ("9" * 40, None), ("99999 d", None), ("h", None),
    ],
)  # fmt: skip
def test_a_length_of_time_is_read_as_people_write_it(words: str, seconds: int | None) -> None:
    assert seconds_of(words) == seconds


def test_a_length_of_time_that_cannot_be_read_is_said_at_its_field(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).post(NEW, form("orders", duration="other", other="soon", do="send"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "for example 90 min" in page[page.index('id="duration-error"') : page.index('id="duration-hint"')]
    assert 'value="soon"' in page


def test_a_form_sent_twice_asks_once(stage: Stage, enter: SignIn) -> None:
    rita, token = enter(stage.cast.requester), str(uuid.uuid4())
    first = rita.post(NEW, form("orders", token=token, do="send"))
    second = rita.post(NEW, form("orders", token=token, do="send"))
    assert AccessRequest.objects.count() == 1
    assert first["Location"] == second["Location"] == address("request_page", AccessRequest.objects.get())


def test_a_form_sent_again_with_something_else_says_so_and_then_asks(stage: Stage, enter: SignIn) -> None:
    rita, token = enter(stage.cast.requester), str(uuid.uuid4())
    rita.post(NEW, form("orders", token=token, do="send"))
    other = rita.post(NEW, form("ledger", token=token, do="send"))
    assert other.status_code == 422
    assert f"became {AccessRequest.objects.get()}. Send it once more" in text(other)
    assert in_basket(other) == {value("ledger")}
    new = re.search(r'name="token" value="([^"]+)"', other.content.decode())
    assert new
    assert new.group(1) != token
    rita.post(NEW, form("ledger", token=new.group(1), do="send"))
    assert AccessRequest.objects.count() == 2


def test_another_persons_token_is_not_mine(stage: Stage, enter: SignIn) -> None:
    token = str(uuid.uuid4())
    making.flow(stage.integration, stage.cast.admin, name="Ada's")
    enter(stage.cast.requester).post(NEW, form("orders", token=token, do="send"))
    response = enter(stage.cast.admin).post(NEW, form("orders", token=token, do="send"))
    assert AccessRequest.objects.count() == 2
    assert response["Location"] == address("request_page", AccessRequest.objects.get(requestor=stage.cast.admin))


def test_a_form_that_could_not_be_sent_may_be_sent_again(stage: Stage, enter: SignIn) -> None:
    rita, token = enter(stage.cast.requester), str(uuid.uuid4())
    assert rita.post(NEW, form("orders", token=token, justification="", do="send")).status_code == 422
    assert not SentForm.objects.exists()
    assert rita.post(NEW, form("orders", token=token, do="send")).status_code == 302


def test_of_two_sendings_at_once_one_asks(fresh_database: None, cast: Any) -> None:
    made = making.integration()
    making.flow(made, cast.requester, cast.approver)
    token, places = str(uuid.uuid4()), []
    gate = threading.Barrier(4)

    def post() -> None:
        client = Client()
        client.force_login(cast.requester)
        gate.wait()
        places.append(client.post(NEW, form("orders", token=token, do="send"))["Location"])
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AccessRequest.objects.count() == 1
    assert set(places) == {address("request_page", AccessRequest.objects.get())}
    assert len(places) == 4
