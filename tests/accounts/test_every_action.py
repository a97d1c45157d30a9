"""Every verb on people: what it records, what it tells, and who may not use it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.utils import timezone

from accounts import actions, factors
from accounts.actions import ToldPerson
from accounts.choices import ChangeKind, GroupSource, LetterKind, Role, SignInRefusal
from accounts.claims import Told
from accounts.models import (
    ApiToken,
    BrowserSession,
    Change,
    Delegation,
    Group,
    Letter,
    PushedGroup,
    PushedPerson,
    User,
)
from accounts.scim.facts import PushedFacts
from accounts.scim.facts import read as read_pushed
from accounts.scim.resources import Person
from audit.actor import Actor, connector, person, system
from audit.choices import ACTIONS, Source
from audit.models import AuditEntry
from tests.cast import PASSWORD, Cast
from tests.cast import person as somebody
from tests.security_key import SecurityKey, at_the_browser


@dataclass(frozen=True)
class Verb:
    """How to use one verb, and what has to come of it."""

    use: Callable[[Cast, Actor], Any]
    action: str
    news: tuple[str, ...] = ()
    details: dict[str, Any] | None = None
    # Prepares what the verb needs; its audit entries and news do not count.
    before: Callable[[Cast], Any] | None = None
    # Whether only the person may do it, and not an admin.
    own: bool = False
    # Whether there is no actor whose permission could be asked.
    open: bool = False
    # Whether only a person can: whoever does it answers for somebody.
    personal: bool = False


def a_group(cast: Cast) -> Group:
    """Return the group of the test, with the requester in it."""
    group = Group.objects.filter(name="Ops").first() or actions.create_group("Ops", actor=system())
    actions.add_member(group, cast.requester, actor=system())
    return group


def a_token(cast: Cast) -> ApiToken:
    """Return the requester's token."""
    found = ApiToken.objects.first()
    return found or actions.issue_token(cast.requester, "laptop", actor=person(cast.requester, Source.PORTAL))[0]


BEGUN = {"client_id": "some-cli", "redirect_uri": "http://localhost:64131/"}


def a_code(cast: Cast, actor: Actor) -> None:
    """Allow a client, and keep its code."""
    scopes = ["end_user:inventory:read"]
    # The challenge of the verifier in RFC 7636, appendix B.
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    code = actions.allow_client(cast.requester, **BEGUN, challenge=challenge, scopes=scopes, actor=actor)
    cast.requester.__dict__["code"] = code


def redeemed(cast: Cast) -> Any:
    """Use the code."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    return actions.redeem_code(cast.requester.__dict__["code"], **BEGUN, verifier=verifier)


def a_link(cast: Cast) -> None:
    """Make a link whose token is known."""
    cast.requester.__dict__["token"] = actions.make_sign_in_link(cast.requester)


def a_letter(cast: Cast) -> Letter:
    """Return a letter that waits."""
    context = {"by": "a test", "where": "the outbox"}
    kind = LetterKind.OPENED
    with transaction.atomic():
        letter = actions.write_letter(
            to=cast.requester, kind=kind, subject="Hello", template="test", context=context, key="hello"
        )
    assert letter is not None
    return letter


# What the platform does by itself, with nobody's permission to ask: a letter is no change, the row is its record.
# What is sealed again is the same as before; whoever rotates keys records that (integrations.actions.reencrypt).
MACHINERY = {"write_letter", "send_letters", "drop_letter", "tidy_letters", "reencrypt_factors"}
MACHINERY |= {"refresh_client", "tidy_tokens"}
# How a session stands is its row; that somebody signed in or out is recorded by those who call these.
MACHINERY |= {"begin_session", "name_provider", "note_seen", "move_session", "note_end", "sweep_sessions"}
ISSUER = "https://login.example.com"
TOLD = Told(ISSUER, "s-1", "rita@example.com", verified=True)


def a_sign_in(cast: Cast) -> None:
    """Let the requester sign in by single sign-on once."""
    actions.sign_in_with(TOLD, create=False)


def a_session(cast: Cast) -> BrowserSession:
    """Let the requester be signed in somewhere."""
    there = BrowserSession.objects.filter(user=cast.requester).first()
    if there is None:
        store = SessionStore()
        store.create()
        there = actions.begin_session(cast.requester, str(store.session_key), how="link")
    there.refresh_from_db()
    return there


NEW = "correct-horse-battery-2"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def an_app(cast: Cast) -> list[str]:
    """Give the requester an authenticator app, and return the recovery codes."""
    if factors.has_factor(cast.requester):
        return list(cast.requester.__dict__["codes"])
    now, mine = timezone.now(), person(cast.requester, Source.PORTAL)
    codes = actions.add_app(cast.requester, SECRET, factors.code_of(SECRET, now), actor=mine, at=now)
    cast.requester.__dict__["codes"] = codes
    return codes


def a_key(cast: Cast, actor: Actor) -> None:
    """Add a security key at the requester's browser."""
    with at_the_browser():
        credential = SecurityKey().create(factors.key_to_add(cast.requester))
        actions.add_key(cast.requester, "Blue", credential, actor=actor)


