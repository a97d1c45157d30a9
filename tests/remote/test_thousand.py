"""Two instances that both may think they own an order: paused, cut off, late, and awake again after the end is proven.

Whatever the order of things, once the end of a grant is proven nothing of it is there, and nothing that an instance
begun before does brings it back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from access_requests import actions as lifecycle
from access_requests.models import Proof
from audit.actor import system
from connectors.registry import BUILT_IN
from integrations import actions
from tests.cast import Cast
from tests.remote.ledger import PROVIDERS, Ledger
from tests.remote.lockstep import Lockstep, gated
from tests.simulated import Target
from tests.story import NOON, Story, flow, put_into

FAST, FULL = 8, 1000


class Tries:
    """A story whose target is a ledger and whose connector is two instances in lockstep."""

    def __init__(self, cast: Cast, folder: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        put_into("engineers", cast.requester)
        put_into("approvers", cast.approver)
        self.ledger = Ledger(folder / "ledger.sqlite3").create("orders", "stock")
        connector = actions.create_connector("Two", actor=system(), at=NOON)
        integration = actions.connect(
            "Ledger",
            "ledger",
            config={"path": str(self.ledger.path)},
            secrets={"password": self.ledger.password},
            connector=connector,
            actor=system(),
            at=NOON,
        )
        self.story = Story(cast, integration, Target(), NOON)
        self.rng, self.proven_while_one_slept = rng, 0
        self.pair = Lockstep(connector, lambda: self.story.now, rng)
        gated(self.pair, monkeypatch)
        self.come_to_rest()
        flow(integration)

    def passes(self, seconds: float) -> None:
        """Let time pass on every clock, and do what the timetable does."""
        self.story.now += timedelta(seconds=seconds)
        actions.expire_leases(at=self.story.now)
        lifecycle.sweep(at=self.story.now)
        self.pair.time_passed()

    def come_to_rest(self) -> None:
        """Work, everybody awake, until nothing is left to do."""
        self.pair.wake_all()
        for _ in range(12):
            self.passes(7)
            self.pair.rest()

    def one(self) -> None:
        """Give, end, and prove the end, with all the trouble there is; then wake who slept."""
        story, pair, rng = self.story, self.pair, self.rng
        request = story.ask(rng.choice(["orders", "stock"]))
        story.approve(request)
        self.passes(0)
        ends_after = rng.randint(5, 40)
        for number in range(rng.randint(40, 100)):
            pair.something()
            if rng.random() < 0.08:
                pair.trouble()
            if rng.random() < 0.06:
                self.passes(rng.choice([0.5, 3, 20, 61]))
            if number == ends_after:
                self.end(request)
        self.prove_with_one_asleep(request)
        self.nothing_comes_back(request)

    def end(self, request) -> None:
        """End the request, in whichever state it is."""
        row, admin = self.story.fresh(request), self.story.cast.admin
        if row.state in {"granting", "active"}:
            lifecycle.revoke(row, user=admin, actor=self.story.by(admin), reason="Over.", at=self.story.now)
        self.passes(0)

    def prove_with_one_asleep(self, request) -> None:
        """Let one instance sleep where it is, and the other finish."""
        sleeper, other = self.rng.sample(self.pair.instances, 2)
        self.pair.wake_all()
        sleeper.paused = True
        for _ in range(40):
            self.end(request)
            self.passes(9)
            self.pair.rest(only=other)
            if self.story.fresh(request).state in {"revoked", "failed", "lapsed"}:
                self.proven_while_one_slept += sleeper.gate.waiting > 0
                return
        raise AssertionError(f"the end was never proven: {self.story.fresh(request).state}")

    def nothing_comes_back(self, request) -> None:
        """Wake who slept, let everything happen that can, and look at the target."""
        assert self.ledger.held() == [], "proven, and still there"
        applied = self.applied()
        self.pair.wake_all()
        for _ in range(3):
            self.pair.rest()
        assert self.ledger.held() == [], "it came back after its end was proven"
        assert self.applied() == applied, "a statement ran after the end was proven"
        assert Proof.objects.filter(group__request=request).count() == 1
        self.passes(61)
        self.pair.rest()
        assert self.ledger.held() == []

    def applied(self) -> int:
        """Return how many statements of orders about people were run."""
        return len([row for row in self.ledger.journal() if row[3] == "apply"])


@pytest.fixture
def tries(fresh_database: str, cast: Cast, tmp_path: Path, rng, monkeypatch) -> Iterator[Tries]:
    """The pair, with its first sync done."""
    before = (BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders)
    BUILT_IN.add(PROVIDERS)
    if connection.vendor == "sqlite":
        # Nobody cuts the power here, and there are very many commits.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
    made = Tries(cast, tmp_path, rng, monkeypatch)
    try:
        yield made
    finally:
        made.pair.end()
        BUILT_IN._roots, BUILT_IN._manifests, BUILT_IN._folders = before


def test_nothing_comes_back_after_its_end_was_proven(tries: Tries) -> None:
    for _ in range(FAST):
        tries.one()
    assert tries.pair.statements > FAST * 4


@pytest.mark.full
def test_nothing_comes_back_after_its_end_was_proven_in_a_thousand_tries(tries: Tries) -> None:
    for _ in range(FULL):
        tries.one()
    # The case to break it with really came up: one slept in the middle of its work while the other proved the end.
    assert tries.proven_while_one_slept > FULL / 50


@pytest.mark.full
def test_the_tries_would_find_a_runner_that_forgets_its_lease(tries: Tries, monkeypatch) -> None:
    from connectors.runners import local

    monkeypatch.setattr(local._Execution, "alive", lambda self: None)
    with pytest.raises(AssertionError, match="proven"):
        for _ in range(60):
            tries.one()
