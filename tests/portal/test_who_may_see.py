"""Who may see a request. For everybody else it does not exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from access_requests.models import AccessRequest
from access_requests.queries import visible_to
from accounts.choices import Role
from accounts.models import User
from tests import cast as people
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text, without_token

READ = ("request_page", "request_part")
CHANGE = ("withdraw_request", "hand_back_access", "revoke_access", "approve_request", "reject_request",
          "favourite_request", "extend_access", "review_request")  # fmt: skip
OF_SESSION = ("show_password", "reset_password")
PAGES = ("my_access", "my_tasks", "new_request")


def session_of(access: AccessRequest) -> Any:
    group = access.access_groups.get()
    return group.session.pk


@pytest.mark.parametrize("who", ["requester", "approver", "admin"])
def test_who_has_a_part_in_it_sees_a_request(stage: Stage, enter: SignIn, who: str) -> None:
    access = stage.ask()
    assert page(enter(getattr(stage.cast, who)), access).status_code == 200


def test_a_viewer_sees_every_request(stage: Stage, enter: SignIn) -> None:
    assert page(enter(people.person("Vera", Role.VIEWER)), stage.ask()).status_code == 200


def test_a_grantee_sees_what_somebody_else_asked_for_them(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    AccessRequest.objects.filter(pk=access.pk).update(requestor=stage.cast.admin)
    assert page(enter(stage.cast.requester), access).status_code == 200


@pytest.mark.parametrize("name", READ)
def test_an_outsider_reads_the_same_as_of_a_request_that_does_not_exist(stage: Stage, enter: SignIn, name: str) -> None:
    outsider = enter(stage.cast.outsider)
    there, nowhere = outsider.get(address(name, stage.active())), outsider.get(address(name, 999_999))
    assert there.status_code == nowhere.status_code == 404
    assert without_token(there) == without_token(nowhere)
    assert there.headers.items() == nowhere.headers.items()


@pytest.mark.parametrize("name", CHANGE)
def test_an_outsider_changes_nothing_and_learns_nothing(stage: Stage, enter: SignIn, name: str) -> None:
    access, outsider = stage.active(), enter(stage.cast.outsider)
    there = outsider.post(address(name, access), {"reason": "Because."})
    nowhere = outsider.post(address(name, 999_999), {"reason": "Because."})
    assert there.status_code == nowhere.status_code == 404
    assert without_token(there) == without_token(nowhere)
    assert AccessRequest.objects.get(pk=access.pk).state == "active"


@pytest.mark.parametrize("who", ["outsider", "approver", "admin"])
@pytest.mark.parametrize("name", OF_SESSION)
def test_nobody_but_the_grantee_gets_near_the_password(stage: Stage, enter: SignIn, name: str, who: str) -> None:
    access, client = stage.active(), enter(getattr(stage.cast, who))
    there = client.post(address(name, access, session_of(access)))
    nowhere = client.post(address(name, access, making.unknown()))
    assert there.status_code == nowhere.status_code == 404
    assert without_token(there) == without_token(nowhere)
    assert making.PASSWORD not in there.content.decode()
    assert access.access_groups.get().session.credentials_status == "AVAILABLE"


def test_a_session_is_reached_through_its_own_request_only(stage: Stage, enter: SignIn) -> None:
    mine, other = stage.active("orders"), stage.active("ledger")
    response = enter(stage.cast.requester).post(address("show_password", other, session_of(mine)))
    assert response.status_code == 404


@pytest.mark.parametrize("who", ["approver", "admin"])
def test_details_to_connect_are_for_the_grantee(stage: Stage, enter: SignIn, who: str) -> None:
    access = stage.active()
    assert "psql" in text(page(enter(stage.cast.requester), access))
    assert "psql" not in text(page(enter(getattr(stage.cast, who)), access))


def test_a_requestor_who_asked_for_another_does_not_get_the_details(stage: Stage, enter: SignIn) -> None:
    access = stage.active()
    AccessRequest.objects.filter(pk=access.pk).update(requestor=stage.cast.admin, grantee=stage.cast.approver)
    assert "psql" not in text(page(enter(stage.cast.admin), access))
    assert "psql" in text(page(enter(stage.cast.approver), access))


def test_who_is_disabled_sees_nothing(stage: Stage) -> None:
    access = stage.ask()
    assert visible_to(stage.cast.requester).filter(pk=access.pk).exists()
    User.objects.filter(pk=stage.cast.requester.pk).update(is_active=False)
    assert not visible_to(User.objects.get(pk=stage.cast.requester.pk)).exists()


def test_a_number_too_large_for_the_database_is_not_found(stage: Stage, enter: SignIn) -> None:
    assert enter(stage.cast.admin).get(f"/requests/{10**30}/").status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_who_is_not_signed_in_is_sent_to_the_door_and_back(stage: Stage, name: str) -> None:
    response = Client().get(reverse(name))
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={reverse(name)}"


@pytest.mark.parametrize("name", [*READ, *CHANGE])
def test_who_is_not_signed_in_sees_and_does_nothing(stage: Stage, name: str) -> None:
    access = stage.ask()
    client = Client()
    response = (client.get if name in READ else client.post)(address(name, access))
    # What was to be posted cannot be repeated by a link, so they come back to the request's page.
    back = address(name if name in READ else "request_page", access)
    assert response["Location"] == f"{reverse('account_login')}?next={back}"
    assert AccessRequest.objects.get(pk=access.pk).state == "pending"


@pytest.mark.parametrize("name", CHANGE)
def test_what_changes_something_is_posted(stage: Stage, enter: SignIn, name: str) -> None:
    access = stage.ask()
    assert enter(stage.cast.requester).get(address(name, access)).status_code == 405
    assert AccessRequest.objects.get(pk=access.pk).state == "pending"


@pytest.mark.parametrize("name", OF_SESSION)
def test_a_password_is_posted_for(stage: Stage, enter: SignIn, name: str) -> None:
    access = stage.active()
    assert enter(stage.cast.requester).get(address(name, access, session_of(access))).status_code == 405
    assert access.access_groups.get().session.credentials_status == "AVAILABLE"


def test_checking_is_posted(stage: Stage, enter: SignIn) -> None:
    assert enter(stage.cast.requester).get(reverse("check_request")).status_code == 405


@pytest.mark.parametrize("name", [*CHANGE, *OF_SESSION])
def test_what_changes_something_needs_the_token_of_our_own_page(stage: Stage, name: str) -> None:
    access = stage.active()
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.cast.requester)
    more = [session_of(access)] if name in OF_SESSION else []
    response = client.post(address(name, access, *more))
    assert response.status_code == 403
    assert "Nothing was changed" in text(response)


OPENED: list[tuple[str, Callable[[Stage, AccessRequest], str]]] = [
    ("my_access", lambda stage, access: reverse("my_access")),
    ("my_tasks", lambda stage, access: reverse("my_tasks")),
    ("new_request", lambda stage, access: reverse("new_request")),
    ("request_page", lambda stage, access: address("request_page", access)),
    ("request_part", lambda stage, access: address("request_part", access)),
]


@pytest.mark.parametrize(("name", "where"), OPENED)
def test_every_page_is_guarded_by_the_strict_policy_and_kept_by_no_cache(
    stage: Stage, enter: SignIn, name: str, where: Callable[[Stage, AccessRequest], str]
) -> None:
    response = enter(stage.cast.requester).get(where(stage, stage.active()))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "no-store" in response["Cache-Control"]


def test_administration_is_offered_to_staff_only(stage: Stage, enter: SignIn) -> None:
    assert "Administration" in text(enter(stage.cast.admin).get("/"))
    assert "Administration" not in text(enter(stage.cast.requester).get("/"))


def test_signing_out_is_a_post(stage: Stage, enter: SignIn) -> None:
    shown = enter(stage.cast.requester).get("/").content.decode()
    form = re.search(r'<form method="post"\s+action="([^"]+)">.{0,300}?Sign out', shown, flags=re.DOTALL)
    assert form
    assert form[1] == reverse("account_logout")
