"""One node: which logins of a person it has, and how they are given rules and ended there."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.contract.errors import Unreachable
from connectors.contract.orders import Desired, Unit
from connectors.providers.redis import nodes, programs, rules
from connectors.toolkit.logins import marked_grant, standing_names
from connectors.toolkit.redis_commands import Link

# How a marker stands in the line that the server has for a user.
MARKED = re.compile(r"\(~(latchkey/[^\s/]+/[^\s/]+/[^\s/]+)[ )]")
# How long a connection may take to end after it was told to.
PATIENCE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.02

ADDING = {
    (rules.SERVER, rules.READ): programs.ADD_SERVER_READ_ONLY,
    (rules.SERVER, rules.WRITE): programs.ADD_SERVER_READ_WRITE,
    (rules.SERVER, rules.ADMIN): programs.ADD_SERVER_ADMIN,
    (rules.KEYS, rules.READ): programs.ADD_KEY_PATTERN_READ_ONLY,
    (rules.KEYS, rules.WRITE): programs.ADD_KEY_PATTERN_READ_WRITE,
    (rules.CHANNELS, rules.SUBSCRIBE): programs.ADD_CHANNEL_PATTERN_SUBSCRIBE,
    (rules.CHANNELS, rules.PUBLISH): programs.ADD_CHANNEL_PATTERN_PUBLISH,
}


@dataclass(slots=True)
class Node:
    """What one node said, when it was asked last. `ours` maps a login of the person to its grant and its user."""

    link: Link
    ours: dict[str, tuple[str, rules.User]] = field(default_factory=dict)
    standing: dict[str, rules.User] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    sessions: Counter[str] = field(default_factory=Counter)

    def user(self, login: str) -> rules.User | None:
        """Return a login of ours."""
        return self.ours[login][1] if login in self.ours else None


def read_node(link: Link, integration_id: str, desired: Desired) -> Node:
    """Ask one node for whatever is this person's, or has a name of the order."""
    node, person = Node(link), desired.person
    named = {grant.login for grant in desired.holds} | {ending.login for ending in desired.gone}
    own = standing_names(person)
    for name, line in nodes.users(link).items():
        markers = MARKED.findall(line)
        grants = [grant for one in markers if (grant := marked_grant(one, integration_id, person)) is not None]
        if len(markers) == len(grants) == 1:
            if (user := nodes.user(link, name)) is not None:
                node.ours[name] = (grants[0], user)
        elif name in named:
            node.foreign.add(name)
        elif name in own and not markers and (user := nodes.user(link, name)) is not None:
            node.standing[name] = user
    node.sessions = nodes.sessions(link)
    return node


def give_on(node: Node, login: str, marker: str, units: Iterable[Unit]) -> None:
    """Make one node's login hold these units and nothing else."""
    wanted = Counter({rules.CONNECTION: 1})
    for unit in units:
        wanted |= Counter(dict.fromkeys(rules.shapes(unit), 1))
    user, present = node.user(login), Counter[rules.Shape]()
    if user is None:
        node.link.change(programs.CREATE_LOGIN, login=login, marker=marker)
    else:
        present = rules.pieces(user, marker)
        idle = any(one.allows_nothing for one in user.sets if one != rules.marker_rules(marker))
        # A single set of rules cannot be taken away, so all are, and those that are wanted are given again.
        if present - wanted or user.root != rules.ROOT or idle:
            node.link.change(programs.CLEAR_RULES, login=login, marker=marker)
            present = Counter()
    if rules.CONNECTION not in present:
        node.link.change(programs.ADD_CONNECTION, login=login)
    for unit in dict.fromkeys(units):
        if not rules.shapes(unit) <= present.keys():
            values = {} if unit.resource_type == rules.SERVER else {"pattern": unit.resource}
            node.link.change(ADDING[unit.resource_type, unit.permission], login=login, **values)


def end_on(node: Node, login: str, marker: str) -> int:
    """Shut a login of one node, end its connections until none is left, and remove it."""
    user = node.ours[login][1]
    if user.on:
        node.link.change(programs.SHUT_LOGIN, login=login, marker=marker)
    # Whoever only listens is cut off as soon as the rules are gone, so count those from before.
    ended, patience = node.sessions[login], time.monotonic() + PATIENCE_SECONDS
    while left := nodes.sessions(node.link)[login]:
        ended = max(ended, left)
        if time.monotonic() > patience:
            raise Unreachable(f"{left} connection(s) of {login} do not end.", fix="It is tried again.")
        node.link.change(programs.END_SESSIONS, login=login)
        if node.link.dry_run:
            break
        time.sleep(LOOK_AGAIN_SECONDS)
    node.link.change(programs.DROP_LOGIN, login=login)
    return ended
