"""Activity: what the page shows, whom it shows it to, and how it pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access_requests.models import AccessRequest
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import text

URL = "/activity/"
HOUR = timedelta(hours=1)
# The session, the person, their roles, tasks, overdue ends and late jobs in the frame; saved reports; figures, the
# median; the rows, their groups, units, approvals and versions.
QUERIES = 17


def numbers(response: object) -> list[str]:
    """Return the requests that the page lists, in order."""
    return re.findall(r'<a href="/requests/(\d+)/">AR-', response.content.decode())  # type: ignore[attr-defined]


def test_the_page_lists_what_the_reader_may_see_newest_first(stage: Stage, enter: SignIn) -> None:
    mine = [stage.ask("orders"), stage.ask("ledger")]
    for user in (stage.cast.requester, stage.cast.approver, stage.cast.admin):
        response = enter(user).get(URL)
        assert response.status_code == 200
        assert numbers(response) == [str(one.pk) for one in reversed(mine)]
        assert "ledger" in text(response)


def test_an_outsider_sees_no_row_no_name_and_no_figure(stage: Stage, enter: SignIn) -> None:
    stage.active("orders")
    response = enter(stage.cast.outsider).get(URL)
    assert numbers(response) == []
    said = text(response)
    assert "No requests in the last 30 days" in said
    assert "orders" not in said
    assert "Rita" not in said
    assert re.search(r"Requests 0 0 in one day", said)


def test_a_disabled_person_sees_nothing_even_with_a_session(stage: Stage, enter: SignIn) -> None:
    client = enter(stage.cast.admin)
    stage.ask()
    type(stage.cast.admin).objects.filter(pk=stage.cast.admin.pk).update(is_active=False)
    assert client.get(URL).status_code == 302


@pytest.mark.parametrize("count", [2, 8])
def test_the_page_takes_its_number_of_queries(stage: Stage, enter: SignIn, count: int) -> None:
    for _ in range(count):
        AccessRequest.objects.filter(pk=stage.active("orders").pk).update(state="failed")
    client = enter(stage.cast.admin)
    with CaptureQueriesContext(connection) as taken:
        client.get(URL)
    assert len(taken) == QUERIES


def test_pages_follow_each_other_without_gap_or_double(stage: Stage, enter: SignIn) -> None:
    first = stage.ask("orders")
    base = AccessRequest.objects.get(pk=first.pk)
    at = datetime.now(UTC) - HOUR
    rows = [
        AccessRequest(requestor=base.requestor, grantee=base.grantee, flow_version=base.flow_version, requested_at=at)
        for _ in range(60)
    ]
    # Many at one instant: the number settles their order.
    AccessRequest.objects.bulk_create(rows)
    client, seen, address = enter(stage.cast.requester), [], URL
    for expected in (25, 25, 11):
        response = client.get(address)
        assert len(numbers(response)) == expected
        seen += numbers(response)
        found = re.search(r'href="(\?[^"]*behind=[^"]*)"', response.content.decode())
        address = URL + found.group(1).replace("&amp;", "&") if found else ""
    assert address == ""
    assert seen == [
        str(pk) for pk in AccessRequest.objects.order_by("-requested_at", "-pk").values_list("pk", flat=True)
    ]
    back = re.search(r'href="(\?[^"]*before=[^"]*)"', response.content.decode())
    assert back
    response = client.get(URL + back.group(1).replace("&amp;", "&"))
    assert numbers(response) == seen[25:50]


@pytest.mark.parametrize(
    "junk", ["behind=x", "behind=2026-01-01_5", "before=_", "behind=2026-01-01T00:00Z_99999999999999999999"]
)
def test_a_place_that_makes_no_sense_is_the_first_page(stage: Stage, enter: SignIn, junk: str) -> None:
    access = stage.ask()
    assert numbers(enter(stage.cast.requester).get(f"{URL}?{junk}")) == [str(access.pk)]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("period=nonsense", "nonsense"),
        ("state=gone", "gone"),
        ("from=2026-31-01&period=between", "valid date"),
        ("from=2026-02-01&to=2026-01-01", "ends before it begins"),
        ("last=20000", "10000"),
        ("last=0", "greater than or equal to 1"),
        ("last=200&unit=month", "At most 120 months"),
        ("period=last-7-day&from=2026-01-01", "Between two days"),
        ("period=last-7-day&last=4", "The last …"),
        ("from=0001-01-01", "between the years"),
        ("person=" + "x" * 201, "200 characters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_answered_with_a_sentence(
    stage: Stage, enter: SignIn, query: str, word: str
) -> None:
    stage.ask()
    response = enter(stage.cast.requester).get(f"{URL}?{query}")
    assert response.status_code == 422
    assert word in text(response)
    assert numbers(response) == []


def test_the_figures_count_what_the_list_shows(stage: Stage, enter: SignIn) -> None:
    now = datetime.now(UTC)
    making.flow(stage.integration, stage.cast.requester, name="Free", permissions=("ADMIN",))
    free = making.ask(stage.cast.requester, "orders", permission="ADMIN")
    for minutes in (1, 2, 9):
        access = stage.ask("ledger")
        AccessRequest.objects.filter(pk=access.pk).update(
            requested_at=now - HOUR, decided_at=now - HOUR + timedelta(minutes=minutes)
        )
    intime = making.ended(stage.active("orders", at=now - HOUR), due_at=now, lag=59.9)
    behind = making.ended(stage.active("orders", at=now - HOUR), due_at=now, lag=61)
    AccessRequest.objects.filter(pk__in=[intime.pk, behind.pk]).update(decided_at=None)
    overdue = making.ending(stage.active("orders", at=now - HOUR), due_at=now - HOUR)
    AccessRequest.objects.filter(pk=overdue.pk).update(decided_at=None)
    response = enter(stage.cast.admin).get(URL)
    said, found = text(response), response.context["figures"]
    assert (found.total, found.unasked, found.answered, found.ended, found.late) == (7, 1, 3, 3, 2)
    assert (round(found.median_wait), round(found.longest_wait)) == (120, 540)
    assert "2 min longest 9 min, of 3" in said
    assert "33.3 % 2 late of 3" in said
    assert numbers(enter(stage.cast.admin).get(URL, {"state": "late"})) == [str(overdue.pk), str(behind.pk)]
    assert str(free.pk) in numbers(response)


def test_the_chart_has_a_table_with_the_same_numbers(stage: Stage, enter: SignIn) -> None:
    stage.ask()
    response = enter(stage.cast.requester).get(URL)
    page = response.content.decode()
    assert page.count('class="bar-all"') == 1
    assert sum(bar.total for bar in response.context["figures"].bars) == 1
    assert "The same as a table" in page
    assert "style=" not in page


def test_what_people_typed_comes_back_escaped(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).get(URL, {"person": '"><script>alert(1)</script>', "what": "<b>"})
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()
