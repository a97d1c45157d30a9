"""What surrounds every page: the menus, the alarms, the theme."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access_requests.choices import RequestState
from access_requests.templatetags import shell
from accounts import actions
from accounts.choices import Role
from accounts.models import User
from audit.actor import system
from config import timetable, watchdog
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import text


def _menu(response: Any) -> list[str]:
    """Return the words of the side bar's links, with * for the one the reader is at."""
    nav = re.search(r'<nav class="nav".*?</nav>', response.content.decode(), re.DOTALL)
    assert nav
    links = re.findall(r"<a ([^>]*)>(.*?)</a>", nav[0].partition('class="account"')[0], re.DOTALL)
    bare = [(attributes, re.sub(r"<[^>]+>|\s+", " ", inner).strip()) for attributes, inner in links]
    return [f"{word}{'*' if 'aria-current' in attributes else ''}" for attributes, word in bare]


def test_who_has_no_role_sees_no_administration(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).get("/tasks/")
    assert "Administration" not in text(response)
    assert "My tasks*" in _menu(response)
    assert "Overview" not in _menu(response)


def test_an_admin_sees_every_place_that_exists(stage: Stage, enter: SignIn) -> None:
    menu = _menu(enter(stage.cast.admin).get("/"))
    expected = [place.word for place in shell.ADMINISTRATION if shell._address(place.name)]
    assert {"Overview", "Integrations", "Access flows", "Requests", "Connectors", "People", "Audit"} <= set(expected)
    assert [word for word in menu if word in expected] == expected
    assert menu[0] == "My access*"


def test_a_menu_shows_what_the_persons_role_may_see(stage: Stage, enter: SignIn) -> None:
    actions.set_roles(stage.cast.requester, [Role.DEPLOYMENT], actor=system())
    menu = _menu(enter(User.objects.get(pk=stage.cast.requester.pk)).get("/"))
    assert {"Integrations", "Connectors", "Access flows", "People"} <= set(menu)
    assert not {"Requests", "Audit"} & set(menu)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/admin/", "Overview"),
        ("/admin/integrations/order/", "Connectors"),
        ("/admin/integrations/integration/5/change/", "Integrations"),
        ("/admin/accounts/group/", "People"),
        ("/admin/requests/proof/", "Requests"),
        ("/", ""),
    ],
)
def test_the_place_one_is_at_is_marked(stage: Stage, path: str, word: str) -> None:
    request = type("Request", (), {"path": path})()
    links = shell.administration({"user": stage.cast.admin, "request": request})
    assert [link.word for link in links if link.current] == ([word] if word else [])


def test_an_overdue_end_is_told_on_every_page_to_whom_it_concerns(stage: Stage, enter: SignIn) -> None:
    cast, due = stage.cast, datetime.now(UTC) - timedelta(minutes=41)
    late = making.ending(stage.active(), due_at=due, overdue=True)
    for user, path in ((cast.requester, "/tasks/"), (cast.admin, "/requests/new/")):
        page = text(enter(user).get(path))
        assert f"{late} " in page
        assert "Overdue 41 min" in page
    for user in (cast.outsider, cast.approver):
        assert "not proven to be gone" not in text(enter(user).get("/"))


def test_an_end_that_was_late_and_is_proven_is_told_no_more(stage: Stage, enter: SignIn) -> None:
    access = stage.active()
    making.ended(access, due_at=datetime.now(UTC) - timedelta(minutes=41), lag=300)
    assert access.state == RequestState.REVOKED
    assert "not proven to be gone" not in text(enter(stage.cast.admin).get("/"))


def test_late_jobs_are_told_to_staff_only(stage: Stage, enter: SignIn) -> None:
    for line in timetable.TIMETABLE:
        watchdog.note(line.task)
    assert "The timetable is behind" not in text(enter(stage.cast.admin).get("/"))
    watchdog.note(timetable.TIMETABLE[0].task, timezone.now() - timedelta(hours=1))
    assert "The timetable is behind" in text(enter(stage.cast.admin).get("/"))
    assert timetable.TIMETABLE[0].task not in text(enter(stage.cast.requester).get("/"))


def test_the_theme_is_kept_for_the_person_and_written_on_the_page(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    assert "data-theme=" not in rita.get("/").content.decode().partition("<head>")[0]
    answer = rita.post("/account/theme/", {"theme": "dark", "next": "/tasks/?answered=1"})
    assert (answer.status_code, answer["Location"]) == (302, "/tasks/?answered=1")
    again = enter(User.objects.get(pk=stage.cast.requester.pk))
    page = again.get("/").content.decode()
    assert 'data-theme="dark"' in page.partition("<head>")[0]
    assert re.search(r'value="dark"\s+aria-pressed="true"', page)


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_choosing_a_theme_leads_nowhere_else(stage: Stage, enter: SignIn, after: str) -> None:
    answer = enter(stage.cast.requester).post("/account/theme/", {"theme": "light", "next": after})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_theme_that_is_none_is_refused(stage: Stage, enter: SignIn) -> None:
    assert enter(stage.cast.requester).post("/account/theme/", {"theme": "'><script>"}).status_code == 400
    assert User.objects.get(pk=stage.cast.requester.pk).theme == ""


def test_the_old_address_of_the_icon_leads_to_it() -> None:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/img/favicon.svg")
