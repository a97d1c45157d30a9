"""Webhooks in the admin site: written, tried, compared, deleted; and what who may not gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.choices import Role
from audit.actor import system
from audit.models import AuditEntry
from flows import actions
from flows.models import Webhook
from integrations.actions.secrets import open_secrets
from tests.cast import Cast, person
from tests.desk.conftest import signed_in
from tests.http_server import Answer, Server, serving
from tests.story import Story, begin, flow, simulated_provider
from tests.webhooks.world import allow_local, webhook

ADD = "admin:flows_webhook_add"


@pytest.fixture
def story(fresh_database: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    allow_local(monkeypatch)
    with simulated_provider():
        yield begin(cast)


@pytest.fixture
def desk(story: Story) -> Client:
    return signed_in(story.cast.admin)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(lambda asked: Answer(data={"approved": "not <b>yet</b>"})) as running:
        yield running


def page_of(name: str, row: Webhook) -> str:
    return reverse(f"admin:flows_webhook_{name}", args=[row.pk])


def told(url: str, **change: Any) -> dict[str, Any]:
    """Return the form as a person fills it in."""
    whole = {
        "name": "PAM ticket",
        "description": "Ask the PAM team",
        "active": "on",
        "method": "POST",
        "url": url,
        "timeout_seconds": "5",
        "body": '{"why": "{{ request.justification }}"}',
        "validators": ["0"],
        "validators-0-path": "$.approved",
        "validators-0-operator": "is",
        "validators-0-value": "yes",
        "hidden": ["0"],
        "hidden-0-name": "X-Key",
        "hidden-0-value": "hush-key",
        "headers": ["0"],
        "headers-0-name": "X-Team",
        "headers-0-value": "platform",
        "_save": "yes",
    } | change
    return {name: value for name, value in whole.items() if value is not None}


def revealed(row: Webhook) -> dict[str, str]:
    kept = dict(row.secrets.values_list("field", "secret"))
    opened = open_secrets(kept.values())
    return {field: opened[pk].reveal() for field, pk in kept.items()}


def test_a_webhook_is_made_by_form_and_its_secret_is_never_shown(desk: Client, server: Server) -> None:
    page = desk.post(reverse(ADD), told(server.address), follow=True)
    made = Webhook.objects.get()
    text = page.content.decode()
    assert "PAM ticket is saved." in text
    assert "hush-key" not in text
    assert "Kept: leave it empty to keep it." in text
    assert made.body == {"why": "{{ request.justification }}"}
    assert (made.headers, revealed(made)) == ({"X-Team": "platform"}, {"header:X-Key": "hush-key"})
    assert made.validators == [{"path": "$.approved", "operator": "is", "value": "yes"}]


def test_what_is_kept_stays_when_its_field_is_left_empty_and_goes_with_its_row(desk: Client, server: Server) -> None:
    row = webhook(server.address, {"header:X-Key": "hush-key"})
    version = desk.get(page_of("change", row)).context["read_version"]
    sent = told(server.address, version=version, **{"hidden-0-value": ""})
    assert desk.post(page_of("change", row), sent).status_code == 302
    assert revealed(row) == {"header:X-Key": "hush-key"}
    version = desk.get(page_of("change", row)).context["read_version"]
    assert desk.post(page_of("change", row), sent | {"version": version, "hidden": []}).status_code == 302
    assert revealed(row) == {}


def test_what_was_typed_is_not_lost_and_secrets_are_held_without_being_shown(desk: Client, server: Server) -> None:
    bad = told(server.address, body='{"why": "{{ request.justfication }}"}')
    text = desk.post(reverse(ADD), bad).content.decode()
    assert "Did you mean “request.justification”?" in text
    assert "Ask the PAM team" in text
    assert "What you typed is held" in text
    assert "hush-key" not in text
    assert "hush-key" not in str(dict(desk.session))
    assert desk.post(reverse(ADD), told(server.address, **{"hidden-0-value": ""})).status_code == 302
    assert revealed(Webhook.objects.get()) == {"header:X-Key": "hush-key"}
    assert "webhook_secrets" not in desk.session


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"body": "{"}, "This is no JSON (line 1, column 2)"),
        ({"body": '{"a": {{ request.id }}}'}, "A slot stands inside quotes."),
        ({"url": "nowhere"}, "is no address"),
        ({"timeout_seconds": "99"}, "less than or equal to 60"),
        ({"validators-0-path": "$.["}, "is no JSON path"),
        ({"hidden-0-name": ""}, "Say which header."),
        ({"headers-0-name": "x-key"}, "is there more than once"),
        ({"headers-0-name": "Cookie"}, "make it a secret one"),
        ({"token_url": "https://login.example.com/", "client_id": "me"}, "Type the client’s secret."),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_where_it_is(
    desk: Client, server: Server, change: dict[str, Any], words: str
) -> None:
    page = desk.post(reverse(ADD), told(server.address) | change)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert "Not saved" in page.content.decode()
    assert not Webhook.objects.exists()


def test_rows_come_and_go_without_a_script_and_junk_is_refused(desk: Client, server: Server) -> None:
    text = desk.post(reverse(ADD), told(server.address, _save=None, _do="add:validators")).content.decode()
    assert 'name="validators-1-path"' in text
    text = desk.post(reverse(ADD), told(server.address, _save=None, _do="remove:headers:0")).content.decode()
    assert 'name="headers-0-name"' not in text
    assert desk.post(reverse(ADD), told(server.address, headers=["x"])).status_code == 400
    assert not Webhook.objects.exists()


def test_trying_shows_what_came_back_validator_by_validator_and_saves_nothing(desk: Client, server: Server) -> None:
    text = desk.post(reverse(ADD), told(server.address, _save=None, _do="try")).content.decode()
    assert "Tried with sample values" in text
    assert "does not hold" in text
    assert "found: not &lt;b&gt;yet&lt;/b&gt;" in text
    assert "&lt;b&gt;yet" in text
    assert "<b>yet</b>" not in text
    assert "To see why orders fail" in text
    assert "hush-key" not in text
    assert server.asked[0].headers["X-Key"] == "hush-key"
    assert not Webhook.objects.exists()
    assert AuditEntry.objects.get(action="webhook.tried").actor_name == "Ada"
    # Having seen that, it is saved without typing the secret again.
    assert desk.post(reverse(ADD), told(server.address, **{"hidden-0-value": ""})).status_code == 302
    assert revealed(Webhook.objects.get()) == {"header:X-Key": "hush-key"}


def test_trying_says_what_is_in_the_way(desk: Client, server: Server) -> None:
    text = desk.post(reverse(ADD), told("http://10.0.0.1/", _save=None, _do="try")).content.decode()
    assert "10.0.0.1 is private" in text
    assert "No answer" in text


def test_two_who_write_one_webhook_do_not_overwrite_each_other(desk: Client, server: Server) -> None:
    row = webhook(server.address)
    version = desk.get(page_of("change", row)).context["read_version"]
    actions.define_webhook({"description": "theirs"}, actor=system(), webhook=row)
    late = told(server.address, version=version, description="mine")
    page = desk.post(page_of("change", row), late)
    assert page.status_code == 409
    assert "Somebody saved this webhook meanwhile" in page.content.decode()
    assert ">\nmine</textarea>" in page.content.decode()
    assert desk.post(page_of("change", row), late | {"version": page.context["read_version"]}).status_code == 302


def test_versions_say_what_changed(desk: Client, server: Server) -> None:
    row = webhook(server.address, {"header:X-Key": "hush-key"})
    actions.define_webhook({"error_message": "Not yet.", "body": {"b": 2}}, actor=system(), webhook=row)
    actions.define_webhook({}, secrets={"header:X-Key": "hush-new"}, actor=system(), webhook=row)
    text = desk.get(page_of("history", row)).content.decode()
    for words in (
        "Version 3",
        "A secret was typed anew.",
        "Error message: “Not yet.” instead of nothing.",
        "Body changed.",
    ):
        assert words in text
    assert "hush" not in text


def test_a_webhook_in_use_is_not_deleted_and_its_flows_are_linked(story: Story, desk: Client, server: Server) -> None:
    row = webhook(server.address)
    made = flow(story.integration, "Guarded", checks=[str(row.pk)])
    address = reverse("admin:flows_accessflow_change", args=[made.pk])
    for page in (desk.get(page_of("delete", row)), desk.post(page_of("delete", row))):
        assert f'<a href="{address}">Guarded</a>' in page.content.decode()
    assert Webhook.objects.exists()
    actions.delete(made, actor=system())
    assert desk.post(page_of("delete", row)).status_code == 302
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEPLOYMENT])
def test_who_only_looks_writes_and_tries_nothing(desk: Client, server: Server, role: Role) -> None:
    row = webhook(server.address, {"header:X-Key": "hush-key"})
    auditor = signed_in(person("Vera", role))
    text = auditor.get(page_of("change", row)).content.decode()
    assert "header:X-Key" in text
    assert "hush-key" not in text
    assert "<textarea" not in text
    for sent in (told(server.address), told(server.address, _save=None, _do="try")):
        assert auditor.post(page_of("change", row), sent).status_code == 403
        assert auditor.post(reverse(ADD), sent).status_code == 403
    assert auditor.post(page_of("delete", row)).status_code == 403
    assert auditor.get(page_of("history", row)).status_code == 200
    assert server.asked == []


def test_an_outsider_finds_nothing(story: Story, server: Server) -> None:
    row = webhook(server.address)
    outsider = signed_in(story.cast.outsider)
    for name in ("change", "delete", "history"):
        for method in (outsider.get, outsider.post):
            page = method(page_of(name, row))
            assert page.status_code in {302, 403}
            assert "PAM ticket" not in page.content.decode()
    assert outsider.post(reverse(ADD), told(server.address, _do="try")).status_code in {302, 403}
    assert server.asked == []


def test_the_list_counts_the_flows_in_as_many_queries_for_one_as_for_many(
    story: Story, desk: Client, server: Server
) -> None:
    row = webhook(server.address)
    flow(story.integration, "Guarded", checks=[str(row.pk)])
    address = reverse("admin:flows_webhook_changelist")
    with CaptureQueriesContext(connection) as one:
        text = desk.get(address).content.decode()
    assert 'field-flows_asking">1<' in text
    for number in range(5):
        webhook(server.address, name=f"Other {number}")
    with CaptureQueriesContext(connection) as many:
        desk.get(address)
    assert len(one) == len(many)


def test_the_portal_says_what_is_asked_and_what_was_answered(story: Story, server: Server) -> None:
    from access_requests import actions as request_actions

    row = webhook(server.address, error_message="Ticket OPS is not approved.")
    flow(story.integration, checks=[str(row.pk)])
    rita = signed_in(story.cast.requester)
    check = {"pick": ":".join(map(str, story.pair("orders_prod"))), "justification": "x"}
    assert "Checked first by PAM ticket" in rita.post(reverse("check_request"), check).content.decode()
    request = story.ask("orders_prod")
    address = reverse("request_page", args=[request.pk])
    text = rita.get(address).content.decode()
    assert "Asking PAM ticket…" in text
    assert "Withdraw" in text
    request_actions.run_calls(at=lambda: story.now)
    text = rita.get(address).content.decode()
    assert "PAM ticket said no" in text
    assert "Ticket OPS is not approved." in text
    assert "Asking" not in text
    assert signed_in(story.cast.outsider).get(address).status_code == 404


def test_the_portal_shows_a_webhook_among_the_approvers(story: Story, server: Server) -> None:
    asked = {"type": "webhook", "operator": "is", "values": [str(webhook(server.address).pk)]}
    people = {"type": "group", "operator": "is", "values": ["approvers"]}
    flow(story.integration, approval={"groups": [{"operator": "or", "conditions": [asked, people]}]})
    rita = signed_in(story.cast.requester)
    check = {"pick": ":".join(map(str, story.pair("orders_prod"))), "justification": "x"}
    assert "In the group approvers: PAM ticket, Abel" in " ".join(
        rita.post(reverse("check_request"), check).content.decode().split()
    )
    request = story.ask("orders_prod")
    text = rita.get(reverse("request_page", args=[request.pk])).content.decode()
    assert "Another system" in text
    assert "Asking PAM ticket…" in text
