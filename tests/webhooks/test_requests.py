"""What webhooks do to requests: as checks, as approvers, through failures and kills; against a real server."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from access_requests import actions
from access_requests.actions import calls
from access_requests.models import AccessRequest, WebhookCall
from audit.actor import system
from audit.models import AuditEntry
from flows import actions as flow_actions
from flows.models import Webhook
from integrations.actions import calling
from tests.cast import Cast
from tests.http_server import Answer, Asked, Server, serving
from tests.story import Story, begin, document, flow, simulated_provider
from tests.webhooks.world import allow_local, columns, resolving, webhook

ROOT = Path(__file__).resolve().parents[2]
SAID_YES, SAID_NO = Answer(data={"approved": True, "inner": "hush-answer"}), Answer(data={"approved": False})
PEOPLE = {"type": "group", "operator": "is", "values": ["approvers"]}


@pytest.fixture
def story(fresh_database: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    allow_local(monkeypatch)
    with simulated_provider():
        yield begin(cast)


class Says:
    """A system whose answer a test changes."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.hook = answer, lambda asked: None

    def __call__(self, asked: Asked) -> Answer:
        self.hook(asked)
        return self.answer


@pytest.fixture
def says() -> Says:
    return Says(SAID_YES)


@pytest.fixture
def server(says: Says) -> Iterator[Server]:
    with serving(says) as running:
        yield running


def checked(story: Story, row: Webhook, mode: str = "any_of", **more: Any) -> AccessRequest:
    """Ask through a flow that the webhook checks."""
    flow(story.integration, mode=mode, checks=[str(row.pk)], **more)
    return story.ask("orders_prod")


def approving(story: Story, *groups: dict[str, Any], mode: str = "any_of") -> AccessRequest:
    """Ask through a flow with these approver groups."""
    flow(story.integration, mode=mode, approval={"groups": list(groups)})
    return story.ask("orders_prod")


def group(row: Webhook, *conditions: dict[str, Any], operator: str = "or") -> dict[str, Any]:
    asked = {"type": "webhook", "operator": "is", "values": [str(row.pk)]}
    return {"operator": operator, "conditions": [asked, *conditions]}


def run(story: Story) -> int:
    return actions.run_calls(at=lambda: story.now)


def call_of(request: AccessRequest) -> WebhookCall:
    return WebhookCall.objects.get(request=request)


def test_a_check_that_says_yes_lets_the_request_go_on(story: Story, server: Server) -> None:
    request = checked(story, webhook(server.address))
    assert (story.fresh(request).state, call_of(request).state) == ("initializing", "waiting")
    assert run(story) == 1
    assert (story.fresh(request).state, call_of(request).state, call_of(request).status) == ("pending", "yes", 200)
    (asked,) = server.asked
    assert asked.data == {"request": request.pk, "why": "an incident"}
    assert asked.headers["Idempotency-Key"] == str(call_of(request).pk)
    entry = AuditEntry.objects.get(action="request.webhook_answered")
    assert (entry.actor_name, entry.details["answer"]) == ("PAM ticket (webhook)", "yes")
    assert run(story) == 0


def test_every_slot_is_filled_with_what_the_request_says(story: Story, server: Server) -> None:
    from flows.slots import VOCABULARY

    body = {name: f"{{{{ {name} }}}}" for name in [*VOCABULARY, "request.fields.cost"]}
    request = checked(story, webhook(server.address, body=body))
    AccessRequest.objects.filter(pk=request.pk).update(ticket="OPS-1", fields={"cost": 42})
    run(story)
    rita = {"email": "rita@example.com", "name": "Rita", "groups": ["engineers"]}
    assert server.asked[0].data == {
        "request.id": request.pk,
        "request.justification": "an incident",
        "request.ticket": "OPS-1",
        "request.duration_seconds": 3600,
        "request.fields.cost": 42,
        **{f"requestor.{name}": value for name, value in rita.items()},
        **{f"grantee.{name}": value for name, value in rita.items()},
        "flow.name": "Databases",
        "resources": [
            {"name": "orders_prod", "type": "database", "integration": "Simulated server", "permission": "READ_ONLY"}
        ],
    }


