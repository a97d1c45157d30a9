"""Naming a stand-in: for oneself, or as an admin; what cannot be is refused in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import Delegation, User
from audit.actor import person
from audit.choices import Source
from tests.cast import Cast
from tests.cast import person as somebody

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def delegate(user: User, to: User, start: datetime, end: datetime, actor: User | None = None) -> Delegation:
    return actions.delegate(user, to, start, end, actor=person(actor or user, Source.PORTAL), at=NOON)


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOON + DAY, NOON + DAY), (NOON + DAY, NOON), (NOON - 2 * DAY, NOON), (NOON, NOON + 366 * DAY)],
)
def test_a_time_that_cannot_be_is_refused(cast: Cast, start: datetime, end: datetime) -> None:
    with pytest.raises(actions.BadValue):
        delegate(cast.approver, cast.admin, start, end)


def test_nobody_stands_in_for_themselves_and_nobody_who_is_disabled(cast: Cast) -> None:
    with pytest.raises(actions.BadValue):
        delegate(cast.approver, cast.approver, NOON, NOON + DAY)
    actions.disable_user(cast.outsider, actor=person(cast.admin, Source.ADMIN))
    with pytest.raises(actions.BadValue):
        delegate(cast.approver, cast.outsider, NOON, NOON + DAY)


def test_one_names_ones_own_and_an_admin_anybodys(cast: Cast) -> None:
    with pytest.raises(actions.NotAllowed):
        delegate(cast.approver, cast.outsider, NOON, NOON + DAY, actor=cast.outsider)
    made = delegate(cast.approver, cast.outsider, NOON, NOON + DAY, actor=cast.admin)
    with pytest.raises(actions.NotAllowed):
        actions.end_delegation(made, actor=person(cast.outsider, Source.PORTAL), at=NOON)
    assert Delegation.objects.get().ends_at == NOON + DAY


def test_one_that_has_not_begun_is_taken_back_and_one_that_runs_ends_now(cast: Cast) -> None:
    later = delegate(cast.approver, cast.admin, NOON + DAY, NOON + 2 * DAY)
    running = delegate(cast.approver, cast.admin, NOON - DAY, NOON + 2 * DAY)
    mine = person(cast.approver, Source.PORTAL)
    assert actions.end_delegation(later, actor=mine, at=NOON)
    assert actions.end_delegation(running, actor=mine, at=NOON)
    assert not actions.end_delegation(running, actor=mine, at=NOON)
    assert list(Delegation.objects.values_list("ends_at", flat=True)) == [NOON]


def at_the_portal(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_account_page_names_and_ends_in_whole_days_of_ones_own_zone(cast: Cast) -> None:
    User.objects.filter(pk=cast.approver.pk).update(time_zone="Asia/Tokyo")
    browser, today = at_the_portal(cast.approver), timezone.now().date() + 2 * DAY
    form: dict[str, Any] = {"to": "ADA@example.com", "first": today.isoformat(), "last": (today + DAY).isoformat()}
    wrong = browser.post("/account/away/", form | {"to": "nobody@example.com"})
    assert (wrong.status_code, "nobody@example.com" in wrong.content.decode()) == (422, True)
    assert "Nobody here has this e-mail address." in wrong.content.decode()
    assert browser.post("/account/away/", form | {"last": (today - DAY).isoformat()}).status_code == 422
    assert browser.post("/account/away/", form).status_code == 302
    made = Delegation.objects.get()
    assert made.starts_at.isoformat() == f"{today - DAY}T15:00:00+00:00"
    assert made.ends_at.isoformat() == f"{today + DAY}T14:59:00+00:00"
    assert "Ada" in browser.get("/account/").content.decode()
    assert at_the_portal(cast.outsider).post(f"/account/away/{made.pk}/end/").status_code == 404
    browser.post(f"/account/away/{made.pk}/end/")
    assert not Delegation.objects.exists()


def test_an_admin_names_and_ends_it_for_others_and_who_only_looks_does_not(cast: Cast) -> None:
    from accounts.choices import Role

    page, today = f"/admin/accounts/user/{cast.approver.pk}/away/", timezone.now().date()
    form = {"to": "otto@example.com", "first": today.isoformat(), "last": (today + DAY).isoformat()}
    for role in (Role.POWER_USER, Role.VIEWER):
        reader = at_the_portal(somebody(role.value, role))
        assert (reader.get(page).status_code, reader.post(page, form).status_code) == (403, 403)
    browser = at_the_portal(cast.admin)
    assert browser.get(page).status_code == 200
    assert browser.post(page, form).status_code == 302
    made = Delegation.objects.get()
    assert (made.user, made.delegate) == (cast.approver, cast.outsider)
    assert "Otto" in browser.get(page).content.decode()
    browser.post(page, {"end": str(made.pk)})
    made.refresh_from_db()
    assert made.ends_at <= timezone.now()
    assert browser.post(page, {"end": "999999"}).status_code == 404
