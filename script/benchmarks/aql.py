"""What a query selects of a million resources: its first page and its count, against reading the index of tags alone.

The rival is written by hand and reads, in the same run, nothing but the entries of the index of tags that have both
tags and the type: what no plan can do without. Search is measured with what it does beside: parting the query by
resource type, and reading order. LATCHKEY_TEST_DATABASE=sqlite measures SQLite, which has no limit to keep.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from lib import benchworld, inventory

from benchmarks import Measure
from integrations.aql import parse, selected
from integrations.search import Search, Wanted, places

RATIO = 2.0
AIM_MS = 50.0
ROUNDS = 15
PAGE = 50
QUERY = 'resource_tag["env"] = "prod" and resource_tag["team"] = "orders" and resource_type = "table"'
SEARCHED = {
    "two tags": QUERY,
    "a common tag": 'resource_tag["env"] = "prod"',
    "a rare tag": 'resource_tag["owner"] = "o77"',
    "a rare tag or a name": 'resource_tag["owner"] = "o77" or resource_name = "orders_ledger_5"',
    "tags that never meet": 'resource_tag["env"] = "dev" and resource_tag["owner"] = "o77"',
    "a permission of one integration": 'integration = "none" or permission_name = "Admin" and resource_type = "schema"',
    "all but a tag": 'not resource_tag["env"] = "prod" and permission_risk_level = "low"',
    "a name in part": 'resource_name contains "ledger_77"',
}
# Both tags in the index, with the type: as little as can be read.
_BOTH = """
FROM integrations_tag g JOIN integrations_tag h ON h.resource_id = g.resource_id
WHERE g.key = 'env' AND g.value = 'prod' AND g.type = 'table'
  AND h.key = 'team' AND h.value = 'orders' AND h.type = 'table'
"""
_TAGS = """
INSERT INTO integrations_tag (resource_id, type, key, value)
SELECT r.id, k.type, 'env', CASE WHEN r.id % 7 = 3 THEN 'prod' WHEN r.id % 7 = 5 THEN 'dev' ELSE 'test' END
FROM integrations_resource r JOIN integrations_resourcetype k ON k.id = r.resource_type_id
UNION ALL
SELECT r.id, k.type, 'owner', 'o' || CAST(r.id % 20011 AS text)
FROM integrations_resource r JOIN integrations_resourcetype k ON k.id = r.resource_type_id WHERE r.id % 7 = 3
"""


def run() -> Iterator[Measure]:
    """Measure the page and the count against the index, then what search makes of queries of many kinds."""
    with benchworld.database():
        inventory.fill(flows=1, matching=1)
        with connection.cursor() as cursor:
            cursor.execute(_TAGS)
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        limited = connection.vendor == "postgresql"
        chosen = selected(parse(QUERY))
        permissions = len(inventory.PERMISSIONS)
        page = timed(lambda: chosen.page(size=PAGE * permissions))
        raw = timed(lambda: read(f"SELECT g.resource_id {_BOTH} ORDER BY g.resource_id LIMIT {PAGE}"))
        yield Measure("first page: median", page, "ms")
        yield Measure("first page from the index alone", raw, "ms")
        yield Measure("first page: of that", page / raw, "x", most=RATIO if limited else None)
        count = timed(lambda: chosen.count(10**7))
        raw = timed(lambda: read(f"SELECT count(*) {_BOTH}"))
        yield Measure(f"count of {chosen.count(10**7):,}: median", count, "ms")
        yield Measure("count from the index alone", raw, "ms")
        for name, text in SEARCHED.items():
            query = parse(text)
            yield Measure(f"places, {name}", timed(lambda query=query: places([Wanted(query=query)])), "ms")
            here = places([Wanted(query=query)])
            found, _ = Search(here, ()).find(0, PAGE)
            taken = timed(lambda here=here: Search(here, ()).find(0, PAGE))
            yield Measure(f"search, {name}: first {len(found)}", taken, "ms")


def timed(work: Callable[[], Any]) -> float:
    """Return the median of the milliseconds some work takes, after a round that warms up."""
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
        if sum(taken) > 20_000:
            break
    return statistics.median(taken[1:] or taken)


def read(sql: str) -> Any:
    """Return all rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
