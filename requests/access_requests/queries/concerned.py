"""Whom news of people concerns: most of what a directory tells is of people with nothing open."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef

from access_requests.choices import OPEN, WAITING, ExtensionState
from access_requests.models import AccessRequest, Approval, ExtensionApproval
from accounts.models import User


def concerned(people: Iterable[Any]) -> list[uuid.UUID]:
    """Return those of some people who ask for, hold or answer for something now, automatic access too. One query."""
    asked = AccessRequest.objects.filter(state__in=OPEN).order_by()
    answers = Approval.objects.filter(request__state__in=WAITING, approver=OuterRef("pk")).order_by()
    more = ExtensionApproval.objects.filter(extension__state=ExtensionState.PENDING, approver=OuterRef("pk"))
    open_now = (
        Exists(asked.filter(grantee=OuterRef("pk")))
        | Exists(asked.filter(requestor=OuterRef("pk")))
        | Exists(answers)
        | Exists(more.order_by())
    )
    return list(User.objects.filter(open_now, pk__in=list(people)).order_by("pk").values_list("pk", flat=True))
