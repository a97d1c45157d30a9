"""20,000 people and 200 automatic flows: a run of every flow with nothing to change, and with 1 % changed.

Each flow names a twentieth of the people and gives each three entitlements: 200,000 requests are held. Orders are
not run: what is measured is finding what is other than it should be, and writing it. The rival finds, in the same run,
the same differences by one bare statement per flow, and does nothing with them.
LATCHKEY_TEST_DATABASE=sqlite measures SQLite, which has no limit to keep. BENCH_PEOPLE and BENCH_FLOWS make it smaller.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection, reset_queries
from django.utils import timezone
from lib import benchworld

from access_requests.actions import automatic
from access_requests.models import AccessGroup, AccessRequest, AccessUnit
from accounts.models import Group, GroupMembership, User
from benchmarks import Measure
from flows.giving import given_by
from flows.models import AccessFlow, AutomaticRun
from tests.automatic.giving import automatic_flow, members_of
from tests.cast import assemble
from tests.story import begin, simulated_provider

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "20000"))
FLOWS = int(os.environ.get("BENCH_FLOWS", "200"))
EACH = max(1, PEOPLE // 20)
RATIO = 6.0
_AT_ONCE = 5000
_MISSING = """
SELECT count(*) FROM (
  WITH wanted(resource, permission) AS (VALUES {wanted}),
  should AS (
    SELECT member.user_id AS person, wanted.resource, wanted.permission FROM accounts_groupmembership member
    JOIN accounts_user person ON person.id = member.user_id AND person.is_active CROSS JOIN wanted
    WHERE member.group_id = %s),
  held AS (
    SELECT request.grantee_id AS person, unit.resource_id AS resource, unit.permission_id AS permission
    FROM requests_accessrequest request
    JOIN requests_accessgroup part ON part.request_id = request.id
    JOIN requests_accessunit unit ON unit.group_id = part.id
    WHERE request.automatic AND request.state NOT IN ('revoked', 'failed', 'rejected', 'cancelled', 'lapsed')
      AND request.state <> 'revoking' AND request.flow_version_id = %s)
  SELECT * FROM ((SELECT * FROM should EXCEPT SELECT * FROM held)) AS missing
  UNION ALL SELECT * FROM ((SELECT * FROM held EXCEPT SELECT * FROM should)) AS spare
) AS other
"""


def run() -> Iterator[Measure]:
    """Build the world by rows, then measure both ways, before and after one in a hundred was changed."""
    with benchworld.database(), simulated_provider():
        flows = fill()
        # In a small world a run is mostly what each flow costs however few its people are.
        limited = connection.vendor == "postgresql" and PEOPLE >= 20_000
        held = AccessUnit.objects.count()
        bare(flows)
        raw, other = bare(flows)
        memory()
        before = memory()
        taken, run_of = every(flows)
        assert (other, run_of) == (0, (0, 0))
        yield Measure("nothing to change: every flow", taken, "s")
        yield Measure("person and flow compared", PEOPLE * FLOWS / taken / 1000, "k/s")
        yield Measure("held entitlements compared", held / taken / 1000, "k/s")
        yield Measure("bare statements, every flow", raw, "s")
        yield Measure("nothing to change: of that", taken / raw, "x", most=RATIO if limited else None)
        yield Measure("memory it took more", memory() - before, "MB", most=200)
        changed = change(flows)
        raw, other = bare(flows)
        assert other == changed * 3
        taken, (given, ended) = every(flows)
        assert given + ended == changed
        yield Measure("1 % changed: every flow", taken, "s")
        yield Measure("requests given and ended", changed / taken, "/s")
        yield Measure("bare statements, 1 % changed", raw, "s")
        assert bare(flows)[1] == 0


def fill() -> list[AccessFlow]:
    """Make people, groups, flows, and what they hold, as if it had been given long ago."""
    story = begin(assemble(), "one", "two", "three")
    users = User.objects.bulk_create((User(email=f"u{n}@example.com", name=f"U{n}") for n in range(PEOPLE)), _AT_ONCE)
    groups = Group.objects.bulk_create(Group(name=f"team{n}") for n in range(FLOWS))
    rng, flows = random.Random(7), []
    for group in groups:
        members = rng.sample(users, EACH)
        GroupMembership.objects.bulk_create((GroupMembership(group=group, user=user) for user in members), _AT_ONCE)
        flows.append(automatic_flow(story.integration, group.name, requestors=members_of(group.name)))
        hold(flows[-1], members)
    AutomaticRun.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return flows


def hold(flow: AccessFlow, members: list[User]) -> None:
    """Write what the members hold through the flow."""
    now, asks = timezone.now(), given_by(flow.current.document).asks
    common: dict[str, Any] = {"flow_version": flow.current, "automatic": True, "duration_seconds": None}
    requests = AccessRequest.objects.bulk_create(
        AccessRequest(requestor=user, grantee=user, state="active", activated_at=now, **common) for user in members
    )
    places = AccessGroup.objects.bulk_create(
        AccessGroup(request=one, integration_id=asks[0].integration_id, dispatched_at=now) for one in requests
    )
    AccessUnit.objects.bulk_create(
        (
            AccessUnit(
                group=place,
                resource_id=one.resource_id,
                permission_id=one.permission_id,
                state="active",
                resource_type=one.resource_type,
                resource_source_id=one.resource_source_id,
                resource_path=one.resource_path,
                permission_source_id=one.permission_source_id,
                permission_name=one.permission_name,
            )
            for place in places
            for one in asks
        ),
        _AT_ONCE,
    )


def change(flows: list[AccessFlow]) -> int:
    """Put one in two hundred out of each group and as many others in; return how many requests that is."""
    rng, few = random.Random(8), max(1, EACH // 200)
    everybody = list(User.objects.filter(email__startswith="u").values_list("pk", flat=True))
    for group in Group.objects.filter(name__in=[flow.name for flow in flows]):
        rows = list(GroupMembership.objects.filter(group=group))
        out = rng.sample(rows, few)
        inside = {row.user_id for row in rows}
        GroupMembership.objects.filter(pk__in=[row.pk for row in out]).delete()
        fresh = rng.sample([one for one in everybody if one not in inside], few)
        GroupMembership.objects.bulk_create(GroupMembership(group=group, user_id=one) for one in fresh)
    return 2 * few * len(flows)


def every(flows: list[AccessFlow]) -> tuple[float, tuple[int, int]]:
    """Run every flow as the clock does; return the seconds, and how many requests were given and ended."""
    AutomaticRun.objects.all().delete()
    reset_queries()
    began = time.monotonic()
    automatic.sweep_flows()
    while automatic.sweep_runs(seconds=3600):
        pass
    taken = time.monotonic() - began
    runs = list(AutomaticRun.objects.filter(flow__in=flows))
    assert len(runs) == len(flows)
    assert all(one.finished_at and not one.error for one in runs)
    return taken, (sum(one.given for one in runs), sum(one.taken for one in runs))


def bare(flows: list[AccessFlow]) -> tuple[float, int]:
    """Find the differences by one statement per flow; return the seconds, and how many there are."""
    groups, found = dict(Group.objects.values_list("name", "pk")), 0
    pairs = [(one.resource_id, one.permission_id) for one in given_by(flows[0].current.document).asks]
    sql = _MISSING.format(wanted=", ".join(f"({a:d}, {b:d})" for a, b in pairs))
    began = time.monotonic()
    with connection.cursor() as cursor:
        for flow in flows:
            group = User._meta.pk.get_db_prep_value(groups[flow.name], connection)
            cursor.execute(sql, [group, flow.current_id])
            found += cursor.fetchone()[0]
    return time.monotonic() - began, found


def memory() -> float:
    """Return the most memory that this process has had since the last call, in MB."""
    status = Path("/proc/self/status").read_text()
    Path("/proc/self/clear_refs").write_text("5")
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024
