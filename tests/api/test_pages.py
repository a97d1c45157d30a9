"""Pages of tokens: one's own, and all of them in the admin site."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions, tokens
from accounts.choices import Role, TokenScope
from accounts.models import ApiToken, User
from accounts.queries import active_users, admins, facts_of, people_with
from audit.actor import person
from audit.choices import Source
from flows import reach
from tests.api.conftest import token_for
from tests.cast import Cast
from tests.cast import person as somebody

OWN, ALL = "/account/tokens/", "/admin/accounts/apitoken/"


def browser_of(user: User) -> Client:
    """Return a browser in which the person is signed in."""
    client = Client()
    client.force_login(user)
    return client


def test_a_token_is_made_on_the_page_and_its_text_shown_there_only(cast: Cast) -> None:
    client = browser_of(cast.requester)
    day = (timezone.now() + timedelta(days=5)).date().isoformat()
    form = {"name": "ci-box", "scopes": [TokenScope.INVENTORY_READ], "until": day}
    made = client.post(OWN, form)
    text = re.search(r"lk_[\w-]{43}", made.content.decode())
    assert text is not None
    assert "no-store" in made["Cache-Control"]
    token = tokens.holder(text[0])
    assert token is not None
    assert (token.name, token.scopes) == ("ci-box", [TokenScope.INVENTORY_READ])
    page = client.get(OWN).content.decode()
    assert "ci-box" in page
    assert text[0] not in page
    assert "ci-box" not in browser_of(cast.outsider).get(OWN).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"scopes": ["admin:read"]}, {"scopes": []}, {"until": "2001-01-01"}, {"until": "2999-01-01"}],
)
def test_a_form_that_is_wrong_comes_back_with_what_was_typed(cast: Cast, wrong: dict[str, Any]) -> None:
    day = (timezone.now() + timedelta(days=5)).date().isoformat()
    form = {"name": "laptop", "scopes": [TokenScope.INVENTORY_READ], "until": day} | wrong
    answer = browser_of(cast.requester).post(OWN, form)
    assert answer.status_code == 422
    assert "laptop" in answer.content.decode() or "name" in wrong
    assert ApiToken.objects.count() == 0


def test_the_last_day_that_is_allowed_may_be_chosen(cast: Cast, settings: Any) -> None:
    last = (timezone.now() + timedelta(days=settings.TOKEN_DAYS)).date().isoformat()
    form = {"name": "laptop", "scopes": [TokenScope.INVENTORY_READ], "until": last}
    assert browser_of(cast.requester).post(OWN, form).status_code == 200


def test_its_end_is_changed_on_the_page(cast: Cast) -> None:
    token, _ = token_for(cast.requester)
    client, day = browser_of(cast.requester), (timezone.now() + timedelta(days=2)).date()
    client.post(f"{OWN}{token.pk}/end/", {f"{token.pk}-until": day.isoformat()})
    assert ApiToken.objects.get().expires_at.date() == day
    assert client.post(f"{OWN}{token.pk}/end/", {f"{token.pk}-until": "x"}, follow=True).status_code == 200
    other = browser_of(cast.outsider)
    assert other.post(f"{OWN}{token.pk}/end/", {f"{token.pk}-until": day.isoformat()}).status_code == 404


def test_people_from_outside_make_none(cast: Cast) -> None:
    User.objects.filter(pk=cast.requester.pk).update(
        is_outside=True, invited_by=cast.admin, leaves_at=timezone.now() + timedelta(days=3)
    )
    cast.requester.refresh_from_db()
    with pytest.raises(actions.NotAllowed):
        token_for(cast.requester)


def test_the_page_costs_as_much_for_many_tokens_as_for_one(cast: Cast, django_assert_num_queries: Any) -> None:
    client = browser_of(cast.requester)
    token_for(cast.requester)
    client.get(OWN)
    with django_assert_num_queries(QUERIES):
        client.get(OWN)
    for _ in range(5):
        token_for(cast.requester)
    with django_assert_num_queries(QUERIES):
        client.get(OWN)


def test_admins_see_all_tokens_and_revoke_any(cast: Cast) -> None:
    token, text = token_for(cast.requester)
    page = browser_of(cast.admin).get(ALL).content.decode()
    assert "rita@example.com" in page
    assert text not in page
    assert browser_of(cast.admin).get(f"{ALL}{token.pk}/change/").status_code == 200
    viewer = browser_of(somebody("Vic", Role.VIEWER))
    assert viewer.get(ALL).status_code == 200
    chosen = {"action": "revoke", "_selected_action": [str(token.pk)]}
    viewer.post(ALL, chosen)
    assert tokens.holder(text) is not None
    assert browser_of(cast.outsider).get(ALL).status_code == 302
    assert browser_of(cast.admin).post(ALL, chosen).status_code == 302
    assert tokens.holder(text) is None


def test_an_admin_makes_a_service_with_its_token_in_one_go(cast: Cast) -> None:
    client = browser_of(cast.admin)
    assert client.get(f"{ALL}add/").status_code == 200
    form = {"new_service": "Terraform", "roles": ["power_user"], "name": "ci", "scopes": ["admin:read"], "days": "7"}
    for wrong in ({"new_service": ""}, {"days": "9999"}, {"scopes": ["end_user:mcp"]}, {"name": ""}):
        assert client.post(f"{ALL}add/", form | wrong).status_code == 422
    assert not User.objects.filter(is_service=True).exists()
    made = client.post(f"{ALL}add/", form)
    text = re.search(r"lk_[\w-]{43}", made.content.decode())
    assert text is not None
    token = tokens.holder(text[0])
    assert token is not None
    assert (token.owner.name, token.owner.role_set()) == ("Terraform", {Role.POWER_USER})
    again = {**form, "new_service": "", "service": str(token.owner.pk), "roles": []}
    assert client.post(f"{ALL}add/", again).status_code == 200
    assert ApiToken.objects.filter(owner=token.owner).count() == 2
    for role in (Role.POWER_USER, Role.DEPLOYMENT, Role.VIEWER):
        assert browser_of(somebody(f"No{role}", role)).post(f"{ALL}add/", form).status_code == 403


def test_a_service_is_nobody_to_policy_and_to_letters(cast: Cast) -> None:
    actor = person(cast.admin, Source.ADMIN)
    service = actions.create_service("Terraform", roles=[Role.ADMIN], actor=actor)
    assert not facts_of([service])[service.pk].active
    assert service not in active_users()
    assert service not in admins()
    assert service not in people_with("accounts.change_user")
    named = {"type": "user", "operator": "is", "values": [service.email, str(service.pk)]}
    assert not reach.people({"operator": "or", "conditions": [named]}).exists()


# Session, person, roles; the tokens; and what the side bar of every page asks.
QUERIES = 8
