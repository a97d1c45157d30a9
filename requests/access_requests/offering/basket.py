"""What a person picked: read from a form, narrowed to what they may have, and shown line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from access_requests.models import AccessRequest
from access_requests.offering.reaching import Asker, Choice, choices_of
from flows.decision import Problem
from integrations.queries import Entitlement

# A bundle that holds more than this cannot be asked for at once (access_requests.actions.ENTITLEMENTS_MAX).
ENTITLEMENTS_MAX = 500


@dataclass(frozen=True, slots=True)
class Picks:
    """What a form names: (resource id, permission id) pairs and ids of bundles, in the order they were picked."""

    values: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The entitlements picked one by one."""
        split = (value.split(":") for value in self.values if not value.startswith("bundle:"))
        return [(int(resource), int(permission)) for resource, permission in split]

    @property
    def bundles(self) -> list[str]:
        """The bundles picked."""
        return [value.removeprefix("bundle:") for value in self.values if value.startswith("bundle:")]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the basket: an entitlement with what else could be chosen there, or a bundle."""

    value: str
    name: str
    where: str
    path: str = ""
    permission: str = ""
    resource_id: int = 0
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Basket:
    """The lines, the entitlements they come to, and what is wrong with the picking itself."""

    lines: tuple[Line, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def count(self) -> int:
        """How many entitlements it comes to."""
        return len(self.pairs)


def picks_of(access: AccessRequest) -> Picks:
    """Return what a request asked for, to be asked for again. One query."""
    units = access.access_groups.order_by("pk").values_list("units__resource_id", "units__permission_id")
    return Picks(tuple(f"{resource}:{permission}" for resource, permission in units if resource and permission))


def fill(who: Asker, picks: Picks) -> Basket:
    """Return the basket of some picks. What no flow gives is in no line: its name is not for them to know.

    Its pair stays in `pairs`, so that the dry run can say that something is missing.
    """
    given = who.given_on(dict.fromkeys(resource for resource, _ in picks.pairs)) if picks.pairs else {}
    lines: list[Line] = []
    problems: list[Problem] = []
    pairs = dict.fromkeys(picks.pairs)
    for value in picks.values:
        if value.startswith("bundle:"):
            line, within = _bundle(who, value)
            lines += [line] if line else []
            pairs |= dict.fromkeys((one.resource_id, one.permission_id) for one in within[:ENTITLEMENTS_MAX])
            problems += _about_bundle(line, within)
        else:
            here = given.get(int(value.split(":")[0]), ())
            lines += [_line(one, here) for one in here if f"{one.resource_id}:{one.permission_id}" == value]
    return Basket(tuple(lines), tuple(pairs), tuple(problems))


def _line(one: Entitlement, here: Sequence[Entitlement]) -> Line:
    return Line(
        value=f"{one.resource_id}:{one.permission_id}",
        name=one.resource_name,
        where=one.integration_name,
        path=one.resource_path,
        permission=one.permission_name,
        resource_id=one.resource_id,
        choices=tuple(choice for choice in choices_of(here) if not choice.refusal),
    )


def _bundle(who: Asker, value: str) -> tuple[Line | None, list[Entitlement]]:
    bundle = who.bundle(value.removeprefix("bundle:"))
    if bundle is None:
        return None, []
    within = who.within(bundle)
    systems = len({one.integration_id for one in within})
    number = f"{ENTITLEMENTS_MAX}+" if len(within) > ENTITLEMENTS_MAX else str(len(within))
    where = f"Bundle · {number} {_s('entitlement', len(within))} in {systems} {_s('system', systems)}"
    return Line(value=value, name=str(bundle.get("name", "")), where=where), within


def _about_bundle(line: Line | None, within: Sequence[Entitlement]) -> Iterable[Problem]:
    if line is None:
        yield Problem("NO_FLOW", "No access flow gives you some of this. Choose again from the list.")
    elif len(within) > ENTITLEMENTS_MAX:
        message = (
            f"The bundle {line.name} holds more than {ENTITLEMENTS_MAX} entitlements, and one request can name at most"
            f" {ENTITLEMENTS_MAX}. Remove it and pick what you need of it from the list."
        )
        yield Problem("TOO_MANY", message, field="entitlements")
    elif not within:
        yield Problem("NO_FLOW", f"The bundle {line.name} holds nothing that can be granted now.", field="entitlements")


def _s(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"
