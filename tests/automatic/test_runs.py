"""A run is bounded, goes on where it was, says aloud what it cannot do, and does nothing twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from access_requests.actions import automatic
from access_requests.models import AccessRequest
from accounts import actions as people
from accounts.actions import NotAllowed
from accounts.models import Group, GroupMembership, User
from audit.actor import system
from audit.models import AuditEntry
from flows import actions as flow_actions
from flows import giving
from flows.models import AccessFlow, AutomaticRun
from tests.automatic.giving import automatic_flow, holdings, last_run, live, naive, named, target, work
from tests.cast import person
from tests.story import Story, put_into

# What a step costs: the run, its flow, people and holders, the comparison, how far it came; none for a person.
STEP = 16
# News of a person to whom nothing happens: the flows, the lock, the facts, what is held.
NEWS = 9


@pytest.fixture
def crowd(bare: Story) -> list[User]:
    """Twelve engineers besides Rita."""
    users = [person(f"P{number:02}") for number in range(12)]
    put_into("engineers", *users)
    return users


def unfinished() -> AutomaticRun:
    return AutomaticRun.objects.get(finished_at__isnull=True)


def steps_until_done(flow: AccessFlow) -> int:
    """Run a flow's run to its end and return how many steps it took."""
    run, steps = flow_actions.start_run(flow.pk, "a test"), 0
    while automatic.step(run):
        steps += 1
    return steps


def test_a_run_goes_in_steps_and_keeps_its_progress(
    bare: Story, crowd: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "PEOPLE", 10)
    monkeypatch.setattr(automatic, "CHANGES", 4)
    automatic_flow(bare.integration)
    run = unfinished()
    automatic.step(run)
    run.refresh_from_db()
    assert (run.total, run.seen, run.given, run.finished_at) == (13, 4, 4, None)
    assert run.cursor == sorted([bare.cast.requester.pk, *(one.pk for one in crowd)])[3]
    while automatic.step(run):
        assert len(live()) == AutomaticRun.objects.get(pk=run.pk).given
    run.refresh_from_db()
    assert (run.seen, run.given, run.taken) == (13, 13, 0)
    assert run.finished_at is not None
    assert holdings() == naive()


def test_flows_take_turns(bare: Story, crowd: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic, "PEOPLE", 10)
    first, second = (automatic_flow(bare.integration, name) for name in ("First", "Second"))
    order: list[str] = []
    before = automatic.step

    def step(run: AutomaticRun, *more: Any, **told: Any) -> bool:
        done = before(run, *more, **told)
        order.append(run.flow.name if done else "")
        return done

    monkeypatch.setattr(automatic, "step", step)
    automatic.sweep_runs()
    assert {*order[:2]} == {first.name, second.name}
    assert order[:4] == order[:2] * 2
    assert holdings() == naive()


