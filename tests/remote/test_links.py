"""The server's side of a link, played by hand at any time: who is let in, what is handed out, what is taken in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from access_requests import actions as lifecycle
from audit.actor import system
from audit.models import AuditEntry
from connectors.contract.errors import ErrorReport, LeaseLost, Unreachable
from connectors.contract.orders import (
    Found,
    Page,
    PermissionFact,
    ReadBack,
    Report,
    ResourceFact,
    ResourceTypeFact,
    Unit,
    Verb,
)
from connectors.contract.wire import AskBaseline, Beat, Cancel, PageOf, ReportOf, Taken, TellBaseline, Work
from connectors.toolkit.sealing import SealBroken, new_private_key
from integrations import actions
from integrations.actions import handing, links, orders, tokens
from integrations.actions.links import Unwelcome
from integrations.actions.running import instance_of
from integrations.choices import Transport
from integrations.models import (
    BaselineUnit,
    Connector,
    ConnectorInstance,
    ConnectorToken,
    Order,
    Resource,
    StagedResource,
    SyncRun,
)
from tests.cast import Cast
from tests.remote.by_hand import ByHand, instance
from tests.simulated import Target
from tests.story import NOON, SECOND, Story, flow, put_into, simulated_provider, unit

PASSWORD = "the-connectors-own-password"
TYPES = (ResourceTypeFact("database", "Database", (PermissionFact("READ_ONLY", "Read only", 2),)),)
NOBODY = {"person": {"id": "p", "name": "P"}, "holds": [], "gone": []}


@pytest.fixture
def story(fresh_database: str, cast: Cast) -> Iterator[Story]:
    """A system connected through a remote connector; nobody has done anything yet."""
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
    with simulated_provider():
        connector = actions.create_connector("Berlin", actor=system(), at=NOON)
        integration = actions.connect(
            "Far away",
            "simulated",
            config={"hostname": "sim"},
            secrets={"password": PASSWORD},
            connector=connector,
            actor=system(),
            at=NOON,
        )
        yield Story(cast, integration, Target())


@pytest.fixture
def one(story: Story) -> ByHand:
    """An instance that is let in."""
    return instance(story.integration.connector, at=NOON)


def about_person(story: Story, at=NOON) -> Order:
    """Order something about the requester."""
    with transaction.atomic():
        return actions.order_for_person(story.integration, story.cast.requester, NOBODY, at=at)


def taken(by: ByHand, verb: Verb, at=NOON) -> Work:
    """Take orders until one of this verb comes; the others are reported as done."""
    while (work := by.work(at)) is not None:
        if work.order.verb is verb:
            return work
        by.report(work, at)
    raise AssertionError(f"no {verb} was due")


def page(*names: str, **more) -> Page:
    """Return a page of an inventory."""
    return Page(tuple(ResourceFact("database", name, name, f"server/{name}") for name in names), **more)


def paged(by: ByHand, work: Work, number: int, told: Page, at=NOON) -> Taken:
    """Hand in one page."""
    (answer,) = by.hear(PageOf(work.order.order_id, work.order.epoch, number, told), at)
    assert isinstance(answer, Taken)
    return answer


def test_secrets_travel_sealed_to_the_instance_that_asked(story: Story, one: ByHand) -> None:
    work = one.work(NOON)
    assert work is not None
    assert one.opened(work) == {"password": PASSWORD}
    assert PASSWORD not in repr(work)
    stranger = ByHand(one.token, new_private_key(), one.hello, one.link)
    with pytest.raises(SealBroken):
        stranger.opened(work)
    with pytest.raises(SealBroken):
        one.opened(replace(work, order=replace(work.order, epoch=work.order.epoch + 1)))


def test_a_lease_counts_from_the_beat_before_it(story: Story, one: ByHand) -> None:
    one.beat(NOON, echo=41.5)
    work = one.work(NOON)
    assert work is not None
    assert (work.since, work.order.lease_seconds) == (41.5, 60.0)


def test_the_same_report_twice_is_taken_once_and_answered_twice(story: Story, one: ByHand) -> None:
    work = taken(one, Verb.CHECK)
    assert one.report(work, NOON) == one.report(work, NOON) == Taken(work.order.order_id, 1)
    assert AuditEntry.objects.filter(action="order.settled").count() == 1
    about_person(story)
    work = taken(one, Verb.APPLY)
    trouble = ErrorReport(Unreachable.kind, "Down.")
    assert one.report(work, NOON, error=trouble) == one.report(work, NOON, error=trouble)
    assert AuditEntry.objects.filter(action="order.failed_try").count() == 1


def test_a_report_under_a_lease_that_another_has_is_refused(story: Story, one: ByHand) -> None:
    about_person(story)
    work = taken(one, Verb.APPLY)
    late = NOON + timedelta(seconds=61)
    actions.expire_leases(at=late)
    other = instance(story.integration.connector, at=late)
    again = taken(other, Verb.APPLY, late)
    assert again.order.epoch == 2
    assert one.report(work, late) == Taken(work.order.order_id, 1, refused=True)
    assert other.report(again, late) == Taken(again.order.order_id, 2)


@pytest.mark.parametrize("id_", ["", "x", "0" * 32, "\x7f" * 36, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])
def test_orders_that_are_nobodys_are_refused(story: Story, one: ByHand, id_: str) -> None:
    assert one.hear(ReportOf(Report(id_, 1)), NOON) == [Taken(id_, 1, refused=True)]
    assert one.hear(PageOf(id_, 1, 1, page("a")), NOON) == [Taken(id_, 1, 1, refused=True)]
    assert one.hear(AskBaseline(id_, 1, 1, (), ()), NOON) == [Cancel(id_, 1)]


def test_another_connectors_orders_are_out_of_reach(story: Story, one: ByHand) -> None:
    work = taken(one, Verb.DISCOVER)
    thief = instance(actions.create_connector("Elsewhere", actor=system()), at=NOON)
    assert thief.work(NOON) is None
    assert thief.report(work, NOON) == Taken(work.order.order_id, 1, refused=True)
    assert paged(thief, work, 1, page("a")).refused
    assert not StagedResource.objects.exists()
    assert thief.beat(NOON, work.order.order_id)[1:] == [Cancel(work.order.order_id, 1)]
    assert paged(one, work, 1, page("a")) == Taken(work.order.order_id, 1, 1)


def test_what_is_leased_and_never_came_is_sent_again(story: Story, one: ByHand) -> None:
    about_person(story)
    work = taken(one, Verb.APPLY)
    # Over the same link it may be on its way; over a new one it is lost.
    assert one.beat(NOON + SECOND) == [Beat()]
    row = tokens.admit(one.token, at=NOON)
    assert row is not None
    one.link = links.join(row, one.hello, Transport.WEBSOCKET, secrets.token_hex(16), at=NOON)
    assert len(one.beat(NOON + SECOND, work.order.order_id)) == 1
    _, again = one.beat(NOON + 10 * SECOND, echo=7.0)
    assert isinstance(again, Work)
    assert (again.order.order_id, again.order.epoch) == (work.order.order_id, work.order.epoch)
    assert (again.order.lease_seconds, again.since) == (50.0, 7.0)
    assert one.opened(again) == {"password": PASSWORD}


def test_an_order_that_was_superseded_is_cancelled_and_its_lease_freed_by_the_report(story: Story, one: ByHand) -> None:
    about_person(story)
    work = taken(one, Verb.APPLY)
    newer = about_person(story, NOON + SECOND)
    assert one.beat(NOON + SECOND, work.order.order_id)[1:] == [Cancel(work.order.order_id, 1)]
    assert one.work(NOON + SECOND) is None
    one.report(work, NOON + SECOND, error=LeaseLost("It was withdrawn.").report())
    again = one.work(NOON + SECOND)
    assert again is not None and again.order.order_id == str(newer.pk)


def test_an_order_that_is_deleted_is_cancelled(story: Story, one: ByHand) -> None:
    work = taken(one, Verb.DISCOVER)
    Order.objects.filter(pk=work.order.order_id).delete()
    assert one.beat(NOON, work.order.order_id)[1:] == [Cancel(work.order.order_id, links.EVERY_EPOCH)]


def test_orders_of_a_remote_connector_never_run_here_nor_the_other_way_round(story: Story, one: ByHand) -> None:
    assert actions.run_until_idle(seconds=5, at=lambda: NOON) == 0
    here = ConnectorInstance.objects.create(connector=story.integration.connector, version="0")
    assert actions.lease(here, at=NOON) is None
    embedded = instance_of(actions.embedded_connector(), at=NOON)
    story.integration.connector = embedded.connector
    story.integration.save()
    assert one.work(NOON) is None
    there = ConnectorInstance.objects.create(connector=embedded.connector, version="0", transport=Transport.POLL)
    assert actions.lease(there, at=NOON) is None
    assert actions.lease(embedded, at=NOON) is not None


def test_of_mixed_versions_an_order_goes_to_one_that_has_the_provider(story: Story, one: ByHand) -> None:
    lacking = instance(story.integration.connector, at=NOON)
    ConnectorInstance.objects.filter(pk=lacking.link.instance.pk).update(providers=["postgresql"])
    lacking.link.instance.refresh_from_db()
    assert lacking.work(NOON) is None
    # With nobody else there it is given out all the same, and the report says what is missing.
    ConnectorInstance.objects.filter(pk=one.link.instance.pk).update(stopped_at=NOON)
    assert lacking.work(NOON) is not None


@pytest.mark.parametrize(("wire", "again"), [((2, 0), False), ((0, 9), False), ((), False)])
def test_another_wire_is_refused_with_what_to_do(story: Story, wire, again: bool) -> None:
    with pytest.raises(Unwelcome) as refusal:
        instance(story.integration.connector, at=NOON, wire=wire)
    assert "upgrade the" in refusal.value.reason
    assert refusal.value.again is again


@pytest.mark.parametrize("wire", [(1, 1), (1, 7), (1,)])
def test_a_wire_of_another_minor_version_is_welcome(story: Story, wire) -> None:
    assert instance(story.integration.connector, at=NOON, wire=wire).work(NOON) is not None


def test_a_token_that_is_revoked_ends_the_link_at_its_next_word(story: Story, one: ByHand) -> None:
    actions.revoke_token(ConnectorToken.objects.get(), actor=system(), at=NOON)
    with pytest.raises(Unwelcome, match="token"):
        one.beat(NOON)


def test_a_newer_link_of_the_instance_takes_over(story: Story, one: ByHand) -> None:
    row = tokens.admit(one.token, at=NOON)
    assert row is not None
    links.join(row, one.hello, Transport.POLL, secrets.token_hex(16), at=NOON)
    with pytest.raises(Unwelcome, match="newer link"):
        one.beat(NOON)
    assert ConnectorInstance.objects.filter(connector=story.integration.connector).count() == 1


def test_a_connector_that_is_deleted_ends_its_links(story: Story, one: ByHand) -> None:
    Order.objects.all().delete()
    story.integration.delete()
    actions.delete_connector(one.link.instance.connector, actor=system())
    with pytest.raises(Unwelcome):
        one.beat(NOON)


def test_who_joins_is_in_the_trail_with_the_digests(story: Story) -> None:
    digests = {"postgresql/reset_password": "a" * 64}
    for _ in range(2):
        instance(story.integration.connector, at=NOON, functions=digests, rules="b" * 64, place={"host": "db1"})
    first, second = AuditEntry.objects.filter(action="connector.instance_joined").order_by("pk")
    assert json.loads(first.details["functions"]) == ["postgresql/reset_password " + "a" * 64]
    assert first.details["rules"] == "b" * 64
    assert "functions" not in second.details
    assert second.details["functions_sha256"] == first.details["functions_sha256"]


# The inventory.


def test_pages_are_kept_once_each_in_their_order(story: Story, one: ByHand) -> None:
    work = taken(one, Verb.DISCOVER)
    assert not paged(one, work, 1, page("a", "b", total=3)).refused
    assert not paged(one, work, 1, page("a", "b", total=3)).refused
    assert paged(one, work, 3, page("d")).refused
    run = SyncRun.objects.get()
    assert (run.found, run.total, run.pages) == (2, 3, 1)
    assert not paged(one, work, 2, page("c", total=3)).refused
    one.report(work, NOON, resource_types=TYPES)
    assert list(Resource.objects.values_list("name", flat=True)) == ["a", "b", "c"]


def interrupted(one: ByHand, **more) -> Work:
    """Begin a sync, hand in one page, lose the lease, and take it again."""
    work = taken(one, Verb.DISCOVER)
    paged(one, work, 1, page("a", "b", **more))
    late = NOON + timedelta(seconds=901)
    actions.expire_leases(at=late)
    return taken(one, Verb.DISCOVER, late)


def test_an_interrupted_sync_goes_on_after_the_last_page_that_was_kept(story: Story, one: ByHand) -> None:
    again, late = interrupted(one, resume="b", total=3), NOON + timedelta(seconds=901)
    assert (again.order.epoch, again.order.resume) == (2, "b")
    assert not paged(one, again, 1, page("c", total=3), late).refused
    one.report(again, late, resource_types=TYPES)
    assert list(Resource.objects.values_list("name", flat=True)) == ["a", "b", "c"]
    assert SyncRun.objects.latest("pk").found == 3


def test_a_sync_whose_provider_cannot_go_on_begins_again(story: Story, one: ByHand) -> None:
    again = interrupted(one)
    assert again.order.resume == ""
    assert (StagedResource.objects.count(), SyncRun.objects.get().found) == (0, 0)


def test_a_sync_whose_staged_rows_were_lost_begins_again(story: Story, one: ByHand) -> None:
    work = taken(one, Verb.DISCOVER)
    paged(one, work, 1, page("a", "b", resume="b"))
    StagedResource.objects.all().delete()  # as PostgreSQL does with an unlogged table when it crashes
    late = NOON + timedelta(seconds=901)
    actions.expire_leases(at=late)
    assert taken(one, Verb.DISCOVER, late).order.resume == ""


def test_a_sync_that_came_further_is_tried_again_and_one_that_did_not_fails(story: Story, one: ByHand) -> None:
    trouble, work = ErrorReport(Unreachable.kind, "Down."), taken(one, Verb.DISCOVER)
    paged(one, work, 1, page("a", resume="a"))
    one.report(work, NOON, error=trouble)
    assert Order.objects.get(pk=work.order.order_id).state == "queued"
    later = NOON + timedelta(seconds=60)
    again = taken(one, Verb.DISCOVER, later)
    assert again.order.resume == "a"
    one.report(again, later, error=trouble)
    assert Order.objects.get(pk=work.order.order_id).state == "failed"
    assert SyncRun.objects.get().state == "failed"


def test_a_page_that_fits_nowhere_fails_the_sync_with_words(story: Story, one: ByHand) -> None:
    work = taken(one, Verb.DISCOVER)
    assert paged(one, work, 1, page("x" * 701)).refused
    row = Order.objects.get(pk=work.order.order_id)
    assert row.state == "failed"
    assert "701 characters" in row.error["message"]


def test_an_instance_that_returns_after_a_month_finds_the_end_waiting(story: Story, one: ByHand) -> None:
    grant = "11111111-2222-3333-4444-555555555555"
    gone = {**NOBODY, "gone": [{"grant_id": grant, "login": "lk_rita", "units": []}]}
    with transaction.atomic():
        orders.order_for_person(story.integration, story.cast.requester, gone, at=NOON)
    silent = taken(one, Verb.APPLY)
    later = NOON + timedelta(days=31)
    assert orders.expire_leases(at=later) >= 1
    back = instance(story.integration.connector, at=later)
    work = taken(back, Verb.APPLY, later)
    assert work.order.desired is not None
    assert [ending.grant_id for ending in work.order.desired.gone] == [grant]
    assert work.order.epoch > silent.order.epoch
    back.report(work, later, read_back=ReadBack(later.timestamp()))
    assert Order.objects.get(pk=work.order.order_id).state == "done"


# Reports that make no sense.


@pytest.mark.parametrize("read_at", [-1.0, 0.0, 1e300, float("inf")])
def test_a_read_back_at_no_time_is_no_proof_and_stops_nobody(story: Story, one: ByHand, read_at: float) -> None:
    about_person(story)
    work = taken(one, Verb.APPLY)
    one.report(work, NOON, read_back=ReadBack(read_at))
    row = Order.objects.get(pk=work.order.order_id)
    assert row.state == "queued"
    assert "makes no sense" in row.error["message"]


def test_standing_access_with_names_without_end_is_refused(story: Story, one: ByHand) -> None:
    about_person(story)
    work = taken(one, Verb.APPLY)
    one.report(work, NOON, read_back=ReadBack(1.0, standing=(Found(Unit("database", "x" * 800, "y"), "l"),)))
    assert "makes no sense" in Order.objects.get(pk=work.order.order_id).error["message"]


# What was there before.


def test_nothing_becomes_standing_and_what_was_taken_is_standing_no_more(story: Story, one: ByHand) -> None:
    about_person(story)
    work = taken(one, Verb.APPLY)

    def ask(number: int, present, wanted) -> set[Unit]:
        id_, epoch = work.order.order_id, work.order.epoch
        (answer,) = one.hear(AskBaseline(id_, epoch, number, tuple(present), tuple(wanted)), NOON)
        assert isinstance(answer, TellBaseline)
        assert answer.question == number
        return set(answer.standing)

    a, b, c = unit("a"), unit("b"), unit("c")
    assert ask(1, [a], [a, b]) == {a}
    assert ask(2, [a, b], [a, b]) == {a}
    # Nobody asked about a: that it is not among what was read says nothing.
    assert ask(3, [c], [c]) == {a, c}
    assert ask(4, [b, c], [a, b, c]) == {c}
    assert ask(5, [a, b, c], [a, b, c]) == {c}
    assert BaselineUnit.objects.count() == 3


def test_what_no_open_grant_names_is_forgotten_when_the_end_is_proven(fresh_database: str, cast: Cast) -> None:
    from tests.story import begin

    with simulated_provider():
        story = begin(cast)
        flow(story.integration)
        first, second = story.granted("orders_prod"), story.granted("orders_dev")
        person = cast.requester
        named = [unit("orders_prod"), unit("orders_dev")]
        from integrations.actions import baseline

        baseline.standing(story.integration.pk, person.pk, [named[0]], named, at=story.now)
        lifecycle.hand_back(first, user=person, actor=story.by(person), at=story.now)
        story.work()
        assert story.fresh(first).state == "revoked"
        assert [row.resource for row in BaselineUnit.objects.all()] == ["orders_dev"]
        lifecycle.hand_back(second, user=person, actor=story.by(person), at=story.now)
        story.work()
        assert not BaselineUnit.objects.exists()


def test_a_resource_is_remembered_whole_while_a_grant_names_any_level_of_it(fresh_database: str, cast: Cast) -> None:
    from integrations.actions import baseline
    from tests.story import begin

    with simulated_provider():
        story = begin(cast)
        flow(story.integration)
        first, second = story.granted("orders_dev"), story.granted("orders_prod")
        low, middle, high = (unit("orders_prod", level) for level in ("READ_ONLY", "READ_WRITE", "ADMIN"))
        where = (story.integration.pk, cast.requester.pk)
        baseline.standing(*where, [], [low, middle, high], at=story.now)
        lifecycle.hand_back(first, user=cast.requester, actor=story.by(cast.requester), at=story.now)
        story.work()
        # By now the person has lower levels through the grant that is left, and no grant names them.
        assert baseline.standing(*where, [low, middle], [low, middle, high], at=story.now) == set()
        lifecycle.hand_back(second, user=cast.requester, actor=story.by(cast.requester), at=story.now)
        story.work()
        assert not BaselineUnit.objects.exists()


def test_in_this_process_providers_ask_the_same_memory(fresh_database: str, cast: Cast, monkeypatch) -> None:
    from tests.simulated.provider import Simulated
    from tests.story import begin

    with simulated_provider():
        story = begin(cast)
        flow(story.integration)
        from connectors.registry import BUILT_IN

        seen, apply = [], Simulated.apply

        def asking(self, order, run):
            seen.append(run.baseline([unit("orders_prod")] if seen else [], [unit("orders_prod")]))
            return apply(self, order, run)

        monkeypatch.setattr(type(BUILT_IN.provider("simulated")), "apply", asking)
        story.granted("orders_prod")
        story.granted("orders_dev")
        assert seen == [frozenset()] * 2


# Tests of configurations that are not saved.


def test_a_trial_runs_where_the_system_is_to_run(story: Story, one: ByHand) -> None:
    from threading import Thread

    from django.db import connections
    from django.utils import timezone

    from integrations.models import Trial

    answers, through = [], story.integration.connector

    def ask() -> None:
        answers.append(
            actions.try_connection(
                "simulated",
                {"hostname": "h"},
                {"password": "typed"},
                connector=through,
                actor=system(),
            )
        )
        connections.close_all()

    one.beat(timezone.now())
    thread = Thread(target=ask)
    thread.start()
    while not Trial.objects.exists():
        pass
    assert "typed" not in json.dumps(Trial.objects.get().secrets)
    work = one.work(timezone.now())
    assert work is not None
    assert (work.order.verb, one.opened(work)) == (Verb.CHECK, {"password": "typed"})
    stranger = instance(actions.create_connector("Elsewhere", actor=system()), at=timezone.now())
    assert stranger.report(work, timezone.now()).refused
    from connectors.contract.orders import Finding

    assert one.report(work, timezone.now(), findings=(Finding("ok", "It answers."),)) == Taken(work.order.order_id, 1)
    thread.join(10)
    assert [finding.message for finding in answers[0].findings] == ["It answers."]
    assert not Trial.objects.exists()
    assert one.report(work, timezone.now()).refused


def test_with_nobody_connected_a_trial_says_so_at_once(story: Story) -> None:
    report = actions.try_connection(
        "simulated", {"hostname": "h"}, {"password": "p"}, connector=story.integration.connector, actor=system()
    )
    assert report.error is not None
    assert report.error.message == "The connector Berlin is not connected."


def test_trials_that_nobody_waits_for_are_dropped(story: Story, one: ByHand) -> None:
    from integrations.models import Trial

    told = {"provider": "simulated", "integration": story.integration.pk, "config": {}}
    Trial.objects.create(connector=story.integration.connector, expires_at=NOON, **told)
    assert handing.next_work(one.link, at=NOON) is None or not Trial.objects.filter(taken_by__isnull=False).exists()
    assert actions.drop_expired_trials(at=NOON) == 1


def test_most_looks_for_work_take_no_lock(story: Story, one: ByHand, django_assert_max_num_queries) -> None:
    while one.work(NOON):
        pass
    with django_assert_max_num_queries(4):
        assert actions.lease(one.link.instance, at=NOON) is None
    assert Connector.objects.count() >= 1
