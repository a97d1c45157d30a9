"""The drift pages: admins act, viewers look, others get nothing; and the request's page, where the grantee clicks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from access_requests.actions import reconciling
from access_requests.models import DriftFinding, ReconcileRun
from accounts.choices import Role
from integrations.models import Integration, Order
from tests.cast import person
from tests.drift.looking import Looking
from tests.story import unit

LIST = "/admin/requests/driftfinding/"


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(finding: DriftFinding) -> str:
    return reverse("admin:requests_driftfinding_change", args=[finding.pk])


def press(finding: DriftFinding, verb: str) -> str:
    return reverse("admin:requests_driftfinding_decide", args=[finding.pk, verb])


@pytest.fixture
def foreign(accounts: Looking) -> DriftFinding:
    accounts.look()
    accounts.put("admins")
    accounts.look(hours=25)
    return accounts.finding()


@pytest.fixture
def vanished(logins: Looking) -> DriftFinding:
    logins.granted("orders_prod")
    for units in logins.target.holds[str(logins.cast.requester.pk)].values():
        units.discard(unit("orders_prod"))
    logins.look()
    return logins.finding()


def test_without_drift_the_page_says_so_and_how_far_it_was_looked(accounts: Looking) -> None:
    desk = browser(accounts.cast.admin)
    text = desk.get(LIST).content.decode()
    assert "No drift" in text
    assert "looked at 0 of 4 people" in text
    accounts.look()
    assert "looked at 4 of 4 people" in desk.get(LIST).content.decode()
    assert "Drift:" not in desk.get("/admin/").content.decode()


def test_the_page_lists_what_waits_and_filters_narrow_it(accounts: Looking, foreign: DriftFinding) -> None:
    desk = browser(accounts.cast.admin)
    text = desk.get(LIST).content.decode()
    assert "0 vanished, 1 foreign" in text
    assert page_of(foreign) in text
    here = str(accounts.integration.pk)
    for query in ("kind=foreign", "person=rita", f"integration={here}", "state=all"):
        assert page_of(foreign) in desk.get(f"{LIST}?{query}").content.decode(), query
    for query in ("kind=vanished", "person=otto", "state=accepted", "kind=nothing", "page=99"):
        assert page_of(foreign) not in desk.get(f"{LIST}?{query}").content.decode(), query
    assert "1 foreign" in desk.get("/admin/").content.decode()
    assert "0 vanished, 1 foreign" in desk.get(f"/admin/integrations/integration/{here}/change/").content.decode()


@pytest.mark.parametrize(("verb", "state"), [("accept", "accepted"), ("adopt", "adopted"), ("remove", "adopted")])
def test_an_admin_decides_with_a_reason(accounts: Looking, foreign: DriftFinding, verb: str, state: str) -> None:
    desk = browser(accounts.cast.admin)
    assert "Since" in desk.get(page_of(foreign)).content.decode()
    empty = desk.post(press(foreign, verb), {"reason": "", "minutes": "7"})
    assert empty.status_code == 422
    assert 'value="7"' in empty.content.decode()
    assert accounts.finding().state == "open"
    answer = desk.post(press(foreign, verb), {"reason": "because"}, follow=True)
    assert answer.status_code == 200
    assert (accounts.finding().state, accounts.finding().reason) == (state, "because")
    again = desk.post(press(foreign, verb), {"reason": "because"})
    assert (again.status_code, "settled meanwhile" in again.content.decode()) == (409, True)


def test_a_viewer_looks_and_others_get_nothing(accounts: Looking, foreign: DriftFinding) -> None:
    viewer = browser(person("Vik", Role.VIEWER))
    page = viewer.get(page_of(foreign)).content.decode()
    assert "directory/admins" in page
    assert "Accept as standing" not in page
    assert "Look now" not in viewer.get(LIST).content.decode()
    look = reverse("admin:requests_driftfinding_look", args=[accounts.integration.pk])
    for verb in ("accept", "adopt", "remove"):
        assert viewer.post(press(foreign, verb), {"reason": "x"}).status_code == 403
    assert viewer.post(look).status_code == 403
    outsider = browser(accounts.cast.outsider)
    for address in (LIST, page_of(foreign)):
        assert outsider.get(address).status_code in {302, 403, 404}
    for address in (look, press(foreign, "accept")):
        assert outsider.post(address, {"reason": "x"}).status_code in {302, 403, 404}
    assert accounts.finding().state == "open"


def test_look_now_shows_its_progress_and_comes_back_to_where_it_was_asked(accounts: Looking) -> None:
    desk = browser(accounts.cast.admin)
    look = reverse("admin:requests_driftfinding_look", args=[accounts.integration.pk])
    page = f"/admin/integrations/integration/{accounts.integration.pk}/change/"
    assert "Look now" in desk.get(page).content.decode()
    assert desk.post(look, {"back": page})["Location"] == page
    assert desk.post(look, {"back": "https://evil.example/"})["Location"] == LIST
    for shown in (page, LIST):
        text = desk.get(shown).content.decode()
        assert "Looking since" in text
        assert "0 of 4" in text
    assert ReconcileRun.objects.count() == 1


def test_the_grantee_sees_what_vanished_and_grants_it_again_with_one_click(
    logins: Looking, vanished: DriftFinding
) -> None:
    assert vanished.unit is not None
    request = vanished.unit.group.request
    page, again = reverse("request_page", args=[request.pk]), reverse("grant_again", args=[request.pk])
    rita, abel = browser(logins.cast.requester), browser(logins.cast.approver)
    assert "Grant it again" in rita.get(page).content.decode()
    seen = abel.get(page).content.decode()
    assert "not there any more" in seen
    assert "Grant it again" not in seen
    assert abel.post(again).status_code == 404
    assert browser(logins.cast.outsider).post(again).status_code == 404
    assert rita.post(again)["Location"] == page
    assert "not there any more" not in rita.get(page).content.decode()
    assert rita.post(again).status_code == 409


def test_an_admin_grants_it_again_from_the_drift_page(logins: Looking, vanished: DriftFinding) -> None:
    desk = browser(logins.cast.admin)
    assert "Grant it again" in desk.get(page_of(vanished)).content.decode()
    assert desk.post(press(vanished, "grant-again")).status_code == 302
    assert logins.finding().state == "granted_again"
    assert Order.objects.get(state="queued").verb == "apply"


def test_an_adopted_request_says_by_whom(accounts: Looking, foreign: DriftFinding) -> None:
    browser(accounts.cast.admin).post(press(foreign, "adopt"), {"reason": "ticket 7", "minutes": "10"})
    request = accounts.finding().request
    assert request is not None
    assert request.duration_seconds == 600
    text = browser(accounts.cast.requester).get(reverse("request_page", args=[request.pk])).content.decode()
    assert "Adopted by Ada: ticket 7" in text
    assert "Ada made it a request" in text


def test_pages_ask_as_much_for_many_findings_as_for_few(
    accounts: Looking, foreign: DriftFinding, django_assert_max_num_queries: Any
) -> None:
    desk = browser(accounts.cast.admin)
    rows = [DriftFinding.objects.get(pk=foreign.pk) for _ in range(30)]
    for number, row in enumerate(rows):
        row.pk, row.resource = None, f"more-{number}"
    DriftFinding.objects.bulk_create(rows)
    Integration.objects.bulk_create(
        Integration(name=f"More {n}", type="simulated", connector=accounts.integration.connector) for n in range(20)
    )
    with django_assert_max_num_queries(16):
        assert desk.get(LIST).status_code == 200
    with django_assert_max_num_queries(29):
        assert desk.get(page_of(foreign)).status_code == 200


def test_a_run_that_was_given_up_says_why(accounts: Looking) -> None:
    run = reconciling.start(accounts.integration, "the test", at=accounts.now)
    reconciling._finish(run, "Nobody answers.", accounts.now)
    assert "Nobody answers." in browser(accounts.cast.admin).get(LIST).content.decode()
