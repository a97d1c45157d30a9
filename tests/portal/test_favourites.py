"""Favourites and asking again, on the pages."""

from __future__ import annotations

import pytest

from access_requests.models import Favourite
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text


def test_a_request_is_starred_and_can_be_asked_for_again(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.ask(), enter(stage.cast.requester)
    response = rita.post(address("favourite_request", access), {"keep": "1"}, follow=True)
    assert f"{access} is among your favourites." in text(response)
    assert 'aria-pressed="true"' in response.content.decode().partition("<main")[2]
    home = rita.get("/").content.decode()
    assert f"/requests/new/?again={access.pk}" in home.partition('id="favourites"')[2]
    response = rita.post(address("favourite_request", access), {"keep": "0", "back": "home"}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert not Favourite.objects.exists()


def test_approvers_and_admins_are_offered_neither(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    for user in (stage.cast.approver, stage.cast.admin):
        body = page(enter(user), access).content.decode()
        assert "again=" not in body
        assert address("favourite_request", access) not in body
        assert enter(user).post(address("favourite_request", access)).status_code == 404


def test_too_many_are_refused_with_what_to_do(stage: Stage, enter: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access_requests.actions.favourites.FAVOURITES_MAX", 0)
    access = stage.ask()
    response = enter(stage.cast.requester).post(address("favourite_request", access), {"back": "home"})
    assert (response.status_code, "Drop one first." in text(response)) == (409, True)


def test_what_ended_can_be_asked_for_again(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    rita = enter(stage.cast.requester)
    rita.post(address("withdraw_request", access))
    assert f"/requests/new/?again={access.pk}" in rita.get("/").content.decode()


def test_many_requests_come_in_pages(stage: Stage, enter: SignIn) -> None:
    names = [f"db{number:02}" for number in range(21)]
    for name in names:
        making.resource(stage.integration, name)
    waiting = [stage.ask(name) for name in names]
    rita = enter(stage.cast.requester)
    first, second = text(rita.get("/")), text(rita.get("/?waiting=2"))
    assert f"on {names[0]}" not in first
    assert f"on {names[0]}" in second
    assert f"on {names[20]}" not in second
    for access in waiting:
        making.active(making.approved(access, stage.cast.approver))
    first, second = text(rita.get("/")), text(rita.get("/?held=2"))
    assert (first + second).count("Connect to payments-prod") == 21
    assert second.count("Connect to payments-prod") == 1
    for junk in ("?held=x", "?held=-1", "?waiting=99999999999", "?held=50"):
        assert rita.get(f"/{junk}").status_code == 200
