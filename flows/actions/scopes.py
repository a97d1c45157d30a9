"""Access scopes: written and deleted. A flow's version carries a scope's query, so a change makes new versions."""

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
from flows.findings import Finding, about_scope, still_named
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
    space: str | None = None,
) -> AccessScope:
    """Make a scope, or make `scope` anew; every flow that uses it gets a new version in the same transaction.

    `after` is the digest (flows.document.digest of compose_scope) that the writer has read; when the scope is another
    one by now, Overtaken is raised. Raises BadFlow when it cannot be, NeedsSecondAdmin when a flow that gives it would
    open production and `second` is no yes to that. In all these cases nothing has changed.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        row = AccessScope.objects.select_for_update().get(pk=scope.pk) if scope else AccessScope()
        told = (documents.compose_scope(row) if scope else None, row.description, row.space_id)
        before = told[0]
        put(row, space, "flows.change_accessscope" if scope else "flows.add_accessscope", actor)
        _refuse(row, name, query)
        if after is not None and before is not None and documents.digest(before) != after:
            raise Overtaken("Somebody saved this access scope meanwhile.")
        row.name, row.query, row.description = name, query, description
        row.save()
        content = documents.compose_scope(row)
        if told != (content, description, row.space_id):
            _record(row, before, content, actor, moment)
        if before is not None:
            keep_first(PolicyKind.SCOPE, row.pk, before | {"description": told[1]}, at=moment)
        keep_revision(PolicyKind.SCOPE, row.pk, content | {"description": description}, actor=actor, at=moment)
        if before is not None and before != content:
            carry(content, actor=actor, at=moment, second=second)
    return row


def _refuse(row: AccessScope, name: str, query: str) -> None:
    """Raise BadFlow where the scope cannot be, or cannot lie where it is to lie."""
    there = not row._state.adding
    problems: list[str | Finding] = [*about_scope(name, query, row if there else None, row.space)]
    if there:
        problems += still_named(row, str(row.space_id or ""))
    if problems:
        raise BadFlow(problems)


def _record(
    row: AccessScope, before: dict[str, Any] | None, content: dict[str, Any], actor: Actor, at: datetime
) -> None:
    """Write the audit entry."""
    details = {"after": content, "description": row.description} | ({"before": before} if before else {})
    if row.space:
        details["space"] = row.space.name
    record("scope.saved", actor=actor, subject=_subject(row), details=details, at=at)


def delete_scope(scope: AccessScope, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a scope that no flow or bundle uses. Raises StillNeeded otherwise, with what does."""
    subject = _subject(scope)
    try:
        with transaction.atomic():
            require(actor, "flows.delete_accessscope", AccessScope.objects.filter(pk=scope.pk).first() or scope)
            scope.delete()
            record("scope.deleted", actor=actor, subject=subject, at=at)
    except ProtectedError as error:
        raise _still_needed(scope) from error


def _still_needed(scope: AccessScope) -> StillNeeded:
    using = AccessTarget.objects.filter(access_scope=scope).select_related("flow", "in_bundle")
    names = sorted({str(one) for one in using})
    names += [f"the space {one.space}" for one in scope.bounding.select_related("space").order_by("space__name")]
    flows = AccessFlow.objects.filter(targets__access_scope=scope).distinct().order_by("name")
    return StillNeeded(f"This access scope is used by {', '.join(names)}. Take it out of there first.", list(flows))


def _subject(scope: AccessScope) -> Subject:
    return Subject("scope", str(scope.pk), scope.name)