def test_a_get_carries_its_body_as_the_query(story: Story, server: Server) -> None:
    body = {"why": "{{ request.justification }}", "id": "{{ request.id }}", "fixed": True}
    request = checked(story, webhook(f"{server.address}/ask?api=2", method="GET", body=body))
    run(story)
    (asked,) = server.asked
    assert asked.query == {"api": ["2"], "why": ["an incident"], "id": [str(request.pk)], "fixed": ["true"]}
    assert (asked.method, asked.body) == ("GET", b"")


def test_a_check_that_says_no_ends_the_request_with_its_own_words(story: Story, server: Server, says: Says) -> None:
    says.answer = SAID_NO
    request = checked(story, webhook(server.address, error_message="Ticket OPS is not approved."))
    run(story)
    after = story.fresh(request)
    assert (after.state, after.note, after.end_reason) == ("rejected", "Ticket OPS is not approved.", "rejected")
    assert call_of(request).message == "Ticket OPS is not approved."


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(raw=b"<html>hush-answer</html>"), "no JSON"),
        (Answer(302, headers={"Location": "/elsewhere"}), "redirects are not followed"),
        (Answer(404), "answered 404"),
        (Answer(raw=b"[" + b"1," * 200_000), "more than 256 KB"),
    ],
)
def test_a_check_that_cannot_be_understood_fails_closed_at_once(
    story: Story, server: Server, says: Says, answer: Answer, why: str
) -> None:
    says.answer = answer
    request = checked(story, webhook(server.address))
    run(story)
    assert (story.fresh(request).state, call_of(request).state, len(server.asked)) == ("rejected", "failed", 1)
    assert "gave no answer that counts" in story.fresh(request).note
    entry = AuditEntry.objects.get(action="request.webhook_answered")
    assert why in entry.details["why"]
    assert "hush" not in json.dumps(entry.details)


def test_a_system_that_is_down_is_asked_again_with_more_and_more_time_between(
    story: Story, server: Server, says: Says
) -> None:
    says.answer = Answer(500)
    request = checked(story, webhook(server.address))
    assert run(story) == 1
    assert (call_of(request).state, call_of(request).attempts) == ("waiting", 1)
    assert run(story) == 0
    story.now += timedelta(seconds=5)
    says.answer = SAID_YES
    assert run(story) == 1
    assert story.fresh(request).state == "pending"
    assert len({one.headers["Idempotency-Key"] for one in server.asked}) == 1


def test_after_a_few_tries_a_check_fails_closed(story: Story, server: Server, says: Says) -> None:
    says.answer = Answer(503)
    request = checked(story, webhook(server.address))
    for _ in range(10):
        run(story)
        story.now += timedelta(seconds=60)
    assert len(server.asked) == calls.TRIES
    assert (story.fresh(request).state, call_of(request).state) == ("rejected", "failed")


def test_a_slow_system_is_not_waited_for_beyond_its_time(story: Story, server: Server, says: Says) -> None:
    done = threading.Event()
    says.hook = lambda asked: done.wait(10)  # type: ignore[assignment,func-returns-value]
    request = checked(story, webhook(server.address, timeout_seconds=1))
    began = time.monotonic()
    run(story)
    assert time.monotonic() - began < 5
    done.set()
    assert (call_of(request).state, call_of(request).status) == ("waiting", None)


def test_a_name_that_leads_inwards_by_now_is_not_called(
    story: Story, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "CALL_PRIVATE_ADDRESSES", [])
    asked = resolving(monkeypatch, {"tickets.example": ["127.0.0.1"]})
    port = server.address.rpartition(":")[2]
    request = checked(story, webhook(f"http://tickets.example:{port}/"))
    run(story)
    assert (story.fresh(request).state, server.asked, asked) == ("rejected", [], ["tickets.example"])
    assert "is private" in AuditEntry.objects.get(action="request.webhook_answered").details["why"]


