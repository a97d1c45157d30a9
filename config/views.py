"""Whether the process lives, and whether it can do its work: for probes, so without sign-in and without secrets."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import watchdog


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers. Touches nothing else: a database that is away is no reason to restart us."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether the database answers, is migrated to this version, and the timetable runs; 503 with the reasons."""
    reasons = _reasons()
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Send browsers that ask for the old name to the icon."""
    return redirect(static("img/favicon.svg"))


def _reasons() -> list[str]:
    """Return what stands in the way, in words that say nothing of hosts, names or passwords."""
    try:
        if migrations_are_missing():
            return ["The database has not been migrated to this version."]
        return watchdog.late()
    except DatabaseError:
        return ["The database does not answer."]


def migrations_are_missing() -> bool:
    """Whether the database waits for migrations."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
