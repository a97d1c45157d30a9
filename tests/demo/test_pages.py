"""Being somebody by a button, and the guide that says what to try next."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from accounts.models import User
from audit.choices import Source
from demo import people, policy
from integrations.models import Integration
from tests.demo.telling import begun, engineer_asks, told
from tests.portal import making

pytestmark = pytest.mark.usefixtures("db", "demo_settings")
WHEN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def organisation() -> None:
    """Make everybody."""
    people.assemble(actor=begun(), at=WHEN)


@pytest.fixture
def client(organisation: None) -> Client:
    """Return a browser at this machine."""
    return Client(HTTP_HOST="127.0.0.1:8810")


def become(client: Client, email: str, **more: Any) -> int:
    """Press somebody's button; return the status of the answer."""
    return client.post("/demo/sign-in/", {"email": email}, **more).status_code


def who(client: Client) -> str:
    """Return who is signed in, by address."""
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk).email if pk else ""


def test_there_is_a_button_for_each(client: Client) -> None:
    page = client.get("/account/login/").content.decode()
    assert len(re.findall(r'action="/demo/sign-in/"', page)) == len(people.FACES) == 5
    for face in people.FACES:
        assert face.email in page


@pytest.mark.parametrize("face", people.FACES, ids=lambda face: face.part)
def test_a_button_signs_in_as_that_person(client: Client, face: people.Face) -> None:
    assert become(client, face.email) == 302
    assert who(client) == face.email


def test_pressing_another_button_is_being_somebody_else(client: Client) -> None:
    become(client, people.ENGINEER)
    become(client, people.ADMIN)
    assert who(client) == people.ADMIN


def test_the_trail_says_that_it_was_a_button(client: Client) -> None:
    become(client, people.ENGINEER)
    entry = apps.get_model("audit", "AuditEntry").objects.filter(action="user.signed_in").get()
    assert (entry.source, entry.details["how"]) == (Source.DEMO, "demo button")


def test_what_people_do_afterwards_is_not_marked(client: Client) -> None:
    """The mark is for what is made up, and for the way in; a click is a click."""
    become(client, people.ENGINEER)
    client.post("/account/logout/")
    entry = apps.get_model("audit", "AuditEntry").objects.filter(action="user.signed_out").get()
    assert entry.source == Source.PORTAL


@pytest.mark.parametrize("email", ["", "dana.oak@example.com", "nobody@example.com", "ROBIN.ALDER@EXAMPLE.COM"])
def test_nobody_else_has_a_button(client: Client, email: str) -> None:
    assert become(client, email) == 404
    assert who(client) == ""


def test_who_is_disabled_has_none(client: Client) -> None:
    User.objects.filter(email=people.ENGINEER).update(is_active=False)
    assert become(client, people.ENGINEER) == 404


def test_a_link_signs_nobody_in(client: Client) -> None:
    assert client.get("/demo/sign-in/", {"email": people.ADMIN}).status_code == 405


def test_another_site_presses_no_button(organisation: None) -> None:
    assert become(Client(enforce_csrf_checks=True, HTTP_HOST="127.0.0.1:8810"), people.ADMIN) == 403


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_HOST": "testserver"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
    ],
    ids=str,
)
def test_from_elsewhere_there_are_no_buttons(client: Client, elsewhere: dict[str, str]) -> None:
    assert become(client, people.ADMIN, **elsewhere) == 404
    assert who(client) == ""


