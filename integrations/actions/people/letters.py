"""The admins are written to where a directory needs them: it waits for a yes, or fails several times running."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.actions import write_letter
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.models import Letter
from accounts.queries import admins
from integrations.choices import SyncState
from integrations.models import SyncRun
from integrations.queries.people import failing

# Once is a hiccup, and the next sync mends it.
FAILED_TIMES = 3
# While it goes on failing, the letter comes again so much later.
AGAIN = timedelta(days=1)
_ERROR_SHOWN = 500


def write(run: SyncRun, *, at: datetime) -> None:
    """Write what a run that was just read asks of the admins, if anything. In the caller's transaction."""
    if run.state == SyncState.WAITING:
        _write_waiting(run, at)
    elif run.state == SyncState.FAILED:
        _write_failing(run, at)


def _write_waiting(run: SyncRun, at: datetime) -> None:
    """Write that many would go, and that nothing of it happens before somebody says yes."""
    name = run.integration.name
    page = address_of("admin:integrations_integration_going", run.integration_id)
    context = {
        "directory": name,
        "waits": True,
        "people": run.leaving,
        "groups": run.groups_leaving,
        "share": run.integration.directory.share_percent,
        "url": f"{page}?run={run.pk}",
    }
    _write(f"{run.leaving} people would go by {name}: it waits for a yes", context, f"waits:{run.pk}", at)


def _write_failing(run: SyncRun, at: datetime) -> None:
    """Write that syncs fail, at the third one running and then once a day."""
    told = failing(run.integration)
    mark = f"fails:{run.integration_id}:"
    written = Letter.objects.filter(kind=LetterKind.DIRECTORY, key__startswith=f"directory:{mark}")
    lately = written.filter(created_at__gt=at - AGAIN, created_at__gte=told.since if told else at)
    if told is None or told.count < FAILED_TIMES or lately.exists():
        return
    context = {
        "directory": run.integration.name,
        "waits": False,
        "count": told.count,
        "since": told.since,
        "error": told.error[:_ERROR_SHOWN],
        "url": address_of("admin:integrations_integration_change", run.integration_id),
    }
    _write(f"{run.integration.name} could not be read {told.count} times running", context, f"{mark}{run.pk}", at)


def _write(subject: str, context: dict[str, Any], mark: str, at: datetime) -> None:
    for admin in admins():
        write_letter(
            to=admin,
            kind=LetterKind.DIRECTORY,
            subject=subject,
            template="directory",
            context=context,
            key=f"directory:{mark}:{admin.pk}",
            at=at,
        )
