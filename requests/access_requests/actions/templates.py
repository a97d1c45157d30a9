"""Templates of requests: kept, changed and dropped by whom they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from access_requests.actions.rules import NotPossible, NotYours, lock_person
from access_requests.models import RequestTemplate
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor

TEMPLATES_MAX = 100


@dataclass(frozen=True, slots=True)
class Template:
    """What a template says."""

    name: str
    integrations: Sequence[str] = ()
    resource_types: Sequence[str] = ()
    resources: Sequence[str] = ()
    permissions: Sequence[str] = ()


def keep_template(
    told: Template, *, user: User, actor: Actor, template: RequestTemplate | None = None, at: datetime | None = None
) -> RequestTemplate:
    """Keep a new template, or change one of one's own. Raises NotYours, NotPossible."""
    moment = at or timezone.now()
    if not user.is_active or (template is not None and template.user_id != user.pk):
        raise NotYours("This template is not yours.")
    with transaction.atomic():
        # The person's row orders two writers, so that name and number hold.
        mine = RequestTemplate.objects.filter(user=lock_person(user.pk))
        others = mine.exclude(pk=template.pk) if template is not None else mine
        if others.filter(name=told.name).exists():
            raise NotPossible("You have a template of this name already. Choose another name.")
        if template is None and others.count() >= TEMPLATES_MAX:
            raise NotPossible(f"You keep {TEMPLATES_MAX} templates already. Drop one first.")
        row = template or RequestTemplate(user=user, created_at=moment)
        row.name = told.name
        row.integrations, row.resource_types = list(told.integrations), list(told.resource_types)
        row.resources, row.permissions = list(told.resources), list(told.permissions)
        row.save()
        _record("template.changed" if template else "template.kept", row, actor, moment)
    return row


def drop_template(template: RequestTemplate, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Keep a template no more. Raises NotYours."""
    if not user.is_active or template.user_id != user.pk:
        raise NotYours("This template is not yours.")
    with transaction.atomic():
        _record("template.dropped", template, actor, at or timezone.now())
        RequestTemplate.objects.filter(pk=template.pk).delete()


def _record(action: str, row: RequestTemplate, actor: Actor, at: datetime) -> None:
    record(action, actor=actor, subject=Subject("template", str(row.pk), row.name), at=at)
