"""People from outside: who invites them, until when they stay, and what they do before anything else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts import actions, factors
from accounts.choices import LetterKind, Role
from accounts.models import Letter, SignInLink, User
from accounts.queries import facts_of, unanswered_for, why_cannot_ask
from audit.actor import person, system
from audit.choices import Source
from audit.models import AuditEntry
from integrations.models import Connector, Integration, IntegrationOwner
from tests.cast import Cast
from tests.cast import person as somebody
from tests.story import put_into

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def by(user: User) -> Any:
    return person(user, Source.PORTAL)


def invite(host: User, at: datetime = NOON, days: float = 30, **more: Any) -> User:
    return actions.invite("Vera@Vendor.example", "Vera", at + days * DAY, actor=by(host), at=at, **more)


def owned(**whose: Any) -> Integration:
    """Make an integration with an owner."""
    made = Integration.objects.create(
        name="shop", type="postgresql", connector=Connector.objects.create(name="embedded"), config={}
    )
    IntegrationOwner.objects.create(integration=made, **whose)
    return made


def test_who_is_invited_is_a_grantee_from_outside_with_an_end_and_somebody_who_answers(cast: Cast) -> None:
    vera = User.objects.get(pk=invite(cast.admin, note="The audit\nof May").pk)
    assert (vera.email, vera.is_outside, vera.invited_by, vera.leaves_at) == (
        "vera@vendor.example",
        True,
        cast.admin,
        NOON + 30 * DAY,
    )
    assert (vera.role_set(), vera.has_usable_password(), vera.is_staff) == ({Role.GRANTEE}, False, False)
    assert facts_of([vera])[vera.pk].outside
    assert not facts_of([cast.requester])[cast.requester.pk].outside
    assert AuditEntry.objects.get(action="user.invited").actor_id == str(cast.admin.pk)


def test_the_owner_of_an_integration_may_invite_alone_or_in_a_group_and_nobody_else(cast: Cast) -> None:
    for other in (cast.requester, cast.approver, somebody("Paul", Role.POWER_USER, Role.VIEWER, Role.DEPLOYMENT)):
        with pytest.raises(actions.NotAllowed):
            invite(other)
    integration = owned(user=cast.requester)
    first = invite(cast.requester)
    assert first.invited_by == cast.requester
    # An owner may invite, and still may not make people.
    with pytest.raises(actions.NotAllowed):
        actions.create_user("x@example.com", "X", actor=by(cast.requester))
    IntegrationOwner.objects.create(integration=integration, group=put_into("owners", cast.approver))
    with pytest.raises(actions.AlreadyThere):
        invite(cast.approver)
    IntegrationOwner.objects.filter(user=cast.requester).delete()
    with pytest.raises(actions.NotAllowed):
        actions.invite("y@vendor.example", "Y", NOON + DAY, actor=by(cast.requester), at=NOON)


def test_the_disabled_those_from_outside_and_the_platform_invite_nobody(cast: Cast) -> None:
    vera = invite(cast.admin)
    owned(user=vera)
    with pytest.raises(actions.NotAllowed):
        actions.invite("y@vendor.example", "Y", NOON + DAY, actor=by(vera), at=NOON)
    with pytest.raises(actions.NotAllowed):
        actions.invite("y@vendor.example", "Y", NOON + DAY, actor=system(), at=NOON)
    somebody("Other", Role.ADMIN)
    actions.disable_user(cast.admin, actor=system())
    with pytest.raises(actions.NotAllowed):
        actions.invite("y@vendor.example", "Y", NOON + DAY, actor=by(cast.admin), at=NOON)


@pytest.mark.parametrize("days", [0, -1, 365.01])
def test_a_stay_ends_in_a_year_at_most_and_not_before_now(cast: Cast, days: float) -> None:
    with pytest.raises(actions.BadValue):
        invite(cast.admin, days=days)
    assert not User.objects.filter(is_outside=True).exists()
    vera = invite(cast.admin, days=365)
    with pytest.raises(actions.BadValue):
        actions.extend_stay(vera, NOON + days * DAY, actor=by(cast.admin), at=NOON)


def test_the_database_itself_wants_somebody_who_answers_and_an_end(cast: Cast) -> None:
    vera = invite(cast.admin)
    for gone in ({"invited_by": None}, {"leaves_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=vera.pk).update(**gone)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.GRANTEE])
def test_nobody_from_outside_gets_a_role_but_grantee(cast: Cast, role: Role) -> None:
    vera = invite(cast.admin)
    with pytest.raises(actions.BadValue):
        actions.set_roles(vera, [Role.GRANTEE, role], actor=by(cast.admin))
    assert User.objects.get(pk=vera.pk).role_set() == {Role.GRANTEE}


def test_nobody_from_outside_stands_in_for_anybody(cast: Cast) -> None:
    with pytest.raises(actions.BadValue):
        actions.delegate(cast.approver, invite(cast.admin), NOON, NOON + DAY, actor=by(cast.approver), at=NOON)


def test_the_link_is_made_when_the_letter_leaves_and_lies_nowhere(cast: Cast) -> None:
    vera = invite(cast.admin, at=timezone.now(), note="<b>welcome</b>")
    letter = Letter.objects.get(kind=LetterKind.INVITATION)
    assert (letter.to, SignInLink.objects.count()) == (vera, 0)
    sent = sent_text(letter)
    token = re.search(r"/sign-in/([\w-]+)", sent)
    assert token is not None
    assert SignInLink.objects.count() == 1
    letter.refresh_from_db()
    assert token[1] not in letter.text + letter.html
    assert actions.use_sign_in_link(token[1]) == vera
    with pytest.raises(actions.LinkRefused):
        actions.use_sign_in_link(token[1])


def sent_text(letter: Letter) -> str:
    """Return the text of a letter as it leaves."""
    from accounts.actions import letters

    return letters._with_link(letter)[0]


def test_only_who_answers_for_them_and_admins_extend_and_end_a_stay(cast: Cast) -> None:
    owned(user=cast.requester)
    vera = invite(cast.requester)
    IntegrationOwner.objects.create(integration=Integration.objects.get(), user=cast.approver)
    for other in (cast.approver, cast.outsider, vera):
        for act in (
            lambda actor: actions.extend_stay(vera, NOON + 40 * DAY, actor=actor, at=NOON),
            lambda actor: actions.end_stay(vera, actor=actor, at=NOON),
            lambda actor: actions.send_invitation(vera, actor=actor, at=NOON),
            lambda actor: actions.take_over(vera, actor=actor, at=NOON),
        ):
            with pytest.raises(actions.NotAllowed):
                act(by(other))
    actions.extend_stay(vera, NOON + 40 * DAY, actor=by(cast.requester), at=NOON)
    actions.extend_stay(vera, NOON + 50 * DAY, actor=by(cast.admin), at=NOON)
    assert User.objects.get(pk=vera.pk).leaves_at == NOON + 50 * DAY
    # Nobody's stay is ended that is none.
    with pytest.raises(actions.NotAllowed):
        actions.end_stay(cast.approver, actor=by(cast.admin), at=NOON)


def test_the_sweep_disables_who_was_to_leave_and_nobody_else(cast: Cast) -> None:
    vera = invite(cast.admin)
    other = actions.invite("walt@vendor.example", "Walt", NOON + 31 * DAY, actor=by(cast.admin), at=NOON)
    assert actions.sweep_leaving(at=NOON + 30 * DAY - timedelta(seconds=1)) == 0
    assert (actions.sweep_leaving(at=NOON + 30 * DAY), actions.sweep_leaving(at=NOON + 30 * DAY)) == (1, 0)
    assert [User.objects.get(pk=one.pk).is_active for one in (vera, other)] == [False, True]
    assert AuditEntry.objects.filter(action="user.stay_ended").count() == 1


def test_who_has_left_comes_back_by_an_admin_only(cast: Cast) -> None:
    owned(user=cast.requester)
    vera = invite(cast.requester)
    actions.end_stay(vera, actor=by(cast.requester), at=NOON)
    with pytest.raises(actions.BadValue):
        actions.extend_stay(vera, NOON + 9 * DAY, actor=by(cast.requester), at=NOON)
    with pytest.raises(actions.BadValue):
        actions.send_invitation(vera, actor=by(cast.requester), at=NOON)
    actions.extend_stay(vera, NOON + 9 * DAY, actor=by(cast.admin), at=NOON)
    actions.enable_user(vera, actor=by(cast.admin))
    assert actions.sweep_leaving(at=NOON) == 0


def test_when_the_inviter_is_disabled_admins_hear_of_it_and_take_over(cast: Cast) -> None:
    owned(user=cast.requester)
    vera = invite(cast.requester)
    assert why_cannot_ask(vera) == ""
    actions.disable_user(cast.requester, actor=by(cast.admin))
    letter = Letter.objects.get(kind=LetterKind.OUTSIDE)
    assert (letter.to, "Vera, vera@vendor.example" in letter.text) == (cast.admin, True)
    vera = User.objects.get(pk=vera.pk)
    assert "Ask an admin" in why_cannot_ask(vera)
    assert list(unanswered_for()) == [vera]
    with pytest.raises(actions.NotAllowed):
        actions.extend_stay(vera, NOON + DAY, actor=by(cast.requester), at=NOON)
    actions.take_over(vera, actor=by(cast.admin))
    assert (why_cannot_ask(User.objects.get(pk=vera.pk)), list(unanswered_for())) == ("", [])


def test_nobody_is_told_when_nobody_was_invited(cast: Cast) -> None:
    actions.disable_user(cast.requester, actor=by(cast.admin))
    assert not Letter.objects.filter(kind=LetterKind.OUTSIDE).exists()


def at_the_portal(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_nothing_works_before_the_second_factor_is_set_up_and_proven(cast: Cast) -> None:
    vera = invite(cast.admin, at=timezone.now())
    browser = at_the_portal(vera)
    for path in (
        "/",
        "/requests/new/",
        "/tasks/",
        "/account/",
        "/activity/",
        "/people/invited/",
        "/admin/",
        "/nothing/",
    ):
        answer = browser.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/account/second-factor/"), path
    assert browser.post("/account/letters/", {}).status_code == 302
    assert "You are from outside" in browser.get("/account/second-factor/").content.decode()
    page = browser.get("/account/second-factor/app/")
    secret = page.context["secret"]
    codes = browser.post("/account/second-factor/app/", {"code": factors.code_of(secret, timezone.now())})
    assert len(codes.context["codes"]) == 10
    assert browser.get("/").status_code == 200
    # In the next session it is proven again, and then leads to where it was wanted.
    again = at_the_portal(vera)
    answer = again.get("/tasks/?answered=1")
    assert answer["Location"] == "/account/second-factor/prove/?next=%2Ftasks%2F%3Fanswered%3D1"
    code = codes.context["codes"][0]
    went = again.post("/account/second-factor/prove/", {"code": code, "next": "/tasks/?answered=1"})
    assert went["Location"] == "/tasks/?answered=1"
    assert again.get("/tasks/").status_code == 200


def test_who_is_from_inside_goes_straight_on(cast: Cast) -> None:
    assert at_the_portal(cast.requester).get("/").status_code == 200


def test_the_last_factor_of_somebody_from_outside_stays(cast: Cast) -> None:
    vera = invite(cast.admin)
    actions.add_app(vera, SECRET, factors.code_of(SECRET, NOON), actor=by(vera), at=NOON)
    with pytest.raises(actions.BadValue):
        actions.remove_factor(vera, factors.factors_of(vera)[0].id, actor=by(vera), confirmed_at=NOON, at=NOON)
    assert factors.has_factor(vera)


def test_the_page_invites_extends_and_ends(cast: Cast) -> None:
    owned(user=cast.requester)
    browser, day = at_the_portal(cast.requester), timezone.now().date() + 9 * DAY
    assert at_the_portal(cast.outsider).get("/people/invited/").status_code == 403
    form = {"name": "Vera", "email": "vera@vendor.example", "until": day.isoformat(), "note": "hello"}
    wrong = browser.post("/people/invited/", form | {"until": (day + 400 * DAY).isoformat()})
    assert (wrong.status_code, "hello" in wrong.content.decode()) == (422, True)
    assert "At most 365 days" in wrong.content.decode()
    assert browser.post("/people/invited/", form).status_code == 302
    vera = User.objects.get(is_outside=True)
    assert vera.leaves_at is not None
    assert (vera.leaves_at.date(), vera.leaves_at.hour) == (day, 23)
    assert "vera@vendor.example" in browser.get("/people/invited/").content.decode()
    longer = {f"{vera.pk}-until": (day + DAY).isoformat()}
    browser.post(f"/people/invited/{vera.pk}/extend/", longer)
    vera.refresh_from_db()
    assert vera.leaves_at.date() == day + DAY
    browser.post(f"/people/invited/{vera.pk}/letter/")
    assert Letter.objects.filter(to=vera).count() == 2
    # Another owner has nothing to do with her.
    IntegrationOwner.objects.create(integration=Integration.objects.get(), user=cast.approver)
    stranger = at_the_portal(cast.approver)
    assert "vera@" not in stranger.get("/people/invited/").content.decode()
    for what in ("extend", "end", "letter"):
        assert stranger.post(f"/people/invited/{vera.pk}/{what}/", longer).status_code == 404
    browser.post(f"/people/invited/{vera.pk}/end/")
    vera.refresh_from_db()
    assert not vera.is_active


def test_the_admin_site_shows_filters_and_takes_over(cast: Cast) -> None:
    vera, browser = invite(cast.admin), at_the_portal(cast.admin)
    listed = browser.get("/admin/accounts/user/?is_outside__exact=1").content.decode()
    assert ("vera@vendor.example" in listed, "rita@example.com" in listed) == (True, False)
    page = browser.get(f"/admin/accounts/user/{vera.pk}/change/").content.decode()
    assert "Invited by Ada" in page
    other = somebody("Bea", Role.ADMIN)
    taken = at_the_portal(other).post(
        "/admin/accounts/user/", {"action": "take_over", "_selected_action": [str(vera.pk)]}
    )
    assert taken.status_code == 302
    assert User.objects.get(pk=vera.pk).invited_by == other
