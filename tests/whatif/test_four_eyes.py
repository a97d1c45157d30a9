"""Opening production to everyone without approval takes two: on every way to change policy, and never silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction

from accounts.actions import NotAllowed
from accounts.choices import Role
from accounts.models import Letter, RoleAssignment, User
from audit.actor import Actor, person, system
from audit.choices import Source
from audit.models import AuditEntry
from flows import actions
from flows.choices import PolicyKind
from flows.guard import Opening, is_open
from flows.models import AccessFlow, Bundle, FlowVersion, Proposal
from tests import cast as people
from tests.cast import Cast
from tests.story import Story, begin, document, put_into, simulated_provider

EVERYBODY = {"conditions": [{"type": "user", "operator": "contains", "values": ["@"]}]}
Verb = Callable[..., Any]


@pytest.fixture
def story(db: None, cast: Cast, settings: LazySettings) -> Iterator[Story]:
    settings.PRODUCTION_TAGS, settings.FOUR_EYES = [("env", "prod")], True
    with simulated_provider():
        yield begin(cast)


@pytest.fixture
def bea(story: Story) -> User:
    return people.person("Bea", Role.ADMIN)


def by(user: User) -> Actor:
    return person(user, Source.ADMIN)


def target(story: Story, name: str, **change: Any) -> dict[str, Any]:
    selectors = [{"mode": "include_resources", "type": "name", "values": [name]}]
    return {**document(story.integration)["targets"][0], "selectors": selectors, **change}


def opening(story: Story, name: str = "orders_prod", **change: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return columns and document of a flow that gives everyone something without approval."""
    columns = {"name": "Open", "approval_mode": "none", "grant_duration_minutes": 60}
    told = document(story.integration, "none", requestors=EVERYBODY, targets=[target(story, name)])
    return columns | change.pop("columns", {}), told | change


def define(story: Story, name: str = "orders_prod", **more: Any) -> AccessFlow:
    change = {key: more.pop(key) for key in list(more) if key not in {"actor", "flow", "after", "second"}}
    columns, told = opening(story, name, **change)
    return actions.define(columns, told, **{"actor": by(story.cast.admin), **more})


def state() -> tuple[int, int, list[Any]]:
    return AccessFlow.objects.count(), FlowVersion.objects.count(), list(Bundle.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((True, True, 51, 100, True), True),
        ((True, True, 50, 100, True), False),
        ((False, True, 100, 100, True), False),
        ((True, False, 100, 100, True), False),
        ((True, True, 100, 100, False), False),
        ((True, True, 0, 0, True), False),
    ],
)
def test_what_is_open_is_decided_by_five_facts(facts: Any, wanted: bool) -> None:
    assert is_open(Opening(*facts)) is wanted


def test_opening_production_to_everyone_is_refused_with_words_and_nothing_changes(story: Story) -> None:
    before = state()
    for actor in (by(story.cast.admin), system()):
        with pytest.raises(
            actions.NeedsSecondAdmin, match=r"env=prod without approval to 4 of 4 people.* second admin"
        ):
            define(story, actor=actor)
    assert state() == before
    assert not Proposal.objects.exists()


def test_what_is_not_all_of_that_takes_one(story: Story) -> None:
    few = {"conditions": [{"type": "user", "operator": "is", "values": ["rita@example.com", "abel@example.com"]}]}
    approved = document(story.integration)["approval"]
    columns: dict[str, dict[str, Any]] = {
        "another": {},
        "half": {},
        "approved": {"approval_mode": "any_of"},
        "off": {"active": False},
    }
    changes: dict[str, dict[str, Any]] = {
        "another": {"name": "orders_dev"},
        "half": {"requestors": few},
        "approved": {"approval": approved},
        "off": {},
    }
    for name, change in changes.items():
        define(story, **change, columns={"name": name, **columns[name]})
    assert AccessFlow.objects.count() == 4


def test_who_could_approve_for_themselves_is_let_in_by_nobody(story: Story) -> None:
    everybody = {"groups": [{"operator": "or", **EVERYBODY}]}
    columns = {"approval_mode": "any_of", "self_approval": True}
    with pytest.raises(actions.NeedsSecondAdmin, match="without approval to 4 of 4 people"):
        define(story, columns=columns, approval=everybody)
    define(story, columns=columns | {"name": "Others"}, approval=document(story.integration)["approval"])
    define(story, columns={"name": "Never themselves", "approval_mode": "any_of"}, approval=everybody)