def an_answer(cast: Cast, actor: Actor) -> None:
    """Prove the key that the test added."""
    key: SecurityKey = cast.requester.__dict__["key"]
    with at_the_browser():
        actions.prove_by_key(cast.requester, key.get(factors.key_to_ask(cast.requester)), actor=actor)


def a_known_key(cast: Cast) -> None:
    """Add a key that the test can use."""
    if factors.has_factor(cast.requester):
        return
    key = cast.requester.__dict__["key"] = SecurityKey()
    with at_the_browser():
        credential = key.create(factors.key_to_add(cast.requester))
        actions.add_key(cast.requester, "Blue", credential, actor=person(cast.requester, Source.PORTAL))


def first_factor(cast: Cast) -> int:
    """Return the requester's first factor."""
    return factors.factors_of(cast.requester)[0].id


def an_absence(cast: Cast) -> Delegation:
    """Return the requester's absence."""
    there = Delegation.objects.first()
    return there or actions.delegate(cast.requester, cast.outsider, DAY, DAY + timedelta(days=1), actor=system())


def somebody_outside(cast: Cast) -> User:
    """Return the person from outside, invited by the admin's colleague."""
    there = User.objects.filter(email="vera@vendor.example").first()
    if there is not None:
        return there
    host = somebody("Hugo", Role.ADMIN)
    at = timezone.now()
    return actions.invite(
        "vera@vendor.example", "Vera", at + timedelta(days=9), actor=person(host, Source.PORTAL), at=at
    )


