"""The two verbs: are the credentials good, and whom does OneLogin know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from connectors.contract.errors import CredentialsRejected, Misconfigured
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import GroupFact, PersonFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Answer, Service
from connectors.toolkit.http_files import RequestFile
from connectors.toolkit.roster import Listed, Roster, told, tried
from connectors.toolkit.telling import clock, moment_of, objects, place_of, record, text, written

from . import programs

SIZE = 100
FIELDS = (
    "id,username,email,firstname,lastname,title,department,company,status,state,group_id,manager_user_id,"
    "external_id,custom_attributes,updated_at"
)
# 0 is who was never activated, 2 who is suspended. Who is locked or has to change a password (3 and on) comes back.
INACTIVE = frozenset({0, 2})
# 1 is approved; 0 not yet, 2 rejected, 3 without a licence. Where it is not said, it says nothing.
APPROVED = 1
# Each sync looks at the last minutes of the one before again.
OVERLAP = timedelta(minutes=10)
SETUP = "Make API credentials as setup/1_credentials.md says."


class OneLogin:
    """A OneLogin account."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Get a token, and try both rights."""
        with _onelogin(order, run) as (service, _):
            findings = tried(
                (
                    lambda: service.read(programs.LIST_USERS, fields=FIELDS, size=1, since=None, cursor=None),
                    lambda: service.read(programs.LIST_ROLES, size=1, cursor=None),
                ),
                SETUP,
            )
            return (Finding("ok", f"{service.base} gives tokens."), *findings)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield people, with a cursor those who changed since; then all roles with everybody in them."""
        place, since = place_of(order.resume), moment_of(order.cursor)
        with _onelogin(order, run) as (service, now):
            began = moment_of(str(place.get("began") or "")) or written(now)

            def listed(file: RequestFile, **values: Any) -> Listed:
                answer = service.read(file, size=SIZE, **values)
                return Listed(objects(answer.data, file), answer.headers.get("After-Cursor", "").strip() or None)

            def members(role: str, after: str | None) -> tuple[tuple[str, ...], str | None]:
                page = listed(programs.LIST_MEMBERS, role=role, cursor=after)
                return tuple(key_of(one) for one in page.found), page.following

            roster = Roster(
                people=lambda after: listed(programs.LIST_USERS, fields=FIELDS, since=since, cursor=after),
                groups=lambda after: listed(programs.LIST_ROLES, cursor=after),
                members=members,
                person=person,
                group=lambda found: GroupFact(key_of(found), text(found, "name") or key_of(found)),
                whole=since is None,
                cursor=written(datetime.fromisoformat(began) - OVERLAP),
                kept={"began": began},
            )
            yield from told(roster, place)


def key_of(found: dict[str, Any]) -> str:
    """Return an id, which OneLogin writes as a number. Raises Misconfigured for what has none."""
    key = found.get("id")
    if isinstance(key, bool) or not isinstance(key, int | str) or not str(key).strip():
        raise Misconfigured("OneLogin told of somebody without an id: is the address right?")
    return str(key)


def person(user: dict[str, Any]) -> PersonFact:
    """Return a person."""
    boss = user.get("manager_user_id")
    name = f"{text(user, 'firstname')} {text(user, 'lastname')}".strip()
    return PersonFact(
        source_id=key_of(user),
        email=text(user, "email", "username"),
        name=name or text(user, "username", "email"),
        active=user.get("status") not in INACTIVE and user.get("state") in {None, APPROVED},
        manager=str(boss) if boss else "",
        record=user,
    )


@contextmanager
def _onelogin(order: Order, run: Run) -> Iterator[tuple[Service, datetime]]:
    """Give the way to the account, with a token for this order only, and OneLogin's own time. Raises a TargetError."""
    address, client = str(order.config.get("address") or ""), str(order.config.get("client_id") or "")
    if "client_secret" not in order.secrets:
        raise Misconfigured("The integration has no client secret.", fix=SETUP)
    with Service(address, run, auth=(client, order.secrets["client_secret"].reveal())) as door:
        answer = door.read(programs.READ_TOKEN, accept=(200, 400, 401))
    token, now = _token(answer), clock(answer)
    with Service(address, run, headers={"Authorization": f"bearer {token}"}) as service:
        yield service, now


def _token(answer: Answer) -> str:
    """Return the token of an answer. Raises CredentialsRejected with OneLogin's own words."""
    data = record(answer.data)
    token = text(data, "access_token")
    if answer.status != 200 or not token:
        said = text(record(data.get("status")), "message") or text(data, "message") or str(answer.status)
        raise CredentialsRejected(f"OneLogin gives no token: {said[:200]}", fix=SETUP)
    return token


PROVIDER = OneLogin()