def test_the_switches_are_settings(story: Story, settings: LazySettings) -> None:
    settings.FOUR_EYES = False
    flow = define(story)
    settings.FOUR_EYES, settings.PRODUCTION_TAGS = True, []
    define(story, columns={"name": "Other"})
    settings.PRODUCTION_TAGS = [("env", "prod")]
    # What did so before goes on to be saved by one.
    define(story, flow=flow, columns={"grant_duration_minutes": 30})


def test_switching_on_restoring_and_bundles_take_two_as_well(story: Story, settings: LazySettings) -> None:
    admin = by(story.cast.admin)
    off = define(story, columns={"active": False})
    with pytest.raises(actions.NeedsSecondAdmin):
        actions.set_active(off, True, actor=admin)
    settings.FOUR_EYES = False
    flow = define(story, columns={"name": "Was open"})
    define(story, "orders_dev", flow=flow, columns={"name": "Was open"})
    settings.FOUR_EYES = True
    with pytest.raises(actions.NeedsSecondAdmin):
        actions.restore(flow, 1, actor=admin)
    bundle = actions.define_bundle("B", [target(story, "orders_dev")], actor=admin)
    given = {"kind": "bundle", "bundle": str(bundle.pk)}
    define(story, columns={"name": "By bundle"}, targets=[given])
    with pytest.raises(actions.NeedsSecondAdmin, match="By bundle would open"):
        actions.define_bundle("B", [target(story, "orders_prod")], actor=admin, bundle=bundle)
    scope = actions.define_scope("S", 'resource_name = "orders_dev"', actor=admin)
    define(story, columns={"name": "By scope"}, targets=[{"kind": "access_scope", "access_scope": str(scope.pk)}])
    with pytest.raises(actions.NeedsSecondAdmin, match="By scope would open"):
        actions.define_scope("S", 'resource_name = "orders_prod"', actor=admin, scope=scope)


def wanted(story: Story, flow: AccessFlow | None = None, **change: Any) -> actions.Wanted:
    columns, told = opening(story, **change)
    after = str(flow.current.number) if flow and flow.current else ""
    return actions.Wanted(
        "define", PolicyKind.FLOW, columns["name"], {"columns": columns, "document": told},
        flow.pk if flow else None, after,
    )  # fmt: skip


def test_a_change_is_made_by_who_proposed_it_once_another_admin_said_yes(story: Story, bea: User) -> None:
    ada = story.cast.admin
    row = actions.propose(wanted(story), actor=by(ada))
    assert not AccessFlow.objects.exists()
    assert "4 of 5 people" in row.why or "5 of 5 people" in row.why
    letters = Letter.objects.filter(kind="proposal")
    assert [one.to.name for one in letters] == ["Bea"]
    settled = actions.accept(row, actor=by(bea))
    assert (settled.state, settled.decided_by) == ("accepted", bea)
    flow = AccessFlow.objects.get()
    assert flow.current is not None
    assert (flow.current.created_by, flow.active) == (ada, True)
    entry = AuditEntry.objects.filter(action="flow.saved").latest("pk")
    assert entry.details["second"] == {"id": str(bea.pk), "name": "Bea"}
    kinds = AuditEntry.objects.filter(action__startswith="proposal.").order_by("pk").values_list("action", flat=True)
    assert list(kinds) == ["proposal.made", "proposal.accepted"]
    assert letters.filter(to=ada).count() == 1
    with pytest.raises(actions.Settled):
        actions.accept(row, actor=by(bea))


def test_who_proposed_cannot_say_yes_and_neither_can_who_is_no_admin(story: Story, bea: User) -> None:
    pia = people.person("Pia", Role.POWER_USER)
    row = actions.propose(wanted(story), actor=by(pia))
    for user in (pia, story.cast.outsider, people.person("Vic", Role.VIEWER)):
        for verb in (actions.accept, actions.refuse):
            with pytest.raises(NotAllowed):
                verb(row, actor=by(user))
    with pytest.raises(NotAllowed):
        actions.accept(row, actor=system())
    with pytest.raises(NotAllowed):
        actions.withdraw(row, actor=by(bea))
    own = actions.propose(wanted(story, columns={"name": "Another"}), actor=by(bea))
    with pytest.raises(NotAllowed):
        actions.accept(own, actor=by(bea))
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(pk=own.pk).update(state="accepted", decided_by=bea, decided_at=own.proposed_at)
    assert not AccessFlow.objects.exists()


