"""The logins of one person on a broker: read, given, ended."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from connectors.contract.errors import Misconfigured, Refused, TargetError, TargetMissing, Unreachable
from connectors.contract.orders import Desired, Grant, Order, Unit
from connectors.contract.secret import Secret
from connectors.providers.rabbitmq import names, programs
from connectors.providers.rabbitmq.broker import Broker, User, amqp_address, hashed
from connectors.toolkit.logins import Given, Login, State, mark, marked_grant, standing_names
from connectors.toolkit.scram import new_password

# A tag is an atom of the broker's: no longer than this.
TAG_MAX = 255
# How long a connection may take to close after it was told to.
PATIENCE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.1
NOT_OFFERED = "Whoever holds it may make users that outlive the grant, so this integration does not offer it."
OFFER = "An admin can offer it in the integration's configuration."


class RabbitAccounts:
    """The logins of the person of one order."""

    def __init__(self, order: Order, broker: Broker) -> None:
        """Ask nothing yet."""
        assert order.desired is not None  # the runner has seen to it
        self._order = order
        self._desired: Desired = order.desired
        self._broker = broker
        self._ours: dict[str, User] = {}
        self._grants: dict[str, str] = {}
        self._taken: set[str] = set()

    def read(self) -> State:
        """Ask the broker."""
        everybody = self._broker.users()
        person = self._desired.person
        named = {grant.login: grant.grant_id for grant in self._desired.holds}
        named |= {ending.login: ending.grant_id for ending in self._desired.gone}
        marked = {name: self._grant_of(tags) for name, tags in everybody.items()}
        self._grants = {name: grant_id for name, grant_id in marked.items() if grant_id is not None}
        found = {name: self._broker.user(name) for name in self._grants}
        self._ours = {name: user for name, user in found.items() if user is not None}
        self._taken = set(everybody)
        ours = {name: self._login(user) for name, user in self._ours.items()}
        for name in named.keys() - everybody.keys():
            # A user that is gone may have connections that are not.
            if (sessions := self._broker.connections(name)) > 0:
                ours[name] = Login(name, named[name], sessions=sessions, there=False)
        own = [name for name in standing_names(person) & everybody.keys() if not any(map(_is_mark, everybody[name]))]
        standing = [user for name in sorted(own) if (user := self._broker.user(name)) is not None]
        return State(
            read_at=self._broker.clock(),
            ours=ours,
            standing={user.name: self._standing(user) for user in standing},
            foreign=frozenset(named.keys() & everybody.keys() - self._ours.keys()),
        )

    def refusals(self, grant: Grant) -> dict[Unit, TargetError]:
        """Return the units that are none, that are not there, or that this integration does not offer."""
        user = self._ours.get(grant.login)
        found: dict[Unit, TargetError] = {}
        for unit in grant.units:
            try:
                parts = names.parse_unit(unit)
            except Misconfigured as error:
                found[unit] = error
                continue
            if parts == (names.ADMINISTRATOR,) and unit.resource_type == names.TAG and not offers_all(self._order):
                found[unit] = Refused(NOT_OFFERED, fix=OFFER)
                continue
            has = user is not None and names.held(unit, user.permissions, user.tags)
            if not has and not self._is_there(unit.resource_type, parts):
                found[unit] = TargetMissing(f"There is no {unit.resource_type} {' / '.join(parts)} any more.")
        return found

    def give(self, grant: Grant, login: Login | None, units: tuple[Unit, ...], given: Given) -> None:
        """Make the user of a grant. Raises Refused for a user that is not the grant's own."""
        if login is None and grant.login in self._taken:
            raise Refused(
                f"There is a user {grant.login!r} that was not made for this grant. It is not taken over.",
                fix="Remove that user, or ask again: a new grant gets a new name.",
            )
        user = self._ours.get(grant.login) if login is not None else None
        self._give_user(grant, user, names.tags(units), given)
        has = user.permissions if user is not None else {}
        should = names.permissions(units)
        for vhost, columns in should.items():
            if has.get(vhost) != columns:
                self._broker.change(
                    programs.GRANT_PERMISSIONS,
                    vhost=vhost,
                    login=grant.login,
                    configure=columns["configure"].expression(),
                    write=columns["write"].expression(),
                    read=columns["read"].expression(),
                )
        for vhost in has.keys() - should.keys():
            self._broker.change(programs.REVOKE_PERMISSIONS, accept=(204, 404), vhost=vhost, login=grant.login)

    def set_password(self, login: Login) -> Secret:
        """Give a user of ours a new password; its tags stay."""
        password = new_password()
        tags = sorted(self._ours[login.name].tags)
        self._broker.change(programs.CREATE_LOGIN, login=login.name, password_hash=hashed(password), tags=tags)
        return Secret(password)

    def end(self, login: Login) -> int:
        """Remove a user and close its connections until none is left. Raises Unreachable when one does not close."""
        if login.there:
            self._broker.change(programs.DROP_LOGIN, accept=(204, 404), login=login.name)
        if self._order.dry_run:
            self._broker.change(programs.END_CONNECTIONS, login=login.name)
            return login.sessions
        ended, patience = login.sessions, time.monotonic() + PATIENCE_SECONDS
        while left := self._broker.connections(login.name):
            ended = max(ended, left)
            if time.monotonic() > patience:
                raise Unreachable(f"{left} connection(s) of {login.name} do not close.", fix="It is tried again.")
            self._broker.change(programs.END_CONNECTIONS, accept=(204, 404), login=login.name)
            time.sleep(LOOK_AGAIN_SECONDS)
        return ended

    def settle(self) -> None:
        """Do nothing: a broker keeps what it is told."""

    def details(self, grant: Grant) -> dict[str, Any]:
        """Return what is needed to connect, but for the password."""
        scheme, address = amqp_address(self._order)
        url = str(self._order.config["url"]).rstrip("/")
        units = [unit for unit in grant.units if _sensible(unit)]
        vhosts = sorted(names.permissions(units))
        login = quote(grant.login, safe="")
        uris = [f"{scheme}://{login}@{address}/{quote(vhost, safe='')}" for vhost in vhosts]
        found: dict[str, Any] = {"address": address, "username": grant.login, "vhosts": vhosts}
        found |= {"uri": uris[0], "uris": uris} if uris else {}
        if names.tags(units):
            found |= {"management": url, "command": shlex.join(["curl", "--user", grant.login, f"{url}/api/whoami"])}
        return found

    def _grant_of(self, tags: Iterable[str]) -> str | None:
        """Return the grant of this person that a user was made for, by its tags; one with two markers is nobody's."""
        marks = [tag for tag in tags if _is_mark(tag)]
        if len(marks) != 1:
            return None
        return marked_grant(marks[0], self._order.integration_id, self._desired.person)

    def _marker(self, grant_id: str) -> str:
        """Return the marker of a grant. Raises Misconfigured for one that is too long for a tag."""
        marker = mark(self._order.integration_id, self._desired.person, grant_id)
        if len(marker) > TAG_MAX:
            raise Misconfigured(f"The ids of the grant {grant_id} make a tag longer than {TAG_MAX} characters.")
        return marker

    def _login(self, user: User) -> Login:
        """Return a user of ours with the units it holds."""
        grant_id = self._grants[user.name]
        wanted = [unit for one in self._desired.holds if one.grant_id == grant_id for unit in one.units]
        tags = [tag for tag in user.tags if not _is_mark(tag)]
        units = frozenset(unit for unit in wanted if _sensible(unit) and names.held(unit, user.permissions, tags))
        return Login(
            user.name,
            grant_id,
            units,
            can_login=bool(user.password_hash.reveal()),
            sessions=self._broker.connections(user.name),
            partly=names.beyond(units, user.permissions, tags),
        )

    def _standing(self, user: User) -> Login:
        """Return a user that we did not make with what it holds: of what the order is about, and beyond it."""
        asked = [unit for grant in self._desired.holds for unit in grant.units]
        asked += [unit for ending in self._desired.gone for unit in ending.units]
        found = {unit for unit in asked if _sensible(unit) and names.held(unit, user.permissions, user.tags)}
        return Login(user.name, "", frozenset(found) | names.beyond(found, user.permissions, user.tags))

    def _is_there(self, resource_type: str, parts: tuple[str, ...]) -> bool:
        """Say whether what a unit names is there."""
        if resource_type == names.TAG:
            return True
        if resource_type == names.VHOST or parts[1] == names.DEFAULT_EXCHANGE:
            return self._broker.read(programs.VHOST, accept=(200, 404), vhost=parts[0]).status == 200
        file = programs.EXCHANGE if resource_type == names.EXCHANGE else programs.QUEUE
        return self._broker.read(file, accept=(200, 404), vhost=parts[0], name=parts[1]).status == 200

    def _give_user(self, grant: Grant, user: User | None, tags: frozenset[str], given: Given) -> None:
        """Make the user, or give it the tags and the password that it lacks."""
        wanted = sorted({self._marker(grant.grant_id), *tags})
        kept = user.password_hash if user is not None else Secret("")
        if user is not None and kept.reveal() and not grant.wants_credentials:
            if sorted(user.tags) != wanted:
                self._broker.change(programs.CREATE_LOGIN, login=grant.login, password_hash=kept, tags=wanted)
            return
        password = new_password()
        self._broker.change(programs.CREATE_LOGIN, login=grant.login, password_hash=hashed(password), tags=wanted)
        if grant.wants_credentials:
            given.password = Secret(password)
        else:
            given.warnings.append(f"The user {grant.login} was gone or changed: it needs a new password.")


def offers_all(order: Order) -> bool:
    """Say whether the integration offers the tag administrator."""
    return str(order.config.get("offer_administrator", "false")).lower() == "true"


def _is_mark(tag: str) -> bool:
    """Say whether a tag is a marker of ours, whoever it is for."""
    return tag.startswith("latchkey/")


def _sensible(unit: Unit) -> bool:
    """Say whether a unit names something."""
    try:
        names.parse_unit(unit)
    except Misconfigured:
        return False
    return True
