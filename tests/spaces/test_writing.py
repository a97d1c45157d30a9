"""Who writes what in which space: owners and managers there, and nothing elsewhere."""

from __future__ import annotations

import pytest

from accounts.actions import NotAllowed, create_group
from accounts.actions import add_member as join
from accounts.choices import Role, SpaceRole
from accounts.models import User
from audit.actor import system
from audit.models import AuditEntry
from flows import actions
from flows.actions import BadFlow, StillNeeded
from flows.findings import doubts
from flows.models import AccessFlow, Space, SpaceMember
from integrations import actions as systems
from tests.cast import person
from tests.spaces.conftest import Realm, account_flow


def again(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_a_manager_writes_a_flow_in_their_space_and_it_reaches_only_that(realm: Realm) -> None:
    flow = realm.flow()
    assert flow.current is not None
    assert flow.current.document["space"]["name"] == "Payments"
    assert "only what the space “Payments” covers" in flow.current.sentence
    (doubt,) = [one.text for one in doubts(flow.current.document) if "covers" in one.text]
    assert "of which the space “Payments” covers" in doubt
    entry = AuditEntry.objects.filter(action="flow.saved").latest("pk")
    assert entry.details["after"]["space"]["id"] == str(realm.space.pk)


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_owner_and_manager_write_flows_bundles_and_scopes(realm: Realm, who: str) -> None:
    actor = realm.by(getattr(realm, who))
    space = str(realm.space.pk)
    flow = realm.flow(actor=actor)
    kit = actions.define_bundle("Kit", realm.document()["targets"], actor=actor, space=space)
    scope = actions.define_scope("Mine", 'resource_name contains "dev"', actor=actor, space=space)
    actions.define_bundle("Kit", realm.document()["targets"], actor=actor, bundle=kit, description="More")
    actions.set_active(flow, False, actor=actor)
    actions.restore(AccessFlow.objects.get(pk=flow.pk), 1, actor=actor)
    for delete, row in ((actions.delete, flow), (actions.delete_bundle, kit), (actions.delete_scope, scope)):
        delete(row, actor=actor)


def test_a_manager_of_another_space_and_the_account_at_large_fail(realm: Realm) -> None:
    flow, space = realm.flow(), str(realm.space.pk)
    kit = actions.define_bundle("Kit", realm.document()["targets"], actor=system(), space=space)
    scope = actions.define_scope("Mine", 'resource_name contains "dev"', actor=system(), space=space)
    common = account_flow(realm.story.integration, "Common")
    actor, before = realm.by(realm.stranger), AuditEntry.objects.count()
    attempts = [
        lambda: realm.flow("Theirs", actor=actor),
        lambda: actions.define(realm.columns(space=realm.other), realm.document(), actor=actor, flow=flow),
        lambda: actions.define({"space": ""}, realm.document(), actor=actor, flow=flow),
        lambda: actions.define({"space": str(realm.other.pk)}, realm.document(), actor=actor, flow=common),
        lambda: actions.set_active(flow, False, actor=actor),
        lambda: actions.restore(flow, 1, actor=actor),
        lambda: actions.delete(flow, actor=actor),
        lambda: actions.run_now(flow, actor=actor),
        lambda: actions.define_bundle("New", realm.document()["targets"], actor=actor),
        lambda: actions.define_bundle("Kit", realm.document()["targets"], actor=actor, bundle=kit),
        lambda: actions.delete_bundle(kit, actor=actor),
        lambda: actions.define_scope("Mine", 'resource_name = "x"', actor=actor, scope=scope),
        lambda: actions.define_scope("Development", 'resource_name = "x"', actor=actor, scope=realm.dev),
        lambda: actions.delete_scope(scope, actor=actor),
        lambda: actions.define_space("Payments", [], actor=actor, space=realm.space),
        lambda: actions.define_space("Mine", [], actor=actor),
        lambda: actions.add_member(realm.space, realm.stranger, SpaceRole.OWNER, actor=actor),
        lambda: actions.add_member(realm.other, realm.stranger, SpaceRole.OWNER, actor=actor),
        lambda: actions.remove_member(realm.space.members.first(), actor=actor),  # type: ignore[arg-type]
        lambda: actions.delete_space(realm.other, actor=actor),
        lambda: actions.define_webhook({"name": "W", "url": "https://x.example.com/"}, actor=actor),
        lambda: systems.sync(realm.story.integration, actor=actor),
    ]
    for number, attempt in enumerate(attempts):
        with pytest.raises(NotAllowed):
            attempt()
            raise AssertionError(number)
    assert AuditEntry.objects.count() == before
    assert Space.objects.get(name="Payments").scopes.count() == 1


def test_a_manager_does_not_move_their_flow_out_of_the_boundary(realm: Realm) -> None:
    flow = realm.flow()
    for place in ("", str(realm.other.pk)):
        with pytest.raises(NotAllowed):
            actions.define(
                realm.columns() | {"space": place}, realm.document(), actor=realm.by(realm.manager), flow=flow
            )
    moved = actions.define(
        realm.columns() | {"space": ""}, realm.document(), actor=realm.by(realm.story.cast.admin), flow=flow
    )
    assert moved.current is not None
    assert "space" not in moved.current.document


def test_what_lies_beyond_the_space_is_refused_in_words(realm: Realm) -> None:
    actor, space = realm.by(realm.manager), str(realm.space.pk)
    with pytest.raises(BadFlow, match="A query lies beyond the space “Payments”"):
        realm.flow(targets=[realm.beyond()])
    with pytest.raises(BadFlow, match="lies beyond the space"):
        actions.define_bundle("Kit", [realm.beyond()], actor=actor, space=space)
    with pytest.raises(BadFlow, match="lies beyond the space"):
        actions.define_scope("Prod", realm.beyond()["query"], actor=actor, space=space)
    empty = actions.define_space("Empty", [], actor=system())
    with pytest.raises(BadFlow, match="covers nothing yet"):
        actions.define(realm.columns(space=empty), realm.document(), actor=system())


def test_bundles_and_scopes_of_a_space_are_named_only_in_it(realm: Realm) -> None:
    space = str(realm.space.pk)
    kit = actions.define_bundle("Kit", realm.document()["targets"], actor=system(), space=space)
    scope = actions.define_scope("Mine", 'resource_name contains "dev"', actor=system(), space=space)
    named = [{"kind": "bundle", "bundle": str(kit.pk)}, {"kind": "access_scope", "access_scope": str(scope.pk)}]
    realm.flow("Inside", targets=named)
    for target in named:
        with pytest.raises(BadFlow, match="only policy of that space names it"):
            account_flow(realm.story.integration, "Outside", targets=[target])
        with pytest.raises(BadFlow, match="only policy of that space names it"):
            actions.define(realm.columns("Other", realm.other), realm.document(targets=[target]), actor=system())
    with pytest.raises(BadFlow, match="only policy of that space names it"):
        actions.define_bundle("Account", [named[1]], actor=system())
    with pytest.raises(BadFlow, match="lies in a space itself"):
        actions.define_space("Third", [scope], actor=system())
    with pytest.raises(BadFlow, match="It cannot lie in a space while"):
        actions.define_scope("Development", realm.dev.query, scope=realm.dev, actor=system(), space=space)
    with pytest.raises(BadFlow, match="It cannot lie in a space while access flow Inside"):
        actions.define_bundle("Kit", realm.document()["targets"], bundle=kit, actor=system(), space=str(realm.other.pk))


def test_a_new_boundary_reaches_every_flow_of_the_space(realm: Realm) -> None:
    flow, actor = realm.flow(), realm.by(realm.story.cast.admin)
    wide = actions.define_scope("Everything", 'resource_type = "database"', actor=system())
    actions.define_space("Payments", [realm.dev, wide], actor=actor, space=realm.space)
    flow.refresh_from_db()
    assert flow.current is not None
    assert (flow.current.number, len(flow.current.document["space"]["scopes"])) == (2, 2)
    # A scope of the boundary that changes does as well; and what takes access away is never refused.
    actions.define_scope("Everything", 'resource_name = "none"', scope=wide, actor=actor)
    actions.define_scope("Development", 'resource_name = "none"', scope=realm.dev, actor=actor)
    flow.refresh_from_db()
    assert flow.current is not None
    assert flow.current.number == 4
    assert {one["query"] for one in flow.current.document["space"]["scopes"]} == {'resource_name = "none"'}
    actions.define_space("Payments", [], actor=actor, space=realm.space)
    flow.refresh_from_db()
    assert (flow.current.number, flow.current.document["space"]["scopes"]) == (5, [])
    assert "space.saved" in AuditEntry.objects.values_list("action", flat=True)


def test_an_owner_invites_and_a_manager_does_not(realm: Realm) -> None:
    friend = person("Fred", Role.GRANTEE)
    with pytest.raises(NotAllowed):
        actions.add_member(realm.space, friend, SpaceRole.MANAGER, actor=realm.by(realm.manager))
    made = actions.add_member(realm.space, friend, SpaceRole.MANAGER, actor=realm.by(realm.owner))
    assert actions.add_member(realm.space, friend, SpaceRole.MANAGER, actor=realm.by(realm.owner)) == made
    realm.flow("By a friend", actor=realm.by(friend))
    actions.remove_member(made, actor=realm.by(realm.owner))
    with pytest.raises(NotAllowed):
        realm.flow("No more", actor=realm.by(friend))
    told = AuditEntry.objects.filter(action__startswith="space.member").order_by("pk")
    assert [(one.action, one.details["who"]) for one in told][-2:] == [
        ("space.member_added", "fred@example.com"),
        ("space.member_removed", "fred@example.com"),
    ]


def test_a_group_holds_the_role_for_whoever_is_in_it(realm: Realm) -> None:
    team = create_group("Team", actor=system())
    actions.add_member(realm.space, team, SpaceRole.MANAGER, actor=system())
    fred = person("Fred", Role.GRANTEE)
    assert not fred.is_staff
    join(team, fred, actor=system())
    assert again(fred).is_staff
    realm.flow("By the team", actor=realm.by(fred))
    assert SpaceMember.objects.filter(group=team).count() == 1


def test_who_is_disabled_may_nothing_in_a_space(realm: Realm) -> None:
    flow = realm.flow()
    User.objects.filter(pk=realm.manager.pk).update(is_active=False)
    assert not again(realm.manager).has_perm("flows.change_accessflow", flow)
    assert not again(realm.manager).may_somewhere("flows.add_accessflow")
    with pytest.raises(NotAllowed):
        actions.set_active(flow, False, actor=realm.by(realm.manager))


def test_a_space_in_which_something_lies_is_not_deleted(realm: Realm) -> None:
    realm.flow()
    with pytest.raises(StillNeeded, match="In this space lie Mine"):
        actions.delete_space(realm.space, actor=system())
    with pytest.raises(StillNeeded, match="the space Other"):
        actions.delete_scope(realm.dev, actor=system())
    actions.delete_space(realm.other, actor=realm.by(realm.story.cast.admin))
    assert not again(realm.stranger).is_staff


def test_a_space_has_a_name_of_at_most_64_characters_that_no_other_has(realm: Realm) -> None:
    for name in ("", "x" * 65, "Other"):
        with pytest.raises(BadFlow):
            actions.define_space(name, [], actor=system(), space=realm.space)
    assert actions.define_space("x" * 64, [], actor=system()).name == "x" * 64
