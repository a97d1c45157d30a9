"""The page of one request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from access_requests import actions
from access_requests.models import AccessRequest, AccessUnit
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from integrations.models import Order
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text


def ago(**delta: float) -> datetime:
    return datetime.now(UTC) - timedelta(**delta)


def test_it_says_who_what_how_long_why_and_by_which_flow(stage: Stage, enter: SignIn) -> None:
    access = stage.ask("orders", "ledger", why="INC-4821: postings are missing.")
    said = text(page(enter(stage.cast.admin), access))
    for words in (
        str(access), "Pending", "Asked for by Rita", "rita@example.com", "1 h", "INC-4821: postings are missing.",
        "Payments data, version 1", "Read only on ledger in payments-prod, and 1 more", "orders",
    ):  # fmt: skip
        assert words in said
    assert access.flow_version.sentence in said


def test_approvers_are_named_with_why_and_what_they_said(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    said = text(page(enter(stage.cast.requester), access))
    assert "needs one approval" in said
    assert "Abel Pending Named by the access flow" in said
    making.approved(access, stage.cast.approver, "Fine for the incident.")
    said = text(page(enter(stage.cast.requester), access))
    assert "Abel Approved Named by the access flow Fine for the incident." in said


def test_the_timeline_tells_each_thing_once_and_in_order(stage: Stage, enter: SignIn) -> None:
    access = stage.active()
    said = text(page(enter(stage.cast.requester), access))
    timeline = said[said.index("Timeline") :]
    told = [
        "Rita asked",
        "Waits for an approver",
        "Abel approved",
        "Fine.",
        "Granting: the connector was told",
        "Active",
    ]
    places = [timeline.index(words) for words in told]
    assert places == sorted(places)
    assert timeline.count("approved") == 1
    assert "Access ends, and the target is read back" in timeline


def test_a_refusal_says_who_and_why(stage: Stage, enter: SignIn) -> None:
    access, abel = stage.ask(), enter(stage.cast.approver)
    response = abel.post(address("reject_request", access), {"reason": "Orders is enough."}, follow=True)
    assert f"{access} was rejected." in text(response)
    said = text(page(enter(stage.cast.requester), access))
    assert "Rejected" in said
    assert "Abel rejected" in said
    assert "Orders is enough." in said
    assert "Not granted" in said


def test_an_approver_says_yes_on_the_page(stage: Stage, enter: SignIn) -> None:
    access, abel = stage.ask(), enter(stage.cast.approver)
    assert "Your answer" in text(page(abel, access))
    abel.post(address("approve_request", access), {"reason": "Fine."})
    stored = AccessRequest.objects.get(pk=access.pk)
    assert stored.state == "approved"
    assert stored.approvals.get().reason == "Fine."
    assert "Your answer" not in text(page(abel, access))


def test_an_answer_is_offered_to_approvers_only(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    for who in (stage.cast.requester, stage.cast.admin):
        client = enter(who)
        assert "Your answer" not in text(page(client, access))
        assert client.post(address("approve_request", access)).status_code == 404
    assert AccessRequest.objects.get(pk=access.pk).state == "pending"


def test_an_answer_to_what_moved_on_says_so(stage: Stage, enter: SignIn) -> None:
    access, abel = stage.ask(), enter(stage.cast.approver)
    actions.cancel(access, user=stage.cast.requester, actor=person(stage.cast.requester, Source.PORTAL))
    response = abel.post(address("approve_request", access), {"reason": "Fine."})
    assert response.status_code == 409
    assert "waits for no answer any more: it is cancelled" in text(response)


def test_a_reason_that_is_wanted_is_asked_for_and_what_was_typed_is_kept(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    response = enter(stage.cast.approver).post(address("reject_request", access), {"reason": "x" * 501})
    assert response.status_code == 422
    assert "x" * 501 in response.content.decode()
    assert AccessRequest.objects.get(pk=access.pk).state == "pending"


def test_units_tell_their_own_state_and_message(stage: Stage, enter: SignIn) -> None:
    access = stage.active("orders", "ledger")
    AccessUnit.objects.filter(resource_path="ledger").update(state="failed", message="Run the set-up file there.")
    AccessRequest.objects.filter(pk=access.pk).update(warning=True)
    said = text(page(enter(stage.cast.requester), access))
    assert "Active, with a warning" in said
    assert "Failed Run the set-up file there." in said


def test_the_grantee_gets_all_details_to_connect(stage: Stage, enter: SignIn) -> None:
    access = stage.active()
    stage.integration.custom_access_details = "Long queries: port 5433."
    stage.integration.save()
    login = access.access_groups.get().login
    said = text(page(enter(stage.cast.requester), access))
    for words in (
        f"psql 'host=db.example.com port=5432 dbname=orders user={login} sslmode=verify-full'",
        f"postgresql://{login}@db.example.com:5432/orders?sslmode=verify-full",
        "Host db.example.com", "Port 5432", "Database orders", f"User {login}", "Encryption verify-full",
        "Long queries: port 5433.",
    ):  # fmt: skip
        assert words in said


def test_details_go_when_access_goes(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    rita.post(address("hand_back_access", access))
    said = text(page(rita, access))
    assert "Revoking" in said
    assert "psql" not in said
    assert "db.example.com" not in said


def test_proof_of_end(stage: Stage, enter: SignIn) -> None:
    due = ago(days=1)
    access = making.ended(stage.active(at=due - timedelta(hours=1)), due_at=due)
    response = page(enter(stage.cast.requester), access)
    said = text(response)
    for words in (
        "Revoked (proven)", "1.4 s", "found nothing, by embedded, this process", "1 session ended", "2 functions ran",
        "revoke.sql", "9f" * 32, "The time ended",
    ):  # fmt: skip
        assert words in said
    assert f'datetime="{due.isoformat(timespec="seconds")}"' in response.content.decode()


def test_before_the_end_the_proof_says_what_is_to_come(stage: Stage, enter: SignIn) -> None:
    said = text(page(enter(stage.cast.requester), stage.active()))
    assert "the target ends it by itself at" in said
    assert "found nothing" not in said


def test_a_declared_end_is_not_called_proven(stage: Stage, enter: SignIn) -> None:
    access = making.ended(stage.active(at=ago(hours=2)), due_at=ago(hours=1))
    AccessRequest.objects.filter(pk=access.pk).update(ended_how="declared")
    said = text(page(enter(stage.cast.requester), access))
    assert "Revoked (declared)" in said
    assert "(proven)" not in said


def test_an_overdue_end_is_loud_and_says_what_is_in_the_way(stage: Stage, enter: SignIn) -> None:
    access = stage.active(at=ago(minutes=101))
    making.ending(access, due_at=ago(minutes=41), overdue=True)
    Order.objects.create(
        integration=stage.integration,
        person=stage.cast.requester,
        verb="apply",
        error={"kind": "unreachable", "message": "db:5432 does not answer.", "fix": "See that the server runs."},
    )
    response = page(enter(stage.cast.requester), access)
    said = text(response)
    assert "Overdue 41 min" in said
    assert "Latchkey keeps trying until it is proven." in said
    assert "db:5432 does not answer. See that the server runs." in said
    assert "is-loud" in response.content.decode()


def test_an_admin_revokes_with_a_reason(stage: Stage, enter: SignIn) -> None:
    access, ada = stage.active(), enter(stage.cast.admin)
    assert "Revoke now" in text(page(ada, access))
    response = ada.post(address("revoke_access", access), {"reason": " "})
    assert response.status_code == 409
    assert "Say why" in text(response)
    ada.post(address("revoke_access", access), {"reason": "Wrong database."})
    stored = AccessRequest.objects.get(pk=access.pk)
    assert (stored.state, stored.end_reason, stored.note) == ("revoking", "revoked_by_admin", "Wrong database.")
    assert "Wrong database." in text(page(enter(stage.cast.requester), access))


def test_an_approver_revokes_what_they_approved(stage: Stage, enter: SignIn) -> None:
    access, abel = stage.active(), enter(stage.cast.approver)
    assert "Revoke now" in text(page(abel, access))
    abel.post(address("revoke_access", access), {"reason": "Enough."})
    assert AccessRequest.objects.get(pk=access.pk).end_reason == "revoked_by_approver"


def test_the_grantee_hands_back_and_does_not_revoke(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    said = text(page(rita, access))
    assert "I’m done" in said
    assert "Revoke now" not in said
    assert rita.post(address("revoke_access", access), {"reason": "x"}).status_code == 404
    assert AccessRequest.objects.get(pk=access.pk).state == "active"


def test_nothing_is_offered_on_what_is_over(stage: Stage, enter: SignIn) -> None:
    access = making.ended(stage.active(at=ago(hours=2)), due_at=ago(hours=1))
    for who, own in ((stage.cast.requester, 1), (stage.cast.approver, 0), (stage.cast.admin, 0)):
        body = page(enter(who), access).content.decode()
        # The forms that stay are those of the account, theme and sign out, and one’s own favourite.
        assert body.count("<form") == 2 + own


def test_the_part_is_what_the_page_includes(stage: Stage, enter: SignIn) -> None:
    access = stage.active()
    rita = enter(stage.cast.requester)
    part = text(rita.get(address("request_part", access))).strip()
    assert part in text(page(rita, access))
    assert "<html" not in rita.get(address("request_part", access)).content.decode()


def test_times_are_the_readers(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    AccessRequest.objects.filter(pk=access.pk).update(requested_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    User.objects.filter(pk=stage.cast.requester.pk).update(time_zone="Asia/Tokyo")
    response = page(enter(stage.cast.requester), access).content.decode()
    assert 'datetime="2026-07-02T07:30:00+09:00" title="2026-07-02 07:30:00 Asia/Tokyo"' in response
    assert "Times in Asia/Tokyo" in response
    assert 'title="2026-07-01 22:30:00 UTC"' in page(enter(stage.cast.admin), access).content.decode()


@pytest.mark.parametrize("state", ["lapsed", "failed"])
def test_what_never_came_to_access_says_why(stage: Stage, enter: SignIn, state: str) -> None:
    access = stage.ask()
    AccessRequest.objects.filter(pk=access.pk).update(
        state=state, ended_at=timezone.now(), note="Nobody answered in time.", end_reason="no_answer"
    )
    said = text(page(enter(stage.cast.requester), access))
    assert state.capitalize() in said
    assert "Nobody answered in time." in said
    assert "Proof of end" not in said


def test_every_state_has_a_page(stage: Stage, enter: SignIn) -> None:
    from access_requests.choices import ICONS, TONES, UNIT_ICONS, RequestState, UnitState

    assert set(ICONS) == set(TONES) == set(RequestState)
    assert set(UNIT_ICONS) == set(UnitState)
    access, rita = stage.active(), enter(stage.cast.requester)
    moment = timezone.now()
    for state in RequestState:
        fields = {"state": state, "due_at": moment, "ended_how": "", "ended_at": None}
        if state == RequestState.REVOKED:
            fields |= {"ended_how": "proven", "ended_at": moment}
        AccessRequest.objects.filter(pk=access.pk).update(**fields)
        response = page(rita, access)
        assert response.status_code == 200
        assert str(state.label) in text(response)
