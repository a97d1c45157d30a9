"""The query editor's questions, and the query's rows without a script."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.choices import Role
from integrations.aql import LENGTH_MAX, BadQuery, parse
from integrations.aql.comparing import lines_between
from integrations.aql.editing import ROWS_MAX, Draft, EditRow, as_rows, draft_of, tell
from integrations.aql.mending import mended
from integrations.models import Resource
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.desk.test_inventory import sync
from tests.story import Story, database

CHECK = "admin:integrations_resource_checkquery"
COMPLETE = "admin:integrations_resource_completequery"
PROD = 'resource_tag["env"] = "prod"'


def ask(client: Client, name: str, **sent: Any) -> dict[str, Any]:
    answer = client.post(reverse(name), sent)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    told: dict[str, Any] = answer.json()
    return told


def text_of(html: str) -> str:
    return " ".join(html.split())


def test_a_query_is_told_its_words_its_number_and_its_first_rows(story: Story, desk: Client) -> None:
    told = ask(desk, CHECK, query=PROD)
    assert told["tokens"][0] == ["field", 0, 12]
    assert told["wrong"] is None
    assert 'Selects <b class="num">2 entitlements</b>' in text_of(told["says"])
    assert "as of the last sync of each integration (oldest:" in text_of(told["says"])
    assert "orders_prod" in told["says"]
    assert "All of them" in told["says"]
    assert "orders_dev" not in told["says"]


def test_a_wrong_query_is_told_where_and_what_and_how_to_mend_it(story: Story, desk: Client) -> None:
    told = ask(desk, CHECK, query='resource_tags["env"] = "prod"')
    assert told["wrong"] == [0, 13]
    assert "Line 1, column 1" in told["says"]
    assert "Use it" in told["says"]
    assert ask(desk, CHECK, query=" ")["wrong"] is None


def test_what_is_missing_counts_only_where_all_is_asked_for(story: Story, desk: Client) -> None:
    Resource.objects.filter(name="orders_prod").update(status="missing")
    assert "0 entitlements" in ask(desk, CHECK, query=PROD)["says"]
    assert "2 entitlements" in ask(desk, CHECK, query=PROD, all="1")["says"]


def test_rows_are_answered_with_the_query_they_write(story: Story, desk: Client) -> None:
    rows = {"aql-mode": "basic", "aql-field": ["resource_tag", "resource_type"], "aql-key": ["env", ""]}
    rows |= {"aql-operator": ["in", "="], "aql-values": ["prod\r\ndev", ""]}
    told = ask(desk, CHECK, **rows, rows="1")
    assert told["query"] == 'resource_tag["env"] in ("prod", "dev")'
    assert told["rows"].count("aql-row") >= 2
    # A field that the operator does not fit keeps what can be kept.
    rows |= {"aql-field": ["resource_risk_level", "resource_type"], "aql-operator": ["contains", "="]}
    rows["aql-values"] = ["low", ""]
    assert ask(desk, CHECK, **rows)["query"] == 'resource_risk_level = "low"'
    rows["aql-values"] = ["enormous", ""]
    told = ask(desk, CHECK, **rows, query="kept")
    assert "query" not in told
    assert "no risk level" in told["says"]


@pytest.mark.parametrize(
    "sent",
    [
        {"aql-field": ["resource_type"]},
        {"aql-field": ["nonsense"], "aql-key": [""], "aql-operator": ["="], "aql-values": [""]},
        {"aql-field": ["resource_type"], "aql-key": [""], "aql-operator": ["like"], "aql-values": [""]},
        {f"aql-{one}": ["resource_type"] * (ROWS_MAX + 1) for one in ("field", "key", "operator", "values")},
    ],
)
def test_rows_that_no_form_has_are_refused(story: Story, desk: Client, sent: dict[str, Any]) -> None:
    assert desk.post(reverse(CHECK), {"aql-mode": "basic", **sent}).status_code == 400


def test_completions_are_those_of_the_inventory(story: Story, desk: Client) -> None:
    text = 'resource_tag["env"] = "p'
    told = ask(desk, COMPLETE, query=text, cursor=len(text))
    assert told["suggestions"] == [{"start": len(text) - 2, "text": '"prod"', "explanation": ""}]
    assert ask(desk, COMPLETE, query="resource_st", cursor="nonsense")["suggestions"][0]["text"] == "resource_status"
    assert ask(desk, COMPLETE, query="x" * (LENGTH_MAX + 1), cursor=9**9)["suggestions"] == []


def test_what_is_too_long_is_refused_before_it_is_read(story: Story, desk: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        told = ask(desk, CHECK, query="(" * (LENGTH_MAX + 1))
    assert "too long" in told["says"]
    assert not [one for one in queries if "integrations_resource" in one["sql"]]


def test_only_who_sees_the_inventory_may_ask(story: Story) -> None:
    for client, status in ((signed_in(story.cast.outsider), 302), (signed_in(person("Vera", Role.VIEWER)), 200)):
        for name in (CHECK, COMPLETE):
            assert client.post(reverse(name), {"query": PROD}).status_code == status
            assert client.get(reverse(name)).status_code == (302 if status == 302 else 405)


def test_an_answer_takes_the_same_queries_whatever_is_selected(story: Story, desk: Client) -> None:
    def count(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            tell(query)
        return len(queries)

    sync(story, *(database(f"db{number:03}") for number in range(30)))
    # The page, its resources, their tags, owners and permissions; the number, where not all of it is shown.
    assert count(PROD) <= 6
    assert count('resource_type = "database"') <= 7
    assert count("nonsense") == 0


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('resource_tags["env"] = "prod"', None),
        ('resource_tag = "prod"', 'resource_tag["key"] = "prod"'),
        ("resource_type = database", 'resource_type = "database"'),
        ("resource_type = 'database'", 'resource_type = "database"'),
        ('resource_type == "database"', 'resource_type = "database"'),
        ('resource_type not contains "x"', 'resource_type not_contains "x"'),
        ('resource_type = ("a", "b")', 'resource_type in ("a", "b")'),
        ('resource_type = "a" && resource_name = "b"', 'resource_type = "a" and resource_name = "b"'),
        ('resource_risk_level = "critical"', 'resource_risk_level = "high"'),
        ('resource_risk_level contains "low"', 'resource_risk_level = "low"'),
        ('resource_name = "a\\x"', 'resource_name = "a\\\\x"'),
        ("\nresource_type = \"a\" and\n  risk = 'high'", None),
        ("resource_tag", 'resource_tag["key"]'),
        ('permission_nam = "Read only"', 'permission_name = "Read only"'),
    ],
)
def test_a_suggestion_is_put_where_it_is_meant(text: str, meant: str | None) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(text)
    told = mended(text, caught.value)
    assert told
    assert told != text
    if meant is not None:
        assert told == meant


def test_a_query_reads_back_as_rows_and_says_why_where_it_cannot() -> None:
    text = 'resource_type = "database" and resource_tag["env"] in ("prod", "dev") and resource_name not_contains "tmp"'
    draft = as_rows(text)
    assert draft.rows is not None
    assert [(row.field, row.key, row.operator, row.text) for row in draft.rows] == [
        ("resource_type", "", "=", "database"),
        ("resource_tag", "env", "in", "prod\ndev"),
        ("resource_name", "", "not_contains", "tmp"),
    ]
    assert draft_of(sent(draft)).text == text
    assert as_rows("").rows == (EditRow(),)
    for other, why in (
        ('resource_type = "a" or resource_name = "b"', "has or, not or parentheses"),
        ('not resource_type = "a"', "has or, not or parentheses"),
        ('resource_name = ""', "empty"),
        (" and ".join(f'resource_name != "{one}"' for one in range(ROWS_MAX + 1)), f"has {ROWS_MAX + 1}"),
        ("resource_nam", "none yet"),
    ):
        assert as_rows(other).rows is None
        assert why in as_rows(other).why


def sent(draft: Draft) -> QueryDict:
    """Return rows as their form sends them."""
    data = QueryDict(mutable=True)
    data["aql-mode"] = "basic"
    for part, name in (("field", "field"), ("key", "key"), ("operator", "operator"), ("values", "text")):
        data.setlist(f"aql-{part}", [getattr(row, name) for row in draft.rows or ()])
    return data


def test_rows_come_and_go_by_buttons_alone() -> None:
    rows = sent(as_rows('resource_type = "a" and resource_name = "b"'))
    assert len(draft_of(rows, "row:add").rows or ()) == 3
    less = draft_of(rows, "row:remove:0")
    assert (less.text, len(less.rows or ())) == ('resource_name = "b"', 1)
    assert draft_of(rows, "aql") == Draft('resource_type = "a" and resource_name = "b"')
    for junk in ("row:remove:99", "row:remove:x", "row:remove:", "nonsense"):
        assert len(draft_of(rows, junk).rows or ()) == 2


def test_two_queries_differ_by_their_comparisons() -> None:
    lines = lines_between('resource_type = "a" and resource_name = "b"', 'resource_type = "a" and resource_name = "c"')
    assert [(one.text, one.gone, one.new) for one in lines] == [
        ('and resource_type = "a"', False, False),
        ('and resource_name = "b"', True, False),
        ('and resource_name = "c"', False, True),
    ]
    more = lines_between('resource_type = "a"', 'resource_type = "a" or resource_name = "b"')
    assert [(one.text, one.new) for one in more] == [
        ('or resource_type = "a"', False),
        ('or resource_name = "b"', True),
    ]
    other = lines_between('permission = "a" and resource = "1"', 'permission = "a" or resource = "1"')
    assert [one.gone for one in other] == [True, True, False, False]
    assert [one.text for one in lines_between("not a query", "not a query")] == ["not a query"]


# The inventory by query.


def page_of(client: Client, **told: str) -> Any:
    return client.get(reverse("admin:integrations_resource_changelist"), told)


def test_the_inventory_is_searched_by_query_and_the_address_has_it(story: Story, desk: Client) -> None:
    page = page_of(desk, query=PROD)
    assert {row.resource_name for row in page.context["rows"]} == {"orders_prod"}
    assert "Make it an access scope" in page.content.decode()
    assert f"{reverse('admin:flows_accessscope_add')}?query=resource_tag" in page.content.decode()
    viewer = signed_in(person("Vera", Role.VIEWER))
    assert "Make it an access scope" not in page_of(viewer, query=PROD).content.decode()


def test_it_is_paged_by_the_last_pair(story: Story, desk: Client) -> None:
    sync(story, *(database(f"db{number:03}") for number in range(40)))
    seen: list[tuple[int, int]] = []
    page = page_of(desk, query='resource_name starts_with "db"')
    while True:
        seen += [(row.resource_id, row.permission_id) for row in page.context["rows"]]
        if not page.context["following"]:
            break
        page = desk.get(reverse("admin:integrations_resource_changelist") + page.context["following"])
    assert len(seen) == len(set(seen)) == 80
    assert page.context["first_page"]


def test_a_wrong_query_stays_with_what_is_wrong(story: Story, desk: Client) -> None:
    page = page_of(desk, query="resource_typ = 'database'")
    text = page.content.decode()
    assert page.status_code == 200
    assert "resource_typ = &#x27;database&#x27;</textarea>" in text
    assert "Line 1, column 1" in text
    mended_ = page_of(desk, query="resource_typ = 'database'", _do="mend").content.decode()
    assert "resource_type = &#x27;database&#x27;</textarea>" in mended_


def test_filters_are_carried_over_into_a_query_where_it_can_say_them(story: Story, desk: Client) -> None:
    page = page_of(desk, type="database", tag="env=prod")
    assert page.context["as_query"].startswith("query=resource_type+%3D+%22database%22+and+resource_tag")
    assert page_of(desk, type="database", q="orders").context["as_query"] == "query="


def test_rows_work_without_a_script(story: Story, desk: Client) -> None:
    page = page_of(desk, by="query", query=PROD, _do="basic")
    assert 'name="aql-mode"' in page.content.decode()
    assert "<textarea" not in page.content.decode()
    told = {"aql-mode": "basic", "aql-field": "resource_tag", "aql-key": "env", "aql-operator": "="}
    page = page_of(desk, by="query", query=PROD, **told, **{"aql-values": "dev"})
    assert {row.resource_name for row in page.context["rows"]} == {"orders_dev"}


@pytest.mark.parametrize("after", ["x", "1", "-", "9" * 30 + "-1", "1-2-3", "1-\u00b2"])
def test_junk_in_the_address_breaks_nothing(story: Story, desk: Client, after: str) -> None:
    assert page_of(desk, query=PROD, after=after).status_code == 200
    assert page_of(desk, query="\0" * 3, after=after).status_code == 200
