"""The outsider: signed in, with no rights to anything. Every address is in the table, or the test says which is not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter, UUIDConverter
from django.utils import timezone

from access_requests import actions
from access_requests.models import (
    AccessRequest,
    AccessSession,
    Declaration,
    Envelope,
    Export,
    Extension,
    Freeze,
    Report,
    Revocation,
    SentForm,
)
from accounts import actions as people_actions
from accounts import factors
from accounts.models import ApiToken, BrowserSession, Delegation, User
from flows.models import AccessFlow
from tests.cast import PASSWORD, Cast
from tests.story import Story, allow_extensions, begin, flow, simulated_provider

SIGN_IN = "/account/login/"
EVERYBODY, NOBODY, OWN = "everybody", "nobody", "own"
# A session counts for nothing: it takes a token of the API.
TOKEN = "token"


@dataclass(frozen=True)
class Row:
    """How one address answers somebody signed in who has no rights.

    `answer` EVERYBODY: open without signing in. OWN: a page of one's own, which shows nothing of others.
    NOBODY: as if it did not exist, exactly as for what really does not exist.
    """

    answer: str
    method: str = "get"
    about: str = ""


REPORT, EXPORT = "report", "export"
REQUEST, SESSION, EXTENSION = "request", "session", "extension"
FACTOR, ABSENCE, OUTSIDE, TOKEN = "factor", "delegation", "person", "token"
ENVELOPE = "envelope"
PROVIDER, BROWSER = "provider", "browser"
FREEZE, REVOCATION, DECLARATION, KIND = "freeze", "revocation", "declaration", "kind"
REQUEST, SESSION, EXTENSION, FORM = "request", "session", "extension", "form"
TABLE: dict[str, Row] = {
    "healthz": Row(EVERYBODY),
    "readyz": Row(EVERYBODY),
    "favicon": Row(EVERYBODY),
    "account_login": Row(EVERYBODY),
    "scim_root": Row(TOKEN),
    "scim": Row(TOKEN),
    "sign_in_link": Row(EVERYBODY),
    "oidc_start": Row(EVERYBODY, "post"),
    "oidc_callback": Row(EVERYBODY),
    "oidc_callback_of": Row(EVERYBODY, "get", PROVIDER),
    "oidc_back_channel": Row(EVERYBODY, "post"),
    "oidc_back_channel_of": Row(EVERYBODY, "post", PROVIDER),
    "sessions": Row(OWN),
    "end_other_sessions": Row(OWN, "post"),
    "end_session": Row(NOBODY, "post", BROWSER),
    "account_logout": Row(EVERYBODY),
    "account_reauthenticate": Row(OWN),
    "account": Row(OWN),
    "account_password": Row(OWN),
    "account_letters": Row(OWN, "post"),
    "account_theme": Row(OWN, "post"),
    "second_factor": Row(OWN),
    "fresh_sign_in": Row(OWN),
    "factor_app": Row(OWN),
    "factor_key": Row(OWN),
    "factor_codes": Row(OWN, "post"),
    "factor_prove": Row(OWN),
    "factor_remove": Row(NOBODY, "post", FACTOR),
    "account_tokens": Row(OWN),
    "account_token_expiry": Row(NOBODY, "post", TOKEN),
    "account_token_revoke": Row(NOBODY, "post", TOKEN),
    "oauth_authorize": Row("unasked"),
    "oauth_token": Row(EVERYBODY, "post"),
    "oauth_revoke": Row(EVERYBODY, "post"),
    "delegate": Row(OWN, "post"),
    "end_delegation": Row(NOBODY, "post", ABSENCE),
    "invited": Row("forbidden"),
    "extend_stay": Row(NOBODY, "post", OUTSIDE),
    "end_stay": Row(NOBODY, "post", OUTSIDE),
    "invite_again": Row(NOBODY, "post", OUTSIDE),
    "request_factor": Row(NOBODY, "get", REQUEST),
    "my_access": Row(OWN),
    "my_tasks": Row(OWN),
    "new_request": Row(OWN),
    "step_up": Row(OWN),
    "open_requests": Row(OWN),
    "overdue": Row(NOBODY),
    "emergencies": Row(NOBODY),
    "freeze": Row(NOBODY, "post"),
    "thaw": Row(NOBODY, "post", FREEZE),
    "revoke_everything": Row(NOBODY, "get", KIND),
    "revocation": Row(NOBODY, "get", REVOCATION),
    "revocation_part": Row(NOBODY, "get", REVOCATION),
    "envelopes": Row(NOBODY),
    "envelope_new": Row(NOBODY),
    "envelope": Row(NOBODY, "get", ENVELOPE),
    "envelope_confirm": Row(NOBODY, "post", ENVELOPE),
    "envelope_refuse": Row(NOBODY, "post", ENVELOPE),
    "envelope_withdraw": Row(NOBODY, "post", ENVELOPE),
    "envelope_print": Row(NOBODY, "post", ENVELOPE),
    "envelope_file": Row(NOBODY, "post", ENVELOPE),
    "envelope_opened": Row(NOBODY, "post", ENVELOPE),
    "envelope_review": Row(NOBODY, "post", ENVELOPE),
    "dossier": Row(NOBODY, "get", REQUEST),
    "dossier_file": Row(NOBODY, "get", REQUEST),
    "dossier_keys": Row(EVERYBODY),
    "declare_end": Row(NOBODY, "post", REQUEST),
    "confirm_declaration": Row(NOBODY, "post", DECLARATION),
    "refuse_declaration": Row(NOBODY, "post", DECLARATION),
    "withdraw_declaration": Row(NOBODY, "post", DECLARATION),
    "check_request": Row(OWN, "post"),
    "find_resources": Row(OWN),
    "why_not": Row(OWN),
    "find_people": Row(OWN),
    "sent_requests": Row(NOBODY, "get", FORM),
    "metrics": Row(EVERYBODY),
    "review_request": Row(NOBODY, "post", REQUEST),
    "request_page": Row(NOBODY, "get", REQUEST),
    "access_ending": Row(NOBODY, "get", REQUEST),
    "request_part": Row(NOBODY, "get", REQUEST),
    "withdraw_request": Row(NOBODY, "post", REQUEST),
    "hand_back_access": Row(NOBODY, "post", REQUEST),
    "grant_again": Row(NOBODY, "post", REQUEST),
    "revoke_access": Row(NOBODY, "post", REQUEST),
    "approve_request": Row(NOBODY, "post", REQUEST),
    "reject_request": Row(NOBODY, "post", REQUEST),
    "favourite_request": Row(NOBODY, "post", REQUEST),
    "extend_access": Row(NOBODY, "post", REQUEST),
    "approve_extension": Row(NOBODY, "post", EXTENSION),
    "reject_extension": Row(NOBODY, "post", EXTENSION),
    "withdraw_extension": Row(NOBODY, "post", EXTENSION),
    "show_password": Row(NOBODY, "post", SESSION),
    "reset_password": Row(NOBODY, "post", SESSION),
    "activity": Row(OWN),
    "activity_csv": Row(OWN, "post"),
    "report_list": Row(OWN),
    "report_new": Row(OWN),
    "schedule_reading": Row(OWN),
    "report_page": Row(NOBODY, "get", REPORT),
    "report_csv": Row(NOBODY, "post", REPORT),
    "report_pause": Row(NOBODY, "post", REPORT),
    "report_resume": Row(NOBODY, "post", REPORT),
    "report_delete": Row(NOBODY, "post", REPORT),
    "export_page": Row(NOBODY, "get", EXPORT),
    "export_part": Row(NOBODY, "get", EXPORT),
    "export_fetch": Row(NOBODY, "get", EXPORT),
    "audit_export": Row("forbidden"),
}


def addresses(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every named address with its pattern; names in a namespace are written namespace:name."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            below = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from addresses(pattern.url_patterns, below)
        else:
            yield f"{prefix}{pattern.name or pattern.pattern}", pattern


def arguments(pattern: URLPattern) -> dict[str, Any]:
    """Return arguments that fit a pattern and name nothing that is there."""
    fitting: dict[str, Any] = {}
    for name, converter in pattern.pattern.converters.items():
        if isinstance(converter, IntConverter):
            fitting[name] = 999999
        elif isinstance(converter, UUIDConverter):
            fitting[name] = uuid.uuid4()
        else:
            fitting[name] = "nothing"
    return fitting


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        told = begin(cast)
        flow(told.integration)
        yield told


@pytest.fixture
def held(story: Story) -> AccessRequest:
    """Rita's active access with a password nobody has seen, and an extension that waits for an answer."""
    allow_extensions(AccessFlow.objects.get(), 1, 600)
    request, rita = story.granted("orders_prod"), story.cast.requester
    actions.extend(request, user=rita, actor=story.by(rita), seconds=600, justification="more", at=story.now)
    SentForm.objects.create(requestor=rita, token=uuid.uuid4(), digest="", requests=[request.pk])
    in_earnest(story, request)
    return request


