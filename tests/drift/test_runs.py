"""Runs: everybody who may hold something is looked at, by the clock or when asked, whatever dies on the way."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.query import QuerySet

from access_requests import actions
from access_requests.actions import grants, looking, reconciling
from access_requests.models import Look, ReconcileRun, ToLookAt
from access_requests.queries import last_errors
from accounts.actions import NotAllowed
from accounts.models import User
from connectors.contract.errors import TargetMissing, Unreachable
from integrations.models import Integration, Order
from tests.cast import person
from tests.drift.looking import Looking
from tests.story import unit


class Killed(BaseException):
    """The process died here."""


def test_the_clock_begins_a_run_and_the_next_after_the_hours_of_the_integration(accounts: Looking) -> None:
    reconciling.sweep_drift(at=accounts.now)
    accounts.go_on()
    run = ReconcileRun.objects.get()
    assert (run.why, run.looked, run.error) == ("the clock", User.objects.count(), "")
    assert 0.9 <= run.spread <= 1.1
    reconciling.sweep_drift(at=accounts.now + timedelta(hours=5))
    assert ReconcileRun.objects.count() == 1
    reconciling.sweep_drift(at=accounts.now + timedelta(hours=6.7))
    assert ReconcileRun.objects.count() == 2


def test_zero_hours_mean_never_but_who_asks_is_answered(accounts: Looking) -> None:
    Integration.objects.update(reconcile_hours=0)
    reconciling.sweep_drift(at=accounts.now)
    assert not ReconcileRun.objects.exists()
    ada = accounts.cast.admin
    run = reconciling.look_now(accounts.integration, actor=accounts.by(ada), at=accounts.now)
    assert reconciling.look_now(accounts.integration, actor=accounts.by(ada), at=accounts.now) == run
    accounts.go_on()
    assert ReconcileRun.objects.get().why == "Ada asked for it"


def test_who_may_not_asks_in_vain_and_a_disabled_integration_is_left_alone(accounts: Looking) -> None:
    with pytest.raises(NotAllowed):
        reconciling.look_now(accounts.integration, actor=accounts.by(accounts.cast.requester), at=accounts.now)
    Integration.objects.update(status="disabled")
    accounts.integration.refresh_from_db()
    with pytest.raises(actions.NotPossible, match="disabled"):
        reconciling.look_now(accounts.integration, actor=accounts.by(accounts.cast.admin), at=accounts.now)


def test_a_few_looks_are_under_way_at_once_and_holders_come_first(accounts: Looking, settings: Any) -> None:
    settings.DRIFT_AT_ONCE = 2
    for number in range(5):
        person(f"Extra{number}")
    accounts.granted("readers")
    accounts.now += timedelta(minutes=1)
    run = reconciling.start(accounts.integration, "the test", at=accounts.now)
    reconciling.step(run, at=accounts.now)
    asked = Order.objects.filter(verb="read_back", state="queued")
    assert asked.count() == 2
    assert asked.filter(person=accounts.cast.requester).exists()
    accounts.go_on()
    assert set(Look.objects.values_list("person", flat=True)) == set(User.objects.values_list("pk", flat=True))


def test_one_run_looks_at_so_many_of_those_who_hold_nothing_and_the_next_at_others(
    accounts: Looking, settings: Any
) -> None:
    settings.DRIFT_PEOPLE = 2
    people = User.objects.filter(is_active=True).count()
    assert accounts.look().total == 2
    assert accounts.look().total == 2
    assert Look.objects.count() == people == 4
    assert accounts.look().total == 0
    assert accounts.look(hours=25).total == 2


def test_somebody_who_cannot_be_looked_at_holds_up_no_other(logins: Looking) -> None:
    logins.target.faults = [TargetMissing("There is no account.", fix="Make one.")]
    run = logins.look()
    assert (run.looked, run.failed, run.error) == (run.total - 1, 1, "")
    assert Look.objects.get(last_at__isnull=True).problem == "There is no account. Make one."
    assert not Order.objects.filter(state="queued").exists()


def test_a_target_that_does_not_answer_is_given_up_after_a_while_and_nothing_is_left_open(logins: Looking) -> None:
    logins.granted("orders_prod")
    logins.now += timedelta(minutes=1)
    logins.target.down = Unreachable("Nobody answers.", fix="Look at the network.")
    run = reconciling.start(logins.integration, "the test", at=logins.now)
    for _ in range(20):
        logins.later(minutes=1)
        reconciling.sweep_drift(at=logins.now)
    run.refresh_from_db()
    assert (run.looked, run.error) == (0, "Nobody answers. Look at the network.")
    assert not Order.objects.filter(state__in=["queued", "leased"]).exists()
    assert not logins.findings()


POINTS = [
    *((reconciling, name, nth) for name in ("_holders", "_looked_since", "_count", "_finish") for nth in (1, 2)),
    *((QuerySet, "bulk_create", nth) for nth in (1, 2)),
    *((grants, name, nth) for name in ("desired_state", "look") for nth in (1, 2)),
    (looking, "_take_in_held", 1),
    (looking, "_take_in_held", 2),
    (looking, "_suspect", 1),
    (looking, "_confirm", 1),
    (reconciling, "look_at", 1),
]


@pytest.mark.full
@pytest.mark.parametrize(("owner", "name", "nth"), POINTS)
def test_a_run_comes_to_the_same_wherever_the_process_dies(
    logins: Looking, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, nth: int
) -> None:
    run_and_die(logins, monkeypatch, owner, name, nth)


def test_a_run_comes_to_the_same_when_the_process_dies_at_some_point(
    logins: Looking, monkeypatch: pytest.MonkeyPatch, rng: random.Random
) -> None:
    run_and_die(logins, monkeypatch, *rng.choice(POINTS))


def run_and_die(logins: Looking, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, nth: int) -> None:
    """Lose a unit, look, die at the nth call of a function, and go on in another process."""
    logins.granted("orders_prod", "orders_dev")
    logins.look()
    for units in logins.target.holds[str(logins.cast.requester.pk)].values():
        units.discard(unit("orders_prod"))
    logins.now += timedelta(minutes=5)
    real, calls = getattr(owner, name), []

    def dies(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == nth:
            raise Killed
        return real(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dies)
        for _ in range(10):
            try:
                reconciling.start(logins.integration, "the test", at=logins.now)
                reconciling.sweep_drift(at=logins.now)
                logins.work()
            except Killed:
                break
    logins.later(minutes=2)
    if not ReconcileRun.objects.filter(finished_at__isnull=True).exists() and not logins.findings():
        reconciling.start(logins.integration, "after it", at=logins.now)
    logins.go_on()
    assert logins.open() == ["vanished: Read only on server/orders_prod"]
    assert logins.held() == {unit("orders_dev")}
    assert not ToLookAt.objects.exists()
    assert not Order.objects.filter(state__in=["queued", "leased"]).exists()
    assert Look.objects.exclude(last_at=None).count() == User.objects.count()
    assert len(calls) >= nth, "it was never there to die"


def test_orders_that_only_looked_are_kept_for_a_week(accounts: Looking) -> None:
    accounts.look()
    assert Order.objects.filter(verb="read_back").count() == 4
    accounts.look(days=8)
    assert Order.objects.filter(verb="read_back").count() == 4
    assert Look.objects.count() == 4


def test_a_look_that_fails_is_no_trouble_of_the_access(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    logins.now += timedelta(minutes=1)
    logins.target.down = Unreachable("Nobody answers.", fix="Look at the network.")
    reconciling.start(logins.integration, "the test", at=logins.now)
    reconciling.sweep_drift(at=logins.now)
    logins.work()
    assert Order.objects.get(person=request.grantee, state="queued").error
    assert last_errors(request) == {}
