"""Shifts from Zenduty and Splunk On-Call: what both must do alike, and what each tells in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from accounts import actions as accounts
from accounts.models import User
from integrations import actions
from integrations.models import Integration, Shift
from tests.cast import Cast
from tests.http_server import Answer
from tests.people.schedule_sites import API_ID, KEY, Schedules, SplunkSite, ZendutySite, refused
from tests.people.world import Connected, attributes_of, connected

ZENDUTY, SPLUNK = ("zenduty_on_call", "Team {}: Default Escalation Policy"), ("splunk_on_call", "Team {}: Primary")


@dataclass(frozen=True)
class Kind:
    """One kind of schedule. `before` is how many requests come before the first team's of a sync after a check."""

    provider: str
    site: Callable[[], Schedules]
    config: dict[str, Any]
    value: tuple[str, str]
    before: int
    limited: Callable[[], Answer]
    waits: float

    def on(self, team: int) -> tuple[str, str]:
        """Return the attribute of a team's shift."""
        return self.value[0], self.value[1].format(team)


KINDS = {
    "zenduty": Kind(
        provider="zenduty-shifts",
        site=ZendutySite,
        config={},
        value=ZENDUTY,
        before=2,
        limited=lambda: Answer(status=429, data={"detail": "Request was throttled."}, headers={"Retry-After": "40"}),
        waits=40,
    ),
    "splunk": Kind(
        provider="splunk-on-call-shifts",
        site=SplunkSite,
        config={"api_id": API_ID},
        value=SPLUNK,
        before=3,
        limited=refused,
        waits=60,
    ),
}


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[getattr(request, "param", "splunk")]


each = pytest.mark.parametrize("kind", sorted(KINDS), indirect=True)


@pytest.fixture
def site(kind: Kind) -> Iterator[Schedules]:
    with kind.site().open() as site:
        yield site


@pytest.fixture
def duty(fresh_database: None, cast: Cast, kind: Kind, site: Schedules) -> Connected:
    return connected(cast, kind.provider, {"address": site.address, **kind.config}, {"key": KEY}, "Duty")


@each
def test_who_is_on_shift_has_its_attribute_and_a_team_that_fails_is_asked_again(
    duty: Connected, kind: Kind, site: Schedules
) -> None:
    people = User.objects.count()
    site.trouble[kind.before + 2] = kind.limited()
    assert duty.read().state == "running"
    assert kind.waits <= (duty.order().next_try_at - duty.now).total_seconds() <= kind.waits + 5
    assert attributes_of("rita") == set() and not Shift.objects.exists()
    duty.later(seconds=kind.waits + 5)
    asked = len(site.asked)
    assert duty.sync().state == "succeeded"
    # The first team's was kept.
    assert not [
        one for one in site.asked[asked:] if one.path.rstrip("/").endswith(("0001/oncall", "team-1/oncall/schedule"))
    ]
    assert attributes_of("rita") == {kind.on(1)} and attributes_of("abel") == {kind.on(2)}
    assert User.objects.count() == people


@each
def test_a_later_sync_says_who_is_on_shift_then(duty: Connected, kind: Kind, site: Schedules) -> None:
    duty.sync()
    duty.later(hours=9)
    site.now += timedelta(hours=9)
    actions.sweep_shifts(at=duty.now)
    # Nobody is on a shift that ended without a word that it goes on.
    assert attributes_of("rita") == set()
    assert duty.sync().state == "succeeded"
    assert attributes_of("abel") == {kind.on(1)}
    assert actions.delete(Integration.objects.get(), actor=duty.admin, at=duty.now)
    assert attributes_of("abel") == set()


@each
def test_a_wrong_key_is_said_in_words_before_anything_is_saved(duty: Connected, kind: Kind, site: Schedules) -> None:
    config = {"address": site.address, **kind.config}
    report = actions.try_connection(kind.provider, config, {"key": "wrong"}, actor=duty.admin)
    assert report.error is not None and report.error.kind == "credentials_rejected"
    site.turns.clear()
    found = actions.try_connection(kind.provider, config, {"key": KEY}, actor=duty.admin)
    assert [one.level for one in found.findings] == ["warning"]


def test_who_took_over_is_on_shift_and_whom_they_stand_in_for_is_not(duty: Connected, site: Schedules) -> None:
    assert isinstance(site, SplunkSite)
    site.overrides[1] = [("rita", "abel", -1, 2), ("rita", "", 4, 6), ("abel", "rita", 30, 40)]
    duty.sync()
    rows = Shift.objects.filter(name="Team 1: Primary").order_by("starts_at")
    noon = duty.now
    told = [
        (
            one.user.name.split()[0],
            (one.starts_at - noon) / timedelta(hours=1),
            (one.ends_at - noon) / timedelta(hours=1),
        )
        for one in rows
    ]
    assert told == [("Rita", -4, -1), ("Abel", -1, 2), ("Rita", 2, 8), ("Abel", 8, 20)]
    assert attributes_of("rita") == set()
    duty.later(hours=2)
    actions.sweep_shifts(at=duty.now)
    assert ("splunk_on_call", "Team 1: Primary") in attributes_of("rita")


@pytest.mark.parametrize("kind", ["zenduty"], indirect=True)
def test_only_the_first_levels_of_an_escalation_policy_count(
    duty: Connected, kind: Kind, site: Schedules, cast: Cast
) -> None:
    dora = accounts.create_user("dora@example.com", "Dora", actor=duty.admin)
    duty.sync()
    assert not dora.attributes.exists()
    Integration.objects.update(config={**duty.integration.config, "levels": 2})
    duty.later(minutes=15)
    duty.sync()
    assert set(dora.attributes.values_list("type", "value")) == {kind.on(1), kind.on(2)}
