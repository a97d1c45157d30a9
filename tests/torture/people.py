"""People at work: they ask, approve, extend, hand back, are disabled and enabled, while all around them breaks.

What was acknowledged (an action that returned, a page that led to the request) is written down, to be found later.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import requests
from django.db import DatabaseError, InterfaceError, connection

from access_requests import actions
from access_requests.models import AccessRequest, Extension
from accounts.actions import Refused
from accounts.actions import people as accounts
from accounts.models import User
from audit.actor import Actor, person
from audit.choices import Source
from tests.cast import PASSWORD, Cast
from tests.journeys.browser import Browser
from tests.story import Story

# What people may meet while things break: a refusal by the rules, a database or a server that is away.
AWAY = (DatabaseError, InterfaceError, requests.RequestException, AssertionError, psycopg.Error)
REFUSED = (actions.NotPossible, actions.NotYours, actions.BadAsk, Refused)


@dataclass(frozen=True)
class Yes:
    """One thing that somebody was told had been done: the audit entry that has to be there, and about what."""

    action: str
    subject: str
    actor: str
    at: float


@dataclass
class Crowd:
    """The people, and what they were told."""

    cast: Cast
    engineers: list[User]
    stories: list[Story]
    address: str
    rng: random.Random
    told: list[Yes] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    browsers: dict[Any, Browser] = field(default_factory=dict)
    # How long somebody waits between two things they do, at most.
    rest: float = 0.5

    def verbs(self) -> list[Callable[[], str]]:
        """Return what they do, the usual more often than the rare."""
        some: list[Callable[[], str]] = [self.ask] * 5 + [self.approve] * 7 + [self.ask_at_browser] * 2
        some += [self.approve_at_browser] * 2 + [self.extend, self.approve_more, self.hand_back, self.hand_back]
        return [*some, self.cancel, self.reject]

    def run(self) -> None:
        """Act until it is over."""
        verbs = self.verbs()
        while not self.over.wait(self.rng.uniform(self.rest / 10, self.rest)):
            self.act(self.rng.choice(verbs))
        self.tidy()
        connection.close()

    def tidy(self) -> None:
        """Leave things as they were found."""

    def act(self, verb: Callable[[], str]) -> None:
        """Do one thing; what breaks on the way is part of it."""
        try:
            self.did[verb() or "nothing to do"] += 1
        except REFUSED:
            self.did["refused by the rules"] += 1
        except AWAY as problem:
            full = "disk is full" in str(problem).lower() or "no space left" in str(problem).lower()
            self.did["refused: the disk is full" if full else f"not answered ({type(problem).__name__})"] += 1
            self.browsers.clear()
            connection.close()
        except Exception as problem:  # noqa: BLE001  # anything else is a defect, of the product or of this
            self.problems.append(f"{getattr(verb, '__name__', verb)}: {problem!r}")
            connection.close()

    def by(self, user: User) -> Actor:
        """Return the person acting in the portal."""
        return person(user, Source.PORTAL)

    def say(self, action: str, subject: Any, actor: User, *, once: bool = False) -> str:
        """Write down what was acknowledged; what may be told of again, `once`."""
        if once and any((one.action, one.subject) == (action, str(subject)) for one in self.told):
            return action
        self.told.append(Yes(action, str(subject), str(actor.pk), time.time()))
        return action

    def one(self, **conditions: Any) -> AccessRequest | None:
        """Return a request by chance."""
        found = list(AccessRequest.objects.filter(**conditions).order_by("pk")[:50])
        return self.rng.choice(found) if found else None

    def engineer(self) -> User:
        """Return one of the engineers as they are now."""
        return User.objects.get(pk=self.rng.choice(self.engineers).pk)

    def ask(self) -> str:
        """Ask for something short."""
        story, user = self.rng.choice(self.stories), self.engineer()
        names = self.rng.sample(["orders", "stock"], self.rng.choice([1, 1, 2]))
        pairs = [story.pair(name) for name in names]
        seconds = self.rng.randint(3, 20)
        (made,) = actions.ask(user, pairs, actor=self.by(user), justification="an incident", duration_seconds=seconds)
        return self.say("request.created", made.pk, user)

    def approve(self) -> str:
        """Say yes."""
        if (row := self.one(state="pending")) is None:
            return ""
        approver = User.objects.get(pk=self.cast.approver.pk)
        actions.approve(row, approver=approver, actor=self.by(approver))
        return self.say("request.approval_given", row.pk, approver)

    def browser(self, user: User) -> Browser:
        """Return the person's browser, signed in."""
        if user.pk not in self.browsers:
            browser = Browser(self.address)
            browser.session.trust_env = False
            browser.sign_in(user.email, PASSWORD)
            self.browsers[user.pk] = browser
        return self.browsers[user.pk]

    def ask_at_browser(self) -> str:
        """Ask with the form; its page is the answer."""
        story, user = self.rng.choice(self.stories), self.engineers[0]
        pick = "{}:{}".format(*story.pair("stock"))
        browser = self.browser(user)
        form = {"pick": pick, "duration": "", "justification": "an incident", "do": "send"}
        browser.get("/requests/new/")
        answer = browser.send("/requests/new/", **form)
        found = re.search(r"/requests/(\d+)/$", answer.url)
        return self.say("request.created", found[1], user) if found else ""

    def approve_at_browser(self) -> str:
        """Say yes on the page."""
        if (row := self.one(state="pending")) is None:
            return ""
        self.browser(self.cast.approver).post(f"/requests/{row.pk}/approve/", reason="go ahead")
        return "approved at the browser"

    def extend(self) -> str:
        """Ask for more time."""
        if (row := self.one(state="active")) is None:
            return ""
        user = User.objects.get(pk=row.grantee_id)
        actions.extend(row, user=user, actor=self.by(user), seconds=self.rng.randint(2, 10), justification="not done")
        return self.say("extension.requested", row.pk, user)

    def approve_more(self) -> str:
        """Give more time."""
        waiting = Extension.objects.filter(state="pending").select_related("request").first()
        if waiting is None:
            return ""
        approver = User.objects.get(pk=self.cast.approver.pk)
        actions.approve_extension(waiting, approver=approver, actor=self.by(approver))
        return self.say("extension.approval_given", waiting.request_id, approver)

    def hand_back(self) -> str:
        """Give it back early."""
        if (row := self.one(state="active")) is None:
            return ""
        user = User.objects.get(pk=row.grantee_id)
        actions.hand_back(row, user=user, actor=self.by(user))
        return self.say("request.revoking", row.pk, user)

    def revoke(self) -> str:
        """Take it away."""
        if (row := self.one(state__in=["granting", "active"])) is None:
            return ""
        admin = User.objects.get(pk=self.cast.admin.pk)
        actions.revoke(row, user=admin, actor=self.by(admin), reason="It is over.")
        return self.say("request.revoking", row.pk, admin)

    def cancel(self) -> str:
        """Withdraw."""
        if (row := self.one(state="pending")) is None:
            return ""
        user = User.objects.get(pk=row.grantee_id)
        actions.cancel(row, user=user, actor=self.by(user))
        return self.say("request.cancelled", row.pk, user)

    def reject(self) -> str:
        """Say no."""
        if (row := self.one(state="pending")) is None:
            return ""
        approver = User.objects.get(pk=self.cast.approver.pk)
        actions.reject(row, approver=approver, actor=self.by(approver), reason="not today")
        return self.say("request.rejected", row.pk, approver)

    def disable(self) -> str:
        """Disable somebody: what they hold ends."""
        user = User.objects.get(pk=self.rng.choice(self.engineers[1:]).pk)
        admin = User.objects.get(pk=self.cast.admin.pk)
        accounts.disable_user(user, actor=self.by(admin))
        return "person.disabled"

    def enable(self, user: User | None = None) -> str:
        """Let them in again."""
        found = User.objects.get(pk=(user or self.rng.choice(self.engineers)).pk)
        admin = User.objects.get(pk=self.cast.admin.pk)
        accounts.enable_user(found, actor=self.by(admin))
        return "person.enabled"
