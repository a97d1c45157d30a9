"""Reading the trail: who may, what filters find, and an admin site that writes nothing."""

from __future__ import annotations

import datetime
import re

import pytest
from django.db import transaction
from django.test import Client

from accounts.choices import Role
from audit import actions, queries
from audit.actor import person
from audit.choices import Source
from audit.models import AuditEntry
from audit.queries import Filters
from tests.audit.trail import ACTION, write
from tests.cast import Cast
from tests.cast import person as somebody

LIST = "/admin/audit/auditentry/"


@pytest.mark.parametrize(
    ("role", "may_read", "may_export"),
    [
        (Role.ADMIN, True, True),
        (Role.POWER_USER, True, True),
        (Role.VIEWER, True, True),
        (Role.DEPLOYMENT, False, False),
        (Role.GRANTEE, False, False),
    ],
)
def test_each_role_reads_what_it_may(db: None, role: Role, may_read: bool, may_export: bool) -> None:
    write(1)
    user = somebody("Someone", role)
    assert queries.entries(user).exists() == may_read
    client = Client()
    client.force_login(user)
    page = client.get(LIST)
    # Who is no staff at all is sent to the sign-in page.
    assert page.status_code == (200 if may_read else 403 if role == Role.DEPLOYMENT else 302)
    assert (b"/audit/export.csv" in page.content) == may_export


def test_nobody_reads_without_the_permission_whatever_the_entry_is_about(cast: Cast) -> None:
    write(1, actor=person(cast.requester, Source.PORTAL))
    assert not queries.entries(cast.requester).exists()


def test_filters_select(cast: Cast) -> None:
    write(2, actor=person(cast.requester, Source.PORTAL))
    write(1)
    before, after = AuditEntry.objects.earliest("at").at, datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC)

    def count(**chosen: object) -> int:
        return queries.entries(cast.admin, filters=Filters(**chosen)).count()  # type: ignore[arg-type]

    assert count() == count(since=before) == count(until=after) == count(action=ACTION) == 3
    assert count(until=before) == count(since=after) == count(action="x.y") == 0
    assert count(actor=str(cast.requester.pk)) == count(actor="RITA@example.com") == 2
    assert count(subject_type="thing", subject_id="1") == 2


def test_the_entries_of_a_subject_come_in_order(db: None) -> None:
    write(2)
    write(1)
    found = list(queries.of_subject("thing", "1"))
    assert [entry.subject_id for entry in found] == ["1", "1"]
    assert found[0].pk < found[1].pk


def test_the_admin_site_shows_entries_and_their_seals(cast: Cast, client: Client) -> None:
    write(1, note="<script>alert(1)</script>")
    actions.seal()
    write(1)
    client.force_login(cast.admin)
    assert client.get(LIST, {"sealed": "no"}).content.count(b"Thing 1") == 1
    assert client.get(LIST, {"q": "Thing", "action": ACTION, "source": "system"}).status_code == 200
    sealed = AuditEntry.objects.get(seal__isnull=False)
    page = client.get(f"{LIST}{sealed.pk}/change/").content
    assert sealed.seal.digest.encode() in page
    assert b"<script>alert(1)" not in page
    assert b"&lt;script&gt;" in page


def test_the_admin_site_writes_nothing_whatever_the_role(cast: Cast, client: Client) -> None:
    write(1)
    entry = AuditEntry.objects.get()
    client.force_login(cast.admin)
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}add/", {"action": "x.y"}).status_code == 403
    assert client.post(f"{LIST}{entry.pk}/change/", {"action": "x.y"}).status_code == 403
    assert client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"})
    assert AuditEntry.objects.filter(pk=entry.pk, action=ACTION).exists()


def test_a_page_of_entries_costs_the_same_however_full(
    cast: Cast, client: Client, django_assert_max_num_queries: object
) -> None:
    write(50)
    actions.seal()
    client.force_login(cast.admin)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert client.get(LIST).status_code == 200


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["1", "2", "3"]),
        ({"subject": "thing:2"}, ["2"]),
        ({"subject": "other"}, []),
        ({"actor": "RITA@example.com"}, ["3"]),
        ({"source": "portal"}, ["3"]),
        ({"action": ACTION}, ["1", "2", "3"]),
        ({"from": "2999-01-01"}, []),
        ({"to": "2001-01-01", "sealed": "no"}, []),
        ({"from": "", "to": "", "action": "", "actor": "", "subject": "thing:1", "source": ""}, ["1"]),
    ],
)
def test_the_admin_site_filters_by_the_address(
    cast: Cast, client: Client, query: dict[str, str], shown: list[str]
) -> None:
    write(2)
    with transaction.atomic():
        by = person(cast.requester, Source.PORTAL)
        actions.record(ACTION, actor=by, subject=actions.Subject("thing", "3", "Thing 3"))
    client.force_login(cast.admin)
    page = client.get(LIST, query)
    assert page.status_code == 200
    assert sorted(set(re.findall(r"thing: Thing (\d)", page.content.decode()))) == shown


@pytest.mark.parametrize("query", [{"from": "soon"}, {"action": "no.such"}, {"source": "x"}, {"to": "2001-13-01"}])
def test_a_filter_that_makes_no_sense_shows_nothing_and_says_why(
    cast: Cast, client: Client, query: dict[str, str]
) -> None:
    write(2)
    client.force_login(cast.admin)
    page = client.get(LIST, query).content.decode()
    assert "Thing 1" not in page
    assert next(iter(query.values())) in page


def test_the_filters_are_offered_as_csv_and_as_a_report(cast: Cast, client: Client) -> None:
    client.force_login(cast.admin)
    page = client.get(LIST, {"actor": "rita@example.com"}).content.decode()
    assert 'formaction="/audit/export.csv"' in page
    assert 'formaction="/reports/new/"' in page
    assert 'value="rita@example.com"' in page
