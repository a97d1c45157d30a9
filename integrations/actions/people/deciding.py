"""The yes or no of an admin, where a directory would take more people than may go without."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.actions import require
from audit.actions import record
from audit.actor import Actor
from integrations.actions.people.reading import groups_leaving, leaving
from integrations.actions.people.settings import subject_of
from integrations.choices import SyncState
from integrations.models import Integration, StagedFact, SyncRun

# How many of those who go the trail names.
NAMED = 200
# After a no the directory is asked again so much later.
AGAIN = timedelta(hours=1)


def allow_leaving(run: SyncRun, *, actor: Actor, at: datetime | None = None) -> bool:
    """Let a waiting run be taken over. False when it does not wait any more. Raises NotAllowed."""
    return _decide(run, SyncState.APPLYING, "directory.allowed", actor, at or timezone.now())


def refuse_leaving(run: SyncRun, *, actor: Actor, at: datetime | None = None) -> bool:
    """Forget what a waiting run told; the next one begins where the last one ended. Raises NotAllowed."""
    return _decide(run, SyncState.REFUSED, "directory.refused", actor, at or timezone.now())


def _decide(run: SyncRun, state: SyncState, action: str, actor: Actor, at: datetime) -> bool:
    require(actor, "integrations.sync_integration")
    require(actor, "accounts.change_user")
    with transaction.atomic():
        runs = SyncRun.objects.select_for_update(of=("self",)).select_related("integration")
        stored = runs.filter(pk=run.pk, state=SyncState.WAITING).first()
        if stored is None:
            return False
        details = {
            "run": stored.pk,
            "people": stored.leaving,
            "groups": stored.groups_leaving,
            "some": [one.user.email for one in leaving(stored)[:NAMED] if one.user],
            "some_groups": [one.group.name for one in groups_leaving(stored)[:NAMED] if one.group],
        }
        stored.state = state
        if state == SyncState.REFUSED:
            stored.finished_at = at
            StagedFact.objects.filter(run=stored).delete()
            Integration.objects.filter(pk=stored.integration_id).update(sync_due_at=at + AGAIN)
        stored.save(update_fields=["state", "finished_at"])
        record(action, actor=actor, subject=subject_of(stored.integration), details=details, at=at)
    return True
