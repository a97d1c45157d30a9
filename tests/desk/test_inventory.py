"""The inventory: narrowed by the database, paged, never counted; and the page of one resource."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.choices import Role
from connectors.contract.orders import ResourceFact
from integrations import actions
from integrations.models import Resource
from integrations.queries import PAGE, PAGES_MAX, Narrowed, inventory
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.story import Story, database

LIST = "admin:integrations_resource_changelist"


def sync(story: Story, *databases: ResourceFact) -> None:
    """Let the target have these databases, and read it."""
    story.target.databases = list(databases)
    actions.sync(story.integration, actor=story.by(story.cast.admin))
    actions.run_until_idle(seconds=5)


def names(client: Client, query: str) -> list[str]:
    """Return the names that the list shows for a query."""
    return [row.name for row in client.get(f"{reverse(LIST)}?{query}").context["rows"]]


def test_it_is_narrowed_by_every_filter_and_all_of_them_together(story: Story, desk: Client) -> None:
    sync(story, database("orders_prod"), database("ledger_dev"))
    Resource.objects.filter(name="ledger_dev").update(risk_level=7)
    of = f"integration={story.integration.pk}"
    assert names(desk, "") == ["ledger_dev", "orders_dev", "orders_prod"]
    assert names(desk, "q=ORDERS+prod") == ["orders_prod"]
    assert names(desk, "status=missing") == ["orders_dev"]
    assert names(desk, "status=active") == ["ledger_dev", "orders_prod"]
    assert names(desk, "risk=high") == ["ledger_dev"]
    assert names(desk, "risk=medium") == []
    assert names(desk, "tag=env%3Dprod") == ["orders_prod"]
    assert names(desk, "tag=env") == ["ledger_dev", "orders_dev", "orders_prod"]
    assert names(desk, "type=database") == ["ledger_dev", "orders_dev", "orders_prod"]
    assert names(desk, "type=planet") == []
    assert names(desk, f"{of}&type=database&status=active&risk=low&tag=env%3Dprod&q=prod") == ["orders_prod"]
    assert names(desk, f"integration__id__exact={story.integration.pk}&q=dev") == ["ledger_dev", "orders_dev"]
    assert names(desk, "integration=00000000-0000-0000-0000-000000000000") == []


@pytest.mark.parametrize(
    "query",
    [
        *("integration=nonsense", "status=nonsense", "risk=nonsense", "tag=%3D", "p=0", "p=-1", "p=nonsense"),
        *("p=99999999999999999999", "q=" + "x" * 5000, "q=%25", "q=%00", "tag=%27%3B--", "type=%F0%9F%A6%84"),
    ],
)
def test_junk_in_the_address_breaks_nothing(story: Story, desk: Client, query: str) -> None:
    assert desk.get(f"{reverse(LIST)}?{query}").status_code == 200


def test_a_percent_sign_is_itself(story: Story, desk: Client) -> None:
    sync(story, database("half_50%"), database("whole"))
    assert names(desk, "status=active&q=%25") == ["half_50%"]


def test_it_is_paged_and_nothing_is_counted(story: Story, desk: Client) -> None:
    sync(story, *(database(f"db{number:03}") for number in range(PAGE + 5)))
    with CaptureQueriesContext(connection) as queries:
        page = desk.get(f"{reverse(LIST)}?status=active")
    assert len(page.context["rows"]) == PAGE
    assert "1 to 50, and more" in " ".join(page.content.decode().replace("\n", " ").split()).replace(" ,", ",")
    assert not [query for query in queries if "COUNT(" in query["sql"] and "integrations_resource" in query["sql"]]
    following = desk.get(f"{reverse(LIST)}{page.context['following']}")
    assert [row.name for row in following.context["rows"]] == [f"db{number:03}" for number in range(PAGE, PAGE + 5)]
    assert (following.context["following"], following.context["previous"]) == ("", "?status=active&p=1")


def test_a_page_too_deep_says_to_search(story: Story) -> None:
    rows, more = inventory(Narrowed(), PAGES_MAX)
    assert (rows, more) == ([], False)


def test_the_list_takes_the_same_queries_however_many_rows(story: Story, desk: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            desk.get(reverse(LIST))
        return len(queries)

    count()
    before = count()
    sync(story, *(database(f"db{number:03}") for number in range(40)))
    assert count() == before


def test_the_page_of_a_resource_says_who_holds_it_and_what_gives_it(story: Story, desk: Client) -> None:
    request = story.granted("orders_prod")
    page = reverse("admin:integrations_resource_change", args=[Resource.objects.get(name="orders_prod").pk])
    text = desk.get(page).content.decode()
    assert "Read only: Rita" in text
    assert f"AR-{request.pk}" in text
    assert "1 active access flow gives something on it." in text
    assert reverse("admin:flows_accessflow_change", args=[request.flow_version.flow_id]) in text
    other = reverse("admin:integrations_resource_change", args=[Resource.objects.get(name="orders_dev").pk])
    assert "Nobody holds anything on it" in desk.get(other).content.decode()


def test_who_may_not_read_of_requests_is_not_told_who_holds_it(story: Story) -> None:
    story.granted("orders_prod")
    client = signed_in(person("Dora", Role.DEPLOYMENT))
    page = reverse("admin:integrations_resource_change", args=[Resource.objects.get(name="orders_prod").pk])
    text = client.get(page).content.decode()
    assert "Access flows" in text
    assert "Rita" not in text
    assert "Who holds it now" not in text
