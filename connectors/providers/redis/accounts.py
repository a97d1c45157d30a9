"""The logins of one person on all nodes: read, given, ended."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from connectors.contract.errors import LeaseLost, Misconfigured, Refused, TargetError, TargetMissing
from connectors.contract.orders import Desired, Grant, Order, Unit
from connectors.contract.secret import Secret
from connectors.providers.redis import nodes, programs, rules
from connectors.providers.redis.logins import Node, end_on, give_on, read_node
from connectors.providers.redis.nodes import Settings
from connectors.toolkit.logins import Given, Login, State, mark, merged
from connectors.toolkit.redis_commands import Link
from connectors.toolkit.scram import new_password


class RedisAccounts:
    """The logins of the person of one order."""

    def __init__(self, order: Order, found: Settings, links: list[Link]) -> None:
        """Ask nothing yet."""
        assert order.desired is not None  # the runner has seen to it
        self._integration = order.integration_id
        self._desired: Desired = order.desired
        self._settings = found
        self._links = links
        self._nodes: list[Node] = []

    def read(self) -> State:
        """Ask every node. Raises a TargetError when the main one does not answer."""
        self._nodes, unknown = [], dict[str, TargetError]()
        for link in self._links:
            try:
                self._nodes.append(read_node(link, self._integration, self._desired))
            except LeaseLost:
                raise
            except TargetError as error:
                if link is self._links[0]:
                    raise
                unknown[link.server.address] = error
        return State(
            read_at=nodes.clock(self._links[0]),
            ours=self._everywhere(),
            standing=self._standing(),
            foreign=frozenset().union(*(node.foreign for node in self._nodes)),
            unknown=unknown,
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
            give_on(node, grant.login, marker, units)
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
                ended += end_on(node, login.name, self._marker(login.grant_id))
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


def _hash(password: str) -> Secret:
    """Return what the server knows instead of the password."""
    return Secret(hashlib.sha256(password.encode()).hexdigest())
