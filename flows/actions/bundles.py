"""Bundles: written and deleted. A flow's version carries a bundle's content, so a change makes new versions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows.actions.rules import BadFlow, Overtaken, Second, StillNeeded, add_versions
from flows.choices import TargetKind
from flows.findings import about_bundle
from flows.models import AccessFlow, AccessTarget, Bundle


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
    one by now, Overtaken is raised. Raises BadFlow when it cannot be, NeedsSecondAdmin when it would open production by a
    flow and `second` is no yes to that. In all these cases nothing has changed.
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
            details = {"after": content, "description": description} | ({"before": before} if before else {})
            record("bundle.saved", actor=actor, subject=_subject(row), details=details, at=moment)
        if before is not None and before != content:
            _carry(content, actor=actor, at=moment, second=second)
    return row


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


def _carry(content: dict[str, Any], *, actor: Actor, at: datetime, second: Second | None) -> None:
    """Give every flow that uses the bundle a version with its new content."""
    using = AccessTarget.objects.filter(bundle=content["bundle"], flow__isnull=False).values("flow")
    flows = AccessFlow.objects.filter(pk__in=using).select_related("current").order_by("pk")
    changed = [
        (flow, flow.current.document | {"targets": _with(content, flow.current.document["targets"])})
        for flow in flows.select_for_update(of=("self",))
        if flow.current is not None
    ]
    add_versions(changed, actor=actor, at=at, reason=f"The bundle {content['name']} changed.", second=second)


def _with(content: dict[str, Any], targets: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a flow's targets with the bundle's content in place of what it was."""
    return documents.ordered(
        content if (one["kind"], one["bundle"]) == (TargetKind.BUNDLE, content["bundle"]) else one for one in targets
    )


def _subject(bundle: Bundle) -> Subject:
    return Subject("bundle", str(bundle.pk), bundle.name)
