"""Verbs on people and groups, beyond what every action has in common."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test import Client

from accounts import actions
from accounts.choices import ChangeKind, Role
from accounts.models import Attribute, Change, Group, GroupMembership, User
from audit.actor import system
from audit.models import AuditEntry
from tests.accounts.threads import together
from tests.cast import PASSWORD, Cast
from tests.cast import person as somebody

NEW = "correct-horse-battery-2"


def test_an_address_is_one_person_whatever_its_case(db: None) -> None:
    user = actions.create_user("  Eve@Example.COM ", " Eve ", actor=system())
    assert (user.email, user.name, user.has_usable_password()) == ("eve@example.com", "Eve", False)
    before = AuditEntry.objects.count()
    with pytest.raises(actions.AlreadyThere, match=r"eve@example\.com"):
        actions.create_user("EVE@example.com", "Other", actor=system())
    assert (User.objects.count(), AuditEntry.objects.count()) == (1, before)


def test_the_database_itself_refuses_capitals(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="Eve@example.com", name="Eve")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": ""}, "email"),
        ({"email": f"{'x' * 250}@example.com"}, "email"),
        ({"name": " "}, "name"),
        ({"name": "n" * 151}, "name"),
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"password": "short"}, "short"),
        ({"password": "password1234"}, "common"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(db: None, values: dict[str, str], said: str) -> None:
    with pytest.raises(actions.BadValue, match=said):
        actions.create_user(**{"email": "eve@example.com", "name": "Eve", "actor": system()} | values)  # type: ignore[arg-type]
    assert not User.objects.exists()


def test_an_edit_checks_the_same_and_takes_no_ones_address(cast: Cast) -> None:
    for values in ({"email": "x"}, {"name": ""}, {"time_zone": "X"}, {"manager": cast.requester}):
        with pytest.raises(actions.BadValue):
            actions.edit_user(cast.requester, actor=system(), **values)  # type: ignore[arg-type]
    with pytest.raises(actions.AlreadyThere):
        actions.edit_user(cast.requester, actor=system(), email="ABEL@example.com")
    cast.requester.refresh_from_db()
    assert (cast.requester.email, cast.requester.name) == ("rita@example.com", "Rita")


def test_an_edit_leaves_alone_what_it_does_not_name(cast: Cast) -> None:
    actions.edit_user(cast.requester, actor=system(), manager=cast.approver, time_zone="Europe/Berlin")
    assert actions.edit_user(cast.requester, actor=system(), name="Rita R.").manager == cast.approver
    assert actions.edit_user(cast.requester, actor=system(), manager=None).manager is None
    assert User.objects.get(pk=cast.requester.pk).time_zone == "Europe/Berlin"


def test_a_managers_new_address_is_news_of_the_reports_too(cast: Cast) -> None:
    actions.edit_user(cast.requester, actor=system(), manager=cast.approver)
    actions.edit_user(cast.approver, actor=system(), email="abel2@example.com")
    affected = Change.objects.latest("id").payload["users"]
    assert set(affected) == {str(cast.approver.pk), str(cast.requester.pk)}


def test_attributes_become_what_was_said(cast: Cast) -> None:
    actions.set_attributes(cast.requester, [("city", "Berlin"), ("team", "db"), ("team", "db")], actor=system())
    kept = Attribute.objects.get(type="team").pk
    actions.set_attributes(cast.requester, [("city", "Bonn"), ("team", "db")], actor=system())
    assert set(cast.requester.attributes.values_list("type", "value")) == {("city", "Bonn"), ("team", "db")}
    assert Attribute.objects.get(type="team").pk == kept
    with pytest.raises(actions.BadValue):
        actions.set_attributes(cast.requester, [("city", "x" * 301)], actor=system())
    assert cast.requester.attributes.count() == 2


def test_disabling_ends_every_session_at_once_and_for_good(cast: Cast) -> None:
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(cast.requester)
        assert client.get("/account/").status_code == 200
    actions.disable_user(cast.requester, actor=system())
    assert not cast.requester.is_active
    assert cast.requester.disabled_at is not None
    for client in clients:
        assert client.get("/account/").status_code == 302
    actions.enable_user(cast.requester, actor=system())
    assert cast.requester.disabled_at is None
    for client in clients:
        assert client.get("/account/").status_code == 302
    clients[0].force_login(cast.requester)
    assert clients[0].get("/account/").status_code == 200


def test_a_disabled_session_is_over_even_if_it_was_never_used_meanwhile(cast: Cast, client: Client) -> None:
    client.force_login(cast.requester)
    actions.disable_user(cast.requester, actor=system())
    actions.enable_user(cast.requester, actor=system())
    assert client.get("/account/").status_code == 302


def test_a_new_password_ends_every_session(cast: Cast, client: Client) -> None:
    client.force_login(cast.requester)
    actions.set_password(cast.requester, NEW, actor=system())
    assert client.get("/account/").status_code == 302


def test_a_weak_password_changes_nothing(cast: Cast) -> None:
    with pytest.raises(actions.BadValue):
        actions.set_password(cast.requester, "short", actor=system())
    assert User.objects.get(pk=cast.requester.pk).check_password(PASSWORD)


def test_roles_take_effect_at_once(cast: Cast) -> None:
    assert not cast.requester.has_perm("audit.view_auditentry")
    actions.set_roles(cast.requester, [Role.VIEWER, Role.GRANTEE], actor=system())
    assert cast.requester.has_perm("audit.view_auditentry")
    with pytest.raises(ValueError, match="emperor"):
        actions.set_roles(cast.requester, ["emperor"], actor=system())  # type: ignore[list-item]


def test_the_last_active_admin_stays(cast: Cast) -> None:
    gone = somebody("Gone", Role.ADMIN)
    actions.disable_user(gone, actor=system())
    for verb in (
        lambda: actions.disable_user(cast.admin, actor=system()),
        lambda: actions.set_roles(cast.admin, [Role.VIEWER], actor=system()),
        lambda: actions.set_roles(cast.admin, [], actor=system()),
    ):
        with pytest.raises(actions.LastAdmin, match="Ada"):
            verb()
    assert User.objects.get(pk=cast.admin.pk).role_set() == {Role.ADMIN}
    actions.set_roles(cast.admin, [Role.ADMIN, Role.VIEWER], actor=system())
    # A disabled admin does not count, and may be demoted.
    actions.set_roles(gone, [], actor=system())
    actions.set_roles(cast.requester, [Role.ADMIN], actor=system())
    actions.disable_user(cast.admin, actor=system())


@pytest.mark.parametrize("verbs", ["disable disable", "demote demote", "disable demote"])
def test_two_admins_cannot_remove_each_other_at_once(fresh_database: str, verbs: str) -> None:
    use = {
        "disable": lambda user: actions.disable_user(user, actor=system()),
        "demote": lambda user: actions.set_roles(user, [], actor=system()),
    }
    for number in range(5):
        admins = [somebody(f"Admin{number}{side}", Role.ADMIN) for side in "ab"]
        results = together(
            *((lambda user=user, verb=verb: use[verb](user)) for user, verb in zip(admins, verbs.split(), strict=True))
        )
        assert [type(result) for result in results].count(actions.LastAdmin) == 1
        (left,) = User.objects.filter(is_active=True, roles__role=Role.ADMIN)
        # The next round begins with its own two.
        User.objects.filter(pk=left.pk).update(is_active=False)


def test_one_address_created_twice_at_once_is_one_person(fresh_database: str) -> None:
    results = together(*[lambda: actions.create_user("eve@example.com", "Eve", actor=system())] * 3)
    assert sorted(type(result).__name__ for result in results) == ["AlreadyThere", "AlreadyThere", "User"]


def test_attributes_set_twice_at_once_are_one_of_both(fresh_database: str) -> None:
    user = somebody("Eve")
    results = together(
        *[
            (lambda city=city: actions.set_attributes(user, [("city", city)], actor=system()))
            for city in ("A", "B", "C")
        ]
    )
    assert results == [None, None, None]
    assert user.attributes.count() == 1


def test_roles_set_twice_at_once_are_one_of_both(fresh_database: str) -> None:
    user = somebody("Eve", Role.GRANTEE)
    for _ in range(3):
        roles = (Role.VIEWER, Role.POWER_USER, Role.DEPLOYMENT)
        results = together(*[(lambda role=role: actions.set_roles(user, [role], actor=system())) for role in roles])
        assert results == [None, None, None]
        assert user.roles.count() == 1


def test_a_group_that_policy_needs_is_not_deleted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    group = actions.create_group("Ops", actor=system())
    before = AuditEntry.objects.count()

    def protected(self: Group) -> None:
        raise models.ProtectedError("still used", {cast.requester})

    monkeypatch.setattr(Group, "delete", protected)
    with pytest.raises(actions.InUse, match="Rita"):
        actions.delete_group(group, actor=system())
    assert (AuditEntry.objects.count(), Group.objects.count()) == (before, 1)


def test_the_news_of_a_large_group_is_told_in_pieces(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.actions.rules._PER_CHANGE", 2)
    group = actions.create_group("Ops", actor=system())
    people = [somebody(f"P{number}") for number in range(5)]
    GroupMembership.objects.bulk_create(GroupMembership(group=group, user=user) for user in people)
    actions.delete_group(group, actor=system())
    news = Change.objects.filter(kind=ChangeKind.GROUP_CHANGED)
    assert [len(change.payload["users"]) for change in news.order_by("id")] == [2, 2, 1]
    assert {pk for change in news for pk in change.payload["users"]} == {str(user.pk) for user in people}
    assert {change.subject_id for change in news} == {str(group.pk)}


@pytest.mark.parametrize("name", ["", "   ", "g" * 201])
def test_a_group_needs_a_name(db: None, name: str) -> None:
    with pytest.raises(actions.BadValue, match="name"):
        actions.create_group(name, actor=system())
    group = actions.create_group("Ops", actor=system())
    with pytest.raises(actions.BadValue, match="name"):
        actions.rename_group(group, name, actor=system())
    assert Group.objects.get().name == "Ops"


def test_a_failing_record_takes_the_change_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.actions.ACTIONS", {})
    with pytest.raises(LookupError), transaction.atomic():
        actions.disable_user(cast.requester, actor=system())
    assert User.objects.get(pk=cast.requester.pk).is_active
    assert connection.in_atomic_block
