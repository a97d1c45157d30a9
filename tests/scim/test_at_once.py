"""Two pushes at once, and a process that dies between: one of two wins, all of a change stands or nothing."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from django.db import connection

from accounts.models import GroupMembership, PushedGroup, PushedPerson, User
from audit.models import AuditEntry
from tests.accounts.threads import together
from tests.scim.directory import Directory, person


def test_of_two_who_push_the_same_person_one_makes_them(fresh_database: str) -> None:
    token = Directory().token
    statuses = together(*(lambda: Directory(token).call("POST", "Users", person("ann")).status for _ in range(3)))
    assert sorted(statuses) == [201, 409, 409]
    assert User.objects.filter(email="ann@example.com").count() == PushedPerson.objects.count() == 1


def test_of_two_who_have_seen_the_same_version_one_changes_it(fresh_database: str) -> None:
    idp = Directory()
    path = f"Users/{idp.person('ann')['id']}"

    def change(title: str) -> int:
        told = {"op": "replace", "path": "title", "value": title}
        return Directory(idp.token).patch(path, told, If_Match='W/"1"').status

    assert sorted(together(lambda: change("a"), lambda: change("b"))) == [200, 412]
    assert PushedPerson.objects.get().version == 2


def test_members_who_join_at_once_are_all_in_and_who_is_deleted_meanwhile_is_not(fresh_database: str) -> None:
    idp = Directory()
    ids = [idp.person(name)["id"] for name in "abcd"]
    group = idp.group("Ops")

    def join(pk: str) -> int:
        told = {"op": "add", "path": "members", "value": [{"value": pk}]}
        return Directory(idp.token).patch(f"Groups/{group['id']}", told).status

    def leave() -> int:
        return Directory(idp.token).call("DELETE", f"Users/{ids[3]}").status

    *joined, left = together(*(lambda pk=pk: join(pk) for pk in ids), leave)
    assert (joined[:3], left) == ([200, 200, 200], 204)
    names = set(GroupMembership.objects.filter(user__pushed__isnull=False).values_list("user__pushed", flat=True))
    assert names == set(ids[:3])


@pytest.mark.parametrize("after", ["accounts.actions.pushing._link", "accounts.actions.pushing._store"])
def test_a_process_that_dies_in_the_middle_leaves_nothing_behind(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    idp = Directory()
    before = AuditEntry.objects.count()
    connection.close()
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(after, _die)
        idp.call("POST", "Users", person("ann"))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert not User.objects.filter(email="ann@example.com").exists()
    assert (PushedPerson.objects.count(), AuditEntry.objects.count()) == (0, before)
    assert Directory(idp.token).call("POST", "Users", person("ann")).status == 201
    assert not PushedGroup.objects.exists()


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
