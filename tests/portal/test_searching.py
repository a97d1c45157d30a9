"""The list of what can be asked for: what is in it, searching it, narrowing it, paging it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from flows.models import AccessFlow, FlowVersion
from integrations.models import Integration, Resource, ResourceType, Tag
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import boxes, in_basket, offered, text

NEW = "/requests/new/"
FOUND = "/requests/new/found/"


def value(name: str, permission: str = "READ_ONLY") -> str:
    resource, allowed = making.pair(name, permission)
    return f"{resource}:{allowed}"


def named(response: Any) -> list[str]:
    """Return the names in the list, in its order."""
    ids = [int(one.split(":")[0]) for one in offered(response)]
    page, names = response.content.decode(), dict(Resource.objects.filter(pk__in=ids).values_list("pk", "name"))
    return [names[pk] for pk in sorted(names, key=lambda pk: page.index(f'value="{pk}:'))]


def test_the_list_holds_what_i_may_ask_for_and_nothing_else(stage: Stage, enter: SignIn) -> None:
    making.integration("hr", ("salaries",))
    response = enter(stage.cast.requester).get(NEW)
    assert offered(response) == {value("orders"), value("ledger")}
    assert "salaries" not in text(response)


def test_who_may_ask_for_nothing_is_told_so_and_whom_to_ask(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.outsider).get(NEW)
    assert offered(response) == set()
    assert "No access flow gives you anything" in text(response)
    assert "Ada (ada@example.com)" in text(response).replace("( ", "(").replace(" )", ")")
    assert "payments-prod" not in text(response)


def test_where_nothing_is_connected_the_page_says_so(db: None, cast: Any, enter: SignIn) -> None:
    assert "No integrations yet" in text(enter(cast.requester).get(NEW))


def test_a_resource_is_ticked_with_the_permission_of_least_risk(stage: Stage, enter: SignIn) -> None:
    only_ledger = {"mode": "include_resources", "type": "name", "values": ["ledger"]}
    making.flow(
        stage.integration, stage.cast.outsider, stage.cast.approver,
        name="Ledger admin", permissions=("ADMIN",), selectors=(only_ledger,),
    )  # fmt: skip
    assert offered(enter(stage.cast.outsider).get(NEW)) == {value("ledger", "ADMIN")}
    assert value("ledger") in offered(enter(stage.cast.requester).get(NEW))


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
    why = "Its roles are not prepared."
    making.resource(stage.integration, "archive", refusals={"READ_ONLY": why})
    making.resource(stage.integration, "vault", refusals={"READ_ONLY": why, "READ_WRITE": why})
    response = enter(stage.cast.requester).get(NEW)
    assert f"Read only: {why}" in text(response)
    assert value("archive") not in offered(response)
    assert value("archive", "READ_WRITE") in offered(response)
    assert "vault" in text(response)
    assert not {one for one in offered(response) if one.startswith(f"{making.pair('vault')[0]}:")}


def test_what_i_hold_now_says_until_when(stage: Stage, enter: SignIn) -> None:
    stage.active("orders")
    said = text(enter(stage.cast.requester).get(NEW))
    assert said.count("You have Read only until") == 1


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("ledg", {"ledger"}),
        ("LEDG", {"ledger"}),
        ("payments ledg", {"ledger"}),
        ("database ord", {"orders"}),
        ("payments database g", {"ledger", "Ärger"}),
        ("w", set()),
        ("h", {"back\\slash"}),
        ("er", {"ledger", "orders", "Ärger"}),
        ("ledger orders", set()),
        ("zebra", set()),
        ("%", {"100%_sure"}),
        ("_", {"100%_sure"}),
        ("\\", {"back\\slash"}),
        ("'", {'o\'neill "x"'}),
        ('"', {'o\'neill "x"'}),
        ("ärger", {"Ärger"}),
        ("ÄRGER", {"Ärger"}),
        ("日本", {"日本語"}),
        ("x" * 190, set()),
    ],
)
def test_every_word_has_to_be_somewhere(stage: Stage, enter: SignIn, q: str, found: set[str]) -> None:
    for odd in ("100%_sure", "back\\slash", 'o\'neill "x"', "Ärger", "日本語"):
        making.resource(stage.integration, odd)
    assert set(named(enter(stage.cast.requester).get(NEW, {"q": q}))) == found


def test_what_was_searched_for_is_marked_and_nothing_else_becomes_markup(stage: Stage, enter: SignIn) -> None:
    making.resource(stage.integration, "<b>ledger</b>")
    page = enter(stage.cast.requester).get(NEW, {"q": "ledger <b>"}).content.decode()
    assert "<mark>&lt;b&gt;</mark><mark>ledger</mark>&lt;/b&gt;" in page
    assert "<b>ledger</b>" not in page


def test_a_search_that_finds_nothing_says_what_to_do(stage: Stage, enter: SignIn) -> None:
    said = text(enter(stage.cast.requester).get(NEW, {"q": "zebra"}))
    assert "Nothing found" in said
    assert "Search for less of it" in said


@pytest.mark.parametrize("q", ["\x00", "'; drop table", "x" * 500, "\ud800", "a " * 90])
@pytest.mark.parametrize("more", [{}, {"c": "%"}, {"i": "no id"}, {"t": "\x00"}, {"page": "-1"}, {"page": "x"}])
def test_odd_searches_do_no_harm(stage: Stage, enter: SignIn, q: str, more: dict[str, str]) -> None:
    sent = q.encode("utf-8", "surrogatepass").decode("latin-1") if "\ud800" in q else q
    rita = enter(stage.cast.requester)
    assert rita.get(NEW, {"q": sent, **more}).status_code == 200
    assert rita.get(FOUND, {"q": sent, **more}).status_code == 200


def test_the_part_for_the_script_holds_the_same_results(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    assert offered(rita.get(FOUND, {"q": "ledg"})) == offered(rita.get(NEW, {"q": "ledg"})) == {value("ledger")}
    assert "<html" not in rita.get(FOUND).content.decode()


def test_an_outsider_finds_nothing_by_any_name_or_id(stage: Stage, enter: SignIn) -> None:
    otto, integration = enter(stage.cast.outsider), stage.integration
    theirs = ({"q": "ledger"}, {"i": str(integration.pk)}, {"t": "database"}, {"c": "database"})
    nobodys = ({"q": "zebra"}, {"i": str(uuid.uuid4())}, {"t": "zebra"}, {"c": "zebra"})
    for known, unknown in zip(theirs, nobodys, strict=True):
        assert offered(otto.get(FOUND, known)) == set()
        assert "payments-prod" not in text(otto.get(FOUND, known))
        assert text(otto.get(FOUND, known)) == text(otto.get(FOUND, unknown))


def test_it_reads_by_integration_then_type_then_path(stage: Stage, enter: SignIn) -> None:
    second = making.integration("accounts", ("zoo", "bar"))
    making.flow(second, stage.cast.requester, name="Accounts")
    kind = ResourceType.objects.create(integration=stage.integration, type="a_schema", name="A schema")
    kind.permissions.create(source_id="READ_ONLY", name="Read only", risk_level=1)
    Resource.objects.create(integration=stage.integration, resource_type=kind, source_id="s", name="zz", path="zz")
    making.flow(stage.integration, stage.cast.requester, name="Everything")
    _give_type("a_schema", stage)
    assert named(enter(stage.cast.requester).get(NEW)) == ["bar", "zoo", "zz", "ledger", "orders"]


def _give_type(kind: str, stage: Stage) -> None:
    flow = AccessFlow.objects.get(name="Everything")
    target = flow.targets.get()
    target.pk, target.resource_type, target.permissions = None, kind, ["READ_ONLY"]
    target.save()
    making.flow_actions.save(flow, actor=making.system())


def test_chips_narrow_by_type_and_count(stage: Stage, enter: SignIn) -> None:
    test_it_reads_by_integration_then_type_then_path(stage, enter)
    rita = enter(stage.cast.requester)
    page = " ".join(text(rita.get(NEW)).split())
    assert "All types A schema 1 Database 4" in page
    assert named(rita.get(NEW, {"t": "a_schema"})) == ["zz"]
    assert named(rita.get(NEW, {"i": str(stage.integration.pk)})) == ["zz", "ledger", "orders"]
    assert "payments-prod" in text(rita.get(NEW, {"i": str(stage.integration.pk), "q": "zoo"}))


def test_the_list_comes_in_pages_and_what_is_picked_stays(stage: Stage, enter: SignIn) -> None:
    for number in range(25):
        making.resource(stage.integration, f"mart_{number:02}")
    rita = enter(stage.cast.requester)
    sent = {"add": [value("ledger")], "duration": "3600", "justification": "INC-4821"}
    first = rita.post(NEW, {**sent, "do": "check"})
    assert named(first)[:2] == ["mart_00", "mart_01"]
    assert boxes(first, "checked disabled") == {value("ledger")}
    second = rita.post(NEW, {**sent, "pick": [value("ledger")], "page": "2", "at": "1"})
    assert named(second)[-2:] == ["mart_24", "orders"]
    assert in_basket(second) == {value("ledger")}
    assert "INC-4821" in second.content.decode()
    again = rita.post(NEW, {**sent, "at": "2", "do": "check"})
    assert named(again)[-1] == "orders"
    anew = rita.post(NEW, {**sent, "q": "mart", "at": "2", "do": "search"})
    assert named(anew)[0] == "mart_00"


def test_what_is_missing_or_in_a_disabled_integration_is_not_offered(stage: Stage, enter: SignIn) -> None:
    Resource.objects.filter(name="orders").update(status="missing")
    assert offered(enter(stage.cast.requester).get(NEW)) == {value("ledger")}
    Integration.objects.update(status="disabled")
    assert offered(enter(stage.cast.requester).get(NEW)) == set()


def test_a_new_version_of_a_flow_counts_at_once(stage: Stage, enter: SignIn) -> None:
    rita, flow = enter(stage.cast.requester), AccessFlow.objects.get(name="Payments data")
    assert offered(rita.get(NEW))
    making.flow_actions.set_active(flow, False, actor=making.system())
    assert offered(rita.get(NEW)) == set()
    making.flow_actions.set_active(flow, True, actor=making.system())
    assert offered(rita.get(NEW)) == {value("orders"), value("ledger")}
    assert FlowVersion.objects.filter(flow=flow).count() == 3