def test_a_flow_whose_step_fails_keeps_nobody_waiting(
    bare: Story, crowd: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, _ = (automatic_flow(bare.integration, name) for name in ("Bad", "Good"))
    before = automatic.given_by

    def given_by(document: dict[str, Any]) -> giving.Given:
        if document["name"] == "Bad":
            raise RuntimeError("a secret")
        return before(document)

    monkeypatch.setattr(automatic, "given_by", given_by)
    automatic.sweep_runs()
    assert unfinished().flow == bad
    assert unfinished().error == "A step failed (RuntimeError) and is tried again; the log says more."
    assert {flow for flow, _ in holdings()} == {"Good"}
    monkeypatch.setattr(automatic, "given_by", before)
    automatic.sweep_runs()
    assert last_run("Bad").error == ""
    assert holdings() == naive()


def test_what_comes_while_a_run_is_under_way_makes_it_begin_anew(
    bare: Story, crowd: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "PEOPLE", 10)
    readers = automatic_flow(bare.integration)
    run = unfinished()
    automatic.step(run)
    automatic_flow(bare.integration, flow=readers, targets=[target(bare.integration, selectors=named("orders_dev"))])
    assert unfinished().again
    assert AutomaticRun.objects.count() == 1
    work(bare)
    assert holdings() == naive()
    assert len(next(iter(holdings().values()))) == 1


def test_a_second_run_changes_nothing(story: Story) -> None:
    before = AccessRequest.objects.count(), AuditEntry.objects.count()
    assert steps_until_done(AccessFlow.objects.get()) == 1
    assert (AccessRequest.objects.count(), AuditEntry.objects.count()) == before


def test_queries_of_a_step_do_not_grow_with_people(story: Story, crowd: list[User]) -> None:
    work(story)
    flow_actions.start_run(AccessFlow.objects.get().pk, "a test")
    work(story)
    run = flow_actions.start_run(AccessFlow.objects.get().pk, "a test")
    with CaptureQueriesContext(
        connection,
    ) as counted:
        automatic.step(run)
    assert len(live()) == 13
    assert len(counted) <= STEP, [one["sql"][:100] for one in counted.captured_queries]


def test_news_of_one_person_is_a_handful_of_queries_however_many_flows(story: Story) -> None:
    for number in range(12):
        automatic_flow(story.integration, f"Flow {number}")
    work(story)
    assert automatic.people_changed([story.cast.requester.pk]) == 0
    with CaptureQueriesContext(connection) as counted:
        automatic.people_changed([story.cast.requester.pk])
    assert len(live(story.cast.requester)) == 13
    assert len(counted) <= NEWS, [one["sql"][:100] for one in counted.captured_queries]


def test_a_flow_that_would_give_too_much_is_refused_in_words(bare: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "PER_PERSON_MAX", 1)
    with pytest.raises(flow_actions.BadFlow, match="more than 1 entitlements for each person"):
        automatic_flow(bare.integration)
    with pytest.raises(flow_actions.BadFlow, match="more than 1 entitlements for each person"):
        automatic_flow(bare.integration, targets=[{"kind": "query", "query": 'resource_name contains "orders"'}])
    automatic_flow(bare.integration, targets=[target(bare.integration, selectors=named("orders_dev"))])


def test_a_limit_of_the_provider_refuses_it_in_the_providers_words(
    bare: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "over_limits", lambda asks: ["At most 1 by id."] if len(list(asks)) > 1 else [])
    with pytest.raises(flow_actions.BadFlow, match="At most 1 by id"):
        automatic_flow(bare.integration)


def test_a_flow_that_grew_beyond_the_limit_says_so_and_takes_what_it_must(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives nothing more, keeps what it gave, and who stops matching loses all the same."""
    monkeypatch.setattr(giving, "PER_PERSON_MAX", 1)
    otto, engineers = story.cast.outsider, Group.objects.get(name="engineers")
    people.add_member(engineers, otto, actor=system())
    work(story)
    assert {name for _, name in holdings()} == {"Rita"}
    assert last_run().error.startswith("It selects more than 1 entitlements for each person")
    assert AuditEntry.objects.filter(action="flow.run_stopped").exists()
    flow_actions.start_run(AccessFlow.objects.get().pk, "a test")
    work(story)
    assert {name for _, name in holdings()} == {"Rita"}
    people.remove_member(engineers, story.cast.requester, actor=system())
    work(story)
    assert holdings() == {}
    monkeypatch.setattr(giving, "PER_PERSON_MAX", 2)
    flow_actions.start_run(AccessFlow.objects.get().pk, "narrowed")
    work(story)
    assert {name for _, name in holdings()} == {"Otto"}
    assert last_run().error == ""


def test_the_clock_finds_what_no_news_told_of(story: Story) -> None:
    GroupMembership.objects.filter(user=story.cast.requester).delete()
    put_into("engineers", story.cast.outsider)
    assert automatic.sweep_flows() == 1
    work(story)
    assert holdings() == naive()
    assert {name for _, name in holdings()} == {"Otto"}


def test_the_clock_finds_what_a_switched_off_flow_left(story: Story) -> None:
    AccessFlow.objects.update(active=False)
    assert automatic.sweep_flows() == 1
    work(story)
    assert holdings() == {}
    assert automatic.sweep_flows() == 0


def test_run_now_takes_the_permission_and_is_recorded(story: Story) -> None:
    readers = AccessFlow.objects.get()
    with pytest.raises(NotAllowed):
        flow_actions.run_now(readers, actor=story.by(story.cast.outsider))
    run = flow_actions.run_now(readers, actor=story.by(story.cast.admin))
    assert run.why == "Ada asked for it"
    entry = AuditEntry.objects.get(action="flow.run_asked")
    assert (entry.actor_name, entry.subject_id) == ("Ada", str(readers.pk))


def test_old_runs_are_forgotten(story: Story) -> None:
    for _ in range(flow_actions.automatic.RUNS_KEPT + 3):
        steps_until_done(AccessFlow.objects.get())
    assert AutomaticRun.objects.count() == flow_actions.automatic.RUNS_KEPT


class Killed(BaseException):
    """The process dies: nothing of ours catches it."""


@contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """Die at the statement with this number, counted from 0; yields the statements that were reached."""
    reached: list[str] = []

    def one(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        reached.append(sql)
        if len(reached) > number:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(one):
        yield reached


def survives(act: Callable[[], object], rng: random.Random) -> int:
    """Kill an act at one of its first statements, at a later one, …; return about how many statements it has."""
    number = 0
    while True:
        try:
            with killed_at(number):
                act()
        except Killed:
            number += rng.randint(1, 6)
            if connection.in_atomic_block:
                transaction.set_rollback(True)
        else:
            return number


def test_a_step_that_is_killed_anywhere_is_done_whole_or_not_at_all(
    bare: Story, monkeypatch: pytest.MonkeyPatch, rng: random.Random
) -> None:
    monkeypatch.setattr(automatic, "PEOPLE", 2)
    put_into("engineers", bare.cast.outsider, bare.cast.approver)
    readers = automatic_flow(bare.integration)
    run = unfinished()

    def all_or_nothing() -> None:
        before = len(live()), AutomaticRun.objects.get(pk=run.pk).given
        assert before[0] == before[1]
        automatic.step(run)

    statements = survives(all_or_nothing, rng) + survives(all_or_nothing, rng)
    assert statements > 60
    work(bare)
    assert holdings() == naive()
    assert AccessRequest.objects.count() == 3
    # And so is a step that takes some and gives what stays anew.
    automatic_flow(bare.integration, flow=readers, targets=[target(bare.integration, selectors=named("orders_dev"))])
    survives(lambda: automatic.step(unfinished()), rng)
    work(bare)
    assert holdings() == naive()
    assert AccessRequest.objects.count() == 6


def test_news_that_is_killed_anywhere_is_told_again(story: Story, rng: random.Random) -> None:
    otto = story.cast.outsider
    put_into("engineers", otto)
    GroupMembership.objects.filter(user=story.cast.requester).delete()
    both = [otto.pk, story.cast.requester.pk]
    assert survives(lambda: automatic.people_changed(both), rng) > 20
    work(story)
    assert holdings() == naive()
    assert AccessRequest.objects.count() == 2