def test_all_checks_have_to_say_yes(story: Story, server: Server, says: Says) -> None:
    with serving(lambda asked: SAID_YES) as other:
        first, second = webhook(server.address), webhook(other.address, name="Freeze calendar")
        flow(story.integration, mode="none", checks=[str(first.pk), str(second.pk)])
        says.answer = Answer(500)
        request = story.ask("orders_prod")
        run(story)
        assert story.fresh(request).state == "initializing"
        says.answer = SAID_YES
        story.now += timedelta(seconds=5)
        run(story)
        assert story.fresh(request).state == "approved"
        story.work()
        assert story.fresh(request).state == "active"


def test_a_webhook_alone_approves(story: Story, server: Server) -> None:
    request = approving(story, group(webhook(server.address)))
    assert story.fresh(request).state == "pending"
    run(story)
    after = story.fresh(request)
    assert after.state == "approved"
    entry = AuditEntry.objects.get(action="request.approval_given")
    assert (entry.actor_name, entry.details) == ("PAM ticket (webhook)", {"webhook": "PAM ticket"})


def test_a_webhooks_no_ends_the_request_like_a_persons(story: Story, server: Server, says: Says) -> None:
    says.answer = SAID_NO
    request = approving(story, group(webhook(server.address), PEOPLE))
    run(story)
    after = story.fresh(request)
    assert (after.state, after.note) == ("rejected", "PAM ticket said no.")
    assert AuditEntry.objects.get(action="request.rejected").actor_name == "PAM ticket (webhook)"


def test_joined_by_or_either_a_person_or_the_webhook_is_enough(story: Story, server: Server, says: Says) -> None:
    says.answer = Answer(500)
    request = approving(story, group(webhook(server.address), PEOPLE))
    run(story)
    story.approve(request)
    assert story.fresh(request).state == "approved"
    story.now += timedelta(minutes=5)
    assert run(story) == 0
    assert call_of(request).state == "failed"


@pytest.mark.parametrize("person_first", [True, False])
def test_joined_by_and_both_have_to_say_yes(story: Story, server: Server, person_first: bool) -> None:
    request = approving(story, group(webhook(server.address), PEOPLE, operator="and"))
    steps: list[Callable[[], object]] = [lambda: story.approve(request), lambda: run(story)]
    first, second = steps if person_first else reversed(steps)
    first()
    assert story.fresh(request).state == "pending"
    second()
    assert story.fresh(request).state == "approved"


def test_of_all_groups_a_webhooks_group_is_one(story: Story, server: Server) -> None:
    people = {"operator": "or", "conditions": [PEOPLE]}
    request = approving(story, group(webhook(server.address)), people, mode="all_of")
    run(story)
    assert story.fresh(request).state == "pending"
    story.approve(request)
    assert story.fresh(request).state == "approved"


EXTENDING = {"max_extensions": 2, "extension_minutes": 10, "name": "Databases", "grant_duration_minutes": 60}


@pytest.mark.parametrize(
    ("operator", "people", "refused"), [("and", [PEOPLE], False), ("or", [PEOPLE], False), ("or", [], True)]
)
def test_for_an_extension_people_are_asked_again_and_webhooks_are_not(
    story: Story, server: Server, operator: str, people: list[dict[str, Any]], refused: bool
) -> None:
    groups = [group(webhook(server.address), *people, operator=operator)]
    flow(story.integration, columns=EXTENDING, approval={"groups": groups})
    request = story.ask("orders_prod")
    run(story)
    if operator == "and":
        story.approve(request)
    story.work()
    rita, abel = story.cast.requester, story.cast.approver
    told: dict[str, Any] = {"user": rita, "actor": story.by(rita), "seconds": 600, "at": story.now}
    if refused:
        with pytest.raises(actions.NotPossible, match="Nobody but you could approve this"):
            actions.extend(request, justification="more", **told)
        return
    extension = actions.extend(request, justification="more", **told)
    assert extension.state == "pending"
    actions.approve_extension(extension, approver=abel, actor=story.by(abel), at=story.now)
    extension.refresh_from_db()
    assert extension.state == "approved"
    assert len(server.asked) == 1


