"""What people had before anything was given to them, for as long as a grant names the resource.

Nothing becomes standing while a grant names it. What was standing and is not there any more was taken by somebody: if a
grant gives it anew, it is given by us, and ends with the grant.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from accounts.models import User
from connectors.contract.orders import Unit
from integrations.models import BaselineUnit, Integration


def standing(
    integration_id: uuid.UUID, person_id: uuid.UUID, present: Iterable[Unit], wanted: Iterable[Unit], *, at: datetime
) -> frozenset[Unit]:
    """Return the units that are standing, durable: `contract.provider.Baseline` says what is asked and answered."""
    there, asked = frozenset(present), frozenset(wanted)
    rows = [
        BaselineUnit(
            integration_id=integration_id,
            person_id=person_id,
            resource_type=unit.resource_type,
            resource=unit.resource,
            permission=unit.permission,
            standing=unit in there,
            asked_at=at,
        )
        for unit in sorted(asked, key=repr)
    ]
    with transaction.atomic():
        BaselineUnit.objects.bulk_create(rows, ignore_conflicts=True)
        known = BaselineUnit.objects.filter(integration_id=integration_id, person_id=person_id, standing=True)
        units = {Unit(row.resource_type, row.resource, row.permission): row.pk for row in known}
        taken = (asked & units.keys()) - there
        if taken:
            BaselineUnit.objects.filter(pk__in=[units[unit] for unit in taken]).update(standing=False)
        return frozenset(units.keys() - taken)


def forget_baseline(integration: Integration, person: User, named: Iterable[Mapping[str, str]]) -> int:
    """Forget what no open grant of the person names the resource of; `named` is what they name, as in orders.

    A resource is remembered whole: where levels follow each other, what was standing may be one that no grant names.
    Call it in the transaction in which the end of a grant is proven. Returns how many units were forgotten.
    """
    keep = {(one["resource_type"], one["resource"]) for one in named}
    rows = BaselineUnit.objects.filter(integration=integration, person=person)
    known = rows.values_list("pk", "resource_type", "resource")
    over = [key for key, *resource in known if tuple(resource) not in keep]
    return BaselineUnit.objects.filter(pk__in=over).delete()[0]


def count_as_given(integration: Integration, person: User, unit: Mapping[str, str], *, at: datetime) -> None:
    """Count a unit as given by us although the person has it already: an admin has made it part of a grant.

    Call it in the transaction that makes the grant; what grants name is not forgotten before they end.
    """
    BaselineUnit.objects.update_or_create(
        integration=integration,
        person=person,
        resource_type=unit["resource_type"],
        resource=unit["resource"],
        permission=unit["permission"],
        defaults={"standing": False},
        create_defaults={"standing": False, "asked_at": at},
    )