def in_earnest(story: Story, request: AccessRequest) -> None:
    """Write down what is done in emergencies: a freeze, a revocation, a declaration."""
    ada, now = story.cast.admin, timezone.now()
    Freeze.objects.create(reason="a drill", began_by="Ada")
    told = {"reason": "a drill", "actor_kind": "system", "source": "system", "operation": uuid.uuid4()}
    Revocation.objects.create(kind="person", person=request.grantee, **told)
    Envelope.objects.create(number=1, request=request, prepared_by=ada)
    Declaration.objects.create(request=request, reason="I was there", proposed_by=ada, lapses_at=now)


def kept(about: str) -> Any:
    """Return the number of Rita's report or of her export."""
    return (Report if about == REPORT else Export).objects.get().pk


def of_people(about: str) -> Any:
    """Return Rita's second factor, her absence, or the person from outside whom the admin invited."""
    if about == FACTOR:
        return Authenticator.objects.get(type="totp").pk
    if about == TOKEN:
        return ApiToken.objects.get().pk
    return Delegation.objects.get().pk if about == ABSENCE else User.objects.get(is_outside=True).pk


@pytest.fixture
def people(story: Story) -> None:
    """Rita has a second factor and is away for a day; the admin has invited somebody from outside."""
    rita, ada, now = story.cast.requester, story.cast.admin, timezone.now()
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    people_actions.add_app(rita, secret, factors.code_of(secret, now), actor=story.by(rita), at=now)
    day = now + timedelta(days=1)
    people_actions.delegate(rita, story.cast.admin, now, day, actor=story.by(rita), at=now)
    people_actions.issue_token(rita, "Rita’s own", actor=story.by(rita))
    people_actions.invite("vera@vendor.example", "Vera", day, actor=story.by(ada), at=now)
    client_of(rita)


