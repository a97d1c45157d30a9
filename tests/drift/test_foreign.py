"""Foreign access: not ours, not standing at the first look. Reported with since-when, and left to people to decide."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access_requests import actions
from access_requests.actions import drifting
from access_requests.models import AccessRequest, Proof, StandingRecord
from accounts.actions import NotAllowed
from audit.models import AuditEntry
from flows.actions import BadFlow
from tests.drift.looking import Looking, member
from tests.story import flow, put_into, unit


def found(story: Looking) -> None:
    """Look, put Rita into the admins by hand, look again."""
    story.look()
    story.put("admins")
    story.look(hours=25)


def test_what_is_there_at_the_first_look_is_standing_and_no_drift(accounts: Looking) -> None:
    accounts.put("admins")
    accounts.look()
    accounts.look()
    assert not accounts.findings()
    assert [one.resource for one in StandingRecord.objects.all()] == ["admins"]


def test_what_comes_later_is_foreign_with_since_when_also_of_who_never_asked(accounts: Looking) -> None:
    accounts.look()
    before = accounts.now
    accounts.put("admins", accounts.cast.outsider)
    run = accounts.look(hours=25)
    finding = accounts.finding()
    assert accounts.open() == ["foreign: Member on directory/admins"]
    assert (finding.person, finding.login) == (accounts.cast.outsider, "account")
    assert (finding.before_at, finding.first_seen_at) == (before, accounts.now)
    assert run.foreign == 1
    assert not StandingRecord.objects.exists()
    assert AuditEntry.objects.filter(action="drift.foreign").count() == 1


def test_foreign_access_is_found_once_and_never_taken(accounts: Looking) -> None:
    found(accounts)
    for _ in range(3):
        accounts.look()
    assert accounts.finding().last_seen_at == accounts.now
    accounts.granted("readers")
    assert accounts.groups_of() == {"admins", "readers"}


def test_foreign_access_outlives_a_grant_of_the_same(accounts: Looking) -> None:
    found(accounts)
    request = accounts.granted("admins")
    rita = accounts.cast.requester
    actions.hand_back(request, user=rita, actor=accounts.by(rita), at=accounts.now)
    accounts.work()
    assert accounts.fresh(request).state == "revoked"
    assert accounts.groups_of() == {"admins"}
    accounts.look()
    assert accounts.open() == ["foreign: Member on directory/admins"]


def test_what_goes_away_is_settled_and_what_comes_again_is_found_anew(accounts: Looking) -> None:
    found(accounts)
    accounts.take("admins")
    accounts.look()
    assert accounts.finding().state == "gone_by_itself"
    accounts.put("admins")
    accounts.look()
    assert [one.state for one in accounts.findings()] == ["gone_by_itself", "open"]


def test_standing_access_that_goes_and_comes_again_is_foreign(accounts: Looking) -> None:
    accounts.put("admins")
    accounts.look()
    accounts.take("admins")
    accounts.look(hours=12)
    accounts.put("admins")
    accounts.look()
    assert not accounts.open()
    accounts.take("admins")
    accounts.look(hours=25)
    accounts.put("admins")
    accounts.look()
    assert accounts.open() == ["foreign: Member on directory/admins"]


def test_accepted_access_is_standing_from_then_on(accounts: Looking) -> None:
    found(accounts)
    ada = accounts.cast.admin
    drifting.accept(accounts.finding(), user=ada, actor=accounts.by(ada), reason="she keeps it", at=accounts.now)
    accounts.look()
    assert (accounts.finding().state, accounts.finding().reason) == ("accepted", "she keeps it")
    assert StandingRecord.objects.get().resource == "admins"
    assert AuditEntry.objects.get(action="drift.accepted").details["reason"] == "she keeps it"


def test_adopted_access_ends_like_any_other_proven(accounts: Looking) -> None:
    found(accounts)
    ada = accounts.cast.admin
    request = drifting.adopt(
        accounts.finding(), user=ada, actor=accounts.by(ada), reason="by ticket 7", seconds=600, at=accounts.now
    )
    accounts.work()
    request = accounts.fresh(request)
    assert (request.state, request.grantee, request.duration_seconds) == ("active", accounts.cast.requester, 600)
    assert request.transitions.get(to_state="approved").reason == "Adopted by Ada: by ticket 7"
    assert not request.approvals.exists()
    accounts.look()
    assert accounts.finding().state == "adopted"
    accounts.later(seconds=601)
    assert accounts.fresh(request).state == "revoked"
    assert accounts.fresh(request).ended_how == "proven"
    assert Proof.objects.get(group__request=request).found == []
    assert accounts.groups_of() == set()
    accounts.look()
    assert not accounts.open()


def test_removed_access_is_taken_over_and_ended_at_once(accounts: Looking) -> None:
    found(accounts)
    ada = accounts.cast.admin
    request = drifting.remove(accounts.finding(), user=ada, actor=accounts.by(ada), reason="no", at=accounts.now)
    accounts.later(seconds=0)
    accounts.later(seconds=2)
    assert (accounts.fresh(request).state, accounts.groups_of()) == ("revoked", set())
    assert accounts.finding().state == "removed"


def test_removing_asks_no_flow_to_name_the_person(accounts: Looking) -> None:
    otto, ada = accounts.cast.outsider, accounts.cast.admin
    accounts.look()
    accounts.put("admins", otto)
    accounts.look(hours=25)
    with pytest.raises(actions.NotPossible, match="No access flow gives Otto Member on directory/admins"):
        drifting.adopt(accounts.finding(), user=ada, actor=accounts.by(ada), reason="x", at=accounts.now)
    assert not AccessRequest.objects.exists()
    drifting.remove(accounts.finding(), user=ada, actor=accounts.by(ada), reason="no", at=accounts.now)
    accounts.later(seconds=0)
    accounts.later(seconds=2)
    assert accounts.groups_of(otto) == set()
    assert accounts.finding().state == "removed"


def test_what_could_not_be_adopted_waits_for_a_decision_again(accounts: Looking) -> None:
    found(accounts)
    ada = accounts.cast.admin
    request = drifting.adopt(accounts.finding(), user=ada, actor=accounts.by(ada), reason="x", at=accounts.now)
    put_into("engineers").memberships.all().delete()
    accounts.work()
    assert accounts.fresh(request).state == "lapsed"
    accounts.look()
    assert accounts.open() == ["foreign: Member on directory/admins"]
    assert accounts.groups_of() == {"admins"}


@pytest.mark.parametrize("verb", [drifting.accept, drifting.adopt, drifting.remove])
def test_only_who_may_decide_decides_and_never_without_a_reason(accounts: Looking, verb: object) -> None:
    found(accounts)
    rita, ada = accounts.cast.requester, accounts.cast.admin
    with pytest.raises(NotAllowed):
        verb(accounts.finding(), user=rita, actor=accounts.by(rita), reason="mine", at=accounts.now)  # type: ignore[operator]
    with pytest.raises(actions.NotPossible, match="why"):
        verb(accounts.finding(), user=ada, actor=accounts.by(ada), reason=" ", at=accounts.now)  # type: ignore[operator]
    assert accounts.finding().state == "open"


def test_a_login_that_we_did_not_make_is_left_to_its_owner(logins: Looking) -> None:
    logins.look()
    logins.target.standing = [unit("orders_prod")]
    logins.look(hours=25)
    finding = next(one for one in logins.findings() if one.person == logins.cast.requester)
    ada = logins.cast.admin
    assert "standing_login" in drifting.by_hand(finding)
    with pytest.raises(actions.NotPossible, match="a login of its own"):
        drifting.remove(finding, user=ada, actor=logins.by(ada), reason="no", at=logins.now)
    request = drifting.adopt(finding, user=ada, actor=logins.by(ada), reason="x", seconds=600, at=logins.now)
    logins.work()
    finding.refresh_from_db()
    assert (logins.fresh(request).state, finding.state, finding.request) == ("active", "open", request)
    assert logins.held() == {unit("orders_prod")}
    with pytest.raises(actions.NotPossible, match="already"):
        drifting.adopt(finding, user=ada, actor=logins.by(ada), reason="x", at=logins.now)
    logins.later(seconds=601)
    logins.look()
    finding.refresh_from_db()
    assert (logins.fresh(request).state, finding.state) == ("revoked", "open")


def test_a_look_at_what_cannot_be_read_whole_says_nothing_of_it(logins: Looking) -> None:
    from connectors.contract.orders import Unit

    logins.look()
    logins.target.standing = [Unit("other", "shop/privileges that cannot be read", "no"), unit("orders_prod")]
    logins.look(hours=25)
    assert not logins.findings()


def test_what_was_there_before_the_first_look_of_all_is_standing_after_a_grant_too(accounts: Looking) -> None:
    accounts.put("admins")
    accounts.granted("readers")
    accounts.now += timedelta(hours=1)
    accounts.look()
    assert not accounts.findings()
    assert member("admins") in accounts.accounts.members[str(accounts.cast.requester.pk)]


def test_a_flow_that_says_so_removes_foreign_access_of_people_it_does_not_name(accounts: Looking) -> None:
    otto = accounts.cast.outsider
    found(accounts)
    accounts.put("admins", otto)
    accounts.put("readers", otto)
    accounts.look(hours=25)
    assert len(accounts.open()) == 3
    given = {
        "integration": str(accounts.integration.pk),
        "resource_type": "group",
        "permissions": ["MEMBER"],
        "selectors": [{"mode": "include_resources", "type": "name", "values": ["admins"]}],
    }
    columns = {
        "trigger": "automatic", "indefinite": True, "grant_duration_minutes": None, "justification_required": False,
        "removes_foreign": True,
    }  # fmt: skip
    told = flow(accounts.integration, "Admins", "none", targets=[given], columns=columns)
    assert told.current is not None
    assert "who has it from elsewhere, and is not named here, loses it" in told.current.sentence
    accounts.look()
    accounts.later(seconds=2)
    # Rita is named, readers are not what it gives: both are left to people.
    assert (accounts.groups_of(otto), accounts.groups_of()) == ({"readers"}, {"admins"})
    removed = accounts.finding(state="removed")
    assert (removed.person, removed.decided_by, removed.decided_name) == (otto, None, "The access flow Admins")
    assert removed.request is not None
    assert removed.request.state == "revoked"
    assert len(accounts.open()) == 2


def test_a_flow_that_is_asked_for_may_not_remove_foreign_access(accounts: Looking) -> None:
    with pytest.raises(BadFlow, match="Only an automatic flow"):
        flow(accounts.integration, "Asked", columns={"removes_foreign": True}, targets=[])
