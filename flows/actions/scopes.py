"""Access scopes: written and deleted. A flow's version carries a scope's query, so a change makes new versions."""

from __future__ import annotations

from datetime import datetime

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
from flows.findings import about_scope
from flows.models import AccessFlow, AccessScope, AccessTarget


def define_scope(
    name: str,
    query: str,
    *,
    actor: Actor,
    description: str = "",
    scope: AccessScope | None = None,
    at: datetime | None = None,
    after: str | None = None,
    second: Second | None = None,
) -> AccessScope:
    """Make a scope, or make `scope` anew; every flow that uses it gets a new version in the same transaction.

    `after` is the digest (flows.document.digest of compose_scope) that the writer has read; when the scope is another
    one by now, Overtaken is raised. Raises BadFlow when it cannot be, NeedsSecondAdmin when a flow that gives it would
    open production and `second` is no yes to that. In all these cases nothing has changed.
    """
    require(actor, "flows.change_accessscope" if scope else "flows.add_accessscope")
    moment = at or timezone.now()
    problems = about_scope(name, query, scope)
    if problems:
        raise BadFlow(problems)
    with transaction.atomic():
        row = AccessScope.objects.select_for_update().get(pk=scope.pk) if scope else AccessScope()
        before = documents.compose_scope(row) if scope else None
        told = (before, row.description)
        if after is not None and before is not None and documents.digest(before) != after:
            raise Overtaken("Somebody saved this access scope meanwhile.")
        row.name, row.query, row.description = name, query, description
        row.save()
        content = documents.compose_scope(row)
        if told != (content, description):
            details = {"after": content, "description": description} | ({"before": before} if before else {})
            record("scope.saved", actor=actor, subject=_subject(row), details=details, at=moment)
        if before is not None:
            keep_first(PolicyKind.SCOPE, row.pk, before | {"description": told[1]}, at=moment)
        keep_revision(PolicyKind.SCOPE, row.pk, content | {"description": description}, actor=actor, at=moment)
        if before is not None and before != content:
            carry(content, actor=actor, at=moment, second=second)
    return row


def delete_scope(scope: AccessScope, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a scope that no flow or bundle uses. Raises StillNeeded otherwise, with what does."""
    require(actor, "flows.delete_accessscope")
    subject = _subject(scope)
    try:
        with transaction.atomic():
            scope.delete()
            record("scope.deleted", actor=actor, subject=subject, at=at)
    except ProtectedError as error:
        raise _still_needed(scope) from error


def _still_needed(scope: AccessScope) -> StillNeeded:
    using = AccessTarget.objects.filter(access_scope=scope).select_related("flow", "in_bundle")
    names = sorted({str(one) for one in using})
    flows = AccessFlow.objects.filter(targets__access_scope=scope).distinct().order_by("name")
    return StillNeeded(f"This access scope is used by {', '.join(names)}. Take it out of there first.", list(flows))


def _subject(scope: AccessScope) -> Subject:
    return Subject("scope", str(scope.pk), scope.name)