def test_no_and_taking_it_back_change_nothing(story: Story, bea: User) -> None:
    ada = story.cast.admin
    first = actions.propose(wanted(story), actor=by(ada))
    assert actions.refuse(first, actor=by(bea), reason="too wide").reason == "too wide"
    second = actions.propose(wanted(story), actor=by(ada))
    assert actions.withdraw(second, actor=by(ada)).state == "withdrawn"
    assert not AccessFlow.objects.exists()


def test_a_proposal_is_overtaken_when_policy_moved_on(story: Story, bea: User) -> None:
    ada = story.cast.admin
    flow = define(story, "orders_dev")
    row = actions.propose(wanted(story, flow), actor=by(ada))
    with pytest.raises(actions.BadFlow, match="waits for a second yes already"):
        actions.propose(wanted(story, flow), actor=by(ada))
    define(story, "orders_dev", flow=flow, columns={"grant_duration_minutes": 5})
    settled = actions.accept(row, actor=by(bea))
    assert (settled.state, settled.reason) == ("overtaken", "Somebody saved this access flow meanwhile.")
    flow.refresh_from_db()
    assert flow.current is not None
    assert (flow.current.number, flow.current.document["duration_seconds"]) == (2, 300)


def test_the_yes_is_to_what_was_shown(story: Story, bea: User) -> None:
    ada = story.cast.admin
    scope = actions.define_scope("S", 'resource_name = "orders_prod"', actor=by(ada))
    given = {"kind": "access_scope", "access_scope": str(scope.pk)}
    row = actions.propose(wanted(story, targets=[given]), actor=by(ada))
    actions.define_scope("S", 'resource_tag["env"] = "prod"', actor=by(ada), scope=scope)
    settled = actions.accept(row, actor=by(bea))
    assert (settled.state, settled.reason) == ("overtaken", "What it would open is something else by now.")
    assert not AccessFlow.objects.exists()


def test_who_may_not_change_policy_any_more_has_their_proposal_overtaken(story: Story, bea: User) -> None:
    pia = people.person("Pia", Role.POWER_USER)
    row = actions.propose(wanted(story), actor=by(pia))
    RoleAssignment.objects.filter(user=pia).delete()
    assert actions.accept(row, actor=by(bea)).state == "overtaken"
    assert not AccessFlow.objects.exists()


def test_what_takes_one_or_what_nobody_could_answer_is_not_proposed(story: Story) -> None:
    ada = by(story.cast.admin)
    with pytest.raises(actions.BadFlow, match="Nobody else is an admin"):
        actions.propose(wanted(story), actor=ada)
    people.person("Bea", Role.ADMIN)
    with pytest.raises(actions.BadFlow, match="takes no second yes"):
        actions.propose(wanted(story, name="orders_dev"), actor=ada)
    with pytest.raises(NotAllowed):
        actions.propose(wanted(story), actor=system())
    with pytest.raises(NotAllowed):
        actions.propose(wanted(story), actor=by(story.cast.outsider))
    assert state()[0] == Proposal.objects.count() == 0


def test_an_accepted_change_that_nobody_could_approve_by_now_is_refused_still(story: Story, bea: User) -> None:
    ada = by(story.cast.admin)
    bundle = actions.define_bundle("B", [target(story, "orders_prod")], actor=ada)
    given = {"kind": "bundle", "bundle": str(bundle.pk)}
    row = actions.propose(wanted(story, targets=[given]), actor=ada)
    actions.delete_bundle(bundle, actor=ada)
    settled = actions.accept(row, actor=by(bea))
    assert settled.state == "overtaken"
    assert "bundle is not there any more" in settled.reason


def test_a_change_of_group_makes_nothing_wider_than_it_is_counted(story: Story, settings: LazySettings) -> None:
    """More than half is counted when the flow is saved; whoever joins the group later is not a change of the flow."""
    put_into("most", story.cast.requester)
    few = {"conditions": [{"type": "group", "operator": "is", "values": ["most"]}]}
    flow = define(story, requestors=few)
    put_into("most", *User.objects.all())
    with pytest.raises(actions.NeedsSecondAdmin):
        define(story, flow=define(story, "orders_dev", columns={"name": "New"}), columns={"name": "New"})
    assert AccessFlow.objects.filter(pk=flow.pk, active=True).exists()
