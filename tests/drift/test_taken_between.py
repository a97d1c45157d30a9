"""What was standing and is taken by hand while a grant names it: given anew by an order of ours, it ends with that."""

from __future__ import annotations

from access_requests import actions
from tests.drift.looking import Looking


def test_what_an_admin_took_and_we_gave_anew_ends_with_our_grant(accounts: Looking) -> None:
    rita = accounts.cast.requester
    accounts.put("admins")
    held = accounts.granted("admins")
    accounts.take("admins")
    # An order for other access carries it along.
    other = accounts.granted("readers")
    assert accounts.groups_of() == {"admins", "readers"}
    for one in (held, other):
        actions.hand_back(one, user=rita, actor=accounts.by(rita), at=accounts.now)
        accounts.work()
    assert [accounts.fresh(one).ended_how for one in (held, other)] == ["proven", "proven"]
    assert accounts.groups_of() == set()


def test_what_was_standing_all_the_time_stays(accounts: Looking) -> None:
    rita = accounts.cast.requester
    accounts.put("admins")
    held = accounts.granted("admins")
    other = accounts.granted("readers")
    for one in (held, other):
        actions.hand_back(one, user=rita, actor=accounts.by(rita), at=accounts.now)
        accounts.work()
    assert accounts.groups_of() == {"admins"}
