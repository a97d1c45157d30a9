"""The two verbs: is the token good, and whom does Okta know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError, Unreachable
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import GroupFact, MembersFact, PeoplePage, PersonFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Service
from connectors.toolkit.telling import clock, linked, mark, objects, place_of, record, text

from . import programs

# These cannot sign in; all others can, though some have to change or unlock their password first.
INACTIVE = frozenset({"STAGED", "PROVISIONED", "SUSPENDED", "DEPROVISIONED"})
# What changed is found by an index that lags behind: each sync looks at the last minutes of the one before again.
OVERLAP = timedelta(minutes=10)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
SETUP = "Make a token as setup/1_token.md says."


class Okta:
    """An Okta organization."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the token, and say what it may not read."""
        with _okta(order, run) as okta:
            me = record(okta.read(programs.READ_CONNECTOR).data)
            login = text(record(me.get("profile")), "login")
            findings = [Finding("ok", f"{okta.base} answers; the token is {login or 'somebody'}'s.")]
            tries: tuple[Callable[[], object], ...] = (
                lambda: okta.read(programs.LIST_USERS, after=None),
                lambda: okta.read(programs.LIST_GROUPS, filter=None, after=None),
            )
            for call in tries:
                try:
                    call()
                except (LeaseLost, Unreachable):
                    raise
                except TargetError as error:
                    findings.append(Finding("error", error.message, f"{error.fix} {SETUP}".strip()))
        return tuple(findings)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield people, then groups with all their members; with a cursor those that changed since."""
        place = place_of(order.resume)
        with _okta(order, run) as okta:
            began = str(place.get("began") or clock(okta.read(programs.READ_CONNECTOR)).isoformat())
            telling = _Telling(order, okta, began)
            if place.get("step") != "groups":
                yield from telling.users(place.get("after"))
                place = {}
            yield from telling.groups(place)


class _Telling:
    """One sync under way. `began` is Okta's own time of its beginning: the next one looks from there."""

    def __init__(self, order: Order, okta: Service, began: str) -> None:
        self.okta, self.began = okta, began
        self.since = _moment(order.cursor)
        self.manager = str(order.config.get("manager_field") or "managerId")
        self.frame = PeoplePage(whole=self.since is None)
        # Where it can go on: within a group, behind the group before. What is told twice counts once.
        self.resume = order.resume

    def users(self, after: str | None) -> Iterator[Page]:
        """Yield pages of people from one on."""
        while True:
            if self.since is None:
                file, answer = programs.LIST_USERS, self.okta.read(programs.LIST_USERS, after=after)
            else:
                search = f'lastUpdated gt "{self.since}"'
                file = programs.LIST_CHANGED_USERS
                answer = self.okta.read(file, search=search, after=after)
            facts = tuple(self._person(one) for one in objects(answer.data, file))
            after = linked(answer, "after") or None
            self.resume = mark(step="users" if after else "groups", after=after, began=self.began)
            yield Page((), self.resume, people=replace(self.frame, people=facts))
            if after is None:
                return

    def groups(self, place: dict[str, Any]) -> Iterator[Page]:
        """Yield groups, each with its members; a sync that broke off goes on within the page of groups it was at."""
        after, done = place.get("after"), place.get("done")
        changed = None
        if self.since is not None:
            changed = f'lastUpdated gt "{self.since}" or lastMembershipUpdated gt "{self.since}"'
        while True:
            answer = self.okta.read(programs.LIST_GROUPS, filter=changed, after=after)
            found = objects(answer.data, programs.LIST_GROUPS)
            ids = [text(group, "id") for group in found]
            for group in found[ids.index(done) + 1 if done in ids else 0 :]:
                yield from self._group(group, after)
            after, done = linked(answer, "after") or None, None
            if after is None:
                yield Page((), "", people=replace(self.frame, cursor=self._cursor()))
                return

    def _group(self, group: dict[str, Any], page: str | None) -> Iterator[Page]:
        """Yield one group with its members."""
        key, after = text(group, "id"), None
        facts: tuple[GroupFact, ...] = (GroupFact(key, text(record(group.get("profile")), "name") or key),)
        while True:
            answer = self.okta.read(programs.LIST_MEMBERS, group=key, after=after)
            ids = tuple(text(one, "id") for one in objects(answer.data, programs.LIST_MEMBERS))
            after = linked(answer, "after") or None
            if after is None:
                self.resume = mark(step="groups", after=page, done=key, began=self.began)
            told = replace(self.frame, groups=facts, members=(MembersFact(key, ids, whole=True),))
            yield Page((), self.resume, people=told)
            if after is None:
                return
            facts = ()

    def _person(self, user: dict[str, Any]) -> PersonFact:
        """Return a person; Okta's id and status, and the profile as it stands."""
        profile = record(user.get("profile"))
        name = text(profile, "displayName") or f"{text(profile, 'firstName')} {text(profile, 'lastName')}".strip()
        return PersonFact(
            source_id=text(user, "id"),
            email=text(profile, "email", "login"),
            name=name,
            active=user.get("status") not in INACTIVE,
            manager=text(profile, self.manager) if self.manager in profile else None,
            record={"id": user.get("id"), "status": user.get("status"), "profile": profile},
        )

    def _cursor(self) -> str:
        return (datetime.fromisoformat(self.began) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _moment(cursor: str) -> str | None:
    """Return a cursor that is a moment; None for what is none, which begins a whole sync."""
    return cursor if MOMENT.fullmatch(cursor) else None


@contextmanager
def _okta(order: Order, run: Run) -> Iterator[Service]:
    """Give the way to the organization; nothing is sent yet. Raises Misconfigured for what is missing."""
    if "token" not in order.secrets:
        raise Misconfigured("The integration has no token.", fix=SETUP)
    headers = {"Authorization": f"SSWS {order.secrets['token'].reveal()}"}
    with Service(str(order.config.get("address") or ""), run, headers=headers) as service:
        yield service


PROVIDER = Okta()
