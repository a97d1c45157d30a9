"""What the mocks of directories share: a state that answers, trouble on order, and the vendor's own time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Self

from tests.http_server import Answer, Asked, serving
from tests.people.world import NOON


@dataclass
class Site(ABC):
    """The state. `trouble` maps the number of a request to its answer instead; pages hold `page` at most."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    page: int = 2
    now: datetime = NOON
    trouble: dict[int, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""
    # Ids as the vendor makes them, from small numbers.
    key: ClassVar[str] = "{}"

    def group(self, number: int, name: str, *members: int) -> None:
        """Put a group there, or change it."""
        key = self.key.format(number)
        self.groups[key], self.members[key] = name, [self.key.format(one) for one in members]

    def remove(self, *numbers: int) -> None:
        """Delete people."""
        for number in numbers:
            key = self.key.format(number)
            del self.users[key]
            for members in self.members.values():
                if key in members:
                    members.remove(key)

    def answer(self, asked: Asked) -> Answer:
        """Answer one request, with the vendor's own time."""
        self.asked.append(asked)
        said = self.trouble.pop(len(self.asked), None) or self.said(asked)
        said.headers["Date"] = format_datetime(self.now, usegmt=True)
        return said

    @abstractmethod
    def said(self, asked: Asked) -> Answer:
        """Return the answer to a request."""

    @abstractmethod
    def person(self, number: int, name: str, *, active: bool = True, boss: int = 0, **more: Any) -> None:
        """Put a person there, or change them; `boss` is the manager's number."""

    @contextmanager
    def open(self) -> Iterator[Self]:
        """Serve it, with five people and two groups."""
        self.person(1, "Bea", department="Payments")
        self.person(2, "Cem", boss=1)
        self.person(3, "Dora", boss=1)
        self.person(4, "Emil")
        self.person(5, "Rita")
        self.group(71, "Engineers", 1, 2, 3)
        self.group(72, "Everyone", 1, 2, 3, 4, 5)
        with serving(self.answer) as server:
            self.address = server.address
            yield self
