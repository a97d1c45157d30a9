"""Webhooks are written by one action: refused in words, kept as versions, their secrets where nobody sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings

from accounts.actions import NotAllowed
from audit.actor import person, system
from audit.choices import Source
from audit.models import AuditEntry
from flows import actions, queries
from flows.document import compose_webhook, digest
from flows.models import Revision, Webhook, WebhookSecret
from integrations.actions.secrets import open_secrets
from integrations.models import StoredSecret
from tests.cast import Cast
from tests.webhooks.world import columns, webhook

URL = "https://tickets.example.com/ask"
OAUTH = {"token_url": "https://login.example.com/token", "client_id": "latchkey", "scope": "ask"}
KEY, CLIENT = "header:X-Key", "oauth_client_secret"
SECRETS: dict[str, str | None] = {KEY: "hush-header", CLIENT: "hush-client"}

pytestmark = pytest.mark.django_db


def revealed(row: Webhook) -> dict[str, str]:
    kept = dict(row.secrets.values_list("field", "secret"))
    opened = open_secrets(kept.values())
    return {field: opened[pk].reveal() for field, pk in kept.items()}


def redefine(row: Webhook, secrets: dict[str, str | None] | None = None, **change: Any) -> Webhook:
    return actions.define_webhook(change, secrets=secrets, actor=system(), webhook=row)


def test_a_webhook_is_saved_with_its_secrets_encrypted_and_nowhere_else() -> None:
    row = webhook(URL, SECRETS, oauth=OAUTH, headers={"X-Team": "platform"})
    assert revealed(row) == SECRETS
    everywhere = json.dumps([list(AuditEntry.objects.values_list("details", flat=True)), compose_webhook(row)])
    everywhere += json.dumps(list(Revision.objects.values_list("document", flat=True)))
    everywhere += str(list(StoredSecret.objects.values())) + str(list(Webhook.objects.values()))
    assert "hush" not in everywhere
    assert compose_webhook(row)["hidden"] == [KEY, CLIENT]


def test_every_saved_version_is_kept_and_saving_nothing_new_makes_none() -> None:
    body = {"z": 1, "a": {"c": 1e5, "b": "{{ request.id }}"}}
    row = webhook(URL, SECRETS, oauth=OAUTH, body=body)
    redefine(row)
    redefine(row, body=body)
    redefine(row, error_message="Not yet.")
    redefine(row, {KEY: "another-hush", CLIENT: None})
    kept = Revision.objects.filter(kind="webhook", subject=row.pk).order_by("number")
    assert [one.number for one in kept] == [1, 2, 3]
    assert [one.document["error_message"] for one in kept] == ["", "Not yet.", "Not yet."]
    assert kept[1].digest == digest(kept[1].document)
    told = AuditEntry.objects.filter(action="webhook.saved").order_by("id")
    assert [one.details["hidden_changed"] for one in told] == [[KEY, CLIENT], [], [KEY]]
    assert revealed(row) == {KEY: "another-hush", CLIENT: "hush-client"}


def test_secrets_that_are_not_named_are_forgotten_and_leave_no_row() -> None:
    row = webhook(URL, SECRETS, oauth=OAUTH)
    redefine(row, {KEY: None}, oauth={})
    assert revealed(row) == {KEY: "hush-header"}
    assert StoredSecret.objects.count() == 1
    redefine(row, {})
    assert not StoredSecret.objects.exists()


def test_a_kept_secret_goes_nowhere_but_where_it_was_typed_for() -> None:
    """Who may change a webhook but never read its secrets cannot have them sent to a server of their own."""
    row = webhook(URL, SECRETS, oauth=OAUTH)
    redefine(row, url="https://tickets.example.com/other/path")
    for change, secret in (
        ({"url": "https://evil.example.com/ask"}, "the header X-Key"),
        ({"url": "https://tickets.example.com:8443/ask"}, "the header X-Key"),
        ({"oauth": OAUTH | {"token_url": "https://evil.example.com/token"}}, "the client’s secret"),
    ):
        with pytest.raises(actions.BadFlow, match=f"leads elsewhere now: type {secret} again"):
            redefine(row, **change)
    assert redefine(row, {KEY: "new", CLIENT: None}, url="https://new.example.com/ask").url.startswith("https://new")


@pytest.mark.parametrize(
    ("change", "part", "words"),
    [
        ({"name": " "}, "name", "Give it a name"),
        ({"method": "HEAD"}, "method", "GET or PATCH or POST or PUT"),
        ({"url": "http://tickets.example.com/"}, "url", "LATCHKEY_CALL_PLAIN_HTTP"),
        ({"url": "tickets"}, "url", "is no address"),
        ({"url": "https://a:b@tickets.example.com/"}, "url", "secret header"),
        ({"timeout_seconds": 0}, "timeout_seconds", "at most 60"),
        ({"timeout_seconds": 61}, "timeout_seconds", "at most 60"),
        ({"headers": {"X Y": "1"}}, "headers", "cannot be the name of a header"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "headers", "one line"),
        ({"headers": {"Host": "other"}}, "headers", "set by Latchkey itself"),
        ({"headers": {"idempotency-key": "1"}}, "headers", "set by Latchkey itself"),
        ({"headers": {"Authorization": "Bearer x"}}, "headers", "make it a secret one"),
        ({"headers": {"x-key": "1"}}, "headers", "more than once"),
        ({"body": {"a": "{{ request.justfication }}"}}, "body", "Did you mean “request.justification”?"),
        ({"body": ["x"], "method": "GET"}, "body", "one object of plain values"),
        ({"body": {"a": {"b": 1}}, "method": "GET"}, "body", "one object of plain values"),
        ({"body": {"a": "x" * 20_001}}, "body", "at most 20000"),
        ({"validators": [{"path": "$.[", "operator": "is", "value": ""}]}, "validators", "is no JSON path"),
        ({"validators": [{"path": "$.a", "operator": "resembles", "value": ""}]}, "validators", "operator is one of"),
        ({"validators": [{"path": "$.a", "operator": "contains", "value": ""}]}, "validators", "give a value"),
        ({"validators": [{"path": "$.a"}]}, "validators", "a path, an operator and a value"),
        ({"oauth": {"token_url": "http://login.example.com", "client_id": "x"}}, "oauth", "https://"),
        ({"oauth": {"token_url": "https://login.example.com/t", "client_id": ""}}, "oauth", "client’s id"),
        ({"oauth": OAUTH}, "oauth", "Type the client’s secret."),
        ({"error_message": "x" * 301}, "error_message", "At most 300"),
        ({"nonsense": 1}, "", "no setting"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_in_words(change: dict[str, Any], part: str, words: str) -> None:
    with pytest.raises(actions.BadFlow) as refused:
        actions.define_webhook(columns(URL) | change, secrets={KEY: "x"}, actor=system())
    assert any(one.part == part and words in one.text for one in refused.value.findings), refused.value.findings
    assert not Webhook.objects.exists()
    assert not StoredSecret.objects.exists()
    assert not AuditEntry.objects.filter(action="webhook.saved").exists()


def test_plain_http_is_for_the_operator_to_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CALL_PLAIN_HTTP", True)
    assert webhook("http://tickets.example.com/").pk


def test_a_secret_that_cannot_be_a_header_is_refused_without_repeating_it() -> None:
    with pytest.raises(actions.BadFlow) as refused:
        webhook(URL, {KEY: "hush\nX-Other: 1"})
    assert "one line" in str(refused.value)
    assert "hush" not in str(refused.value)
    with pytest.raises(actions.BadFlow, match="Type the secret of the header X-Key"):
        webhook(URL, {KEY: None})


def test_two_who_write_one_webhook_do_not_overwrite_each_other() -> None:
    row = webhook(URL)
    read = digest(compose_webhook(row))
    redefine(row, description="theirs")
    with pytest.raises(actions.Overtaken):
        actions.define_webhook({"description": "mine"}, actor=system(), webhook=row, after=read)
    row.refresh_from_db()
    assert row.description == "theirs"


def test_a_name_is_taken_once() -> None:
    webhook(URL)
    with pytest.raises(actions.BadFlow, match="Another webhook has this name"):
        webhook(URL)


def test_deleting_leaves_no_secret_and_keeps_the_versions() -> None:
    row = webhook(URL, SECRETS, oauth=OAUTH)
    actions.delete_webhook(row, actor=system())
    assert not WebhookSecret.objects.exists()
    assert not StoredSecret.objects.exists()
    assert Revision.objects.filter(kind="webhook").count() == 1
    assert AuditEntry.objects.filter(action="webhook.deleted", subject_name="PAM ticket").exists()


def test_only_who_writes_policy_writes_webhooks(cast: Cast) -> None:
    row = webhook(URL, {KEY: "hush"})
    for user in (cast.requester, cast.outsider):
        actor = person(user, Source.PORTAL)
        with pytest.raises(NotAllowed):
            actions.define_webhook(columns(URL, name="Mine"), actor=actor)
        with pytest.raises(NotAllowed):
            actions.define_webhook({"name": "Mine"}, actor=actor, webhook=row)
        with pytest.raises(NotAllowed):
            actions.try_webhook(columns(URL), secrets={KEY: None}, actor=actor, webhook=row)
        with pytest.raises(NotAllowed):
            actions.delete_webhook(row, actor=actor)
    assert list(queries.webhooks().values_list("name", flat=True)) == ["PAM ticket"]


def test_rotating_the_keys_of_the_store_keeps_secrets_of_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.actions import reencrypt

    row = webhook(URL, {KEY: "hush"})
    monkeypatch.setattr(settings, "STORE_KEYS", [f"new:{'1b' * 32}", *settings.STORE_KEYS])
    assert reencrypt(actor=system()) == 1
    monkeypatch.setattr(settings, "STORE_KEYS", settings.STORE_KEYS[:1])
    assert revealed(row) == {KEY: "hush"}
