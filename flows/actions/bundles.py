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
from flows.actions.places import put
from flows.actions.revisions import keep_first, keep_revision
from flows.actions.rules import BadFlow, Overtaken, Second, StillNeeded
from flows.choices import PolicyKind
from flows.findings import Finding, about_bundle, still_named
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
    space: str | None = None,
) -> Bundle:
    """Make a bundle, or make `bundle` anew; every flow that uses it gets a new version in the same transaction.

    `after` is the digest (flows.document.digest of compose_bundle) that the writer has read; when the bundle is another
    one by now, Overtaken is raised. Raises BadFlow when it cannot be, NeedsSecondAdmin when it would open production
    by a flow and `second` is no yes to that. In all these cases nothing has changed. `space` says where it lies
    (places.put).
    """
    moment = at or timezone.now()
    with transaction.atomic():
        row = Bundle.objects.select_for_update().get(pk=bundle.pk) if bundle else Bundle()
        lay = row.space_id
        put(row, space, "flows.change_bundle" if bundle else "flows.add_bundle", actor)
        _refuse(row, targets)
        before = documents.compose_bundle(row) if bundle else None
        told = (before, row.description, lay)
        if after is not None and before is not None and documents.digest(before) != after:
            raise Overtaken("Somebody saved this bundle meanwhile.")
        row.name, row.description = name, description
        row.save()
        documents.write_bundle(row, targets)
        content = documents.compose_bundle(row)
        if told != (content, description, row.space_id):
            _keep(row, (before, told[1]), content, actor=actor, at=moment)
        if before is not None and before != content:
            carry(content, actor=actor, at=moment, second=second)
    return row


def _refuse(row: Bundle, targets: list[dict[str, Any]]) -> None:
    """Raise BadFlow where the bundle cannot be of these targets, or cannot lie where it is to lie."""
    problems: list[str | Finding] = [*about_bundle(targets, row.space)]
    if not row._state.adding:
        problems += still_named(row, str(row.space_id or ""))
    if problems:
        raise BadFlow(problems)


def _keep(
    row: Bundle, was: tuple[dict[str, Any] | None, str], content: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Write the bundle's next revision, and the audit entry."""
    before, description = was
    if before is not None:
        keep_first(PolicyKind.BUNDLE, row.pk, {**before, "description": description}, at=at)
    keep_revision(PolicyKind.BUNDLE, row.pk, {**content, "description": row.description}, actor=actor, at=at)
    details = {"after": content, "description": row.description} | ({"before": before} if before else {})
    if row.space:
        details["space"] = row.space.name
    record("bundle.saved", actor=actor, subject=_subject(row), details=details, at=at)


def delete_bundle(bundle: Bundle, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a bundle that no flow uses. Raises StillNeeded otherwise, with the flows that do."""
    subject = _subject(bundle)
    try:
        with transaction.atomic():
            require(actor, "flows.delete_bundle", Bundle.objects.filter(pk=bundle.pk).first() or bundle)
            bundle.delete()
            record("bundle.deleted", actor=actor, subject=subject, at=at)
    except ProtectedError as error:
        using = AccessFlow.objects.filter(targets__bundle=bundle).distinct().order_by("name")
        raise StillNeeded("Access flows give this bundle. Take it out of them first.", list(using)) from error


def _subject(bundle: Bundle) -> Subject:
    return Subject("bundle", str(bundle.pk), bundle.name)
