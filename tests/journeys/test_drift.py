"""Drift on a real PostgreSQL server: a role revoked by hand, and one granted by hand to a person's own login."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from access_requests import actions
from access_requests.actions import drifting, reconciling
from access_requests.models import AccessRequest, DriftFinding, ReconcileRun, StandingRecord
from integrations import actions as integration_actions
from integrations.models import Order
from tests.cast import Cast
from tests.journeys.conftest import Servers
from tests.journeys.real import CONNECTOR, connect, logins, memberships
from tests.story import SECOND, Story
from tests.targets import PostgresServer

pytestmark = pytest.mark.full
NAME = "driftshop"


@pytest.fixture
def server(servers: Servers) -> PostgresServer:
    return servers.get(16)


@pytest.fixture
def story(fresh_database: str, cast: Cast, server: PostgresServer) -> Iterator[Story]:
    told = connect(cast, server, NAME)
    told.catch_up()
    yield told
    server.run_sql("DROP ROLE IF EXISTS rita")
    server.run_sql(f"DROP DATABASE {NAME} WITH (FORCE)")


def look(story: Story) -> ReconcileRun:
    """Look at everybody."""
    # Stories live a second ahead of the clock.
    story.now = max(story.now, timezone.now()) + SECOND
    run = reconciling.start(story.integration, "the test", at=story.now)
    for _ in range(20):
        reconciling.sweep_drift(at=story.now)
        story.later(seconds=1)
        for order in Order.objects.filter(state="done", absorbed_at__isnull=True, person__isnull=False):
            actions.absorb(order)
        run.refresh_from_db()
        if run.finished_at is not None:
            return run
    raise AssertionError("the run does not end")


def opened(story: Story) -> AccessRequest:
    """Have access to the story's database opened."""
    request = story.granted(NAME)
    assert request.state == "active"
    return request


def test_a_login_that_is_unlocked_after_its_proven_end_is_found_and_shut(
    story: Story, server: PostgresServer, cast: Cast
) -> None:
    request, rita = opened(story), cast.requester
    ((login, role),) = memberships(server)
    look(story)
    actions.hand_back(request, user=rita, actor=story.by(rita), at=story.now)
    story.later(seconds=5)
    assert (story.fresh(request).state, memberships(server)) == ("revoked", set())
    server.run_sql(f"ALTER ROLE {login} LOGIN")
    server.run_sql(f"GRANT {role} TO {login} GRANTED BY {CONNECTOR}")
    run = look(story)
    story.later(seconds=5)
    finding = DriftFinding.objects.get()
    assert (run.failed, finding.kind, finding.state, finding.login) == (0, "reopened", "removed", login)
    assert memberships(server) == set()
    assert logins(server)[login] is False


def test_a_role_revoked_by_hand_has_vanished_and_is_granted_again(
    story: Story, server: PostgresServer, cast: Cast
) -> None:
    request = opened(story)
    before = memberships(server)
    look(story)
    assert not DriftFinding.objects.exists()
    ((login, role),) = before
    ((grantor,),) = server.run_sql(f"SELECT grantor::regrole FROM pg_auth_members WHERE member = '{login}'::regrole")
    server.run_sql(f"REVOKE {role} FROM {login} GRANTED BY {grantor}")
    run = look(story)
    finding = DriftFinding.objects.get()
    assert (run.failed, finding.kind, finding.state) == (0, "vanished", "open")
    assert finding.before_at is not None
    assert finding.before_at < finding.first_seen_at
    assert memberships(server) == set()
    rita = cast.requester
    drifting.grant_again(request, user=rita, actor=story.by(rita))
    story.catch_up()
    assert memberships(server) == before
    assert story.fresh(request).state == "active"
    look(story)
    assert DriftFinding.objects.get().state == "granted_again"
    actions.hand_back(request, user=rita, actor=story.by(rita))
    story.catch_up()
    assert story.fresh(request).state == "revoked"
    assert memberships(server) == set()
    assert not any(logins(server).values())


def test_a_role_granted_by_hand_is_foreign_since_when_and_stays_until_somebody_decides(
    story: Story, server: PostgresServer, cast: Cast
) -> None:
    server.run_sql("CREATE ROLE rita LOGIN")
    look(story)
    first = ReconcileRun.objects.latest("pk").finished_at
    assert not DriftFinding.objects.exists()
    request = opened(story)
    ((_, role),) = memberships(server)
    server.run_sql(f"GRANT {role} TO rita")
    look(story)
    finding = DriftFinding.objects.get()
    assert (finding.kind, finding.login, finding.person) == ("foreign", "rita", cast.requester)
    assert finding.permission_name == "Read only"
    assert finding.before_at is not None
    assert first is not None
    assert finding.before_at < finding.first_seen_at
    assert "rita" in drifting.by_hand(finding)
    rita = cast.requester
    actions.hand_back(request, user=rita, actor=story.by(rita))
    story.catch_up()
    assert story.fresh(request).state == "revoked"
    held = server.run_sql("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'rita'::regrole")
    assert held == [(role,)]
    drifting.accept(finding, user=cast.admin, actor=story.by(cast.admin), reason="the team says so")
    look(story)
    finding.refresh_from_db()
    assert finding.state == "accepted"
    assert StandingRecord.objects.get(login="rita").permission == finding.permission
    assert not DriftFinding.objects.exclude(pk=finding.pk).exists()
    assert integration_actions.expire_leases() == 0
