"""The inventory: staged page by page while a sync reads, merged by the database in one transaction at its end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F

from accounts.events import publish
from connectors.contract.orders import Page, Report, ResourceFact, ResourceTypeFact
from integrations.actions.people.reading import TooLong, rows_of
from integrations.choices import SyncState
from integrations.models import (
    Change,
    Integration,
    Order,
    Permission,
    ResourceType,
    StagedFact,
    StagedResource,
    SyncRun,
)

# What a column of the database counts up to.
COUNT_MAX = 2**31 - 1
SYNC_EVERY = timedelta(hours=1)
PROGRAMS = Path(__file__).resolve().parent.parent / "sql"
_ENCODE = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
_COLUMNS = "run_id, resource_type, source_id, name, path, risk_level, context, refusals, tags, fingerprint"


class Unkeepable(ValueError):
    """What was found does not fit into the inventory; the message says what."""


def stage(run: SyncRun, page: Page) -> None:
    """Keep one page of a running sync and count it; a run that is over takes nothing more.

    With the page goes where the provider can go on after it: both are kept or neither. Raises Unkeepable.
    """
    rows = [_row(run.pk, fact) for fact in page.resources]
    facts, told = _facts(run, page)
    with transaction.atomic():
        counted = SyncRun.objects.filter(pk=run.pk, state=SyncState.RUNNING).update(
            found=F("found") + len(rows) + len(facts),
            pages=F("pages") + 1,
            resume=page.resume,
            total=min(page.total, COUNT_MAX),
            **told,
        )
        if counted:
            _insert(rows)
            StagedFact.objects.bulk_create(facts, batch_size=500)


def _facts(run: SyncRun, page: Page) -> tuple[list[StagedFact], dict[str, Any]]:
    """Return what a page tells of people, and what it says of the sync as a whole. Raises Unkeepable."""
    if page.people is None:
        return [], {}
    try:
        return rows_of(run, page.people), {"whole": page.people.whole, "cursor": page.people.cursor}
    except TooLong as error:
        raise Unkeepable(str(error)) from error


def _row(run_id: int, fact: ResourceFact) -> tuple[Any, ...]:
    """Return a fact as a row of the staging table, with its fingerprint."""
    for what, text, most in _limited(fact):
        if len(text) > most:
            raise Unkeepable(f"{what} of {len(text)} characters, where {most} are the most: {text[:80]}…")
    context, refusals, tags = _json(fact.context), _json(fact.refusals), _json(fact.tags)
    # NUL parts the fields: no database keeps one in a text.
    said = "\0".join((fact.name, fact.path, str(fact.risk_level), context, refusals, tags))
    digest = hashlib.sha256(said.encode()).hexdigest()
    name, path = fact.name[:300], fact.path[:700]
    kind, level = fact.resource_type, min(max(fact.risk_level, 1), 9)
    return run_id, kind, fact.source_id, name, path, level, context, refusals, tags, digest


def _limited(fact: ResourceFact) -> Iterator[tuple[str, str, int]]:
    """Return what may not be cut, for it tells things apart, each with the length that its column has."""
    yield "a resource type", fact.resource_type, 60
    yield "a resource's id", fact.source_id, 700
    for key, value in fact.tags.items():
        yield "the name of a tag", key, 200
        yield "the value of a tag", value, 500


def _json(part: dict[str, str]) -> str:
    """Return a mapping as JSON with sorted keys; most are empty, and a sync makes very many."""
    return _ENCODE(part) if part else "{}"


def _insert(rows: Iterable[tuple[Any, ...]]) -> None:
    """Write staged rows the fastest way the database has: COPY on PostgreSQL, executemany on SQLite."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY integrations_stagedresource ({_COLUMNS}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(_COLUMNS.split(",")))
        cursor.executemany(f"INSERT INTO integrations_stagedresource ({_COLUMNS}) VALUES ({marks})", list(rows))  # noqa: S608


