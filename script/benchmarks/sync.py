"""Sync of 100,000 resources against raw COPY of the same rows, on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks import Measure
from lib import benchworld

from django.db import connection, transaction

from audit.actor import system
from connectors.contract.orders import ResourceFact
from integrations import actions
from integrations.actions import inventory
from integrations.actions.running import instance_of
from integrations.models import ResourceType
from tests.cast import assemble
from tests.story import begin, simulated_provider

ROWS = 100_000
AIM = 0.4
ROUNDS = 3


def facts(changed_every: int = 0) -> list[ResourceFact]:
    """Return databases as discover tells of them; with `changed_every`, each n-th has another name."""
    made = [
        ResourceFact("database", f"source {n}", f"name {n}", f"server/schema {n % 100}/name {n}", {}, {"owner": "o"}, 2)
        for n in range(ROWS)
    ]
    if changed_every:
        made[::changed_every] = [replace(one, name=one.name + " new") for one in made[::changed_every]]
    return made


def raw_copy(rows: list[tuple[Any, ...]]) -> float:
    """Return the seconds that COPY of the rows into an indexed-by-nothing temporary table takes."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        columns = inventory._COLUMNS
        cursor.execute(f"CREATE TEMP TABLE raw AS SELECT {columns} FROM integrations_stagedresource LIMIT 0")
        with cursor.copy(f"COPY raw ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        taken = time.perf_counter() - began
        cursor.execute("DROP TABLE raw")
    return taken


def copy_into_inventory(rows: list[tuple[Any, ...]], story: Any) -> float:
    """Return the seconds that COPY of the rows straight into the inventory's table takes, with its indexes and keys."""
    kind = ResourceType.objects.get(integration=story.integration)
    columns = "integration_id, resource_type_id, source_id, name, path, status, risk_level, context, refusals, fingerprint"
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY integrations_resource ({columns}) FROM STDIN") as copy:
            for _, _, source, name, path, risk, context, refusals, _, digest in rows:
                row = (kind.integration_id, kind.pk, source, name, path, "active", risk, context, refusals, digest)
                copy.write_row(row)
        # Foreign keys are checked at the commit; checked here, so that nothing has to be kept.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        taken = time.perf_counter() - began
        transaction.set_rollback(True)
    return taken


def run() -> Iterator[Measure]:
    """Measure a first sync, one where nothing changed, and one where a tenth did."""
    with benchworld.database(), simulated_provider():
        story = begin(assemble(), "one")
        rows = [inventory._row(1, fact) for fact in facts()]
        raw = min(raw_copy(rows) for _ in range(ROUNDS))
        into = min(copy_into_inventory(rows, story) for _ in range(ROUNDS))
        yield Measure("raw COPY into a bare table", ROWS / raw / 1000, "k/s")
        yield Measure("raw COPY into the inventory's table", ROWS / into / 1000, "k/s")
        for name, found in (("first", facts()), ("unchanged", facts()), ("a tenth changed", facts(10))):
            seconds = sync(story, found)
            yield Measure(f"sync, {name}", ROWS / seconds / 1000, "k/s")
            yield Measure(f"sync, {name}: of COPY into a bare table", raw / seconds, "x")
            yield Measure(f"sync, {name}: of COPY into the inventory", into / seconds, "x", least=AIM)


def sync(story: Any, found: list[ResourceFact]) -> float:
    """Run one sync through its order and return the seconds from lease to settled."""
    story.target.databases = found
    order = actions.sync(story.integration, actor=system(), at=story.now)
    began = time.perf_counter()
    assert actions.run_next(instance_of(story.integration.connector, at=story.now), at=lambda: story.now)
    taken = time.perf_counter() - began
    order.refresh_from_db()
    assert order.state == "done", order.error
    return taken
