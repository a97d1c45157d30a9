"""The two verbs: are id and key good, and who is on call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.contract.errors import CredentialsRejected, Misconfigured, Unreachable
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import PeoplePage, ShiftFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Answer, Service
from connectors.toolkit.http_files import RequestFile
from connectors.toolkit.telling import mark, objects, place_of, record, text

from . import programs
from .timeline import turns_of

# Splunk On-Call counts by the minute, and does not say how long it wants to be left alone.
PAUSE = 60.0
SETUP = "Make a key as setup/1_key.md says."


class SplunkOnCall:
    """An organization of Splunk On-Call."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try id and key."""
        with _splunk(order, run) as service:
            found = _teams(_read(service, programs.LIST_TEAMS, first=True))
        if found:
            return (Finding("ok", f"{service.base} answers, and the key sees {len(found)} teams."),)
        return (Finding("warning", "The key sees no team.", SETUP),)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the shifts of each team, a page for each."""
        place, days = place_of(order.resume), int(order.config.get("days_ahead") or 2)
        with _splunk(order, run) as service:
            # What is read first may fail for the wrong key or for too much that was asked: nobody can tell. Later, only
            # for the latter. When a sync goes on, the key was good before.
            users = _read(service, programs.LIST_USERS, first="done" not in place)
            emails = {
                text(one, "username"): text(one, "email") for one in objects(users.data, programs.LIST_USERS, "users")
            }
            ids, done = _teams(_read(service, programs.LIST_TEAMS)), place.get("done")
            for key in ids[ids.index(done) + 1 if done in ids else 0 :]:
                answer = _read(service, programs.READ_SCHEDULE, team=key, days=days)
                policies = objects(answer.data, programs.READ_SCHEDULE, "schedules")
                team = text(record(record(answer.data).get("team")), "name") or key
                shifts = tuple(shift for one in policies for shift in _shifts(team, one, emails))
                yield Page((), mark(done=key), people=PeoplePage(shifts=shifts))
            yield Page((), "", people=PeoplePage())


def _teams(answer: Answer) -> list[str]:
    """Return the slugs of the teams."""
    return [text(one, "slug") for one in objects(answer.data, programs.LIST_TEAMS) if text(one, "slug")]


def _shifts(team: str, schedule: dict[str, Any], emails: dict[str, str]) -> Iterator[ShiftFact]:
    """Yield the shifts of an escalation policy. People are known by user names there, and by addresses here."""
    policy = record(schedule.get("policy"))
    key, name = text(policy, "slug"), f"{team}: {text(policy, 'name', 'slug')}"
    for turn in turns_of(schedule) if key else ():
        who = emails.get(turn.who) or turn.who
        yield ShiftFact(key, name, who, turn.begins.isoformat(), turn.ends.isoformat())


def _read(service: Service, file: RequestFile, *, first: bool = False, **values: Any) -> Answer:
    """Read one answer. Splunk On-Call says with one and the same 403 that the key is wrong and that too much was asked.

    Raises CredentialsRejected for a 403 to the first request, Unreachable for one to a later one.
    """
    answer = service.read(file, accept=(200, 403), **values)
    if answer.status == 200:
        return answer
    if first:
        raise CredentialsRejected(
            "Splunk On-Call answered 403: the API id or the key is wrong, or it was asked too often just now.",
            fix=f"Try again in a minute. {SETUP}",
        )
    raise Unreachable(
        f"Splunk On-Call answered 403 to {file.name}: it was asked too often.",
        fix=f"It goes on in {PAUSE:.0f} s.",
        after=PAUSE,
    )


@contextmanager
def _splunk(order: Order, run: Run) -> Iterator[Service]:
    """Give the way to the organization; nothing is sent yet. Raises Misconfigured for what is missing."""
    if "key" not in order.secrets:
        raise Misconfigured("The integration has no key.", fix=SETUP)
    headers = {"X-VO-Api-Id": str(order.config.get("api_id") or ""), "X-VO-Api-Key": order.secrets["key"].reveal()}
    address = str(order.config.get("address") or "https://api.victorops.com")
    with Service(address, run, headers=headers) as service:
        yield service


PROVIDER = SplunkOnCall()