def restart(order: Order) -> SyncRun:
    """Return the run of a discover order that was just leased: it goes on where it was, or begins again, emptied.

    It goes on where the provider said how and all that was staged is still there (PostgreSQL empties an unlogged table
    when it crashes).
    """
    with transaction.atomic():
        run = SyncRun.objects.select_for_update().get(order=order)
        if not run.resume or _staged(run) != run.found:
            StagedResource.objects.filter(run=run).delete()
            StagedFact.objects.filter(run=run).delete()
            run.found, run.total, run.resume = 0, 0, ""
        run.epoch, run.pages = order.epoch, 0
        run.save(update_fields=["found", "total", "resume", "epoch", "pages"])
    return run


def _staged(run: SyncRun) -> int:
    return StagedResource.objects.filter(run=run).count() + StagedFact.objects.filter(run=run).count()


def has_come_further(order: Order) -> bool:
    """Whether the latest try of a sync kept pages after which the next one can go on."""
    return SyncRun.objects.filter(order=order, pages__gt=0).exclude(resume="").exists()


def finish_sync(order: Order, report: Report, *, at: datetime) -> None:
    """End the run of a settled discover order: merge what was staged, or say why not. Needs a transaction around it."""
    run, changed = SyncRun.objects.get(order=order), False
    run.finished_at = at
    if report.error is not None:
        run.state, run.error = SyncState.FAILED, f"{report.error.message} {report.error.fix}".strip()
        StagedResource.objects.filter(run=run).delete()
    else:
        changed = _keep_types(order.integration, report.resource_types)
        run.state = SyncState.SUCCEEDED
        _count_types(run)
        merge(run)
        Integration.objects.filter(pk=order.integration_id).update(synced_at=at, resources_found=run.found)
    run.save()
    Integration.objects.filter(pk=order.integration_id).update(sync_due_at=at + SYNC_EVERY)
    if changed or run.added or run.changed or run.missing:
        publish(Change, "inventory.changed", str(order.integration_id), {"run": run.pk})


def _keep_types(integration: Integration, facts: Iterable[ResourceTypeFact]) -> bool:
    """Write resource types and their permissions; what vanished stays, for requests name it.

    Whether permissions are others than before: queries choose by what is said of them.
    """
    before = _permissions(integration)
    for fact in facts:
        kind, _ = ResourceType.objects.update_or_create(
            integration=integration, type=fact.resource_type, defaults={"name": fact.name}
        )
        for permission in fact.permissions:
            Permission.objects.update_or_create(
                resource_type=kind,
                source_id=permission.permission,
                defaults={
                    "name": permission.name,
                    "risk_level": permission.risk_level,
                    "tags": permission.tags,
                    "context": permission.context,
                },
            )
    return _permissions(integration) != before


def _permissions(integration: Integration) -> list[tuple[Any, ...]]:
    rows = Permission.objects.filter(resource_type__integration=integration).order_by("pk")
    return list(rows.values_list("pk", "name", "risk_level", "tags", "context"))


def _count_types(run: SyncRun) -> None:
    """Write down how many resources of each type the run saw."""
    rows = StagedResource.objects.filter(run=run).order_by().values_list("resource_type").annotate(found=Count("pk"))
    found = dict(rows)
    for kind in ResourceType.objects.filter(integration=run.integration_id):
        ResourceType.objects.filter(pk=kind.pk).update(found=found.get(kind.type, 0))


def merge(run: SyncRun) -> None:
    """Merge the staged rows of `run` into the inventory and count what came of it; writes only what differs.

    A resource that was not seen becomes missing; none is deleted, for requests name it. The statements are the files
    in integrations/sql/, in the order of their names; each takes run and integration.
    """
    # SQLite keeps a UUID as 32 hex digits.
    integration = run.integration_id.hex if connection.vendor == "sqlite" else run.integration_id
    values = {"run": run.pk, "integration": integration}
    counts: dict[str, int] = {}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The table was filled a moment ago: without figures the planner takes it for empty and loops over it.
            cursor.execute("ANALYZE integrations_stagedresource")
        for path in sorted(PROGRAMS.glob("*.sql")):
            name, *dialect = path.stem.split(".")
            if not dialect or dialect == [connection.vendor]:
                cursor.execute(path.read_text(encoding="utf-8"), values)
                counts[name] = cursor.rowcount
    run.added, run.changed = counts["2_added"], counts["1_changed"]
    run.missing = counts["3_missing"]
    StagedResource.objects.filter(run=run).delete()
