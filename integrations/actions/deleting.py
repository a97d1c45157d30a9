"""Integrations leave: refused while something depends on one, then in batches, for a million rows fit in no click."""

from __future__ import annotations

import time
from datetime import datetime

from django.db import connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor, system
from integrations.actions.people.settings import release
from integrations.choices import IntegrationStatus, SecretStore
from integrations.models import Integration, Order, StagedFact, StagedResource, StoredSecret
from integrations.queries import dependants

BATCH = 10_000
# How long a click, or a run of the sweep, may go on.
AT_ONCE_SECONDS, SWEEP_SECONDS = 2.0, 20.0
_CHOSEN = "SELECT id FROM integrations_resource WHERE integration_id = %s ORDER BY path, id LIMIT %s"


class StillNeeded(Exception):
    """An integration cannot be deleted; `by` names what needs it."""

    def __init__(self, by: list[str]) -> None:
        """Keep the names."""
        super().__init__(f"Still needed by {', '.join(by[:10])}{' and others' if len(by) > 10 else ''}.")
        self.by = by


def delete(integration: Integration, *, actor: Actor, at: datetime | None = None) -> bool:
    """Delete an integration with its inventory. Raises StillNeeded while policy or requests name it.

    Its secrets are gone at once; a large inventory is left to the sweep. True when all of it is gone already.
    """
    require(actor, "integrations.delete_integration")
    moment = at or timezone.now()
    with transaction.atomic():
        row = Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
        needed = dependants(row)
        if needed:
            raise StillNeeded([one.words for one in needed])
        if row.deleting_since is None:
            row.status, row.status_reason = IntegrationStatus.DISABLED, "It is being deleted."
            row.deleting_since = moment
            row.save(update_fields=["status", "status_reason", "deleting_since"])
            stored = row.secrets.filter(store=SecretStore.BUILTIN).values_list("reference", flat=True)
            StoredSecret.objects.filter(pk__in=list(stored)).delete()
            row.secrets.all().delete()
            record("integration.delete_ordered", actor=actor, subject=_subject(row), at=moment)
    return _delete_for(row, AT_ONCE_SECONDS, at=moment)


def sweep_deletions(*, at: datetime | None = None) -> int:
    """Go on deleting what was ordered to be deleted; return how many are gone."""
    rows = Integration.objects.filter(deleting_since__isnull=False).order_by("deleting_since")
    return sum(_delete_for(row, SWEEP_SECONDS, at=at or timezone.now()) for row in rows)


def _delete_for(integration: Integration, seconds: float, *, at: datetime) -> bool:
    """Delete in batches for about so long. True when the integration is gone."""
    end = time.monotonic() + seconds
    while _resources(integration) or _orders(integration):
        if time.monotonic() >= end:
            return False
    return _the_rest(integration, at)


def _resources(integration: Integration) -> int:
    """Delete one batch of resources with their tags, in the order of an index; return how many."""
    # SQLite keeps a UUID as 32 hex digits.
    key = integration.pk.hex if connection.vendor == "sqlite" else integration.pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM integrations_tag WHERE resource_id IN ({_CHOSEN})", [key, BATCH])  # noqa: S608
        cursor.execute(f"DELETE FROM integrations_resource WHERE id IN ({_CHOSEN})", [key, BATCH])  # noqa: S608
        return int(cursor.rowcount)


def _orders(integration: Integration) -> int:
    """Delete one batch of orders with the runs of syncs; return how many."""
    with transaction.atomic():
        chosen = list(Order.objects.filter(integration=integration).order_by("created_at").values("pk")[:1000])
        ids = [one["pk"] for one in chosen]
        StagedResource.objects.filter(run__order__in=ids).delete()
        StagedFact.objects.filter(run__order__in=ids).delete()
        Order.objects.filter(pk__in=ids).delete()
    return len(ids)


def _the_rest(integration: Integration, at: datetime) -> bool:
    """Delete the row itself. False when something came to need it meanwhile: the row then says what."""
    try:
        with transaction.atomic():
            subject = _subject(integration)
            release(integration)
            Integration.objects.get(pk=integration.pk).delete()
            record("integration.deleted", actor=system(), subject=subject, at=at)
    except Integration.DoesNotExist:
        return True
    except ProtectedError as error:
        names = ", ".join(sorted({str(one) for one in error.protected_objects})[:10])
        reason = f"It is being deleted, but is still needed by {names}."
        Integration.objects.filter(pk=integration.pk).update(status_reason=reason)
        return False
    return True


def _subject(integration: Integration) -> Subject:
    return Subject("integration", str(integration.pk), integration.name)
