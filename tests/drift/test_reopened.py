"""Access that is over and yet there: found by a look, ended again without a decision, told, and kept in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from access_requests import actions
from access_requests.actions import declaring
from access_requests.models import AccessGroup, AccessRequest, DriftFinding, Proof
from accounts.choices import Role
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from tests.cast import person
from tests.drift.looking import Looking
from tests.story import put_into, unit


def over(story: Looking) -> AccessRequest:
    """Have access opened, handed back and proven to be over."""
    request, rita = story.granted("orders_prod"), story.cast.requester
    actions.hand_back(request, user=rita, actor=story.by(rita), at=story.now)
    story.work()
    assert story.fresh(request).state == "revoked"
    assert Proof.objects.count() == 1
    return story.fresh(request)


def open_again(story: Looking, request: AccessRequest, *names: str) -> str:
    """Give a grant's login something by hand, at the target."""
    grant = str(request.access_groups.get().pk)
    story.target.holds[str(request.grantee_id)][grant] = {unit(name) for name in names or ("orders_prod",)}
    return grant


def entries(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action))


def test_a_login_that_somebody_opened_again_is_found_and_ended_again(logins: Looking) -> None:
    request = over(logins)
    proof = Proof.objects.get()
    open_again(logins, request)
    logins.look()
    finding = logins.finding()
    assert (finding.kind, finding.state, str(finding)) == ("reopened", "removed", "Read only on server/orders_prod")
    assert finding.before_at == proof.ended_at
    assert not logins.target.held_by(str(request.grantee_id))
    # What was proven was true when it was read, and stays.
    assert list(Proof.objects.values()) == [Proof.objects.filter(pk=proof.pk).values().get()]
    assert logins.fresh(request).state == "revoked"
    (found,), (ended,) = entries("request.reopened"), entries("request.ended_again")
    assert found.subject_id == ended.subject_id == str(request.pk)
    assert found.details["found"] == ["READ_ONLY on orders_prod"]
    assert ended.details["reader"]["digest"]
    assert not AccessGroup.objects.filter(reopened_at__isnull=False).exists()


def test_a_declared_end_that_was_none_is_ended_when_the_target_is_back_and_stays_declared(logins: Looking) -> None:
    request, admin = logins.granted("orders_prod"), logins.cast.admin
    logins.target.down = Unreachable("It burnt down.")
    actions.revoke(request, user=admin, actor=logins.by(admin), reason="gone", at=logins.now)
    logins.later(minutes=5)
    second = person("Bea", Role.ADMIN)
    made = declaring.propose_end(
        logins.fresh(request), user=admin, actor=logins.by(admin), reason="It burnt down.", at=logins.now
    )
    declaring.confirm_end(made, user=second, actor=logins.by(second), at=logins.now)
    assert logins.fresh(request).ended_how == "declared"
    assert logins.target.held_by(str(request.grantee_id))
    logins.target.down = None
    logins.look(hours=25)
    assert not logins.target.held_by(str(request.grantee_id))
    assert logins.finding().state == "removed"
    assert (logins.fresh(request).ended_how, Proof.objects.count()) == ("declared", 0)


def test_the_page_of_the_request_says_so_while_it_is_and_afterwards(logins: Looking, client: Client) -> None:
    request = over(logins)
    client.force_login(request.grantee)
    address = reverse("request_page", args=[request.pk])
    assert "Found open after its end" not in client.get(address).content.decode()
    logins.target.stuck = {open_again(logins, request)}
    logins.look()
    said = client.get(address).content.decode()
    assert "Found open after its end" in said
    assert "its end is ordered again" in said
    logins.target.stuck = set()
    logins.later(hours=2)
    said = client.get(address).content.decode()
    assert "Found open after its end" in said
    assert "ended again," in said
    client.force_login(logins.cast.outsider)
    assert client.get(address).status_code == 404


def test_it_is_never_given_up_and_waits_for_a_decision_of_nobody(logins: Looking) -> None:
    request = over(logins)
    grant = open_again(logins, request)
    logins.target.stuck = {grant}
    logins.look()
    assert logins.open() == ["reopened: Read only on server/orders_prod"]
    for _ in range(3):
        logins.later(hours=2)
    assert len(logins.findings()) == 1
    assert len(entries("request.reopened")) == 1
    logins.target.stuck = set()
    logins.later(hours=2)
    assert logins.finding().state == "removed"
    assert not logins.target.held_by(str(request.grantee_id))


def test_other_access_of_the_person_goes_on_undisturbed(logins: Looking) -> None:
    request = over(logins)
    living = logins.granted("orders_dev")
    open_again(logins, request)
    logins.look()
    assert logins.target.held_by(str(request.grantee_id)) == {unit("orders_dev")}
    assert logins.fresh(living).state == "active"


def test_an_order_about_other_access_ends_it_too(logins: Looking) -> None:
    request = over(logins)
    open_again(logins, request)
    logins.granted("orders_dev")
    assert logins.target.held_by(str(request.grantee_id)) == {unit("orders_dev")}


def test_what_the_login_never_had_is_told_with_it(logins: Looking) -> None:
    request = over(logins)
    open_again(logins, request, "orders_dev")
    logins.look()
    assert "READ_ONLY on orders_dev" in logins.finding().message
    assert not logins.target.held_by(str(request.grantee_id))


def test_it_can_happen_again(logins: Looking) -> None:
    request = over(logins)
    for _ in range(2):
        open_again(logins, request)
        logins.look()
    assert [one.state for one in logins.findings()] == ["removed", "removed"]


@pytest.mark.parametrize("mark", ["", "not a grant", "'; --", "00000000-0000-0000-0000-000000000000"])
def test_a_mark_that_names_no_grant_of_the_person_is_no_news(logins: Looking, mark: str) -> None:
    request = over(logins)
    logins.target.holds[str(request.grantee_id)][mark] = {unit("orders_prod")}
    logins.look()
    assert not logins.findings()


def test_a_grant_of_somebody_else_under_this_persons_name_is_not_touched(logins: Looking) -> None:
    request, other = over(logins), person("Finn")
    put_into("engineers", other)
    theirs = logins.granted("orders_prod", user=other)
    grant = str(theirs.access_groups.get().pk)
    logins.target.holds[str(request.grantee_id)][grant] = {unit("orders_prod")}
    logins.look()
    assert not logins.findings()
    assert logins.fresh(theirs).state == "active"


def test_a_look_from_before_the_end_is_no_news(logins: Looking) -> None:
    request = over(logins)
    AccessGroup.objects.update(ended_at=logins.now + timedelta(hours=1))
    open_again(logins, request)
    logins.look()
    assert not DriftFinding.objects.exists()


def test_a_thread_that_a_crash_lost_is_taken_up_by_the_sweep(logins: Looking) -> None:
    request = over(logins)
    open_again(logins, request)
    # Noticed, and dead before the order was made.
    AccessGroup.objects.update(reopened_at=logins.now)
    logins.later(minutes=1)
    assert not logins.target.held_by(str(request.grantee_id))
    assert len(entries("request.ended_again")) == 1
