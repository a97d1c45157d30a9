"""What somebody is given by hand between two grants of the same was there before the second: it is not taken."""

from __future__ import annotations

import pytest

from access_requests import actions
from tests.drift.looking import Looking


@pytest.mark.parametrize("frozen", [False, True], ids=["pending", "approved and waiting"])
def test_what_was_given_by_hand_while_the_next_request_waited_stays(accounts: Looking, frozen: bool) -> None:
    rita, ada = accounts.cast.requester, accounts.cast.admin
    first = accounts.granted("readers")
    second = accounts.ask("readers")
    if frozen:
        ice = actions.freeze(None, actor=accounts.by(ada), reason="a drill", at=accounts.now)
        accounts.approve(second)
    actions.hand_back(first, user=rita, actor=accounts.by(rita), at=accounts.now)
    accounts.work()
    assert accounts.fresh(first).ended_how == "proven"
    assert accounts.groups_of() == set()
    accounts.put("readers")
    if frozen:
        actions.thaw(ice, actor=accounts.by(ada), reason="over", at=accounts.now)
    else:
        accounts.approve(second)
    accounts.work()
    assert accounts.fresh(second).state == "active"
    actions.hand_back(second, user=rita, actor=accounts.by(rita), at=accounts.now)
    accounts.work()
    assert accounts.fresh(second).ended_how == "proven"
    assert accounts.groups_of() == {"readers"}
