"""Pages that say what went wrong and what to do, in our own words."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import text


def test_an_address_that_is_none_is_told_to_whoever_asks(stage: Stage, enter: SignIn) -> None:
    for client in (Client(), enter(stage.cast.requester)):
        response = client.get("/there/is/nothing/")
        assert response.status_code == 404
        assert "It is not there, or it is not yours to see." in text(response)


def test_a_failure_says_what_to_do_and_needs_no_database(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no such luck: secret detail")

    monkeypatch.setattr("access_requests.views.home.queries.held_by", fail)
    client = Client(raise_request_exception=False)
    client.force_login(stage.cast.requester)
    response = client.get("/")
    assert response.status_code == 500
    assert "This is a defect or an outage of Latchkey" in text(response)
    assert "secret detail" not in response.content.decode()


def test_a_failure_page_can_be_drawn_with_nothing_at_hand() -> None:
    assert "Something failed here" in render_to_string("500.html")


def test_a_form_without_our_token_is_told_so(stage: Stage) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.cast.requester)
    response = client.post(reverse("new_request"), {"do": "send"})
    assert response.status_code == 403
    assert "That was not sent" in text(response)


def test_more_fields_than_a_form_may_have_is_no_failure_of_ours(stage: Stage, enter: SignIn) -> None:
    response = enter(stage.cast.requester).post(
        reverse("new_request"), {"pick": ["1:1"] * (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1), "do": "send"}
    )
    assert response.status_code == 400
    assert "Nothing was changed" in text(response)


def test_a_database_that_is_away_is_said_in_words(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*told: object, **more: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("access_requests.views.home.queries.held_by", away)
    client = Client()
    client.force_login(stage.cast.requester)
    response = client.get("/")
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    page = text(response)
    assert "The database does not answer" in page
    assert "Nothing of what you sent" not in page
    assert "server closed" not in page
