"""The two verbs: is the application allowed to read, and whom does the tenant know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from connectors.contract.errors import LeaseLost, TargetError, Unreachable
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import GroupFact, MembersFact, PeoplePage, PersonFact
from connectors.contract.provider import Run
from connectors.toolkit.telling import mark, objects, place_of, text

from . import programs
from .graph import SETUP, Graph, graph

PAGE = 500
LATEST = "latest"
USER = "#microsoft.graph.user"


class EntraId:
    """A tenant of Microsoft Entra ID."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the application's permissions one by one."""
        with graph(order, run) as at:
            findings = [Finding("ok", f"{at.service.base} answers, and the application may sign in.")]
            tries: list[tuple[Any, dict[str, Any]]] = [
                (programs.LIST_USERS, {"fields": at.fields, "size": 1, "skip": None}),
                (programs.LIST_GROUPS, {"size": 1, "skip": None}),
            ]
            for file, values in tries:
                try:
                    at.service.read(file, **values)
                except (LeaseLost, Unreachable):
                    raise
                except TargetError as error:
                    findings.append(Finding("error", error.message, f"{error.fix} {SETUP}".strip()))
        return tuple(findings)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield what changed since the cursor's two marks; without, or when Microsoft forgot them, everybody."""
        with graph(order, run) as at:
            place, cursor = place_of(order.resume), place_of(order.cursor)
            if place.get("way", "changes") == "changes" and "users" in cursor and "groups" in cursor:
                changes = _Changes(at, cursor, place)
                if not changes.forgotten():
                    yield from changes.pages()
                    return
                place = {}
            yield from _Everybody(at, place if place.get("way") == "all" else {}).pages()


class _Everybody:
    """A whole reading. The marks for the next sync are made before it: what changes meanwhile is told then."""

    def __init__(self, at: Graph, place: dict[str, Any]) -> None:
        self.at, self.place = at, place
        self.marks = {name: str(place.get(name) or self._latest(name)) for name in ("users", "groups")}
        self.frame = PeoplePage(whole=True)
        self.resume = self._mark("people")

    def pages(self) -> Iterator[Page]:
        """Yield people, then groups with their members."""
        skip, step = self.place.get("skip"), self.place.get("step", "people")
        while step == "people":
            answer = self.at.service.read(programs.LIST_USERS, fields=self.at.fields, size=PAGE, skip=skip)
            found = objects(answer.data, programs.LIST_USERS, "value")
            skip = self.at.next_page(answer)
            step = "people" if skip else "groups"
            self.resume = self._mark(step, skip=skip)
            facts = tuple(person(one) for one in found if wanted(self.at, one))
            yield Page((), self.resume, people=replace(self.frame, people=facts))
        yield from self._groups(skip, self.place.get("done"))

    def _groups(self, skip: str | None, done: str | None) -> Iterator[Page]:
        while True:
            answer = self.at.service.read(programs.LIST_GROUPS, size=PAGE, skip=skip)
            found = objects(answer.data, programs.LIST_GROUPS, "value")
            ids = [text(one, "id") for one in found]
            for one in found[ids.index(done) + 1 if done in ids else 0 :]:
                for members in members_of(self.at, text(one, "id")):
                    told = replace(self.frame, groups=(group(one),), members=(members,))
                    yield Page((), self.resume, people=told)
                self.resume = self._mark("groups", skip=skip, done=text(one, "id"))
            skip, done = self.at.next_page(answer), None
            if skip is None:
                yield Page((), "", people=replace(self.frame, cursor=mark(**self.marks)))
                return

    def _latest(self, name: str) -> str:
        """Return a mark of now."""
        if name == "users":
            answer = self.at.service.read(programs.LIST_CHANGED_USERS, fields=self.at.fields, delta=LATEST, skip=None)
        else:
            answer = self.at.service.read(programs.LIST_CHANGED_GROUPS, delta=LATEST, skip=None)
        return self.at.delta(answer) or ""

    def _mark(self, step: str, **more: Any) -> str:
        return mark(way="all", step=step, **self.marks, **more)


