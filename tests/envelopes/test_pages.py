"""The pages of break-glass envelopes: from the proposal to the account of what happened, without JavaScript."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access_requests.envelope_files import unlock
from access_requests.envelopes import EnvelopeState
from access_requests.models import Envelope
from accounts.choices import Role
from accounts.models import Group, User
from tests.cast import person
from tests.envelopes.conftest import WHY, Safe

PASSPHRASE = "five words will surely do"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def at(name: str, made: Envelope) -> str:
    return reverse(name, kwargs={"number": made.number})


@pytest.fixture
def now(safe: Safe) -> Safe:
    """The story at the real time, at which pages work."""
    safe.story.now = timezone.now()
    return safe


def test_two_admins_prepare_it_one_prints_it_and_says_later_that_it_was_opened(now: Safe) -> None:
    ada, beth = browser(now.ada), browser(now.beth)
    resource, permission = now.story.pair("orders_prod")
    new = reverse("envelope_new") + f"?integration={now.story.integration.pk}&q=orders"
    assert "orders_prod" in ada.get(new).content.decode()
    sent = {"pair": f"{resource}:{permission}", "reason": WHY, "days": "30", "keepers": ""}
    assert ada.post(new, sent).status_code == 302
    made = Envelope.objects.get()
    assert "Say yes" not in ada.get(at("envelope", made)).content.decode()
    refused = ada.post(at("envelope_confirm", made))
    assert (refused.status_code, "another admin" in refused.content.decode()) == (409, True)
    assert "Say yes" in beth.get(at("envelope", made)).content.decode()
    assert beth.post(at("envelope_confirm", made)).status_code == 302
    now.story.catch_up()
    sheet = ada.post(at("envelope_print", made))
    secret = now.story.target.passwords[now.story.group(made.request).login]
    assert secret in sheet.content.decode()
    assert "no-store" in sheet["Cache-Control"]
    again = ada.post(at("envelope_print", made))
    assert (again.status_code, secret in again.content.decode()) == (409, False)
    assert "was printed by Ada" in again.content.decode()
    for page in (at("envelope", made), reverse("envelopes"), reverse("request_page", args=[made.request_id])):
        for who in (ada, beth):
            assert secret not in who.get(page).content.decode()
    clock = f"{datetime.now(UTC) + timedelta(seconds=0):%Y-%m-%dT%H:%M:%S}"
    told = {"opened_by": "Rita", "opened_at": clock, "why": "orders were lost"}
    answer = beth.post(at("envelope_opened", made), told)
    assert answer.status_code == 302, answer.content.decode()
    now.story.catch_up()
    assert now.fresh(made).word == "Ended: used"
    assert "orders were lost" in ada.get(at("envelope", made)).content.decode()


@pytest.mark.full
def test_what_was_typed_is_never_lost(now: Safe) -> None:
    ada = browser(now.ada)
    new = reverse("envelope_new") + f"?integration={now.story.integration.pk}"
    answer = ada.post(new, {"reason": WHY, "days": "0", "keepers": "nobody"})
    text = answer.content.decode()
    assert answer.status_code == 422
    for said in (WHY, "There is no group called nobody.", "Choose what is to be in it."):
        assert said in text
    made = now.sealed()
    told = {"opened_by": "Rita", "opened_at": "yesterday", "why": "orders were lost"}
    answer = ada.post(at("envelope_opened", made), told)
    assert answer.status_code == 422
    assert "orders were lost" in answer.content.decode()


@pytest.mark.full
def test_the_file_opens_with_its_passphrase_and_comes_once(now: Safe) -> None:
    made, ada = now.ready(), browser(now.ada)
    for wrong in ({"passphrase": "short", "again": "short"}, {"passphrase": PASSPHRASE, "again": PASSPHRASE + "x"}, {}):
        assert ada.post(at("envelope_file", made), wrong).status_code == 422
    assert now.fresh(made).state == EnvelopeState.READY, "a typing error costs nothing"
    both = {"passphrase": PASSPHRASE, "again": PASSPHRASE}
    answer = ada.post(at("envelope_file", made), both)
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    found = unlock(answer.content.decode(), PASSPHRASE)
    login = now.story.group(made.request).login
    assert found["secret"] == {"password": now.story.target.passwords[login]}
    assert found["connect"]["User"] == login
    assert login not in json.dumps({k: v for k, v in json.loads(answer.content).items() if k != "locked"})
    assert ada.post(at("envelope_file", made), both).status_code == 409
    assert ada.post(at("envelope_print", made)).status_code == 409


@pytest.mark.full
def test_a_viewer_reads_and_does_nothing_and_the_group_on_call_sees_its_own(now: Safe, on_call: Group) -> None:
    mine, other = now.sealed(keepers=on_call), now.ready(name="orders_dev")
    viewer, rita = browser(person("Vic", Role.VIEWER)), browser(now.story.cast.requester)
    assert "Envelope 2" in viewer.get(reverse("envelopes")).content.decode()
    assert "Show the page to print" not in viewer.get(at("envelope", other)).content.decode()
    assert viewer.get(reverse("envelope_new")).status_code == 404
    for name in ("confirm", "refuse", "withdraw", "print", "opened", "review"):
        told: dict[str, Any] = {"opened_by": "a", "opened_at": "2026-01-01T00:00", "why": "b", "reason": "c"}
        for who, made in ((viewer, other), (viewer, mine), (rita, other)):
            assert who.post(at(f"envelope_{name}", made), told).status_code == 404
    shown = rita.get(reverse("envelopes")).content.decode()
    assert ("Envelope 1" in shown, "Envelope 2" in shown) == (True, False)
    assert "It was opened" in rita.get(at("envelope", mine)).content.decode()
    assert rita.get(at("envelope", other)).status_code == 404
    assert (now.fresh(mine).state, now.fresh(other).state) == (EnvelopeState.SEALED, EnvelopeState.READY)


@pytest.mark.full
def test_what_is_owed_is_on_every_page_of_an_admin_until_it_is_written_down(now: Safe) -> None:
    made = now.sealed()
    now.sweep(minutes=30)
    ada, rita = browser(now.ada), browser(now.story.cast.requester)
    loud = "A break-glass envelope may have been used"
    assert loud in ada.get(reverse("my_access")).content.decode()
    assert loud not in rita.get(reverse("my_access")).content.decode()
    page = ada.get(at("envelope", made)).content.decode()
    assert "What happened?" in page
    assert "Prepare its successor" in page
    before = ada.get(reverse("envelope_new") + f"?succeeds={made.number}").content.decode()
    assert WHY.replace("'", "&#x27;") in before
    assert "checked" in before
    assert ada.post(at("envelope_review", made), {"words": "The seal was whole."}).status_code == 302
    assert loud not in ada.get(reverse("my_access")).content.decode()
    assert "The seal was whole." in ada.get(at("envelope", made)).content.decode()


@pytest.mark.full
def test_the_command_lists_them(now: Safe) -> None:
    made = now.sealed()
    out = StringIO()
    call_command("access", "envelopes", stdout=out)
    assert out.getvalue() == f"{made}: Sealed, 89 days left: Read only on server/orders_prod\n"


@pytest.mark.full
def test_everything_there_is_to_revoke_names_them(now: Safe) -> None:
    now.sealed()
    shown = browser(now.ada).get(reverse("revoke_everything", args=["everywhere"])).content.decode()
    assert "1 of it is a break-glass envelope" in " ".join(shown.split())
