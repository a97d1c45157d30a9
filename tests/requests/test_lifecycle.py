"""The machine: State × State, lost races, and what the database itself refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from access_requests.choices import FINAL, HOLDS_ACCESS, TONES, WAITING, RequestState, in_client_api, in_older_api
from access_requests.lifecycle import MOVES, IllegalMove, move
from access_requests.models import AccessRequest, Transition
from audit import queries as trail
from audit.actor import system
from tests.story import NOON, Story

# The columns that the database wants in a state; what an action sets along with the move.
WANTED = {
    RequestState.ACTIVE: {"activated_at": NOON, "ends_at": NOON + timedelta(hours=1)},
    RequestState.REVOKING: {"due_at": NOON},
    RequestState.REVOKED: {"ended_at": NOON, "ended_how": "proven"},
}
# product.md section 2, written down a second time: "may go to".
TABLE = {
    "initializing": "pending_mfa pending approved rejected cancelled lapsed",
    "pending_mfa": "pending approved cancelled lapsed",
    "pending": "approved rejected cancelled lapsed",
    "approved": "granting cancelled lapsed",
    "granting": "active failed revoking",
    "active": "revoking",
    "revoking": "revoked",
}


def put(request: AccessRequest, state: RequestState) -> AccessRequest:
    """Put a request into a state by hand."""
    fields = {"ended_how": ""} | WANTED.get(state, {})
    AccessRequest.objects.filter(pk=request.pk).update(state=state, **fields)
    return AccessRequest.objects.get(pk=request.pk)


@pytest.mark.parametrize("origin", list(RequestState))
def test_every_move_is_in_the_table_or_refused(story: Story, origin: RequestState) -> None:
    request = story.ask("orders_prod")
    for to in RequestState:
        row = put(request, origin)
        before = Transition.objects.count()
        if to in TABLE.get(origin, "").split():
            assert move(row, to, actor=system(), at=NOON, **WANTED.get(to, {}))
            last = Transition.objects.last()
            assert last is not None
            assert (last.from_state, last.to_state) == (origin, to)
            entry = trail.of_subject("request", str(request.pk)).order_by("-id").first()
            assert entry is not None
            assert entry.action == f"request.{to.value}"
        else:
            with pytest.raises(IllegalMove):
                move(row, to, actor=system(), at=NOON)
            assert Transition.objects.count() == before
            assert story.fresh(request).state == origin


def test_a_lost_race_changes_nothing_and_is_no_error(story: Story) -> None:
    request = story.ask("orders_prod")
    mine, theirs = story.fresh(request), story.fresh(request)
    assert move(theirs, RequestState.CANCELLED, actor=system(), at=NOON)
    assert not move(mine, RequestState.APPROVED, actor=system(), at=NOON)
    assert story.fresh(request).state == "cancelled"
    assert Transition.objects.filter(request=request, to_state="approved").count() == 0


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ("active", {"activated_at": None}),
        ("active", {"activated_at": NOON, "ends_at": None, "duration_seconds": 60}),
        ("revoking", {"due_at": None}),
        ("revoked", {"ended_at": NOON, "ended_how": ""}),
        ("revoked", {"ended_at": None, "ended_how": "proven"}),
        ("active", {"activated_at": NOON, "ends_at": NOON, "ended_how": "proven"}),
    ],
)
def test_the_database_refuses_what_must_never_be(story: Story, state: str, fields: dict) -> None:
    request = story.ask("orders_prod")
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessRequest.objects.filter(pk=request.pk).update(state=state, **fields)


def test_every_state_has_its_looks_and_both_outer_names() -> None:
    for state in RequestState:
        assert state in TONES
        assert in_client_api(state)
        assert in_older_api(state).isupper()
    assert not set(FINAL) & set(HOLDS_ACCESS)
    assert not set(WAITING) & set(HOLDS_ACCESS)
    assert {state for state, moves in MOVES.items() if not moves} == set(FINAL)