DAY = timezone.now() + timedelta(days=2)
TABLE: dict[str, Verb] = {
    "create_user": Verb(
        lambda c, a: actions.create_user("New@Example.com", "New", actor=a, roles=[Role.VIEWER], manager=c.approver),
        "user.created",
        (ChangeKind.PERSON_CHANGED,),
        {"roles": ["viewer"], "manager": "abel@example.com"},
    ),
    "edit_user": Verb(
        lambda c, a: actions.edit_user(c.requester, actor=a, manager=c.approver),
        "user.edited",
        (ChangeKind.PERSON_CHANGED,),
        {"changed": {"manager": [None, "abel@example.com"]}},
    ),
    "edit_profile": Verb(
        lambda c, a: actions.edit_profile(c.requester, actor=a, name="Rita R.", time_zone="Europe/Berlin"),
        "user.profile_edited",
        (),
        {"changed": {"name": ["Rita", "Rita R."], "time_zone": ["", "Europe/Berlin"]}},
        own=True,
    ),
    "set_theme": Verb(
        lambda c, a: actions.set_theme(c.requester, "dark", actor=a),
        "user.profile_edited",
        (),
        {"changed": {"theme": ["", "dark"]}},
        own=True,
    ),
    "choose_letters": Verb(
        lambda c, a: actions.choose_letters(c.requester, {LetterKind.ENDED}, actor=a),
        "user.profile_edited",
        (),
        {"changed": {"letters_off": [[], ["ended"]]}},
        own=True,
    ),
    "retry_letter": Verb(
        lambda c, a: actions.retry_letter(a_letter(c), actor=a), "letter.retried", (), {}, before=a_letter
    ),
    "set_roles": Verb(
        lambda c, a: actions.set_roles(c.requester, [Role.VIEWER], actor=a),
        "user.roles_set",
        (),
        {"from": ["grantee"], "to": ["viewer"]},
    ),
    "disable_user": Verb(
        lambda c, a: actions.disable_user(c.requester, actor=a), "user.disabled", (ChangeKind.PERSON_DISABLED,)
    ),
    "enable_user": Verb(
        lambda c, a: actions.enable_user(c.requester, actor=a),
        "user.enabled",
        (ChangeKind.PERSON_ENABLED,),
        before=lambda c: actions.disable_user(c.requester, actor=system()),
    ),
    "set_attributes": Verb(
        lambda c, a: actions.set_attributes(c.requester, [("city", "Berlin")], actor=a),
        "user.attributes_set",
        (ChangeKind.PERSON_CHANGED,),
        {"added": [["city", "Berlin"]], "removed": []},
    ),
    "set_password": Verb(lambda c, a: actions.set_password(c.requester, NEW, actor=a), "user.password_set"),
    "make_sign_in_link": Verb(
        lambda c, a: actions.make_sign_in_link(c.requester, actor=a), "user.link_made", (), {"minutes": 15}
    ),
    "use_sign_in_link": Verb(
        lambda c, a: actions.use_sign_in_link(c.requester.__dict__["token"]), "user.link_used", before=a_link, open=True
    ),
    "record_sign_in": Verb(
        lambda c, a: actions.record_sign_in(c.requester, source=Source.PORTAL, how="password", address="192.0.2.1"),
        "user.signed_in",
        (),
        {"how": "password", "address": "192.0.2.1"},
        open=True,
    ),
    "record_sign_out": Verb(
        lambda c, a: actions.record_sign_out(c.requester, source=Source.PORTAL), "user.signed_out", open=True
    ),
    "record_failed_sign_in": Verb(
        lambda c, a: actions.record_failed_sign_in("Rita@example.com", address="192.0.2.1"),
        "user.sign_in_failed",
        (),
        {"how": "password", "address": "192.0.2.1"},
        open=True,
    ),
    "record_refused_sign_in": Verb(
        lambda c, a: actions.record_refused_sign_in(SignInRefusal.BAD_ANSWER, address="192.0.2.1"),
        "user.sign_in_failed",
        (),
        {"how": "oidc", "reason": "answer of the provider not to be used", "address": "192.0.2.1"},
        open=True,
    ),
    "sign_in_with": Verb(
        lambda c, a: actions.sign_in_with(TOLD, create=False),
        "user.identity_linked",
        (),
        {"issuer": ISSUER, "subject": "s-1"},
        open=True,
    ),
    "forget_identities": Verb(
        lambda c, a: actions.forget_identities(c.requester, actor=a),
        "user.identity_forgotten",
        (),
        {"issuer": ISSUER, "subject": "s-1"},
        before=a_sign_in,
    ),
    "take_groups": Verb(
        lambda c, a: actions.take_groups(c.requester, ["Staff"], source=GroupSource.OIDC, actor=a),
        "user.groups_told",
        (ChangeKind.PERSON_CHANGED,),
        {"added": ["Staff"], "removed": [], "new_groups": ["Staff"]},
    ),
    "create_group": Verb(lambda c, a: actions.create_group(" Staff ", actor=a), "group.created"),
    "rename_group": Verb(
        lambda c, a: actions.rename_group(a_group(c), "Operations", actor=a),
        "group.renamed",
        (ChangeKind.GROUP_CHANGED,),
        {"from": "Ops"},
        before=a_group,
    ),
    "delete_group": Verb(
        lambda c, a: actions.delete_group(a_group(c), actor=a),
        "group.deleted",
        (ChangeKind.GROUP_CHANGED,),
        {"members": 1},
        before=a_group,
    ),
    "add_member": Verb(
        lambda c, a: actions.add_member(a_group(c), c.outsider, actor=a),
        "group.member_added",
        (ChangeKind.GROUP_CHANGED,),
        before=a_group,
    ),
    "remove_member": Verb(
        lambda c, a: actions.remove_member(a_group(c), c.requester, actor=a),
        "group.member_removed",
        (ChangeKind.GROUP_CHANGED,),
        before=a_group,
    ),
}
TABLE |= {
    "add_app": Verb(
        lambda c, a: actions.add_app(c.requester, SECRET, factors.code_of(SECRET, DAY), actor=a, at=DAY),
        "user.factor_added",
        (),
        {"kind": "totp", "name": "Authenticator app"},
        own=True,
    ),
    "add_key": Verb(a_key, "user.factor_added", (), {"kind": "webauthn", "name": "Blue"}, own=True),
    "remove_factor": Verb(
        lambda c, a: actions.remove_factor(c.requester, first_factor(c), actor=a, confirmed_at=DAY, at=DAY),
        "user.factor_removed",
        (),
        {"kind": "totp", "name": "Authenticator app"},
        before=an_app,
        own=True,
    ),
    "renew_codes": Verb(
        lambda c, a: actions.renew_codes(c.requester, actor=a, confirmed_at=DAY, at=DAY),
        "user.recovery_codes_made",
        before=an_app,
        own=True,
    ),
    "reset_factors": Verb(
        lambda c, a: actions.reset_factors(c.requester, actor=a),
        "user.factors_reset",
        (),
        {"removed": ["Authenticator app", "Recovery codes"]},
        before=an_app,
    ),
    "prove_by_code": Verb(
        lambda c, a: actions.prove_by_code(c.requester, c.requester.__dict__["codes"][0], actor=a),
        "user.factor_proven",
        (),
        {"kind": "recovery_codes", "name": "Recovery codes"},
        before=an_app,
        own=True,
    ),
    "prove_by_key": Verb(an_answer, "user.factor_proven", before=a_known_key, own=True),
    "delegate": Verb(
        lambda c, a: actions.delegate(c.requester, c.outsider, DAY, DAY + timedelta(days=1), actor=a),
        "user.delegated",
        (),
        {
            "stand_in": "otto@example.com",
            "starts_at": DAY.isoformat(),
            "ends_at": (DAY + timedelta(days=1)).isoformat(),
        },
    ),
    "end_delegation": Verb(
        lambda c, a: actions.end_delegation(an_absence(c), actor=a), "user.delegation_ended", before=an_absence
    ),
    "invite": Verb(
        lambda c, a: actions.invite("vera@vendor.example", "Vera", DAY, actor=a, note="for the audit"),
        "user.invited",
        (ChangeKind.PERSON_CHANGED,),
        {"roles": ["grantee"], "until": DAY.isoformat(), "note": "for the audit"},
        personal=True,
    ),
    "send_invitation": Verb(
        lambda c, a: actions.send_invitation(somebody_outside(c), actor=a), "user.link_sent", before=somebody_outside
    ),
    "extend_stay": Verb(
        lambda c, a: actions.extend_stay(somebody_outside(c), DAY, actor=a),
        "user.stay_extended",
        before=somebody_outside,
    ),
    "end_stay": Verb(
        lambda c, a: actions.end_stay(somebody_outside(c), actor=a),
        "user.stay_ended",
        (ChangeKind.PERSON_DISABLED,),
        before=somebody_outside,
    ),
    "take_over": Verb(
        lambda c, a: actions.take_over(somebody_outside(c), actor=a),
        "user.taken_over",
        (),
        {"from": "hugo@example.com", "to": "ada@example.com"},
        before=somebody_outside,
        personal=True,
    ),
    "sweep_leaving": Verb(
        lambda c, a: actions.sweep_leaving(at=DAY + timedelta(days=30)),
        "user.stay_ended",
        (ChangeKind.PERSON_DISABLED,),
        before=somebody_outside,
        open=True,
    ),
}