@pytest.fixture
def reported(story: Story) -> None:
    """Rita's report, sent by the clock, and the export that came of it."""
    rita = story.cast.requester
    wish = actions.Wish("activity", "Rita’s own", {}, cron="0 8 * * *", time_zone="UTC", recipients=[rita.email])
    actions.save_report(wish, user=rita, actor=story.by(rita), at=story.now)
    assert actions.sweep_reports(at=story.now + timedelta(days=1)) == 1
    actions.run_exports(at=story.now + timedelta(days=1))


def client_of(user: Any) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


def address_of(name: str, about: str, request_id: int, session_id: Any) -> str:
    kwargs: dict[str, Any] = {}
    if about in {REQUEST, SESSION, EXTENSION}:
        kwargs["pk"] = request_id
    if about == EXTENSION:
        found = Extension.objects.filter(request=request_id).first()
        kwargs["extension"] = found.pk if found else 999999
    if about == SESSION:
        kwargs["session"] = session_id
    if about in {FACTOR, ABSENCE, OUTSIDE, TOKEN}:
        nothing = uuid.uuid4() if about in {OUTSIDE, TOKEN} else 999999
        kwargs[about] = of_people(about) if request_id != 999999 else nothing
    there = request_id != 999999
    if about == FREEZE:
        kwargs["pk"] = Freeze.objects.get().pk if there else 999999
    if about == REVOCATION:
        kwargs["pk"] = Revocation.objects.get().pk if there else uuid.uuid4()
    if about == DECLARATION:
        kwargs |= {"pk": request_id, "declaration": Declaration.objects.get().pk if there else 999999}
    if about == ENVELOPE:
        kwargs["number"] = 1 if there else 999999
    if about == KIND:
        kwargs["kind"] = "everywhere" if there else "nothing"
    if about in {REPORT, EXPORT}:
        kwargs["pk"] = kept(about) if request_id != 999999 else 999999 if about == REPORT else uuid.uuid4()
    if about == FORM:
        kwargs["token"] = SentForm.objects.get().token if request_id != 999999 else uuid.uuid4()
    if name == "scim":
        kwargs["path"] = "Users"
    if about == PROVIDER:
        kwargs["provider"] = "nobody"
    if about == BROWSER:
        rows = BrowserSession.objects.filter(user__email="rita@example.com")
        kwargs["session"] = rows.latest("began_at").pk if there else uuid.uuid4()
    if name == "sign_in_link":
        kwargs["token"] = "nothing"
    return reverse(name, kwargs=kwargs)


