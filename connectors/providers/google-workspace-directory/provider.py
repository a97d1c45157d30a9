"""The two verbs: may the service account read, and whom does the account know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, NotPermitted, TargetError, Unreachable
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import GroupFact, MembersFact, PeoplePage, PersonFact
from connectors.contract.provider import Run
from connectors.toolkit.google_identity import access_token
from connectors.toolkit.http import Answer, Service
from connectors.toolkit.http_files import RequestFile
from connectors.toolkit.telling import mark, objects, place_of, record, text

from . import programs

SCOPES = tuple(
    f"https://www.googleapis.com/auth/admin.directory.{one}.readonly" for one in ("user", "group", "group.member")
)
SIZE = 200
# Google says with a 403 both that something is forbidden and that too much was asked; the reason tells which.
TOO_MUCH = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})
# How long to wait then: Google counts by the minute, and does not say.
PAUSE = 60.0
SETUP = "Set the service account up as setup/1_service_account.md says."
FRAME = PeoplePage(whole=True)


@dataclass(frozen=True, slots=True)
class Workspace:
    """The Directory API, as one order sees it."""

    service: Service
    customer: str

    def read(self, file: RequestFile, **values: Any) -> Answer:
        """Read one page. Raises a TargetError; Unreachable also for a 403 that means too much was asked."""
        answer = self.service.read(file, accept=(200, 403), **values)
        if answer.status == 200:
            return answer
        error = record(record(answer.data).get("error"))
        found = error.get("errors")
        reasons = {text(one, "reason") for one in found if isinstance(one, dict)} if isinstance(found, list) else set()
        words = f"Google answered 403 to {file.name}: {text(error, 'message')[:200]}"
        if reasons & TOO_MUCH:
            raise Unreachable(words, fix=f"It goes on in {PAUSE:.0f} s.", after=PAUSE)
        raise NotPermitted(words, fix=f"It needs {file.needs}. {SETUP}")


class GoogleWorkspace:
    """A Google Workspace account."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Get a token, and try both rights."""
        with _workspace(order, run) as at:
            findings = [Finding("ok", f"Google gives tokens, and {at.service.base} answers.")]
            tries: tuple[Callable[[], object], ...] = (
                lambda: at.read(programs.LIST_USERS, customer=at.customer, size=1, page=None),
                lambda: at.read(programs.LIST_GROUPS, customer=at.customer, page=None),
            )
            for call in tries:
                try:
                    call()
                except (LeaseLost, Unreachable):
                    raise
                except TargetError as error:
                    findings.append(Finding("error", error.message, error.fix or SETUP))
        return tuple(findings)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield everybody, each time: Google does not tell what changed."""
        place = place_of(order.resume)
        with _workspace(order, run) as at:
            if place.get("step") != "groups":
                yield from _users(at, place.get("page"))
                place = {}
            yield from _groups(at, place, order.resume)


def _users(at: Workspace, page: str | None) -> Iterator[Page]:
    """Yield pages of people from one on."""
    while True:
        data = record(at.read(programs.LIST_USERS, customer=at.customer, size=SIZE, page=page).data)
        page = text(data, "nextPageToken") or None
        facts = tuple(person(one) for one in objects(data, programs.LIST_USERS, "users"))
        yield Page((), mark(step="users" if page else "groups", page=page), people=replace(FRAME, people=facts))
        if page is None:
            return


def _groups(at: Workspace, place: dict[str, Any], resume: str) -> Iterator[Page]:
    """Yield groups, each with its members; within a group a sync goes on behind the group before."""
    page, done, resume = place.get("page"), place.get("done"), resume or mark(step="groups")
    while True:
        data = record(at.read(programs.LIST_GROUPS, customer=at.customer, page=page).data)
        # An account without groups has no such key; anything else that has none is no such answer.
        found = objects(data, programs.LIST_GROUPS, "groups") if "groups" in data else _none(data)
        ids = [text(one, "id") for one in found]
        for one in found[ids.index(done) + 1 if done in ids else 0 :]:
            key = text(one, "id")
            group = GroupFact(key, text(one, "name", "email") or key)
            for members in _members(at, key):
                yield Page((), resume, people=replace(FRAME, groups=(group,), members=(members,)))
            resume = mark(step="groups", page=page, done=key)
        page, done = text(data, "nextPageToken") or None, None
        if page is None:
            yield Page((), "", people=FRAME)
            return


def _members(at: Workspace, key: str) -> Iterator[MembersFact]:
    """Yield who is in a group, page by page; groups in it and the whole account as a member are no people."""
    page = None
    while True:
        data = record(at.read(programs.LIST_MEMBERS, group=key, page=page).data)
        found = objects(data, programs.LIST_MEMBERS, "members") if "members" in data else _none(data)
        page = text(data, "nextPageToken") or None
        yield MembersFact(key, tuple(text(one, "id") for one in found if one.get("type") == "USER"), whole=True)
        if page is None:
            return


def _none(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return no objects, if the answer is one of the Directory API at all. Raises Misconfigured."""
    if not text(data, "kind").startswith("admin#directory#"):
        raise Misconfigured("The answer is none of Google's Directory API: is the address right?")
    return []


def person(user: dict[str, Any]) -> PersonFact:
    """Return a person. Who is suspended or archived may not sign in."""
    name, found = record(user.get("name")), user.get("relations")
    relations = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    managers = [text(one, "value") for one in relations if one.get("type") == "manager"]
    return PersonFact(
        source_id=text(user, "id"),
        email=text(user, "primaryEmail"),
        name=text(name, "displayName", "fullName") or f"{text(name, 'givenName')} {text(name, 'familyName')}".strip(),
        active=not (user.get("suspended") is True or user.get("archived") is True),
        manager=next(iter(managers), ""),
        record={key: value for key, value in user.items() if key not in HIDDEN},
    )


# Of no use to policy, and not to be kept.
HIDDEN = frozenset(
    {"etag", "kind", "password", "hashFunction", "thumbnailPhotoUrl", "thumbnailPhotoEtag", "sshPublicKeys"}
)


@contextmanager
def _workspace(order: Order, run: Run) -> Iterator[Workspace]:
    """Give the way to an account, with a token for this order only. Raises a TargetError."""
    subject = str(order.config.get("subject") or "")
    if "@" not in subject:
        raise Misconfigured(f"{subject!r} is no address of an account.", fix=SETUP)
    if "key" not in order.secrets:
        raise Misconfigured("The integration has no service account key.", fix=SETUP)
    token = access_token(order.secrets["key"], SCOPES, subject, run).reveal()
    base = str(order.config.get("address") or "https://admin.googleapis.com")
    with Service(base, run, headers={"Authorization": f"Bearer {token}"}) as service:
        yield Workspace(service, str(order.config.get("customer") or "my_customer"))


PROVIDER = GoogleWorkspace()