def a_pushed_person(cast: Cast) -> PushedPerson:
    """Return somebody whom a directory pushed, and disabled at once."""
    there = PushedPerson.objects.select_for_update().filter(user_name="pia").first()
    return there or actions.provision(told(active=False), actor=system())


def told(**said: Any) -> PushedFacts:
    """Return what a directory says of somebody."""
    emails = [{"value": "pia@example.com"}]
    return read_pushed(Person.model_validate({"userName": "pia", "emails": emails, "active": True, **said}))


def a_pushed_group(cast: Cast) -> PushedGroup:
    """Return a group that a directory pushed."""
    there = PushedGroup.objects.select_for_update().filter(group__name="Pilots").first()
    return there or actions.push_group("Pilots", "p-1", frozenset(), actor=system())


def a_changed_group(cast: Cast, actor: Actor) -> None:
    """Rename the group that a directory pushed."""
    group = a_pushed_group(cast)
    nobody: frozenset[Any] = frozenset()
    actions.change_pushed_group(group, actor=actor, name="Crew", external_id="p-1", joining=nobody, leaving=nobody)


TABLE |= {
    "provision": Verb(
        lambda c, a: actions.provision(told(), actor=a),
        "user.provisioned",
        (ChangeKind.PERSON_CHANGED,),
        {"roles": [], "user_name": "pia", "external_id": "", "active": True},
    ),
    "change_pushed": Verb(
        lambda c, a: actions.change_pushed(a_pushed_person(c), told(active=False, nickName="P"), actor=a),
        "user.pushed",
        (),
        {"told": ["nickName"], "gone": []},
        before=a_pushed_person,
    ),
    "forget_pushed": Verb(
        lambda c, a: actions.forget_pushed(a_pushed_person(c), actor=a),
        "user.push_forgotten",
        (),
        {"user_name": "pia", "external_id": "", "groups_left": 0},
        before=a_pushed_person,
    ),
    "push_group": Verb(
        lambda c, a: actions.push_group("Pilots", "p-1", frozenset(), actor=a),
        "group.pushed",
        (),
        {"external_id": "p-1"},
    ),
    "change_pushed_group": Verb(
        a_changed_group, "group.renamed", (ChangeKind.GROUP_CHANGED,), {"from": "Pilots"}, before=a_pushed_group
    ),
    "forget_pushed_group": Verb(
        lambda c, a: actions.forget_pushed_group(a_pushed_group(c), actor=a),
        "group.push_forgotten",
        (ChangeKind.GROUP_CHANGED,),
        {"members": 0},
        before=a_pushed_group,
    ),
}