def test_as_an_approver_a_failed_call_is_no_answer_and_others_may_still_answer(
    story: Story, server: Server, says: Says
) -> None:
    says.answer = Answer(404)
    request = approving(story, group(webhook(server.address), PEOPLE))
    run(story)
    assert (story.fresh(request).state, call_of(request).state) == ("pending", "failed")
    story.approve(request)
    assert story.fresh(request).state == "approved"


def test_where_nobody_else_could_answer_it_lapses_as_usual(story: Story, server: Server, says: Says) -> None:
    says.answer = Answer(404)
    request = approving(story, group(webhook(server.address)))
    run(story)
    story.later(hours=25)
    assert story.fresh(request).state == "lapsed"


def test_approvers_are_asked_only_once_the_checks_said_yes(story: Story, server: Server, says: Says) -> None:
    with serving(lambda asked: SAID_YES) as other:
        check, approver = webhook(server.address), webhook(other.address, name="Approver")
        flow(story.integration, checks=[str(check.pk)], approval={"groups": [group(approver)]})
        says.answer = Answer(500)
        request = story.ask("orders_prod")
        run(story)
        assert other.asked == []
        says.answer = SAID_YES
        story.now += timedelta(seconds=5)
        assert run(story) == 2
        assert story.fresh(request).state == "approved"


def test_a_request_whose_checks_never_answer_lapses_and_may_be_withdrawn(story: Story, server: Server) -> None:
    row = webhook(server.address)
    first = checked(story, row)
    second = story.ask("orders_dev")
    actions.cancel(second, user=story.cast.requester, actor=story.by(story.cast.requester), at=story.now)
    assert story.fresh(second).state == "cancelled"
    story.later(hours=25)
    after = story.fresh(first)
    assert (after.state, after.note) == ("lapsed", "Its checks did not answer in time.")
    assert run(story) == 0
    assert set(WebhookCall.objects.values_list("state", flat=True)) == {"failed"}
    assert server.asked == []


def test_who_is_no_longer_eligible_waits_for_no_check(story: Story, server: Server) -> None:
    request = checked(story, webhook(server.address))
    story.cast.requester.memberships.all().delete()
    actions.recheck_person(story.cast.requester.pk, at=story.now)
    assert story.fresh(request).state == "lapsed"


def test_a_process_that_dies_between_sending_and_writing_is_made_good(story: Story, server: Server) -> None:
    request = checked(story, webhook(server.address))
    dead = calls.lease_call(story.now)
    assert dead is not None
    answer = flow_actions.ask_webhook(dead.question, dead.values, key=str(dead.call.pk))
    assert run(story) == 0
    story.now += timedelta(minutes=1)
    assert run(story) == 1
    assert story.fresh(request).state == "pending"
    assert len(server.asked) == 2
    assert len({one.headers["Idempotency-Key"] for one in server.asked}) == 1
    # It was not dead after all: its answer comes too late to count twice.
    assert not calls.settle_call(dead, answer, at=story.now)
    assert AuditEntry.objects.filter(action="request.webhook_answered").count() == 1


def test_a_process_killed_by_sigkill_while_the_system_answers_loses_nothing(
    story: Story, server: Server, says: Says, fresh_database: str
) -> None:
    request = checked(story, webhook(server.address))
    connection.close()
    program = (
        "import tests.environment, django; django.setup();"
        f"from tests.databases import point_at; point_at({fresh_database!r});"
        "from access_requests.actions import run_calls; from datetime import datetime;"
        f"run_calls(at=lambda: datetime.fromisoformat({story.now.isoformat()!r}))"
    )
    allowed = {"LATCHKEY_CALL_PRIVATE_ADDRESSES": "127.0.0.1", "LATCHKEY_CALL_PLAIN_HTTP": "true"}
    path = os.pathsep.join([str(ROOT), str(ROOT / "requests")])
    doomed: list[subprocess.Popen[bytes]] = []
    started = threading.Event()

    def kill(asked: Asked) -> None:
        started.wait(10)
        doomed[0].send_signal(signal.SIGKILL)
        doomed[0].wait()

    says.hook = kill  # type: ignore[assignment]
    doomed.append(
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=os.environ | allowed | {"PYTHONPATH": path})
    )
    started.set()
    assert doomed[0].wait(60) == -signal.SIGKILL
    assert (call_of(request).state, call_of(request).attempts) == ("waiting", 1)
    says.hook = lambda asked: None
    story.now += timedelta(minutes=1)
    assert run(story) == 1
    assert story.fresh(request).state == "pending"
    assert {one.headers["Idempotency-Key"] for one in server.asked} == {str(call_of(request).pk)}