def test_no_address_is_missing_from_the_table() -> None:
    # Names of the API begin so: tests/api/test_every_endpoint.py walks all of them, with tokens.
    named = {name for name, _ in addresses() if not name.startswith(("admin:", "api_"))}
    assert named == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_an_outsider_gets_nothing_of_others(
    story: Story, held: AccessRequest, reported: None, people: None, name: str
) -> None:
    row, session = TABLE[name], AccessSession.objects.get(group__request=held)
    outsider, stranger = client_of(story.cast.outsider), Client()
    secret = story.target.passwords[session.group.login]
    theirs = address_of(name, row.about, held.pk, session.pk)
    answer = getattr(outsider, row.method)(theirs)
    nameless = getattr(stranger, row.method)(theirs)
    for page in (answer, nameless):
        text = b"".join(iter(page)).decode() if page.streaming else page.content.decode()
        for told in (secret, "orders_prod", "Rita", "vera@", str(session.pk), session.group.login):
            assert told not in text
    if row.answer == EVERYBODY:
        return
    if row.answer == TOKEN:
        assert (answer.status_code, nameless.status_code) == (401, 401)
        return
    assert nameless.status_code == 302
    assert nameless["Location"].startswith(SIGN_IN)
    if row.answer == NOBODY:
        nothing = getattr(outsider, row.method)(address_of(name, row.about, 999999, uuid.uuid4()))
        assert (answer.status_code, nothing.status_code) == (404, 404)
        assert strip(answer, theirs) == strip(nothing, nothing.wsgi_request.path)
    elif row.answer == "forbidden":
        assert answer.status_code == 403
    elif row.answer == "unasked":
        assert answer.status_code == 400
    else:
        assert answer.status_code in {200, 302, 422}
    after = AccessRequest.objects.get(pk=held.pk)
    assert (after.state, AccessSession.objects.get(pk=session.pk).credentials_status) == ("active", "AVAILABLE")


def strip(page: Any, path: str) -> str:
    """Return a page without what differs each time."""
    import re

    return re.sub(r'value="[A-Za-z0-9]{64}"', "", page.content.decode().replace(path, ""))


def test_no_admin_page_opens_for_who_has_no_role(story: Story, held: AccessRequest) -> None:
    outsider, stranger = client_of(story.cast.outsider), Client()
    seen = 0
    for name, pattern in addresses():
        if not name.startswith("admin:"):
            continue
        fitting = arguments(pattern)
        try:
            path = reverse(name, kwargs=fitting)
        except NoReverseMatch:  # the catch-all and the app list take no named argument of ours
            path = "/admin/nothing/"
        if name in {"admin:login", "admin:logout"}:
            continue
        for client in (outsider, stranger):
            for method in ("get", "post"):
                answer = getattr(client, method)(path)
                assert answer.status_code in {302, 403, 404, 405}, f"{method} {name}: {answer.status_code}"
                if answer.status_code == 302:
                    assert "login" in answer["Location"] or answer["Location"].endswith(path + "/"), name
        seen += 1
    assert seen > 60


def test_an_approver_sees_the_request_but_no_password(story: Story, held: AccessRequest) -> None:
    session = AccessSession.objects.get(group__request=held)
    secret = story.target.passwords[session.group.login]
    for user in (story.cast.approver, story.cast.admin):
        client = client_of(user)
        page = client.get(address_of("request_page", REQUEST, held.pk, None))
        assert page.status_code == 200
        assert secret not in page.content.decode()
        for name in ("show_password", "reset_password"):
            answer = client.post(address_of(name, SESSION, held.pk, session.pk))
            assert answer.status_code == 404
            assert secret not in answer.content.decode()
    session.refresh_from_db()
    assert session.credentials_status == "AVAILABLE"
