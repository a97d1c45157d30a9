"""What is: the records about a person, the accounts they name, and what those are members of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.contract.errors import Misconfigured, TargetError, TargetMissing
from connectors.contract.orders import Found, Person, ReadBack, Unit
from connectors.toolkit.memberships import Account, Directory, Record, find_account, marker, unit


@dataclass(slots=True)
class State:
    """What was read in one go.

    `now` is the controller's time when the reading began. `account` is the person's, or None with the `problem` in its
    place. `accounts` are all that matter, by GUID: also those that our records name and that the person has no longer.
    `others` are records of these accounts that are about other people, or of other integrations. `groups` are the GUIDs
    of the groups that an account is a direct member of, its primary group included.
    """

    directory: Directory
    now: float
    account: Account | None = None
    problem: TargetError | None = None
    records: list[Record] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)

    def is_member(self, account: str, group: str) -> bool:
        """Say whether an account is in a group."""
        return group in self.groups.get(account, frozenset())

    def recorded(self, account: str, group: str) -> list[Record]:
        """Return the records of one membership, whoever wrote them."""
        return [one for one in (*self.records, *self.others) if one.link == (account, group)]

    def kept(self, stale: Iterable[Record]) -> set[tuple[str, str]]:
        """Return the memberships that have a record besides these."""
        names = {one.name for one in stale}
        return {one.link for one in (*self.records, *self.others) if one.name not in names}

    def not_ours(self) -> frozenset[Unit]:
        """Return what the person's account is a member of without a record."""
        if self.account is None:
            return frozenset()
        guid = self.account.guid
        return frozenset(unit(group) for group in self.groups[guid] if not self.recorded(guid, group))

    def read_back(self) -> ReadBack:
        """Return the state as a proof."""
        ours = [
            Found(unit(record.group), self.accounts[record.account].name, record.grant_id)
            for record in self.records
            if self.is_member(*record.link)
        ]
        name = self.account.name if self.account else ""
        standing = [Found(one, name) for one in sorted(self.not_ours(), key=lambda one: one.resource)]
        return ReadBack(self.now, tuple(ours), tuple(standing))


def read(directory: Directory, integration_id: str, person: Person, attribute: str) -> State:
    """Read everything about one person. An account that cannot be told is a part of the answer, not an error."""
    now, records = directory.clock(), directory.records_about(marker(integration_id, person))
    state = State(directory, now, records=records)
    try:
        state.account = find_account(directory, person, attribute)
        state.accounts[state.account.guid] = state.account
    except (TargetMissing, Misconfigured) as error:
        state.problem = error
    for guid in sorted({one.account for one in state.records} - state.accounts.keys()):
        account = directory.account(guid)
        if account is not None:
            state.accounts[guid] = account
    own = {one.name for one in state.records}
    for guid, account in state.accounts.items():
        state.groups[guid] = directory.groups_of(account)
        state.others += [one for one in directory.records_of(guid) if one.name not in own]
    return state