def a_told_group(cast: Cast) -> Group:
    """Return a group that a directory tells of, with nobody in it."""
    there = Group.objects.select_for_update().filter(name="Watch").first()
    return there or actions.make_told_group("Watch", source=GroupSource.DIRECTORY, actor=system())


TABLE |= {
    "take_person": Verb(
        lambda c, a: actions.take_person(c.requester, ToldPerson(c.requester.email, "Rita R."), create=False, actor=a),
        "user.edited",
    ),
    "change_attributes": Verb(
        lambda c, a: actions.change_attributes(c.requester, added=[("team", "data")], removed=[], actor=a),
        "user.attributes_set",
        (ChangeKind.PERSON_CHANGED,),
        {"added": [["team", "data"]], "removed": []},
    ),
    "make_told_group": Verb(
        lambda c, a: actions.make_told_group("Watch", source=GroupSource.DIRECTORY, actor=a),
        "group.created",
        (),
        {"source": "directory"},
    ),
    "rename_told_group": Verb(
        lambda c, a: actions.rename_told_group(a_told_group(c), "Guard", actor=a),
        "group.renamed",
        (ChangeKind.GROUP_CHANGED,),
        {"from": "Watch"},
        before=a_told_group,
    ),
    "change_members": Verb(
        lambda c, a: actions.change_members(a_told_group(c), joined=[c.requester.pk], left=[], actor=a),
        "group.members_told",
        (ChangeKind.GROUP_CHANGED,),
        {"joined": 1, "left": 0, "some": ["rita@example.com"]},
        before=a_told_group,
    ),
    "keep_told_group": Verb(
        lambda c, a: actions.keep_told_group(a_told_group(c), actor=a),
        "group.kept",
        (),
        {"from": "directory"},
        before=a_told_group,
    ),
}
TABLE |= {
    "issue_token": Verb(lambda c, a: actions.issue_token(c.requester, "laptop", actor=a), "token.issued", own=True),
    "revoke_token": Verb(lambda c, a: actions.revoke_token(a_token(c), actor=a), "token.revoked", before=a_token),
    "change_expiry": Verb(
        lambda c, a: actions.change_expiry(a_token(c), timezone.now() + timedelta(days=1), actor=a),
        "token.expiry_changed",
        before=a_token,
        own=True,
    ),
    "create_service": Verb(
        lambda c, a: actions.create_service("Build farm", roles=[Role.VIEWER], actor=a),
        "service.created",
        (ChangeKind.PERSON_CHANGED,),
        {"roles": ["viewer"]},
    ),
    "allow_client": Verb(a_code, "client.allowed", own=True),
    "redeem_code": Verb(
        lambda c, a: redeemed(c),
        "client.signed_in",
        before=lambda c: a_code(c, person(c.requester, Source.PORTAL)),
        open=True,
    ),
}
TABLE |= {
    "end_session": Verb(
        lambda c, a: actions.end_session(a_session(c), actor=a),
        "user.sessions_ended",
        (),
        {"sessions": 1, "how": "by_admin"},
        before=a_session,
    ),
    "end_sessions": Verb(
        lambda c, a: actions.end_sessions(c.requester, actor=a),
        "user.sessions_ended",
        (),
        {"sessions": 1, "how": "all"},
        before=a_session,
    ),
    "end_sessions_told": Verb(
        lambda c, a: actions.end_sessions_told(ISSUER, subject="s-1", sid="", actor=a),
        "user.sessions_ended",
        (),
        {"sessions": 1, "how": "provider"},
        before=lambda c: (a_sign_in(c), actions.name_provider(a_session(c).pk, issuer=ISSUER, sid="p-1")),
    ),
    "prove_by_provider": Verb(
        lambda c, a: actions.prove_by_provider(c.requester, issuer=ISSUER, subject="s-1", acr="mfa", actor=a),
        "user.factor_proven",
        (),
        {"kind": "oidc", "issuer": ISSUER, "acr": "mfa"},
        before=a_sign_in,
        own=True,
    ),
}
GUARDED = [name for name, verb in TABLE.items() if not verb.open]


