"""Vanished access: ours, should be held, is not there. Shown after a second look, granted again by a click only."""

from __future__ import annotations

import pytest

from access_requests import actions
from access_requests.actions import drifting, grants
from access_requests.drift import FindingState
from access_requests.models import AccessUnit, Proof
from audit.models import AuditEntry
from integrations.models import Order
from tests.drift.looking import Looking
from tests.story import unit

FOR_RITA = "vanished: Read only on server/orders_prod"


def lose(story: Looking, name: str = "orders_prod") -> None:
    """Take a unit away at the target, by hand."""
    for units in story.target.holds[str(story.cast.requester.pk)].values():
        units.discard(unit(name))


def test_a_look_at_what_is_as_it_should_be_finds_nothing_and_changes_nothing(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    before = (logins.fresh(request).state, logins.session(request).credentials_status)
    run = logins.look()
    assert (run.looked, run.failed, run.vanished, run.foreign) == (run.total, 0, 0, 0)
    assert (logins.fresh(request).state, logins.session(request).credentials_status) == before
    assert not logins.findings()
    assert "read_back" in logins.target.seen[-1]


def test_access_that_is_missing_at_two_looks_in_a_row_has_vanished(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    logins.look()
    at = logins.now
    lose(logins)
    run = logins.look()
    assert logins.open() == [FOR_RITA]
    assert run.vanished == 1
    finding = logins.finding()
    assert (finding.before_at, finding.first_seen_at) == (at, logins.now)
    assert logins.fresh(request).state == "active"
    assert AccessUnit.objects.get().state == "active"
    assert AuditEntry.objects.filter(action="drift.vanished").count() == 1


def test_what_is_missing_once_and_there_again_is_shown_to_nobody(logins: Looking, monkeypatch: object) -> None:
    logins.granted("orders_prod")
    rita = str(logins.cast.requester.pk)
    held = {grant: set(units) for grant, units in logins.target.holds[rita].items()}
    lose(logins)
    grants.look_at(logins.cast.requester, logins.integration, at=logins.now)
    actions_before = Order.objects.filter(verb="read_back", state="queued").get()
    from integrations import actions as integration_actions

    integration_actions.run_until_idle(seconds=5, at=lambda: logins.now)
    actions_before.refresh_from_db()
    actions.absorb(actions_before)
    assert logins.finding().state == FindingState.SUSPECTED
    logins.target.holds[rita] = held
    logins.work()
    assert not logins.findings()
    assert not AuditEntry.objects.filter(action="drift.vanished").exists()


def test_what_vanished_is_not_granted_again_by_another_order(logins: Looking) -> None:
    logins.granted("orders_prod")
    lose(logins)
    logins.look()
    logins.granted("orders_dev")
    assert logins.held() == {unit("orders_dev")}
    assert logins.open() == [FOR_RITA]
    logins.look()
    assert logins.held() == {unit("orders_dev")}


@pytest.mark.parametrize("who", ["requester", "admin"])
def test_one_click_grants_it_again_and_the_request_does_not_move(logins: Looking, who: str) -> None:
    request = logins.granted("orders_prod")
    lose(logins)
    logins.look()
    user = getattr(logins.cast, who)
    assert drifting.grant_again(request, user=user, actor=logins.by(user), at=logins.now) == 1
    logins.work()
    assert logins.held() == {unit("orders_prod")}
    finding = logins.finding()
    assert (finding.state, finding.decided_by) == ("granted_again", user)
    assert logins.fresh(request).state == "active"
    entry = AuditEntry.objects.get(action="drift.granted_again")
    assert entry.actor_name == user.name
    # Nothing was left of the grant, so its login was made anew: with credentials that nobody has seen.
    assert logins.session(request).credentials_status == "AVAILABLE"


def test_others_cannot_grant_it_again(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    lose(logins)
    logins.look()
    for user in (logins.cast.outsider, logins.cast.approver):
        with pytest.raises(actions.NotYours):
            drifting.grant_again(request, user=user, actor=logins.by(user), at=logins.now)
    assert logins.held() == set()


def test_granting_again_what_is_not_missing_is_refused(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    rita = logins.cast.requester
    with pytest.raises(actions.NotPossible, match="missing"):
        drifting.grant_again(request, user=rita, actor=logins.by(rita), at=logins.now)


def test_what_somebody_gives_back_by_hand_is_settled_by_itself(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    lose(logins)
    logins.look()
    for units in logins.target.holds[str(logins.cast.requester.pk)].values():
        units.add(unit("orders_prod"))
    logins.look()
    assert logins.finding().state == "gone_by_itself"
    assert logins.fresh(request).state == "active"


def test_access_that_vanished_ends_proven_and_the_finding_with_it(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    lose(logins)
    logins.look()
    actions.hand_back(request, user=logins.cast.requester, actor=logins.by(logins.cast.requester), at=logins.now)
    logins.work()
    assert logins.fresh(request).state == "revoked"
    assert Proof.objects.filter(group__request=request).count() == 1
    assert (logins.finding().state, logins.finding().reason) == ("gone_by_itself", "The access ended.")


def test_a_look_never_takes_the_place_of_an_order_that_is_open(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    actions.hand_back(request, user=logins.cast.requester, actor=logins.by(logins.cast.requester), at=logins.now)
    open_now = Order.objects.get(state="queued")
    assert not grants.look_at(logins.cast.requester, logins.integration, at=logins.now)
    assert Order.objects.get(state="queued") == open_now


def test_an_end_takes_the_place_of_a_look(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    assert grants.look_at(logins.cast.requester, logins.integration, at=logins.now)
    look = Order.objects.get(state="queued")
    actions.hand_back(request, user=logins.cast.requester, actor=logins.by(logins.cast.requester), at=logins.now)
    look.refresh_from_db()
    assert (look.verb, look.state) == ("read_back", "superseded")
    logins.work()
    assert logins.fresh(request).state == "revoked"