@pytest.mark.parametrize("host", ["127.0.0.1:8810", "localhost", "[::1]:8810", "[::1]"])
def test_this_machine_by_any_name(client: Client, host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
    assert become(client, people.ENGINEER, HTTP_HOST=host) == 302


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_a_button_leads_nowhere_else(client: Client, to: str) -> None:
    answer = client.post("/demo/sign-in/", {"email": people.ENGINEER, "next": to})
    assert answer["Location"] == "/"


@pytest.mark.parametrize("to", ["", "/"])
@pytest.mark.parametrize(
    ("email", "lands"),
    [
        (people.ENGINEER, "/"),
        (people.APPROVER, "/tasks/"),
        (people.ADMIN, "/admin/"),
        (people.AUDITOR, "/activity/"),
        (people.SUPPORT, "/"),
    ],
)
def test_everybody_begins_where_their_part_does(client: Client, email: str, lands: str, to: str) -> None:
    assert client.post("/demo/sign-in/", {"email": email, "next": to})["Location"] == lands
    assert client.get(lands).status_code == 200


def test_the_guide_can_be_hidden_and_shown(client: Client) -> None:
    become(client, people.ENGINEER)
    assert "Ask for the database orders" in client.get("/").content.decode()
    assert client.post("/demo/guide/", {"next": "/tasks/"})["Location"] == "/tasks/"
    hidden = client.get("/").content.decode()
    assert "Ask for the database orders" not in hidden
    assert "Show the guide" in hidden
    client.post("/demo/guide/", {"show": "1"})
    assert "Ask for the database orders" in client.get("/").content.decode()


def test_a_stranger_has_no_guide_to_hide(client: Client) -> None:
    assert client.post("/demo/guide/").status_code == 404


@pytest.mark.parametrize("page", ["/", "/tasks/", "/requests/new/"])
@pytest.mark.parametrize("email", [people.ENGINEER, people.APPROVER, people.SUPPORT])
def test_every_page_of_the_portal_offers_something(client: Client, email: str, page: str) -> None:
    become(client, email)
    text = client.get(page).content.decode()
    assert 'class="guide"' in text
    assert "style=" not in text


def test_the_guide_follows_the_engineers_story(client: Client) -> None:
    """Told from how things stand: ask, use, hand back, ask for more, become the approver."""
    access = engineer_asks("orders", policy.ON_CALL)
    become(client, people.ENGINEER)
    for state, here, words in (
        ("granting", True, "show the password once"),
        ("active", False, "go in and look around"),
        ("active", True, "show the password once"),
        ("revoking", True, "the proof of it is on this page"),
        ("revoked", True, "the proof of it is on this page"),
        ("revoked", False, "Now ask for the ledger"),
    ):
        told(access, state)
        page = f"/requests/{access.pk}/" if here else "/"
        assert words in client.get(page).content.decode(), (state, here)
    waiting = engineer_asks("ledger", policy.LEDGER)
    assert "Be the approver" in client.get(f"/requests/{waiting.pk}/").content.decode()


def test_the_guide_leads_nobody_away_from_a_password(client: Client) -> None:
    """It is on that page only; to leave the page is to lose it."""
    access = engineer_asks("orders", policy.ON_CALL)
    told(access, "active")
    become(client, people.ENGINEER)
    session = making.session(access.access_groups.get())
    text = client.post(f"/requests/{access.pk}/sessions/{session.pk}/password/").content.decode()
    assert making.PASSWORD in text
    guide = text[text.index('<aside class="guide"') :].partition("</aside>")[0]
    assert "show the password once" in guide
    assert "SELECT number, total" in guide
    assert not re.search("<a |<button|<form", guide)


def test_the_guide_explains_the_warning_of_an_old_server(client: Client) -> None:
    target = making.integration()
    become(client, people.ADMIN)
    for reason in ("", "Up to PostgreSQL 15, CREATEROLE is as good as superuser."):
        Integration.objects.filter(pk=target.pk).update(name=policy.REAL, status_reason=reason)
        for page in ("/admin/", f"/admin/integrations/integration/{target.pk}/change/"):
            assert ("is honest" in client.get(page).content.decode()) == bool(reason), page


def test_no_hint_names_what_its_person_may_not_see(client: Client) -> None:
    become(client, people.SUPPORT)
    text = client.get("/").content.decode()
    assert policy.REAL not in text
