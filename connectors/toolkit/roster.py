"""How a directory is told that lists people, groups and members in pages: everybody first, then each group whole.

A sync that broke off goes on at the page of people it was at, or behind the last group that was told whole. What is
told twice counts once, so going on a little before is safe; going on a little behind would lose somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.contract.errors import LeaseLost, TargetError, Unreachable
from connectors.contract.orders import Finding, Page
from connectors.contract.people import GroupFact, MembersFact, PeoplePage, PersonFact
from connectors.toolkit.telling import mark


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list as the service told it, and the mark of the next one; None on the last."""

    found: list[dict[str, Any]]
    following: str | None


@dataclass(frozen=True, slots=True)
class Roster:
    """A directory as one sync reads it.

    `people` and `groups` give the page at a mark, the first one for None; `members` that of a group, as source ids.
    `kept` is carried by every mark: what a sync that goes on later must know. The next one begins with `cursor`.
    """

    people: Callable[[str | None], Listed]
    groups: Callable[[str | None], Listed]
    members: Callable[[str, str | None], tuple[tuple[str, ...], str | None]]
    person: Callable[[dict[str, Any]], PersonFact]
    group: Callable[[dict[str, Any]], GroupFact]
    whole: bool = True
    cursor: str = ""
    kept: dict[str, str] = field(default_factory=dict)


def told(roster: Roster, place: dict[str, Any]) -> Iterator[Page]:
    """Yield people, then groups with their members, from a place on (`telling.place_of`)."""
    frame = PeoplePage(whole=roster.whole)
    if place.get("step") != "groups":
        yield from _people(roster, frame, place.get("after"))
        place = {}
    yield from _groups(roster, frame, place.get("after"), place.get("done"))


def _people(roster: Roster, frame: PeoplePage, after: str | None) -> Iterator[Page]:
    while True:
        page = roster.people(after)
        after = page.following
        resume = mark(step="people" if after else "groups", after=after, **roster.kept)
        yield Page((), resume, people=replace(frame, people=tuple(roster.person(one) for one in page.found)))
        if after is None:
            return


def _groups(roster: Roster, frame: PeoplePage, after: str | None, done: str | None) -> Iterator[Page]:
    resume = mark(step="groups", after=after, done=done, **roster.kept)
    while True:
        page = roster.groups(after)
        facts = [roster.group(one) for one in page.found]
        ids = [one.source_id for one in facts]
        for fact in facts[ids.index(done) + 1 if done in ids else 0 :]:
            behind = mark(step="groups", after=after, done=fact.source_id, **roster.kept)
            for members, last in _members(roster, fact.source_id):
                resume = behind if last else resume
                yield Page((), resume, people=replace(frame, groups=(fact,), members=(members,)))
        after, done = page.following, None
        if after is None:
            yield Page((), "", people=replace(frame, cursor=roster.cursor))
            return


def _members(roster: Roster, key: str) -> Iterator[tuple[MembersFact, bool]]:
    """Yield who is in a group, page by page, and whether it is the last one."""
    after = None
    while True:
        ids, after = roster.members(key, after)
        yield MembersFact(key, ids, whole=True), after is None
        if after is None:
            return


def tried(calls: tuple[Callable[[], object], ...], setup: str) -> list[Finding]:
    """Try each call, and say in words which the service refuses. Raises LeaseLost, and Unreachable."""
    findings = []
    for call in calls:
        try:
            call()
        except (LeaseLost, Unreachable):
            raise
        except TargetError as error:
            findings.append(Finding("error", error.message, f"{error.fix} {setup}".strip()))
    return findings