def test_two_workers_never_ask_the_same_question_at_once(story: Story, server: Server) -> None:
    checked(story, webhook(server.address))
    assert calls.lease_call(story.now) is not None
    assert calls.lease_call(story.now) is None


def test_secrets_are_sent_and_are_in_no_log_trail_or_row(
    story: Story, server: Server, says: Says, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    says.answer = Answer(500, data={"error": "hush-answer"})
    request = checked(story, webhook(f"{server.address}/?k=hush-url", {"header:X-Key": "hush-key"}))
    for _ in range(5):
        run(story)
        story.now += timedelta(seconds=60)
    assert server.asked[0].headers["X-Key"] == "hush-key"
    said = caplog.text + json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))
    said += story.fresh(request).note + call_of(request).message + json.dumps(call_of(request).asked)
    assert "hush-key" not in said
    assert "hush-answer" not in said


def oauth_of(address: str) -> dict[str, str]:
    return {"token_url": f"{address}/token", "client_id": "latchkey", "scope": "ask"}


def test_oauth_fetches_a_token_once_for_its_life(story: Story, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_tokens", calling.Tokens())
    given = Answer(data={"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"})
    with serving(lambda asked: given) as login:
        row = webhook(server.address, {"oauth_client_secret": "hush-client"}, oauth=oauth_of(login.address))
        checked(story, row)
        story.ask("orders_dev")
        assert run(story) == 2
    (asked,) = login.asked
    assert asked.body == b"grant_type=client_credentials&client_id=latchkey&client_secret=hush-client&scope=ask"
    assert [one.headers["Authorization"] for one in server.asked] == ["Bearer token-1"] * 2
    assert "hush-client" not in json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))


def test_a_token_that_is_refused_is_fetched_anew(
    story: Story, server: Server, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_tokens", calling.Tokens())
    numbers = iter(range(1, 9))
    with serving(lambda asked: Answer(data={"access_token": f"t{next(numbers)}", "expires_in": 3600})) as login:
        says.answer = Answer(401)
        row = webhook(server.address, {"oauth_client_secret": "hush"}, oauth=oauth_of(login.address))
        request = checked(story, row)
        run(story)
        says.answer = SAID_YES
        story.now += timedelta(seconds=5)
        run(story)
    assert [one.headers["Authorization"] for one in server.asked] == ["Bearer t1", "Bearer t2"]
    assert story.fresh(request).state == "pending"


@pytest.mark.parametrize(
    "answer", [Answer(400, data={"error": "hush-client"}), Answer(data={}), Answer(data=[]), Answer(raw=b"x")]
)
def test_without_a_token_nothing_is_asked(
    story: Story, server: Server, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_tokens", calling.Tokens())
    with serving(lambda asked: answer) as login:
        row = webhook(server.address, {"oauth_client_secret": "hush-client"}, oauth=oauth_of(login.address))
        request = checked(story, row)
        run(story)
    assert (story.fresh(request).state, server.asked) == ("rejected", [])
    assert "hush" not in json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))


