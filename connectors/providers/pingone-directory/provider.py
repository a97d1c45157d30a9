"""The two verbs: may the worker application read, and whom does the environment know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.contract.errors import CredentialsRejected, Misconfigured
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import GroupFact, PersonFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Service
from connectors.toolkit.http_files import RequestFile
from connectors.toolkit.roster import Listed, Roster, told, tried
from connectors.toolkit.telling import objects, parameter_of, place_of, record, text

from . import programs

SIZE = 200
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SETUP = "Make a worker application as setup/1_worker.md says."
# Of no use to policy, and not to be kept.
HIDDEN = frozenset({"_links", "_embedded", "password", "photo", "mfaEnabled", "lastSignOn"})


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment of PingOne, as one order sees it."""

    service: Service
    key: str
    manager_field: str

    def listed(self, file: RequestFile, what: str, cursor: str | None, **values: Any) -> Listed:
        """Return a page. Only the cursor of the next one is taken: what a service says is never an address to go to."""
        data = record(self.service.read(file, environment=self.key, size=SIZE, cursor=cursor, **values).data)
        further = record(record(data.get("_links")).get("next")).get("href")
        following = parameter_of(further, "cursor") or None
        if further and following is None:
            raise Misconfigured("PingOne told of a next page without a cursor: is the address right?")
        return Listed(objects(data, file, "_embedded", what), following)

    def members(self, group: str, cursor: str | None) -> tuple[tuple[str, ...], str | None]:
        """Return a page of who is in a group. Raises Misconfigured for an id that would not be one in a filter."""
        if not UUID.fullmatch(group):
            raise Misconfigured("PingOne told of a group whose id is no UUID: is the address right?")
        page = self.listed(programs.LIST_MEMBERS, "users", cursor, filter=f'memberOfGroups[id eq "{group}"]')
        return tuple(text(one, "id") for one in page.found), page.following

    def person(self, user: dict[str, Any]) -> PersonFact:
        """Return a person. Who is not enabled may not sign in; a lock after wrong passwords passes by itself."""
        name = record(user.get("name"))
        parts = f"{text(name, 'given')} {text(name, 'family')}".strip()
        field = self.manager_field
        return PersonFact(
            source_id=text(user, "id"),
            email=text(user, "email"),
            name=text(name, "formatted") or parts or text(user, "username"),
            active=user.get("enabled") is not False,
            manager=(text(record(user.get(field)), "id") or text(user, field)) if field else None,
            record={key: value for key, value in user.items() if key not in HIDDEN},
        )


class PingOne:
    """A PingOne environment."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Get a token, and try both rights."""
        with _pingone(order, run) as there:
            findings = tried(
                (
                    lambda: there.listed(programs.LIST_USERS, "users", None),
                    lambda: there.listed(programs.LIST_GROUPS, "groups", None),
                ),
                SETUP,
            )
            return (Finding("ok", f"PingOne gives tokens, and {there.service.base} answers."), *findings)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield everybody, each time: PingOne's users cannot be asked for by when they changed."""
        with _pingone(order, run) as there:
            roster = Roster(
                people=lambda after: there.listed(programs.LIST_USERS, "users", after),
                groups=lambda after: there.listed(programs.LIST_GROUPS, "groups", after),
                members=there.members,
                person=there.person,
                group=lambda found: GroupFact(text(found, "id"), text(found, "name") or text(found, "id")),
            )
            yield from told(roster, place_of(order.resume))


@contextmanager
def _pingone(order: Order, run: Run) -> Iterator[Environment]:
    """Give the way to an environment, with a token for this order only. Raises a TargetError."""
    config = order.config
    key = str(config.get("environment") or "")
    if not UUID.fullmatch(key):
        raise Misconfigured(f"{key[:60]!r} is no id of an environment.", fix="It is a UUID.")
    if "client_secret" not in order.secrets:
        raise Misconfigured("The integration has no client secret.", fix=SETUP)
    token = _token(order, run, key)
    address = str(config.get("address") or "https://api.pingone.com")
    with Service(address, run, headers={"Authorization": f"Bearer {token}"}) as service:
        yield Environment(service, key, str(config.get("manager_field") or "").strip())


def _token(order: Order, run: Run, environment: str) -> str:
    """Return an access token. Raises CredentialsRejected with PingOne's own words."""
    address = str(order.config.get("login_address") or "https://auth.pingone.com")
    auth = (str(order.config.get("client_id") or ""), order.secrets["client_secret"].reveal())
    with Service(address, run, auth=auth) as door:
        answer = door.read(programs.READ_TOKEN, accept=(200, 400, 401), environment=environment)
    data = record(answer.data)
    token = text(data, "access_token")
    if answer.status != 200 or not token:
        said = text(data, "error_description", "error", "message") or str(answer.status)
        raise CredentialsRejected(f"PingOne gives no token: {said[:200]}", fix=SETUP)
    return token


PROVIDER = PingOne()
