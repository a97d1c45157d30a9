"""The logins of one person on all nodes: read, given, ended."""

from __future__ import annotations

import hashlib
import re
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.contract.errors import LeaseLost, Misconfigured, Refused, TargetError, TargetMissing, Unreachable
from connectors.contract.orders import Desired, Grant, Order, Unit
from connectors.contract.secret import Secret
from connectors.providers.redis import nodes, programs, rules
from connectors.providers.redis.nodes import Settings
from connectors.toolkit.logins import Given, Login, State, mark, marked_grant, merged, standing_names
from connectors.toolkit.redis_commands import Link
from connectors.toolkit.scram import new_password

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


class RedisAccounts:
    """The logins of the person of one order."""

    def __init__(self, order: Order, found: Settings, links: list[Link]) -> None:
        """Ask nothing yet."""
        assert order.desired is not None  # the runner has seen to it
        self._integration = order.integration_id
        self._desired: Desired = order.desired
        self._settings = found
        self._links = links
        self._dry_run = order.dry_run
        self._nodes: list[Node] = []

    def read(self) -> State:
        """Ask every node. Raises a TargetError when the main one does not answer."""
        self._nodes, unknown = [], []
        for link in self._links:
            try:
                self._nodes.append(self._read_node(link))
            except Unreachable:
                if link is self._links[0]:
                    raise
                unknown.append(link.server.address)
        return State(
            read_at=nodes.clock(self._links[0]),
            ours=self._everywhere(),
            standing=self._standing(),
            foreign=frozenset().union(*(node.foreign for node in self._nodes)),
            unknown=tuple(unknown),
        )

    def refusals(self, grant: Grant) -> dict[Unit, TargetError]:
        """Return the units of patterns that are none, or that the integration does not offer."""
        found: dict[Unit, TargetError] = {}
        for unit in grant.units:
            try:
                pattern = rules.parse_unit(unit)
            except Misconfigured as error:
                found[unit] = error
                continue
            if not self._settings.offers(unit.resource_type, pattern):
                found[unit] = TargetMissing(
                    f"The pattern {pattern} is not among those that this integration offers.",
                    fix="An admin can list it in the integration's configuration.",
                )
        return found

    def give(self, grant: Grant, login: Login | None, units: tuple[Unit, ...], given: Given) -> None:
        """Make the login on every node that answers. Raises Refused for a login that is not the grant's own."""
        if any(grant.login in node.foreign for node in self._nodes) or (login is None and self._is_anothers(grant)):
            raise Refused(
                f"There is a user {grant.login!r} that was not made for this grant. It is not taken over.",
                fix="Remove that user, or ask again: a new grant gets a new name.",
            )
        password_hash = self._password_hash(grant, given)
        marker = self._marker(grant.grant_id)
        for node in self._nodes:
            self._give_on(node, grant.login, marker, units)
            user = node.user(grant.login)
            if user is None or not user.on or user.no_password or user.hashes != (password_hash.reveal(),):
                node.link.change(programs.OPEN_LOGIN, login=grant.login, password_hash=password_hash)

    def set_password(self, login: Login) -> Secret:
        """Give a login a new password on every node that has it."""
        password = new_password()
        for node in self._nodes:
            if login.name in node.ours:
                node.link.change(programs.OPEN_LOGIN, login=login.name, password_hash=_hash(password))
        return Secret(password)

    def end(self, login: Login) -> int:
        """Remove a login from every node that has it; each is tried even if another fails."""
        errors: list[TargetError] = []
        ended = 0
        for node in self._nodes:
            if login.name not in node.ours:
                continue
            try:
                ended += self._end_on(node, login.name)
            except LeaseLost:
                raise
            except TargetError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return ended

    def settle(self) -> None:
        """Have every node keep its users, so that a restart brings back neither too few nor too many."""
        steps: dict[str, Callable[[Link], Any]] = {
            "acl_file": lambda link: link.change(programs.SAVE_ACL_FILE),
            "configuration_file": lambda link: link.change(programs.REWRITE_CONFIGURATION),
        }
        step = steps.get(self._settings.persistence)
        if step is not None:
            for node in self._nodes:
                step(node.link)

    def details(self, grant: Grant) -> dict[str, Any]:
        """Return what is needed to connect, but for the password."""
        server = self._settings.main
        command = ["redis-cli", "-h", server.host, "-p", str(server.port), *(["--tls"] if server.tls else [])]
        found = {
            "host": server.host,
            "port": server.port,
            "tls": server.tls,
            "username": grant.login,
            "command": shlex.join([*command, "--user", grant.login, "--askpass"]),
            "uri": f"{'rediss' if server.tls else 'redis'}://{quote(grant.login, safe='')}@{server.address}",
        }
        for name, kind in (("key_patterns", rules.KEYS), ("channel_patterns", rules.CHANNELS)):
            listed = list(dict.fromkeys(unit.resource for unit in grant.units if unit.resource_type == kind))
            found |= {name: listed} if listed else {}
        return found

    def _marker(self, grant_id: str) -> str:
        """Return the marker of a grant."""
        return mark(self._integration, self._desired.person, grant_id)

    def _is_anothers(self, grant: Grant) -> bool:
        """Say whether a login of the person has this name, for another grant."""
        return any(grant.login in node.ours and node.ours[grant.login][0] != grant.grant_id for node in self._nodes)

    def _read_node(self, link: Link) -> Node:
        """Ask one node for whatever is this person's, or has a name of the order."""
        node, person = Node(link), self._desired.person
        named = {grant.login for grant in self._desired.holds} | {ending.login for ending in self._desired.gone}
        own = standing_names(person)
        for name, line in nodes.users(link).items():
            markers = MARKED.findall(line)
            grants = [grant for one in markers if (grant := marked_grant(one, self._integration, person)) is not None]
            if len(markers) == len(grants) == 1:
                if (user := nodes.user(link, name)) is not None:
                    node.ours[name] = (grants[0], user)
            elif name in named:
                node.foreign.add(name)
            elif name in own and not markers and (user := nodes.user(link, name)) is not None:
                node.standing[name] = user
        node.sessions = nodes.sessions(link)
        return node

    def _everywhere(self) -> dict[str, Login]:
        """Return the logins of the person, as all nodes together have them."""
        found: dict[str, Login] = {}
        for name in sorted({name for node in self._nodes for name in node.ours}):
            grant_id = next(node.ours[name][0] for node in self._nodes if name in node.ours)
            found[name] = merged(self._on(node, name, grant_id) for node in self._nodes)
        return found

    def _on(self, node: Node, name: str, grant_id: str) -> Login:
        """Return a login as one node has it."""
        user = node.user(name)
        if user is None:
            return Login(name, grant_id, there=False)
        wanted = [unit for grant in self._desired.holds if grant.grant_id == grant_id for unit in grant.units]
        held, beyond = rules.our_units(user, self._marker(grant_id), wanted)
        return Login(name, grant_id, held, user.can_login, node.sessions[name], partly=beyond)

    def _standing(self) -> dict[str, Login]:
        """Return the person's own users, with what they may do on any node."""
        found: dict[str, Login] = {}
        for node in self._nodes:
            for name, user in node.standing.items():
                units = rules.standing_units(user) if user.can_login else frozenset()
                units |= found[name].units if name in found else frozenset()
                found[name] = Login(name, "", units)
        return found

    def _password_hash(self, grant: Grant, given: Given) -> Secret:
        """Return the hash to have on all nodes: of a new password, or the one that is there."""
        present = {user.hashes for node in self._nodes if (user := node.user(grant.login)) is not None}
        if not grant.wants_credentials and len(present) == 1 and len(only := next(iter(present))) == 1:
            return Secret(only[0])
        password = new_password()
        if grant.wants_credentials:
            given.password = Secret(password)
        elif present:
            given.warnings.append(f"The user {grant.login} had been changed: it needs a new password.")
        else:
            given.warnings.append(f"The user {grant.login} was gone and was made again: it needs a new password.")
        return _hash(password)

    def _give_on(self, node: Node, login: str, marker: str, units: Iterable[Unit]) -> None:
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

    def _end_on(self, node: Node, login: str) -> int:
        """Shut a login of one node, end its connections until none is left, and remove it."""
        grant_id, user = node.ours[login]
        if user.on:
            node.link.change(programs.SHUT_LOGIN, login=login, marker=self._marker(grant_id))
        ended, patience = 0, time.monotonic() + PATIENCE_SECONDS
        while left := nodes.sessions(node.link)[login]:
            ended = max(ended, left)
            if time.monotonic() > patience:
                raise Unreachable(f"{left} connection(s) of {login} do not end.", fix="It is tried again.")
            node.link.change(programs.END_SESSIONS, login=login)
            if self._dry_run:
                break
            time.sleep(LOOK_AGAIN_SECONDS)
        node.link.change(programs.DROP_LOGIN, login=login)
        return ended


def _hash(password: str) -> Secret:
    """Return what the server knows instead of the password."""
    return Secret(hashlib.sha256(password.encode()).hexdigest())
