"""The two verbs: is the key good, and whom does JumpCloud know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.contract.errors import Misconfigured, Unreachable
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.people import GroupFact, PersonFact
from connectors.contract.provider import Run
from connectors.toolkit.http import Service
from connectors.toolkit.http_files import RequestFile
from connectors.toolkit.roster import Listed, Roster, told, tried
from connectors.toolkit.telling import objects, place_of, record, text

from . import programs

# JumpCloud tells no more at once.
SIZE = 100
# So often one list is gone back in: whoever deletes more people at once has it read anew.
BACK_MAX = 20
SETUP = "Make a key as setup/1_key.md says."
# Of no use to policy, and not to be kept.
HIDDEN = frozenset({"public_key", "ssh_keys", "mfa", "mfaEnrollment", "recoveryEmail", "totp_enabled", "relationships"})


class JumpCloud:
    """A JumpCloud organization."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the key, and say what it may not read."""
        with _jumpcloud(order, run) as service:
            people = service.read(programs.LIST_USERS, size=1, skip=0)
            findings = [Finding("ok", f"{service.base} answers, and the key may read people.")]
            if not objects(people.data, programs.LIST_USERS, "results"):
                findings = [Finding("warning", "The key sees nobody.", SETUP)]
            groups = tried((lambda: service.read(programs.LIST_GROUPS, size=1, skip=0),), SETUP)
        return (*findings, *groups)

    def people(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield everybody, each time: JumpCloud does not tell what changed."""
        with _jumpcloud(order, run) as service:
            lists = Lists(service)
            roster = Roster(
                people=lambda after: lists.page(programs.LIST_USERS, "_id", after, "results"),
                groups=lambda after: lists.page(programs.LIST_GROUPS, "id", after),
                members=lists.members,
                person=person,
                group=lambda found: GroupFact(text(found, "id"), text(found, "name") or text(found, "id")),
            )
            yield from told(roster, place_of(order.resume))


@dataclass(frozen=True, slots=True)
class Lists:
    """JumpCloud's lists, which are paged by how many to skip.

    Who is deleted while a list is read moves everybody behind them one place up, and the next page would begin one too
    late: somebody would seem gone. So each page begins with the last row of the one before; when that is not there, it
    is read from a page earlier.
    """

    service: Service

    def page(self, file: RequestFile, key: str, after: str | None, *below: str, **values: Any) -> Listed:
        """Return the page behind a mark: how many were read, how often it was gone back, the key of the last row."""
        at, back, last = _read_mark(after)
        begin = max(at - 1, 0)
        found, total = self._read(file, begin, *below, **values)
        if at and not (found and text(found[0], key) == last):
            back += 1
            if back > BACK_MAX:
                raise Unreachable("JumpCloud's list changes faster than it can be read.", fix="It is read again later.")
            begin = max(begin - SIZE, 0)
            found, total = self._read(file, begin, *below, **values)
        end = begin + len(found)
        more = end < total if total is not None else len(found) == SIZE
        if more and len(found) < 2:
            raise Unreachable(
                f"JumpCloud's answer to {file.name} ends before its list does.", fix="It is read again later."
            )
        return Listed(found, f"{end}:{back}:{text(found[-1], key)}" if more else None)

    def members(self, group: str, after: str | None) -> tuple[tuple[str, ...], str | None]:
        """Return a page of who is in a group; machines and groups in it are no people."""
        page = self.page(programs.LIST_MEMBERS, "id", after, group=group)
        return tuple(text(one, "id") for one in page.found if one.get("type", "user") == "user"), page.following

    def _read(
        self, file: RequestFile, skip: int, *below: str, **values: Any
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return rows from one on, and how many there are in all where JumpCloud says so."""
        answer = self.service.read(file, size=SIZE, skip=skip, **values)
        total = str(record(answer.data).get("totalCount", answer.headers.get("x-total-count", "")))
        return objects(answer.data, file, *below), int(total) if total.isdecimal() else None


def _read_mark(after: str | None) -> tuple[int, int, str]:
    end, _, rest = (after or "").partition(":")
    back, _, last = rest.partition(":")
    return (int(end), int(back), last) if end.isdecimal() and back.isdecimal() else (0, 0, "")


def person(user: dict[str, Any]) -> PersonFact:
    """Return a person. Who is staged or suspended may not sign in; a lock after wrong passwords passes by itself."""
    name = text(user, "displayname") or f"{text(user, 'firstname')} {text(user, 'lastname')}".strip()
    own = [record(one) for one in user.get("attributes") or () if isinstance(one, dict)]
    # What the organization added itself comes as pairs; a path cannot pick out of those by name.
    added = {text(one, "name"): one.get("value") for one in own if text(one, "name")}
    kept = {key: value for key, value in user.items() if key not in HIDDEN}
    return PersonFact(
        source_id=text(user, "_id", "id"),
        email=text(user, "email"),
        name=name or text(user, "username"),
        active=_active(user),
        manager=text(user, "manager"),
        record=kept | {"attributes": added},
    )


def _active(user: dict[str, Any]) -> bool:
    state = text(user, "state")
    if state:
        return state == "ACTIVATED" and user.get("suspended") is not True
    return user.get("suspended") is not True and user.get("activated") is not False


@contextmanager
def _jumpcloud(order: Order, run: Run) -> Iterator[Service]:
    """Give the way to the organization; nothing is sent yet. Raises Misconfigured for what is missing."""
    if "key" not in order.secrets:
        raise Misconfigured("The integration has no key.", fix=SETUP)
    headers = {"x-api-key": order.secrets["key"].reveal()}
    organization = str(order.config.get("organization") or "").strip()
    if organization:
        headers["x-org-id"] = organization
    address = str(order.config.get("address") or "https://console.jumpcloud.com")
    with Service(address, run, headers=headers) as service:
        yield service


PROVIDER = JumpCloud()