def test_the_token_is_fetched_through_the_same_guard(
    story: Story, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_tokens", calling.Tokens())
    resolving(monkeypatch, {"login.example": ["10.0.0.1"]})
    oauth = {"token_url": "https://login.example/token", "client_id": "latchkey", "scope": ""}
    request = checked(story, webhook(server.address, {"oauth_client_secret": "hush"}, oauth=oauth))
    run(story)
    assert (story.fresh(request).state, server.asked) == ("rejected", [])
    assert "10.0.0.1 is private" in AuditEntry.objects.get(action="request.webhook_answered").details["why"]


def test_a_webhook_that_is_put_right_helps_requests_that_wait(story: Story, server: Server, says: Says) -> None:
    says.answer = Answer(500)
    row = webhook(server.address)
    request = checked(story, row)
    run(story)
    flow_actions.define_webhook({"validators": []}, actor=system(), webhook=row)
    says.answer = Answer(204)
    story.now += timedelta(seconds=5)
    run(story)
    assert (story.fresh(request).state, call_of(request).asked["validators"]) == ("pending", [])


def test_a_webhook_in_use_is_not_deleted_and_one_that_was_asked_is_kept(story: Story, server: Server) -> None:
    checking, approver = webhook(server.address), webhook(server.address, name="Approver")
    made = flow(story.integration, checks=[str(checking.pk)], approval={"groups": [group(approver, PEOPLE)]})
    for row in (checking, approver):
        with pytest.raises(flow_actions.StillNeeded) as refused:
            flow_actions.delete_webhook(row, actor=system())
        assert refused.value.flows == [made]
    story.ask("orders_prod")
    flow_actions.define({}, document(story.integration), actor=system(), flow=made)
    with pytest.raises(flow_actions.StillNeeded, match="Requests have asked it"):
        flow_actions.delete_webhook(checking, actor=system())
    assert Webhook.objects.count() == 2


def test_a_flow_says_its_webhooks_by_name_and_refuses_those_that_are_not_there(story: Story, server: Server) -> None:
    row = webhook(server.address)
    made = flow(story.integration, checks=[str(row.pk)], approval={"groups": [group(row, PEOPLE, operator="and")]})
    assert made.current is not None
    assert "the webhook “PAM ticket” has to say yes first" in made.current.sentence
    assert "someone in the group “approvers” and the webhook “PAM ticket” approves" in made.current.sentence
    gone = {"operator": "or", "conditions": [{"type": "webhook", "operator": "is", "values": ["0" * 36]}]}
    with pytest.raises(flow_actions.BadFlow, match="is not there any more"):
        flow(story.integration, "Other", approval={"groups": [gone]})
    asks = {"conditions": [{"type": "webhook", "operator": "is", "values": [str(row.pk)]}]}
    with pytest.raises(flow_actions.BadFlow, match="is for approvers only"):
        flow(story.integration, "Other", requestors=asks)
    nobody = {"type": "group", "operator": "is", "values": ["nobody"]}
    with pytest.raises(flow_actions.BadFlow, match="Nobody active is"):
        flow(story.integration, "Other", approval={"groups": [group(row, nobody, operator="and")]})


def test_a_call_inside_a_transaction_is_a_defect(story: Story, server: Server) -> None:
    from django.db import transaction

    row = webhook(server.address)
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        flow_actions.ask_webhook(flow_actions.question_of(row), {}, key="x")
    assert server.asked == []


def test_trying_sends_samples_saves_nothing_and_is_on_record(story: Story, server: Server, says: Says) -> None:
    row = webhook(server.address, {"header:X-Key": "hush-key"})
    admin = story.by(story.cast.admin)
    change = columns(server.address, error_message="changed", validators=[])
    tried = flow_actions.try_webhook(change, secrets={"header:X-Key": None}, actor=admin, webhook=row)
    assert (tried.verdict.said, tried.status) == ("yes", 200)
    assert "hush-answer" in tried.text
    assert server.asked[0].data["request"] == 4711
    assert server.asked[0].headers["X-Key"] == "hush-key"
    row.refresh_from_db()
    assert row.error_message == ""
    assert AuditEntry.objects.get(action="webhook.tried").actor_name == "Ada"
    with pytest.raises(flow_actions.BadFlow, match="leads elsewhere"):
        flow_actions.try_webhook(
            columns("http://evil.example/"), secrets={"header:X-Key": None}, actor=admin, webhook=row
        )