class _Changes:
    """What changed since two marks. Microsoft says who; what they are now is read one by one."""

    def __init__(self, at: Graph, cursor: dict[str, Any], place: dict[str, Any]) -> None:
        self.at = at
        self.step = str(place.get("step") or "users")
        self.users, self.groups = str(place.get("users") or ""), ""
        self.next = {"delta": cursor[self.step], "skip": None}
        if place.get("skip"):
            self.next = {"delta": None, "skip": place["skip"]}
        self.delta_of_groups = cursor["groups"]
        self.frame = PeoplePage(whole=False)
        self.first: Any = None

    def forgotten(self) -> bool:
        """Whether Microsoft does not know the mark any more, and everybody has to be read again."""
        self.first = self._read()
        return bool(self.first.status in {400, 404, 410})

    def pages(self) -> Iterator[Page]:
        """Yield people who changed or went, then groups."""
        while True:
            answer = self.first if self.first is not None else self._read()
            self.first = None
            if answer.status != 200:
                raise Unreachable("Microsoft Graph does not know its own mark any more.", fix="It is read anew.")
            people = self._people(answer) if self.step == "users" else self._groups(answer)
            skip, delta = self.at.next_page(answer), self.at.delta(answer)
            self.next = {"delta": None, "skip": skip}
            if skip is None and self.step == "groups":
                self.groups = delta or ""
                yield Page((), "", people=replace(people, cursor=mark(users=self.users, groups=self.groups)))
                return
            if skip is None:
                self.step, self.users = "groups", delta or ""
                self.next = {"delta": self.delta_of_groups, "skip": None}
            yield Page((), mark(way="changes", step=self.step, users=self.users, skip=skip), people=people)

    def _read(self) -> Any:
        known = (200, 400, 404, 410)
        if self.step == "users":
            file = programs.LIST_CHANGED_USERS
            # The mark carries which fields are watched; Microsoft takes no others beside it.
            return self.at.service.read(file, accept=known, fields=None, **self.next)
        return self.at.service.read(programs.LIST_CHANGED_GROUPS, accept=known, **self.next)

    def _people(self, answer: Any) -> PeoplePage:
        facts, gone = [], []
        for one in objects(answer.data, programs.LIST_CHANGED_USERS, "value"):
            key = text(one, "id")
            now = None if "@removed" in one else self._now(programs.READ_USER, user=key, fields=self.at.fields)
            if now is not None and wanted(self.at, now):
                facts.append(person(now))
            else:
                gone.append(key)
        return replace(self.frame, people=tuple(facts), gone=tuple(gone))

    def _groups(self, answer: Any) -> PeoplePage:
        groups, members, gone = [], [], []
        for one in objects(answer.data, programs.LIST_CHANGED_GROUPS, "value"):
            key = text(one, "id")
            now = None if "@removed" in one else self._now(programs.READ_GROUP, group=key)
            if now is None:
                gone.append(key)
                continue
            groups.append(group(now))
            members += list(members_of(self.at, key))
        return replace(self.frame, groups=tuple(groups), members=tuple(members), gone_groups=tuple(gone))

    def _now(self, file: Any, **values: Any) -> dict[str, Any] | None:
        """Return what something is now; None when it is not there any more."""
        answer = self.at.service.read(file, accept=(200, 404), **values)
        return answer.data if answer.status == 200 and isinstance(answer.data, dict) else None


def members_of(at: Graph, key: str) -> Iterator[MembersFact]:
    """Yield who is in a group, page by page; machines and groups in it are no people, and left out."""
    skip = None
    while True:
        answer = at.service.read(programs.LIST_MEMBERS, group=key, size=PAGE, skip=skip)
        found = objects(answer.data, programs.LIST_MEMBERS, "value")
        yield MembersFact(key, tuple(text(one, "id") for one in found if one.get("@odata.type") == USER), whole=True)
        skip = at.next_page(answer)
        if skip is None:
            return


def person(user: dict[str, Any]) -> PersonFact:
    """Return a person: the address is the mailbox's, or else the name they sign in with."""
    boss = user.get("manager")
    return PersonFact(
        source_id=text(user, "id"),
        email=text(user, "mail", "userPrincipalName"),
        name=text(user, "displayName"),
        active=user.get("accountEnabled") is not False,
        manager=text(boss, "id") if isinstance(boss, dict) else "",
        record={name: value for name, value in user.items() if name != "manager" and not name.startswith("@")},
    )


def group(found: dict[str, Any]) -> GroupFact:
    """Return a group."""
    return GroupFact(text(found, "id"), text(found, "displayName") or text(found, "id"))


def wanted(at: Graph, user: dict[str, Any]) -> bool:
    """Whether the account is a person to be taken over."""
    return at.guests or user.get("userType") != "Guest"


PROVIDER = EntraId()
