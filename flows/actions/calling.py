"""Asking a webhook: its body filled, the call made, the answer judged. Nothing of it is written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts.actions import require
from audit.actions import record
from audit.actor import Actor
from flows import slots
from flows.actions.webhooks import held_secrets, subject_of, write
from flows.document import compose_webhook
from flows.findings_of_webhooks import CLIENT_SECRET, HEADER
from flows.judging import Said, Verdict, judge
from flows.models import Webhook
from integrations import actions as integrations

# How much of an answer is shown to who tries a webhook; it is kept nowhere.
SHOWN_MAX = 2000


@dataclass(frozen=True, slots=True)
class Question:
    """A webhook as it stands, ready to be asked: its document, and the row with where its secrets lie."""

    document: dict[str, Any]
    webhook: Webhook = field(repr=False)
    secrets: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking. `text` is what was said, for who tries a webhook; nobody else gets it."""

    verdict: Verdict
    status: int | None = None
    text: str = field(repr=False, default="")
    sent: Any = field(repr=False, default=None)


def question_of(webhook: Webhook) -> Question:
    """Return the webhook as it stands now; read document and secrets in one transaction."""
    return Question(compose_webhook(webhook), webhook, held_secrets(webhook))


def ask_webhook(question: Question, values: Mapping[str, Any], *, key: str) -> Answer:
    """Ask another system, outside any transaction. `key` goes with it, the same each time it is asked the same."""
    row = question.webhook
    if not row.active:
        return Answer(Verdict(Said.FAILED, "This webhook is switched off."))
    body = slots.filled(row.body, values)
    outgoing = integrations.Outgoing(
        method=row.method,
        url=row.url,
        headers={**row.headers, "Idempotency-Key": key},
        secrets={name.removeprefix(HEADER): held for name, held in question.secrets.items() if name.startswith(HEADER)},
        oauth=_oauth(row, question.secrets),
        body=slots.as_query(body) if row.method == "GET" else body,
        timeout_seconds=row.timeout_seconds,
    )
    try:
        called = integrations.call_out(outgoing)
    except integrations.CallFailed as failed:
        return Answer(Verdict(Said.AGAIN if failed.again else Said.FAILED, str(failed)), sent=body)
    verdict = judge(called.status, called.data, row.validators)
    return Answer(verdict, called.status, called.text[:SHOWN_MAX], body)


def _oauth(row: Webhook, secrets: Mapping[str, Any]) -> integrations.OAuth | None:
    if not row.oauth:
        return None
    told = row.oauth
    return integrations.OAuth(told["token_url"], told["client_id"], told.get("scope", ""), secrets[CLIENT_SECRET])


def try_webhook(
    columns: Mapping[str, Any], *, actor: Actor, secrets: Mapping[str, str | None], webhook: Webhook | None = None
) -> Answer:
    """Ask a webhook as it is being written, with sample values; nothing is saved but that it was tried.

    Raises BadFlow as `define_webhook` does: what could not be saved is not sent, and a kept secret goes nowhere new.
    """
    require(actor, "flows.change_webhook" if webhook else "flows.add_webhook")
    with transaction.atomic():
        row = Webhook.objects.get(pk=webhook.pk) if webhook else Webhook()
        kept = held_secrets(row) if webhook else {}
        write(row, columns, dict(secrets), set(kept))
        typed = {name: integrations.hidden(value) for name, value in secrets.items() if value is not None}
        held = {name: one for name, one in kept.items() if name in secrets} | typed
        document = compose_webhook(row) | {"hidden": sorted(held)}
        record("webhook.tried", actor=actor, subject=subject_of(row), details={"tried": document})
    return ask_webhook(Question(document, row, held), slots.sample(row.body), key=f"trial-{actor.operation}")
