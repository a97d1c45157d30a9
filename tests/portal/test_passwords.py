"""A password is shown once, in one answer, to the grantee."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client

from access_requests.models import AccessRequest, AccessSession
from audit import queries as trail
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.making import PASSWORD
from tests.portal.reading import address, page, text


def show(client: Client, access: AccessRequest) -> Any:
    return client.post(address("show_password", access, _session(access).pk))


def _session(access: AccessRequest) -> AccessSession:
    return AccessSession.objects.get(group__request=access)


def test_the_page_itself_never_holds_it(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    for _ in range(2):
        response = page(rita, access)
        assert PASSWORD not in response.content.decode()
        assert "Show password once" in text(response)
    assert _session(access).credentials_status == "AVAILABLE"


def test_the_click_shows_it_and_no_cache_keeps_the_answer(stage: Stage, enter: SignIn) -> None:
    access = stage.active()
    response = show(enter(stage.cast.requester), access)
    assert response.status_code == 200
    assert response.content.decode().count(PASSWORD) == 1
    assert "no-store" in response["Cache-Control"]
    assert PASSWORD not in str(response.headers)
    assert "Reset password" in text(response)
    assert "Show password once" not in text(response)


def test_the_second_click_offers_a_reset(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    show(rita, access)
    response = show(rita, access)
    assert response.status_code == 409
    assert PASSWORD not in response.content.decode()
    assert "Reset it to get a new one." in text(response)
    assert "Reset password" in text(response)
    assert "no-store" in response["Cache-Control"]


def test_afterwards_it_is_nowhere(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    shown = show(rita, access)
    assert PASSWORD not in page(rita, access).content.decode()
    assert PASSWORD not in rita.get(address("request_part", access)).content.decode()
    assert PASSWORD not in rita.get("/").content.decode()
    assert PASSWORD not in str(dict(rita.cookies)) + str(dict(shown.cookies))
    assert all(PASSWORD not in str(one.get_decoded()) for one in Session.objects.all())
    stored = _session(access)
    assert (stored.credentials_status, stored.sealed_credentials, stored.consumed_by) == ("VIEWED", "", "portal")
    told = trail.of_subject("request", str(access.pk))
    assert "session.credentials_viewed" in {entry.action for entry in told}
    assert all(PASSWORD not in str(entry.details) for entry in told)


def test_of_two_clicks_at_once_one_gets_it(fresh_database: str, stage: Stage, enter: SignIn) -> None:
    access = stage.active()
    clients, answers = [enter(stage.cast.requester) for _ in range(2)], []
    together = threading.Barrier(2)

    def click(client: Client) -> None:
        together.wait()
        answers.append(show(client, access))
        connections.close_all()

    threads = [threading.Thread(target=click, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sum(PASSWORD in answer.content.decode() for answer in answers) == 1


def test_a_reset_orders_a_new_one(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    show(rita, access)
    response = rita.post(address("reset_password", access, _session(access).pk), follow=True)
    assert "being made." in text(response)
    assert "a new one is being made" in text(response)
    assert _session(access).credentials_status == "RESETTING"
    again = rita.post(address("reset_password", access, _session(access).pk))
    assert again.status_code == 409
    assert "being made." in text(again)


def test_a_password_that_no_key_opens_is_an_instruction(
    stage: Stage, enter: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    monkeypatch.setattr(settings, "SEALING_KEYS", [f"other:{'b6' * 32}"])
    response = show(rita, access)
    assert response.status_code == 409
    assert "cannot be opened any more. Reset them" in text(response)
    assert "Reset password" in text(response)


def test_there_is_none_when_access_is_over(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    rita.post(address("hand_back_access", access))
    response = show(rita, access)
    assert response.status_code == 409
    assert PASSWORD not in response.content.decode()


def test_a_password_with_signs_in_it_is_shown_as_it_is(stage: Stage, enter: SignIn) -> None:
    odd = "<b>&\"'%{{x}}"
    access = making.active(making.approved(stage.ask(), stage.cast.approver), password=odd)
    response = show(enter(stage.cast.requester), access)
    assert odd in text(response).replace("  ", " ") or odd.replace("<b>", "") in text(response)
    assert "<b>&amp;" not in response.content.decode()
    assert "&lt;b&gt;&amp;&quot;&#x27;%{{x}}" in response.content.decode()
