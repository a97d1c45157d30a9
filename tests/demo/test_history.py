"""The invented month: made through the actions, marked, in order, at peace at its end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from access_requests.choices import HOLDS_ACCESS, RequestState
from access_requests.models import AccessRequest, Proof
from accounts.models import User
from audit.choices import Source
from audit.verify import verify
from demo import history, people, plans, policy
from demo.folder import FIRST_ACTION
from integrations.models import ConnectorInstance, Integration
from tests.databases import clone

REQUESTS = 40


@pytest.fixture(scope="module")
def month(template_database: None, django_db_blocker: Any) -> Iterator[datetime]:
    """Make a small month in a database of its own, once for the tests that look at it; yields when it was to end."""
    from audit.actions import declare
    from connectors.registry import BUILT_IN
    from demo.apps import ACTIONS, PROVIDERS

    before = (BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders)
    BUILT_IN.add(PROVIDERS)
    declare(ACTIONS)
    with django_db_blocker.unblock(), clone():
        until = timezone.now()
        assert history.make(REQUESTS, until=until) == REQUESTS - 1, "one waits on the real server, which is not here"
        yield until
    BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders = before


@pytest.fixture
def entries(month: datetime) -> Any:
    """Return the trail, oldest first."""
    return apps.get_model("audit", "AuditEntry").objects.order_by("id")


def test_every_entry_is_marked_whoever_wrote_it(entries: Any) -> None:
    assert set(entries.values_list("source", flat=True)) == {Source.DEMO}
    assert set(entries.values_list("actor_kind", flat=True)) == {"user", "system", "connector"}


def test_the_chain_is_whole_and_nothing_waits_for_it(month: datetime) -> None:
    report = verify()
    assert (report.breaks, report.unsealed) == ([], 0)
    assert report.links > REQUESTS * 5


def test_the_trail_begins_by_saying_what_it_is(entries: Any) -> None:
    assert entries.first().action == FIRST_ACTION


def test_nothing_is_told_before_it_happened(entries: Any, month: datetime) -> None:
    times = list(entries.values_list("at", flat=True))
    assert all(one <= other for one, other in pairwise(times))
    assert month - timedelta(days=31) < times[0]
    assert times[-1] <= timezone.now()


def test_it_ends_well(month: datetime) -> None:
    """Nothing hangs, nothing is due; what is overdue was, and was proven."""
    now = timezone.now()
    held = AccessRequest.objects.filter(state__in=HOLDS_ACCESS)
    assert set(held.values_list("state", flat=True)) <= {RequestState.ACTIVE}
    assert not held.filter(ends_at__lte=now).exists()
    overdue = AccessRequest.objects.filter(overdue_since__isnull=False)
    assert overdue.count() == 2
    assert {(one.state, one.ended_how) for one in overdue} == {(RequestState.REVOKED, "proven")}


def test_every_end_is_proven_at_its_own_time(month: datetime) -> None:
    """Also by the systems' own clocks: a proof of three weeks ago was not read today."""
    ended = AccessRequest.objects.filter(state=RequestState.REVOKED)
    assert Proof.objects.count() >= ended.count() > REQUESTS / 2
    for proof in Proof.objects.select_related("group__request"):
        assert abs(proof.read_at - proof.ended_at) < timedelta(seconds=5)
        assert proof.due_at <= proof.ended_at
        assert proof.lag_seconds < 10 or proof.group.request.overdue_since or proof.group.request.state == "failed"


def test_all_sorts_of_ends_come_by(month: datetime) -> None:
    states = Counter(AccessRequest.objects.values_list("state", flat=True))
    assert states[RequestState.FAILED] == 1
    assert states[RequestState.PENDING] >= 2
    assert states[RequestState.REVOKED] > states[RequestState.ACTIVE] >= 1
    assert AccessRequest.objects.filter(warning=True).count() == 1
    reasons = set(AccessRequest.objects.values_list("end_reason", flat=True))
    assert {"time", "handed_back"} <= reasons


