"""Webhooks: written and deleted.

Their secrets lie in the built-in store, are never shown, and go nowhere but where they were typed for.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows.actions.revisions import keep_revision
from flows.actions.rules import BadFlow, Overtaken, StillNeeded
from flows.choices import ConditionType, PolicyKind
from flows.findings import Finding
from flows.findings_of_webhooks import CLIENT_SECRET, HEADER, about_webhook, bad_secret
from flows.models import AccessFlow, Condition, Webhook, WebhookSecret
from integrations import actions as integrations

COLUMNS = (
    "name",
    "description",
    "active",
    "as_written",
    "method",
    "url",
    "body",
    "headers",
    "oauth",
    "validators",
    "timeout_seconds",
    "error_message",
)
# What the row of a secret is bound to in the store.
_STORED_AS = "webhook"
# By field: the new value, or None to keep what there is. A field that is not named is forgotten.
Secrets = Mapping[str, str | None]


def define_webhook(
    columns: Mapping[str, Any],
    *,
    actor: Actor,
    secrets: Secrets | None = None,
    webhook: Webhook | None = None,
    at: datetime | None = None,
    after: str | None = None,
) -> Webhook:
    """Make a webhook, or make `webhook` anew. `secrets` None leaves those that there are as they are.

    `after` is the digest of the document that the writer has read; when it is another one by now, Overtaken is raised.
    Raises BadFlow, whose findings name the column, when it cannot be. In both cases nothing has changed.
    """
    require(actor, "flows.change_webhook" if webhook else "flows.add_webhook")
    moment = at or timezone.now()
    with transaction.atomic():
        row = Webhook.objects.select_for_update().get(pk=webhook.pk) if webhook else Webhook()
        before = documents.compose_webhook(row) if webhook else None
        if after is not None and before is not None and documents.digest(before) != after:
            raise Overtaken("Somebody saved this webhook meanwhile.")
        kept = set(before["hidden"]) if before else set()
        wanted = dict.fromkeys(kept) if secrets is None else dict(secrets)
        write(row, columns, wanted, kept)
        row.save()
        row.refresh_from_db()  # numbers and order as the database keeps them: what has not changed is equal
        replaced = _write_secrets(row, wanted, moment)
        content = documents.compose_webhook(row)
        if before != content or replaced:
            # A secret that was replaced is a new version, though its document says nothing of the value.
            keep_revision(PolicyKind.WEBHOOK, row.pk, content, actor=actor, at=moment, anew=bool(replaced))
            details = {"after": content, "hidden_changed": replaced} | ({"before": before} if before else {})
            record("webhook.saved", actor=actor, subject=subject_of(row), details=details, at=moment)
    return row


def write(row: Webhook, columns: Mapping[str, Any], wanted: dict[str, str | None], kept: set[str]) -> None:
    """Write columns into a row that is not saved yet. Raises BadFlow with all that is wrong with it."""
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise BadFlow([f"There is no setting “{name}”." for name in unknown])
    old = (row.url, str((row.oauth or {}).get("token_url", "")))
    for name, value in columns.items():
        setattr(row, name, value)
    found = about_webhook(row, set(wanted))
    found += _sent_elsewhere(row, wanted, old)
    found += [
        Finding("secrets", f"The secret of {in_words(field)}: {problem}")
        for field, value in wanted.items()
        if value is not None and (problem := bad_secret(field, value))
    ]
    lost = [field for field, value in wanted.items() if value is None and field not in kept]
    found += [Finding("secrets", f"Type the secret of {in_words(field)}: there is none yet.") for field in lost]
    if Webhook.objects.filter(name=row.name).exclude(pk=row.pk).exists():
        found.append(Finding("name", "Another webhook has this name."))
    if found:
        raise BadFlow(found)


def _sent_elsewhere(row: Webhook, wanted: Mapping[str, str | None], old: tuple[str, str]) -> list[Finding]:
    """Refuse to send a kept secret to another place than it was typed for: who may not read it could so read it."""
    now = (row.url, str((row.oauth or {}).get("token_url", "")))
    moved = [_origin(then) != _origin(new) for then, new in zip(old, now, strict=True)]
    return [
        Finding(
            "secrets", f"The address leads elsewhere now: type {in_words(field)} again, so that it is meant for it."
        )
        for field, value in wanted.items()
        if value is None and moved[field == CLIENT_SECRET]
    ]


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def in_words(field: str) -> str:
    """Return a secret's field as people read it."""
    return "the client’s secret" if field == CLIENT_SECRET else f"the header {field.removeprefix(HEADER)}"


def _write_secrets(row: Webhook, wanted: Mapping[str, str | None], at: datetime) -> list[str]:
    """Keep new secrets, forget those that are not wanted; return the fields that changed."""
    there = {one.field: one for one in row.secrets.all()}
    fresh = {field: value for field, value in wanted.items() if value is not None}
    gone = [one for field, one in there.items() if field in fresh or field not in wanted]
    row.secrets.filter(pk__in=[one.pk for one in gone]).delete()
    integrations.forget_secrets(one.secret_id for one in gone)
    WebhookSecret.objects.bulk_create(
        WebhookSecret(webhook=row, field=field, secret_id=integrations.keep_secret(value, _STORED_AS, at=at))
        for field, value in fresh.items()
    )
    return sorted({*fresh, *(one.field for one in gone)})


def delete_webhook(webhook: Webhook, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a webhook that no flow names and no request ever asked. Raises StillNeeded, with the flows that name it.

    Its versions stay: they are the record.
    """
    require(actor, "flows.delete_webhook")
    subject = subject_of(webhook)
    try:
        with transaction.atomic():
            row = Webhook.objects.select_for_update().get(pk=webhook.pk)
            using = flows_naming(row)
            if using:
                raise StillNeeded("Access flows ask this webhook. Take it out of them first.", using)
            stored = list(row.secrets.values_list("secret", flat=True))
            row.delete()
            integrations.forget_secrets(stored)
            record("webhook.deleted", actor=actor, subject=subject, at=at)
    except ProtectedError as error:
        words = "Requests have asked it, and the record keeps them. No access flow names it, so it is asked no more."
        raise StillNeeded(words) from error


def flows_naming(webhook: Webhook) -> list[AccessFlow]:
    """Return the flows that have the webhook as a check or an approver, by name."""
    named = Condition.objects.filter(type=ConditionType.WEBHOOK).values_list("flow", "values")
    approving = [flow for flow, values in named if str(webhook.pk) in values]
    checking = list(webhook.checks.values_list("flow", flat=True))
    return list(AccessFlow.objects.filter(pk__in=[*approving, *checking]).order_by("name"))


def subject_of(webhook: Webhook) -> Subject:
    """Return the snapshot of a webhook that an audit entry keeps."""
    return Subject("webhook", str(webhook.pk), webhook.name)


def held_secrets(webhook: Webhook) -> dict[str, uuid.UUID]:
    """Return by field where a webhook's secrets lie in the store."""
    return dict(webhook.secrets.values_list("field", "secret"))
