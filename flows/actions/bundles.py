"""Bundles: written and deleted. A flow's version carries a bundle's content, so a change makes new versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows.actions.carrying import carry
from flows.actions.revisions import keep_first, keep_revision
from flows.actions.rules import BadFlow, Overtaken, Second, StillNeeded
from flows.choices import PolicyKind
from flows.findings import about_bundle
from flows.models import AccessFlow, Bundle


def define_bundle(
    name: str,
    targets: list[dict[str, Any]],
    *,
    actor: Actor,
    description: str = "",
    bundle: Bundle | None = None,
    at: datetime | None = None,
    after: str | None = None,
    second: Second | None = None,
) -> Bundle:
    """Make a bundle, or make `bundle` anew; every flow that uses it gets a new version in the same transaction.

    `after` is the digest (flows.document.digest of compose_bundle) that the writer has read; when the bundle is another
    one by now, Overtaken is raised. Raises BadFlow when it cannot be, NeedsSecondAdmin when it would open production
    by a flow and `second` is no yes to that. In all these cases nothing has changed.
    """
    require(actor, "flows.change_bundle" if bundle else "flows.add_bundle")
    moment = at or timezone.now()
    problems = about_bundle(targets)
    if problems:
        raise BadFlow(problems)
    with transaction.atomic():
        row = Bundle.objects.select_for_update().get(pk=bundle.pk) if bundle else Bundle()
        before = documents.compose_bundle(row) if bundle else None
        told = (before, row.description)
        if after is not None and before is not None and documents.digest(before) != after:
            raise Overtaken("Somebody saved this bundle meanwhile.")
        row.name, row.description = name, description
        row.save()
        documents.write_bundle(row, targets)
        content = documents.compose_bundle(row)
        if told != (content, description):
            _keep(row, (before, told[1]), content, actor=actor, at=moment)
        if before is not None and before != content:
            carry(content, actor=actor, at=moment, second=second)
    return row


def _keep(
    row: Bundle, was: tuple[dict[str, Any] | None, str], content: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Write the bundle's next revision, and the audit entry."""
    before, description = was
    if before is not None:
        keep_first(PolicyKind.BUNDLE, row.pk, {**before, "description": description}, at=at)
    keep_revision(PolicyKind.BUNDLE, row.pk, {**content, "description": row.description}, actor=actor, at=at)
    details = {"after": content, "description": row.description} | ({"before": before} if before else {})
    record("bundle.saved", actor=actor, subject=_subject(row), details=details, at=at)


def delete_bundle(bundle: Bundle, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a bundle that no flow uses. Raises StillNeeded otherwise, with the flows that do."""
    require(actor, "flows.delete_bundle")
    subject = _subject(bundle)
    try:
        with transaction.atomic():
            bundle.delete()
            record("bundle.deleted", actor=actor, subject=subject, at=at)
    except ProtectedError as error:
        using = AccessFlow.objects.filter(targets__bundle=bundle).distinct().order_by("name")
        raise StillNeeded("Access flows give this bundle. Take it out of them first.", list(using)) from error


def _subject(bundle: Bundle) -> Subject:
    return Subject("bundle", str(bundle.pk), bundle.name)