def test_at_least_two_requests_wait_for_the_approver(month: datetime) -> None:
    from access_requests.queries import tasks_of

    assert len(tasks_of(User.objects.get(email=people.APPROVER))) >= 2


def test_what_nobody_asked_for_is_held_by_all_of_its_group(month: datetime) -> None:
    held = AccessRequest.objects.filter(automatic=True, state=RequestState.ACTIVE)
    assert set(held.values_list("flow_version__flow__name", flat=True)) == {policy.STANDING}
    security = {person.email for person in people.PEOPLE if "security" in person.groups}
    assert set(held.values_list("grantee__email", flat=True)) == security


@pytest.mark.parametrize(
    ("database", "owner"), [("config_store", "security"), ("job_queue", "platform"), ("deploy_log", "")]
)
def test_the_emergency_flow_asks_who_owns_it(month: datetime, database: str, owner: str) -> None:
    """By a scope that names owners: what has none is not given."""
    from access_requests.actions import dry_run
    from demo.month import _pair

    bo, wish = User.objects.get(email="bo.willow@example.com"), {"answers": {"change": "CHG-12"}}
    ask = [_pair(policy.PLATFORM.name, database, "READ_WRITE")]
    told = dry_run(bo, ask, justification="INC-1", **wish)
    if not owner:
        assert not told.plans
        return
    assert not told.problems
    (plan,) = told.plans
    assert plan.part.flow.document["name"] == policy.EMERGENCY
    asked = {person.email for person, _ in plan.approvers[0]}
    assert asked == {one.email for one in people.PEOPLE if owner in one.groups} - {bo.email}
    assert not dry_run(bo, ask, justification="INC-1", break_glass=True, **wish).problems


def test_passwords_of_the_past_are_gone(month: datetime) -> None:
    from access_requests.models import AccessSession

    over = AccessSession.objects.filter(group__ended_at__isnull=False)
    assert over.exists()
    assert not over.exclude(sealed_credentials="").exists()


def test_simulated_systems_say_so(month: datetime) -> None:
    names = Integration.objects.filter(type="simulated").values_list("name", flat=True)
    assert len(names) == len(policy.SYSTEMS)
    assert all(name.endswith("(simulated)") for name in names)


def test_the_connector_of_the_past_has_stopped(month: datetime) -> None:
    assert not ConnectorInstance.objects.filter(stopped_at__isnull=True).exists()


def test_the_clock_of_the_simulated_systems_is_given_back(month: datetime) -> None:
    import time

    from connectors.registry import BUILT_IN

    assert BUILT_IN.provider("simulated").now is time.time  # type: ignore[attr-defined]


def test_forty_people_and_everybody_with_a_button_is_one_of_them(month: datetime) -> None:
    assert User.objects.count() == len(people.PEOPLE) == 40
    assert {face.email for face in people.FACES} <= {person.email for person in people.PEOPLE}


def test_the_plans_are_the_same_every_time() -> None:
    until = datetime(2026, 11, 24, 20, 0, tzinfo=timezone.get_current_timezone())
    first = plans.draw(random.Random(history.SEED), 300, until)
    assert first == plans.draw(random.Random(history.SEED), 300, until)


def test_work_is_done_on_workdays_and_by_day() -> None:
    until = datetime(2026, 11, 24, 20, 0, tzinfo=timezone.get_current_timezone())
    drawn = plans.draw(random.Random(1), 1000, until)
    days = Counter(plan.at.weekday() < 5 for plan in drawn)
    hours = Counter(8 <= plan.at.hour < 19 for plan in drawn)
    assert days[True] > 10 * days[False] > 0
    assert hours[True] > 5 * hours[False] > 0


def test_everybody_asks_for_what_some_flow_gives_them() -> None:
    """A plan that no flow covers would stop the making half-way."""
    groups = {person.email: set(person.groups) for person in people.PEOPLE}
    until = timezone.now()
    for plan in plans.draw(random.Random(2), 2000, until):
        kinds = [kind for kind in plans.KINDS if kind.system.name == plan.system and kind.permission == plan.permission]
        assert any(groups[plan.email] & set(kind.groups) for kind in kinds)
        assert plan.at < until
