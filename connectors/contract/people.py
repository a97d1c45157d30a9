"""What a directory or a shift schedule tells: people, groups, who is in them, who is on shift, and who is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from connectors.contract.orders import Finding, Order, Page
    from connectors.contract.provider import Run


@dataclass(frozen=True, slots=True)
class PersonFact:
    """One person as a directory tells of them, by the directory's own id.

    `active` is false for who may not sign in any more. `manager` is the manager's source id or e-mail address; None
    where this page does not tell it, empty for who has none. `record` is what the directory says beside: JSON, in the
    vendor's own words; the server takes attributes from it by paths.
    """

    source_id: str
    email: str
    name: str
    active: bool = True
    manager: str | None = None
    record: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupFact:
    """One group by its own id."""

    source_id: str
    name: str


@dataclass(frozen=True, slots=True)
class MembersFact:
    """Who is in a group: source ids of people.

    `whole`: those named, on all pages together, are all there are; else they `joined` and `left` since the cursor.
    """

    group: str
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ShiftFact:
    """Somebody on a shift of a schedule, from one moment to another (ISO 8601 with a zone).

    `person` is a source id or an e-mail address.
    """

    schedule: str
    name: str
    person: str
    starts_at: str
    ends_at: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of what a directory tells; many pages make one sync.

    `whole`: this sync tells everybody and every group, so who is on none of its pages is gone; else it tells what
    changed since `Order.cursor`. Every page of a sync says the same. `gone` and `gone_groups` are source ids.
    `cursor` is said on the last page: what the next sync is to begin with; empty where only whole ones are possible.
    Shifts are always told whole: those that run or begin soon.
    """

    people: tuple[PersonFact, ...] = ()
    groups: tuple[GroupFact, ...] = ()
    members: tuple[MembersFact, ...] = ()
    shifts: tuple[ShiftFact, ...] = ()
    gone: tuple[str, ...] = ()
    gone_groups: tuple[str, ...] = ()
    whole: bool = True
    cursor: str = ""


class Directory(Protocol):
    """One kind of directory or schedule. Both verbs only read; each raises a TargetError and never retries by itself.

    A service that says how long it wants to be left alone is told so by `Unreachable(after=…)`: the sync goes on then,
    where it was.
    """

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the connection and the connector's own privileges; say in words what is missing."""

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield what the directory tells since `order.cursor`, in pages that carry `people`."""