def counts() -> tuple[int, int]:
    """Return how many entries and news there are."""
    return AuditEntry.objects.count(), Change.objects.count()


def test_no_verb_is_missing_from_the_table() -> None:
    # `require` asks for a permission on behalf of the floors above; it changes nothing.
    verbs = {name for name in actions.__all__ if inspect.isfunction(getattr(actions, name))} - {"require"}
    assert verbs - MACHINERY == set(TABLE)
    assert verbs > MACHINERY


def test_every_declared_action_is_used(db: None) -> None:
    declared = {name for name in ACTIONS if name.startswith(("user.", "group.", "token.", "service."))}
    assert declared - {verb.action for verb in TABLE.values()} == {
        "user.password_removed",
        "user.factor_refused",
        # What comes with another one: tests/scim.
        "user.push_linked",
        "user.many_pushed_out",
        "group.members_pushed",
    }


@pytest.mark.parametrize("name", TABLE)
def test_a_verb_records_itself_once_and_tells_its_news(cast: Cast, name: str) -> None:
    verb = TABLE[name]
    if verb.before:
        verb.before(cast)
    entries, news = counts()
    actor = person(cast.requester if verb.own else cast.admin, Source.ADMIN)
    verb.use(cast, actor)
    (entry,) = AuditEntry.objects.order_by("id")[entries:]
    assert entry.action == verb.action
    if not verb.open:
        assert (entry.actor_id, entry.actor_email, entry.source) == (actor.id, actor.email, "admin")
    if verb.details is not None:
        assert entry.details == verb.details
    assert tuple(Change.objects.order_by("id").values_list("kind", flat=True)[news:]) == verb.news


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_who_is_no_admin_is_refused_and_nothing_changes(cast: Cast, name: str, role: Role) -> None:
    refused(cast, TABLE[name], person(somebody("Somebody", role), Source.API))


