"""The two verbs: is the key good, and who is on call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import PeoplePage, ShiftFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Service
from connectors.toolkit.telling import clock, mark, objects, place_of, record, text, written

from . import programs

SETUP = "Make a key as setup/1_key.md says."


class Zenduty:
    """A Zenduty account."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the key."""
        with _zenduty(order, run) as service:
            found = objects(service.read(programs.LIST_TEAMS).data, programs.LIST_TEAMS)
        if found:
            return (Finding("ok", f"{service.base} answers, and the key sees {len(found)} teams."),)
        return (Finding("warning", "The key sees no team.", SETUP),)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield who is on call now, a page for each team; Zenduty tells of no later shifts."""
        place, levels = place_of(order.resume), int(order.config.get("levels") or 1)
        kept = timedelta(minutes=int(order.config.get("minutes_kept") or 60))
        with _zenduty(order, run) as service:
            found = objects(service.read(programs.LIST_TEAMS).data, programs.LIST_TEAMS)
            teams = {text(one, "unique_id"): text(one, "name") for one in found}
            ids, done = list(teams), place.get("done")
            for key in ids[ids.index(done) + 1 if done in ids else 0 :]:
                answer = service.read(programs.READ_ON_CALL, team=key)
                now = clock(answer)
                policies = objects(answer.data, programs.READ_ON_CALL)
                shifts = tuple(
                    shift for one in policies for shift in _shifts(teams[key], one, levels, (now, now + kept))
                )
                yield Page((), mark(done=key), people=PeoplePage(shifts=shifts))
            yield Page((), "", people=PeoplePage())


def _shifts(team: str, policy: dict[str, Any], levels: int, span: tuple[datetime, datetime]) -> Iterator[ShiftFact]:
    """Yield who is on call at the first levels of an escalation policy, everybody once."""
    rules = [record(one) for one in objects(policy, programs.READ_ON_CALL, "oncalls")]
    rules.sort(key=_position)
    key, name = text(policy, "unique_id"), f"{team}: {text(policy, 'name')}"
    people = {
        text(record(one), "email") or text(record(one), "username")
        for rule in rules[:levels]
        for one in objects(rule, programs.READ_ON_CALL, "oncalls")
    }
    for who in sorted(people - {""}):
        yield ShiftFact(key, name, who, written(span[0]), written(span[1]))


def _position(rule: dict[str, Any]) -> int:
    position = rule.get("position")
    return position if isinstance(position, int) else 0


@contextmanager
def _zenduty(order: Order, run: Run) -> Iterator[Service]:
    """Give the way to the account; nothing is sent yet. Raises Misconfigured for what is missing."""
    if "key" not in order.secrets:
        raise Misconfigured("The integration has no key.", fix=SETUP)
    headers = {"Authorization": f"Token {order.secrets['key'].reveal()}"}
    address = str(order.config.get("address") or "https://www.zenduty.com")
    with Service(address, run, headers=headers) as service:
        yield service


PROVIDER = Zenduty()
