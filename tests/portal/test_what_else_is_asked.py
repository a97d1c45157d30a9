"""Tickets and the flows' own fields: shown for the flows that decide, kept, refused in their places, told."""

from __future__ import annotations

from typing import Any

import pytest

from access_requests.models import AccessRequest
from access_requests.reports.fields import FIELDS, Line
from flows.models import AccessFlow
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import page, text
from tests.story import amend

NEW, CHECK = "/requests/new/", "/requests/new/check/"
WANTED: list[dict[str, Any]] = [
    {"key": "system", "label": "Which system", "kind": "choice", "required": True, "choices": ["Shop", "Warehouse"]},
    {"key": "until", "label": "Until when", "kind": "date", "required": False},
    {"key": "rows", "label": "How many rows", "kind": "number", "required": False},
]


@pytest.fixture(autouse=True)
def wanting(stage: Stage) -> None:
    amend(AccessFlow.objects.get(), settings={"ticket_pattern": "INC-[0-9]{1,8}", "fields": WANTED})


def sent(**more: str) -> dict[str, Any]:
    picked = ":".join(map(str, making.pair("orders")))
    return {"pick": [picked], "duration": "3600", "justification": "slow", "do": "send", **more}


GOOD = {"ticket": "INC-12", "field-system": "Shop", "field-rows": "7"}


def test_the_fields_come_with_what_is_picked(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    assert "Which system" not in text(rita.get(NEW))
    told = rita.post(CHECK, sent()).content.decode()
    assert 'name="field-system"' in told
    assert 'type="date"' in told
    assert "INC-[0-9]{1,8}" in told


def test_each_problem_is_at_its_field_and_what_was_typed_is_kept(stage: Stage, enter: SignIn) -> None:
    wrong = {"ticket": "soon", "field-system": "Moon", "field-until": "tomorrow", "field-rows": "7"}
    answer = enter(stage.cast.requester).post(NEW, sent(**wrong))
    body = answer.content.decode()
    assert answer.status_code == 422
    for name in ("ticket", "field-system", "field-until"):
        at = body[body.index(f'id="{name}-error"') :][:400]
        assert "field-error" in at, name
    assert 'value="soon"' in body
    assert 'value="tomorrow"' in body
    assert "field-error" not in body[body.index('id="field-rows-error"') :][:60]
    assert not AccessRequest.objects.exists()


def test_what_was_typed_is_not_lost_when_nothing_is_picked_meanwhile(stage: Stage, enter: SignIn) -> None:
    body = enter(stage.cast.requester).post(NEW, {**GOOD, "do": "check"}).content.decode()
    assert '<input type="hidden" name="ticket" value="INC-12" />' in body
    assert '<input type="hidden" name="field-system" value="Shop" />' in body


def test_they_are_kept_with_the_request_and_told(stage: Stage, enter: SignIn) -> None:
    rita = enter(stage.cast.requester)
    assert rita.post(NEW, sent(**GOOD)).status_code == 302
    access = AccessRequest.objects.get()
    assert (access.ticket, access.fields) == ("INC-12", {"system": "Shop", "rows": "7"})
    for shown in (text(page(rita, access)), text(enter(stage.cast.approver).get("/tasks/"))):
        for words in ("Ticket INC-12", "Which system Shop", "How many rows 7"):
            assert words in shown
    # Asked again, the form begins with the same.
    again = rita.get(NEW, {"again": access.pk}).content.decode()
    assert 'value="INC-12"' in again
    line = Line(access, (), (), (), 0)
    assert [FIELDS[name](line) for name in ("ticket", "custom_fields", "break_glass")] == [
        *("INC-12", "rows: 7; system: Shop", "false"),
    ]


def test_a_key_that_two_flows_ask_for_is_shown_once(stage: Stage, enter: SignIn) -> None:
    other = making.flow(making.integration("wh", ("events",)), stage.cast.requester, name="Warehouse")
    amend(other, settings={"fields": [WANTED[0] | {"required": False}]})
    picked = [":".join(map(str, making.pair(name))) for name in ("orders", "events")]
    told = enter(stage.cast.requester).post(CHECK, {"pick": picked, "justification": "x"}).content.decode()
    assert told.count('<select id="field-system"') == 1
