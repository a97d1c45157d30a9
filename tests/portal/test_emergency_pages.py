"""Emergencies, overdue ends and declarations in the portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from access_requests.models import AccessRequest, Declaration, Freeze, Revocation
from accounts.choices import Role
from connectors.contract.errors import Unreachable
from flows.models import AccessFlow
from tests.cast import PASSWORD, Cast, person
from tests.journeys.browser import words_of
from tests.story import Story, begin, flow, simulated_provider


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        told = begin(cast)
        flow(told.integration)
        told.now = timezone.now()
        yield told


def at_desk(email: str) -> Client:
    client = Client()
    assert client.login(username=email, password=PASSWORD) or client.login(email=email, password=PASSWORD)
    return client


@pytest.fixture
def admin(story: Story) -> Client:
    return at_desk("ada@example.com")


@pytest.fixture
def late(story: Story) -> AccessRequest:
    """Access whose end is overdue."""
    request = story.granted("orders_prod")
    story.target.down = Unreachable("The server does not answer.")
    story.later(hours=1, minutes=5)
    return story.fresh(request)


def read(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return words_of(answer.content.decode())


def test_in_two_clicks_everything_of_a_person_ends(story: Story, admin: Client) -> None:
    request = story.granted("orders_prod")
    assert "Nothing was ever revoked altogether" in read(admin, "/emergencies/")
    asks = read(admin, "/emergencies/revoke/person/?of=rita@example.com")
    assert "1 open grant ends now, of 1 person in 1 integration. No request waits." in asks
    assert str(request) in asks
    path = "/emergencies/revoke/person/?of=rita@example.com"
    refused = admin.post(path, {"reason": " "})
    assert refused.status_code == 422
    assert "Say why" in words_of(refused.content.decode())
    answer = admin.post(path, {"reason": "A laptop was stolen."}, follow=True)
    made = Revocation.objects.get()
    assert answer.redirect_chain[-1][0] == f"/emergencies/{made.pk}/"
    assert "0 of 1 over" in words_of(answer.content.decode())
    story.now = timezone.now()
    story.work()
    told = read(admin, f"/emergencies/{made.pk}/part/")
    assert "Over, 1 proven" in told
    assert "Everything of Rita" in read(admin, "/emergencies/")


@pytest.mark.parametrize("kind", ["integration", "flow", "everywhere"])
def test_each_kind_has_its_page(story: Story, admin: Client, kind: str) -> None:
    of = {"integration": story.integration.pk, "flow": AccessFlow.objects.get().pk, "everywhere": ""}[kind]
    assert "No access is open there now" in read(admin, f"/emergencies/revoke/{kind}/?of={of}")


@pytest.mark.parametrize("path", ["person/?of=nobody@example.com", "integration/?of=x", "flow/?of=", "thing/?of=1"])
def test_what_is_not_there_is_not_found(story: Story, admin: Client, path: str) -> None:
    read(admin, f"/emergencies/revoke/{path}", 404)


def test_a_freeze_is_on_every_page_and_thaws(story: Story, admin: Client) -> None:
    admin.post("/emergencies/freeze/", {"reason": "An intrusion is looked into.", "integration": ""})
    ice = Freeze.objects.get()
    rita = at_desk("rita@example.com")
    for page in ("/", "/requests/new/", "/tasks/"):
        assert "An intrusion is looked into." in read(rita, page)
    again = admin.post("/emergencies/freeze/", {"reason": "again", "integration": ""})
    assert again.status_code == 409
    assert admin.post(f"/emergencies/freezes/{ice.pk}/thaw/", {"reason": ""}).status_code == 409
    admin.post(f"/emergencies/freezes/{ice.pk}/thaw/", {"reason": "It was a drill."})
    assert "An intrusion" not in read(rita, "/")


def test_who_may_what(story: Story, late: AccessRequest) -> None:
    made = Revocation.objects.create(
        kind="everywhere", reason="x", actor_kind="system", source="system", operation="0" * 32
    )
    ice = Freeze.objects.create(reason="x", began_by="Ada")
    person("Vera", Role.VIEWER)
    person("Paul", Role.POWER_USER)
    person("Dora", Role.DEPLOYMENT)
    may = {
        "rita@example.com": (404, 404, 404, 404, 404),
        "dora@example.com": (404, 404, 404, 404, 404),
        "vera@example.com": (200, 200, 404, 404, 404),
        "paul@example.com": (200, 200, 200, 404, 404),
        "ada@example.com": (200, 200, 200, 200, 302),
    }
    for who, (seen, one, of_person, of_all, thawed) in may.items():
        client = at_desk(who)
        assert client.get("/emergencies/").status_code == seen, who
        assert client.get(f"/emergencies/{made.pk}/").status_code == one, who
        assert client.get("/overdue/").status_code == seen, who
        of_rita = client.get("/emergencies/revoke/person/?of=rita@example.com")
        assert of_rita.status_code == of_person, who
        assert client.get("/emergencies/revoke/everywhere/").status_code == of_all, who
        thaws = client.post(f"/emergencies/freezes/{ice.pk}/thaw/", {"reason": "y"})
        assert thaws.status_code == thawed, who


def test_overdue_ends_are_on_one_page_with_what_is_in_the_way(story: Story, admin: Client, late: AccessRequest) -> None:
    told = read(admin, "/overdue/")
    assert str(late) in told
    assert "The server does not answer." in told
    assert "Rita" in told


def test_nothing_overdue_is_said(story: Story, admin: Client) -> None:
    assert "every end that was due is proven" in read(admin, "/overdue/")


def test_two_admins_declare_an_end_on_its_page(story: Story, admin: Client, late: AccessRequest) -> None:
    person("Beth", Role.ADMIN)
    beth, page = at_desk("beth@example.com"), f"/requests/{late.pk}/"
    assert "Declare it over" in read(admin, page)
    admin.post(f"{page}declare/", {"reason": "It was taken apart."})
    made = Declaration.objects.get()
    assert "Take it back" in read(admin, page)
    assert "It was taken apart." in read(admin, "/overdue/")
    assert admin.post(f"{page}declare/{made.pk}/confirm/").status_code == 409
    assert "Confirm: it is over" in read(beth, page)
    beth.post(f"{page}declare/{made.pk}/confirm/")
    told = read(admin, page)
    assert "Revoked (declared)" in told
    assert "declared by Ada and Beth" in told
    assert "Revoked (declared)" in read(at_desk("rita@example.com"), "/activity/")


def test_a_declaration_is_refused_or_taken_back(story: Story, admin: Client, late: AccessRequest) -> None:
    person("Beth", Role.ADMIN)
    beth, page = at_desk("beth@example.com"), f"/requests/{late.pk}/declare/"
    admin.post(page, {"reason": "first"})
    beth.post(f"{page}{Declaration.objects.latest('pk').pk}/refuse/", {"note": "I can see it"})
    admin.post(page, {"reason": "second"})
    admin.post(f"{page}{Declaration.objects.latest('pk').pk}/withdraw/")
    assert list(Declaration.objects.order_by("pk").values_list("state", flat=True)) == ["refused", "withdrawn"]
    assert "Declare it over" in read(admin, f"/requests/{late.pk}/")


def test_the_grantee_declares_nothing(story: Story, late: AccessRequest) -> None:
    rita = at_desk("rita@example.com")
    assert "Declare it over" not in read(rita, f"/requests/{late.pk}/")
    assert rita.post(f"/requests/{late.pk}/declare/", {"reason": "trust me"}).status_code == 404
    assert not Declaration.objects.exists()
