"""10,000 open grants (or BENCH_GRANTS) asked about again after news of everybody: in seconds, against one by one.

Continuous eligibility promises that what is not deserved any more ends within a minute: so long may asking take.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.utils import timezone
from lib import benchworld

from access_requests import actions
from access_requests.actions.endings import recheck_everything, recheck_marked
from access_requests.actions.sweeps import sweep
from access_requests.models import AccessGroup, AccessRequest, AccessUnit
from accounts.models import GroupMembership, User
from audit.actor import system
from benchmarks import Measure
from integrations import actions as integration_actions
from tests.cast import assemble
from tests.simulated import TARGETS, Target
from tests.story import Story, database, flow, put_into, simulated_provider

GRANTS = int(os.environ.get("BENCH_GRANTS", "10000"))
LOST, ALONE = GRANTS // 100, 200


def run() -> Iterator[Measure]:
    """Open many grants, take one in a hundred out of the group that gives it, ask about all."""
    with benchworld.database(), simulated_provider():
        open_many()
        AccessRequest.objects.update(recheck_at=timezone.now())
        rows = AccessRequest.objects.select_related("flow_version__flow").order_by("pk")[:ALONE]
        began = time.monotonic()
        for row in rows:
            recheck_marked(row, at=timezone.now())
        alone = ALONE / (time.monotonic() - began)
        AccessRequest.objects.update(recheck_at=None)
        gone = AccessRequest.objects.order_by("pk").values_list("grantee", flat=True)[:LOST]
        GroupMembership.objects.filter(user__in=list(gone)).delete()
        began = time.monotonic()
        recheck_everything()
        while AccessRequest.objects.filter(recheck_at__isnull=False).exists():
            sweep()
        seconds = time.monotonic() - began
        assert AccessRequest.objects.filter(state="revoking").count() == LOST
        yield Measure(f"asked about {GRANTS} open grants, {LOST} of them to be ended, in", seconds, "s", most=60)
        yield Measure("together over one by one, in grants a second", GRANTS / seconds / alone, "x")


def open_many() -> None:
    """Give one person an hour, and write the same for all the others: opening is measured elsewhere."""
    cast = assemble()
    one = integration_actions.connect(
        "System", "simulated", config={"hostname": "sim"}, secrets={"password": "p"}, actor=system()
    )
    TARGETS[str(one.pk)].databases = [database("orders")]
    integration_actions.run_until_idle(seconds=30)
    names = [f"engineer{number}" for number in range(GRANTS)]
    people = User.objects.bulk_create(User(email=f"{name}@example.com", name=name) for name in names)
    put_into("many", *people)
    flow(one, "Many", mode="none", requestors={"conditions": [{"type": "group", "operator": "is", "values": ["many"]}]})
    story = Story(cast, one, Target(), timezone.now())
    [request] = actions.ask(people[0], [story.pair("orders")], actor=story.by(people[0]), justification="a benchmark")
    for _ in range(3):
        sweep()
        integration_actions.run_until_idle(seconds=30)
    request.refresh_from_db()
    assert request.state == "active", request.state
    others = people[1:]
    requests = AccessRequest.objects.bulk_create(copied(request, requestor=user, grantee=user) for user in others)
    group = request.access_groups.get()
    groups = AccessGroup.objects.bulk_create(copied(group, request=made, login="") for made in requests)
    unit = group.units.get()
    AccessUnit.objects.bulk_create(copied(unit, group=made) for made in groups)


def copied(row: models.Model, **values: Any) -> Any:
    """Return the same row anew, with other values."""
    told = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
    if isinstance(row._meta.pk, models.UUIDField):
        told["id"] = uuid.uuid4()
    kept = {name: value for name, value in told.items() if name.removesuffix("_id") not in values}
    return type(row)(**kept, **values)