@pytest.mark.parametrize("name", GUARDED)
def test_a_disabled_admin_and_a_connector_are_refused(cast: Cast, name: str) -> None:
    gone = somebody("Gone", Role.ADMIN)
    actions.disable_user(gone, actor=system())
    unknown = Actor(kind=person(gone, Source.API).kind, id="00000000-0000-0000-0000-000000000000", name="Nobody")
    for actor in (person(gone, Source.API), connector("i-1", "Edge"), unknown):
        refused(cast, TABLE[name], actor)


def refused(cast: Cast, verb: Verb, actor: Actor) -> None:
    """Assert that the actor may not use the verb, and that nothing is left of the attempt."""
    if verb.before:
        verb.before(cast)
    before, people, groups = counts(), list(User.objects.values()), list(Group.objects.values())
    with pytest.raises(actions.NotAllowed):
        verb.use(cast, actor)
    assert (counts(), list(User.objects.values()), list(Group.objects.values())) == (before, people, groups)


@pytest.mark.parametrize("name", [name for name in GUARDED if not TABLE[name].own and not TABLE[name].personal])
def test_the_platform_itself_may(cast: Cast, name: str) -> None:
    verb = TABLE[name]
    if verb.before:
        verb.before(cast)
    verb.use(cast, system())
    assert AuditEntry.objects.latest("id").actor_kind == "system"


def test_nobody_edits_another_ones_profile(cast: Cast) -> None:
    with pytest.raises(actions.NotAllowed):
        actions.edit_profile(cast.requester, actor=person(cast.admin, Source.PORTAL), name="X", time_zone="")


def test_people_set_their_own_password(cast: Cast) -> None:
    actions.set_password(cast.requester, NEW, actor=person(cast.requester, Source.PORTAL))
    cast.requester.refresh_from_db()
    assert cast.requester.check_password(NEW)
    assert not cast.requester.check_password(PASSWORD)


def test_what_changes_nothing_records_nothing(cast: Cast) -> None:
    group = a_group(cast)
    actions.set_attributes(cast.requester, [("city", "Berlin")], actor=system())
    before = counts()
    actions.edit_user(cast.requester, actor=system(), name="Rita", email="RITA@example.com", manager=None)
    actions.edit_profile(cast.requester, actor=person(cast.requester, Source.PORTAL), name="Rita", time_zone="")
    actions.set_roles(cast.requester, [Role.GRANTEE], actor=system())
    actions.enable_user(cast.requester, actor=system())
    actions.set_attributes(cast.requester, [("city", "Berlin")], actor=system())
    actions.rename_group(group, "Ops", actor=system())
    actions.add_member(group, cast.requester, actor=system())
    actions.remove_member(group, cast.outsider, actor=system())
    assert counts() == before


def test_no_secret_reaches_the_trail_or_the_news(cast: Cast) -> None:
    actions.create_user("new@example.com", "New", actor=system(), password=NEW)
    actions.set_password(cast.requester, NEW, actor=system())
    actions.set_password(cast.requester, None, actor=system())
    token = actions.make_sign_in_link(cast.requester)
    with pytest.raises(actions.LinkRefused):
        actions.use_sign_in_link(token, at=timezone.now() + timedelta(days=1))
    with pytest.raises(actions.LinkRefused):
        actions.use_sign_in_link("guessed-token")
    actions.record_failed_sign_in("my-Passw0rd-in-the-wrong-field")
    kept = str([list(model.objects.values()) for model in (AuditEntry, Change)])
    for secret in (NEW, token, "guessed-token", "my-Passw0rd", "md5$"):
        assert secret not in kept
