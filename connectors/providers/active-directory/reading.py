"""What is: our records about a person, the accounts they name, and what those are members of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.contract.errors import Misconfigured, TargetError, TargetMissing
from connectors.contract.orders import Desired, Found, Order, ReadBack, Unit
from connectors.toolkit.ldap import Directory, Entry

from . import programs
from .accounts import Account, find_account, read_account
from .directory import Target, target
from .names import GROUP, MEMBER, Record, guid_of, marker, parse_record, unit


@dataclass(slots=True)
class State:
    """What was read in one go.

    `account` is the person's, or None with the `problem` in its place. `accounts` are all that matter, by GUID: also
    those that our records name and that the person has no longer. `others` are records of these accounts that are about
    other people, or of other integrations. `groups` are the GUIDs of the groups that an account is a direct member of,
    its primary group included.
    """

    at: Target
    account: Account | None = None
    problem: TargetError | None = None
    records: list[Record] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)

    def is_member(self, account: str, group: str) -> bool:
        """Say whether an account is in a group."""
        return group in self.groups.get(account, frozenset())

    def ours(self, account: str, group: str) -> bool:
        """Say whether a membership was given by a connector."""
        return any(record.link == (account, group) for record in (*self.records, *self.others))

    def kept(self, stale: Iterable[Record]) -> set[tuple[str, str]]:
        """Return the memberships that have a record besides these."""
        names = {record.name for record in stale}
        return {record.link for record in (*self.records, *self.others) if record.name not in names}

    def not_ours(self) -> frozenset[Unit]:
        """Return what the person's account is a member of without a record of ours."""
        if self.account is None:
            return frozenset()
        guid = self.account.guid
        return frozenset(unit(group) for group in self.groups[guid] if not self.ours(guid, group))

    def read_back(self) -> ReadBack:
        """Return the state as a proof."""
        ours = [
            Found(unit(record.group), self.accounts[record.account].name, record.grant_id)
            for record in self.records
            if self.is_member(*record.link)
        ]
        name = self.account.name if self.account else ""
        standing = [Found(one, name) for one in sorted(self.not_ours(), key=lambda one: one.resource)]
        return ReadBack(self.at.now, tuple(ours), tuple(standing))


def desired_of(order: Order) -> Desired:
    """Return what an order about a person wants; the runner has seen to it that there is one."""
    assert order.desired is not None
    return order.desired


def read(order: Order, directory: Directory) -> State:
    """Read everything about one person. An account that cannot be told is a part of the answer, not an error."""
    at = target(order, directory)
    person = desired_of(order).person
    state = State(at, records=_records(at, marker(order.integration_id, person)))
    try:
        state.account = find_account(at, order, person)
        state.accounts[state.account.guid] = state.account
    except (TargetMissing, Misconfigured) as error:
        state.problem = error
    for guid in {record.account for record in state.records} - state.accounts.keys():
        account = read_account(at, guid)
        if account is not None:
            state.accounts[guid] = account
    for guid, account in state.accounts.items():
        rows = at.directory.rows(programs.MEMBERSHIPS, base=at.base, account=account.dn, primary=account.primary)
        state.groups[guid] = frozenset(guid_of(row.raw("objectGUID")) for row in rows)
        own = {one.name for one in state.records}
        about = at.directory.rows(programs.RECORDS_OF_ACCOUNT, records=at.records, account=guid)
        state.others += [one for one in map(_record, about) if one is not None and one.name not in own]
    return state


def refusal(wanted: Unit) -> TargetError | None:
    """Return why a unit is none that this provider knows, or None."""
    if (wanted.resource_type, wanted.permission) == (GROUP, MEMBER):
        return None
    return Misconfigured(f"There is no permission {wanted.permission} on a {wanted.resource_type} here.")


def _records(at: Target, marked: str) -> list[Record]:
    """Return our records about a person. Raises Misconfigured when there is no container of records."""
    try:
        rows = at.directory.rows(programs.RECORDS, records=at.records, marker=marked)
    except TargetMissing as error:
        raise Misconfigured(
            f"There is no container of records at {at.records}.", fix="Run the set-up file, or name the container."
        ) from error
    # A directory compares without regard to case; a marker is meant to the letter.
    exact = [row for row in rows if marked in row.texts("description")]
    return [one for one in map(_record, exact) if one is not None]


def _record(row: Entry) -> Record | None:
    """Return a record as it was read, or None where it cannot be understood."""
    return parse_record(row.text("cn"), row.text("adminDescription"))
