"""Tokens: who makes them, what they are good for, and when they are good for nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import actions, tokens
from accounts.choices import Role, TokenKind, TokenScope
from accounts.models import ApiToken, User
from accounts.rest.authentication import CHALLENGE
from audit.actor import person
from audit.choices import Source
from audit.models import AuditEntry
from tests.api.conftest import bearer, token_for
from tests.cast import Cast
from tests.cast import person as somebody

SESSION, OWN = "/api/client/v1/session", "/api/client/v1/personal-tokens"


def test_a_token_is_shown_once_and_kept_as_a_digest(cast: Cast) -> None:
    token, text = token_for(cast.requester)
    assert text.startswith("lk_")
    assert len(text) == 3 + 43
    stored = json.dumps({name: str(value) for name, value in ApiToken.objects.filter(pk=token.pk).values()[0].items()})
    assert text not in stored
    assert text[3:] not in stored
    told = json.dumps([*AuditEntry.objects.values_list("details", "subject_name")])
    assert text not in told
    found = tokens.holder(text)
    assert found is not None
    assert found.owner == cast.requester


@pytest.mark.parametrize("text", ["", "lk_", "lk_\ud800", "x" * 10_000, "lk_" + "a" * 10_000])
def test_what_is_no_token_is_nobodys(cast: Cast, text: str) -> None:
    token_for(cast.requester)
    assert tokens.holder(text) is None


def test_a_token_dies_by_time_by_revoking_and_with_its_owner(cast: Cast) -> None:
    now = timezone.now()
    token, text = token_for(cast.requester)
    assert tokens.holder(text, at=token.expires_at - timedelta(seconds=1)) is not None
    assert tokens.holder(text, at=token.expires_at) is None
    _, other = token_for(cast.requester)
    assert actions.revoke_token(token, actor=person(cast.requester, Source.PORTAL))
    assert not actions.revoke_token(token, actor=person(cast.requester, Source.PORTAL))
    assert tokens.holder(text, at=now) is None
    assert tokens.holder(other) is not None
    actions.disable_user(cast.requester, actor=person(cast.admin, Source.ADMIN))
    assert tokens.holder(other) is None
    actions.enable_user(cast.requester, actor=person(cast.admin, Source.ADMIN))
    assert tokens.holder(other) is None, "what is over stays over, as sessions do"


def test_a_token_ends_within_what_the_setting_allows(cast: Cast) -> None:
    now, own = timezone.now(), person(cast.requester, Source.PORTAL)
    token, _ = actions.issue_token(cast.requester, "a", actor=own, at=now)
    assert token.expires_at == now + timedelta(days=settings.TOKEN_DAYS)
    for wrong in (now, now - timedelta(days=1), now + timedelta(days=settings.TOKEN_DAYS, seconds=1)):
        with pytest.raises(actions.BadValue):
            actions.issue_token(cast.requester, "a", expires_at=wrong, actor=own, at=now)
        with pytest.raises(actions.BadValue):
            actions.change_expiry(token, wrong, actor=own, at=now)
    changed = actions.change_expiry(token, now + timedelta(days=1), actor=own, at=now)
    assert changed.expires_at == now + timedelta(days=1)
    with pytest.raises(actions.BadValue):
        actions.change_expiry(token, now + timedelta(days=9), actor=own, at=now + timedelta(days=2))


def test_nobody_makes_or_prolongs_anybody_elses_personal_token(cast: Cast) -> None:
    token, _ = token_for(cast.requester)
    for other in (cast.admin, cast.outsider):
        actor = person(other, Source.PORTAL)
        with pytest.raises(actions.NotAllowed):
            actions.issue_token(cast.requester, "x", actor=actor)
        with pytest.raises(actions.NotAllowed):
            actions.change_expiry(token, None, actor=actor)
    with pytest.raises(actions.NotAllowed):
        actions.revoke_token(token, actor=person(cast.outsider, Source.PORTAL))
    assert actions.revoke_token(token, actor=person(cast.admin, Source.ADMIN))


def test_scopes_are_those_the_owner_can_make_use_of(cast: Cast) -> None:
    token, _ = token_for(cast.requester)
    assert set(token.scopes) == {scope for scope in TokenScope if scope.startswith("end_user:")}
    for wrong in ([TokenScope.ADMIN_READ], ["end_user:everything"], []):
        with pytest.raises(actions.BadValue):
            actions.issue_token(cast.requester, "x", scopes=wrong, actor=person(cast.requester, Source.PORTAL))
    # A directory pushes with a service's token, never with a person's.
    assert set(token_for(cast.admin)[0].scopes) == set(TokenScope) - {TokenScope.SCIM}


def test_there_is_an_end_to_how_many_tokens_somebody_has(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.actions.tokens.MOST_TOKENS", 2)
    token_for(cast.requester)
    token, _ = token_for(cast.requester)
    with pytest.raises(actions.BadValue):
        token_for(cast.requester)
    actions.revoke_token(token, actor=person(cast.requester, Source.PORTAL))
    token_for(cast.requester)


def a_service(cast: Cast, *roles: Role) -> User:
    """Return a service that the admin made."""
    return actions.create_service("Build farm", roles=roles, actor=person(cast.admin, Source.ADMIN))


def test_a_service_is_made_by_an_admin_never_signs_in_and_is_no_admin_that_counts(cast: Cast) -> None:
    with pytest.raises(actions.NotAllowed):
        actions.create_service("x", roles=[], actor=person(somebody("Paul", Role.POWER_USER), Source.ADMIN))
    service, admin = a_service(cast, Role.ADMIN), person(cast.admin, Source.ADMIN)
    token, text = actions.issue_token(service, "ci", actor=admin)
    assert token.kind == TokenKind.SERVICE
    assert "admin:read" in token.scopes
    assert "end_user:access_requests:write" not in token.scopes
    assert tokens.holder(text) is not None
    with pytest.raises(actions.NotAllowed):
        actions.issue_token(service, "ci", actor=person(cast.requester, Source.PORTAL))
    with pytest.raises(actions.BadValue):
        actions.make_sign_in_link(service)
    service.set_password("correct-horse-battery")
    service.save()
    assert not Client().login(username=service.email, password="correct-horse-battery")
    with pytest.raises(actions.LastAdmin):
        actions.disable_user(cast.admin, actor=admin)


def test_last_use_is_written_at_most_once_a_minute(cast: Cast) -> None:
    token, _ = token_for(cast.requester)
    start = timezone.now()
    tokens.note_use(token, at=start)
    ApiToken.objects.get(pk=token.pk)
    for seconds, noted in ((30, 0), (59, 0), (61, 61), (90, 61)):
        tokens.note_use(ApiToken.objects.get(pk=token.pk), at=start + timedelta(seconds=seconds))
        stored = ApiToken.objects.get(pk=token.pk).last_used_at
        assert stored == start + timedelta(seconds=noted), seconds


def test_every_verb_on_tokens_is_in_the_trail(cast: Cast) -> None:
    token, _ = token_for(cast.requester)
    own = person(cast.requester, Source.PORTAL)
    actions.change_expiry(token, timezone.now() + timedelta(days=1), actor=own)
    actions.revoke_token(token, actor=own)
    a_service(cast)
    assert [*AuditEntry.objects.order_by("id").values_list("action", flat=True)] == [
        "token.issued",
        "token.expiry_changed",
        "token.revoked",
        "service.created",
    ]


def test_a_call_without_a_good_token_is_told_so(cast: Cast) -> None:
    for header in ({}, {"HTTP_AUTHORIZATION": "Bearer lk_nothing"}, {"HTTP_AUTHORIZATION": "Basic QWRhOng="}):
        answer = Client().get(SESSION, **header)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == CHALLENGE
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == 401
        assert answer.json()["code"] in {"not_authenticated", "authentication_failed"}


def test_a_browsers_session_counts_for_nothing(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.admin)
    assert client.get(SESSION).status_code == 401


def test_a_token_without_the_scope_is_told_which(cast: Cast) -> None:
    answer = Client().get(OWN, **bearer(cast.requester, TokenScope.REQUESTS_READ))
    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_scope"
    assert TokenScope.TOKENS_READ in answer.json()["detail"]


def test_personal_tokens_by_the_api(cast: Cast) -> None:
    client, header = Client(), bearer(cast.requester)
    end = (timezone.now() + timedelta(days=3)).timestamp()
    made = client.post(OWN, {"name": "laptop", "expiry_date": end}, "application/json", **header)
    assert made.status_code == 200
    assert made["Cache-Control"] == "no-store"
    assert abs(made.json()["expiry_date"] - end) < 0.001
    text, address = made.json()["token"], f"{OWN}/{made.json()['id']}"
    assert client.get(SESSION, HTTP_AUTHORIZATION=f"Bearer {text}").json()["user"]["email"] == cast.requester.email
    listed = client.get(OWN, **header)
    assert {row["name"] for row in listed.json()} == {"laptop", "for a test"}
    assert text not in listed.content.decode()
    assert client.get(address, **header).json()["masked_token"] == f"lk_…{text[-4:]}"
    changed = client.put(f"{address}/expiry", {}, "application/json", **header)
    assert changed.status_code == 200
    assert changed.json()["expiry_date"] > end
    assert client.delete(address, **header).status_code == 200
    assert client.get(SESSION, HTTP_AUTHORIZATION=f"Bearer {text}").status_code == 401
    assert client.get(address, **header).status_code == 404


def test_an_outsider_neither_sees_nor_touches_them(cast: Cast) -> None:
    token, text = token_for(cast.requester)
    client, header = Client(), bearer(cast.outsider)
    for address in (f"{OWN}/{token.pk}", f"{OWN}/not-an-id", f"{OWN}/00000000-0000-0000-0000-000000000000"):
        assert client.get(address, **header).status_code == 404
        assert client.delete(address, **header).status_code == 404
        assert client.put(f"{address}/expiry", {}, "application/json", **header).status_code == 404
    assert tokens.holder(text) is not None


def test_a_token_makes_none_that_may_more_than_itself(cast: Cast) -> None:
    client, header = Client(), bearer(cast.admin, TokenScope.TOKENS_WRITE)
    made = client.post(OWN, {"name": "x"}, "application/json", **header)
    assert made.json()["scopes"] == [TokenScope.TOKENS_WRITE]
    wanted = {"name": "x", "scopes": ["admin:people:write"]}
    assert client.post(OWN, wanted, "application/json", **header).status_code == 403
    assert ApiToken.objects.count() == 2
