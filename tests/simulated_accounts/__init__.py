"""A target in this process without logins: groups that people's own accounts are members of, per integration id."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from connectors.contract.orders import ResourceFact, Unit


@dataclass
class Accounts:
    """Who is in which group, by person id, whoever put them there; and the orders run.

    `refused` are groups that nobody can be put into, `stuck` such that nobody comes out of, whatever is answered.
    """

    members: dict[str, set[Unit]] = field(default_factory=lambda: defaultdict(set))
    groups: list[ResourceFact] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    refused: frozenset[str] = frozenset()
    stuck: set[str] = field(default_factory=set)


ACCOUNTS: dict[str, Accounts] = defaultdict(Accounts)
