"""Membership in groups of a directory, for the accounts people have there anyway; however the directory is reached.

A membership has no room for a mark of its own. So each is written down before it is given, as a record in the directory
itself, and the record is deleted after the membership is proved gone: whatever has no record is not ours.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from connectors.contract.errors import Misconfigured, TargetError, TargetMissing
from connectors.contract.orders import Grant, Person, ResourceFact, Unit

GROUP, MEMBER = "group", "MEMBER"
# The name of a record is short enough for a CN (64) and long enough never to be met twice.
NAME_LENGTH = 40
# A membership that lasts until it is taken.
NO_END = 0
# groupType (MS-ADTS, 2.2.12).
SCOPES = {0x2: "global", 0x4: "domain local", 0x8: "universal"}
SECURITY = 0x80000000
USUAL_RISK, PROTECTED_RISK = 5, 9
FIX = "Name the attribute that holds people's account names in the integration's settings."


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `primary` is the SID of its primary group, which is not kept among that group's members."""

    guid: str
    dn: str
    name: str
    sign_in: str
    mail: str
    primary: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One group. `kind` is its groupType; `writable` says whether the connector may write its members.

    `protected` groups are, or were, administrators' groups or members of one.
    """

    guid: str
    dn: str
    name: str
    description: str
    kind: int
    protected: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What was written down about one membership: which grant has it, whose account, which group.

    `until` is when the directory itself takes the account out, in seconds since the epoch; NO_END where it does not.
    """

    name: str
    grant_id: str
    account: str
    group: str
    until: int = NO_END

    @property
    def link(self) -> tuple[str, str]:
        """Return account and group."""
        return (self.account, self.group)

    @property
    def facts(self) -> str:
        """Return the record as it is written."""
        return f"grant={self.grant_id} account={self.account} group={self.group} until={self.until}"


class Directory(Protocol):
    """What is asked of a directory. Every method raises a TargetError; what changes something does nothing twice."""

    # The domain's DNS name, and whether memberships can end by themselves there.
    domain: str
    ends: bool

    def clock(self) -> float:
        """Return the controller's time, in seconds since the epoch."""

    def accounts_by_address(self, address: str) -> list[Account]:
        """Return the accounts with this e-mail address or sign-in name, as the directory compares."""

    def accounts_by_name(self, name: str) -> list[Account]:
        """Return the accounts with this account name, as the directory compares."""

    def account(self, guid: str) -> Account | None:
        """Return an account, wherever it is by now, or None when it is gone."""

    def groups_of(self, account: Account) -> frozenset[str]:
        """Return the GUIDs of the groups that an account is a direct member of, its primary group included."""

    def group(self, guid: str) -> Group | None:
        """Return a group, wherever it is by now, or None when it is gone."""

    def records_about(self, marker: str) -> list[Record]:
        """Return the records that bear this marker, to the letter. Raises Misconfigured where none can be kept."""

    def records_of(self, account: str) -> list[Record]:
        """Return the records about an account, whoever wrote them."""

    def create_record(self, marker: str, record: Record) -> None:
        """Write a record down; one of the same name says the same."""

    def change_record(self, record: Record) -> None:
        """Write down another end."""

    def drop_record(self, record: Record) -> None:
        """Delete a record; one that is gone is no error."""

    def give(self, group: str, account: Account, seconds: int, *, member: bool) -> None:
        """Make an account a member for so many seconds (NO_END: until it is taken); of a `member`, change the end."""

    def take(self, group: str, account: Account) -> None:
        """Take an account out of a group; of a group that is gone there is nothing to take."""


def unit(group: str) -> Unit:
    """Return membership in a group as a unit."""
    return Unit(GROUP, group, MEMBER)


def refusal(wanted: Unit) -> TargetError | None:
    """Return why a unit is no membership in a group, or None."""
    if (wanted.resource_type, wanted.permission) == (GROUP, MEMBER):
        return None
    return Misconfigured(f"There is no permission {wanted.permission} on a {wanted.resource_type} here.")


def marker(integration_id: str, person: Person) -> str:
    """Return what every record about a person bears."""
    return f"latchkey integration={integration_id} person={person.person_id}"


def record(marked: str, grant_id: str, account: str, group: str, until: int) -> Record:
    """Return the record of a membership; the same facts always have the same name, but for the end."""
    parts = "\n".join((marked, grant_id, account, group))
    return Record(hashlib.sha256(parts.encode()).hexdigest()[:NAME_LENGTH], grant_id, account, group, until)


def parse_records(rows: Iterable[tuple[str, str]]) -> list[Record]:
    """Return records from their names and facts, but for those that somebody changed beyond recognition."""
    records = []
    for name, facts in rows:
        found = dict(part.split("=", 1) for part in facts.split() if "=" in part)
        if {"grant", "account", "group", "until"} <= found.keys() and found["until"].isdecimal():
            records.append(Record(name, found["grant"], found["account"], found["group"], int(found["until"])))
    return records


def last_end(grants: Iterable[Grant]) -> int:
    """Return when the last of these grants ends, as a record has it."""
    ends = [NO_END if math.isinf(grant.ends_at) else max(1, int(grant.ends_at)) for grant in grants]
    return NO_END if NO_END in ends else max(ends)


def find_account(directory: Directory, person: Person, attribute: str) -> Account:
    """Return the person's account. Raises TargetMissing when there is none, Misconfigured when there are several.

    With an `attribute` of people, its values name the account. Addresses come first: an e-mail address is somebody's
    alone. Only if no account has one of them, account names are tried; an account that is found by its name and has
    somebody else's address is somebody else's.
    """
    names = person.attributes.get(attribute, ()) if attribute else person.aliases
    addresses = [name for name in names if "@" in name]
    found = {
        one.guid: one
        for address in addresses
        for one in directory.accounts_by_address(address)
        if _is(address, (one.sign_in, one.mail))
    }
    if not found:
        found = {
            one.guid: one
            for name in names
            if name not in addresses
            for one in directory.accounts_by_name(name)
            if _is(name, (one.name,)) and (attribute or not one.mail or _is(one.mail, names))
        }
    if not found:
        tried = ", ".join(names) or "nothing: no name of an account is known"
        raise TargetMissing(f"{directory.domain} has no account of {person.name} (tried: {tried}).", fix=FIX)
    if len(found) > 1:
        several = ", ".join(sorted(one.name for one in found.values()))
        raise Misconfigured(f"{directory.domain} has several accounts of {person.name}: {several}.", fix=FIX)
    return next(iter(found.values()))


def refused(group: Group) -> str:
    """Return why membership in a group cannot be given, or nothing."""
    if group.writable:
        return ""
    if group.protected:
        return "Active Directory protects it (AdminSDHolder): what is delegated in its unit does not reach it."
    return "The connector may not write its members: run the set-up file for it, or for the unit it lies in."


def group_fact(group: Group) -> ResourceFact:
    """Return a group as something that can be asked for."""
    scope = next((words for bit, words in SCOPES.items() if group.kind & bit), "unknown")
    context = {"scope": scope, "kind": "security" if group.kind & SECURITY else "distribution: opens nothing by itself"}
    if group.description:
        context["description"] = group.description
    reason = refused(group)
    return ResourceFact(
        GROUP,
        group.guid,
        group.name,
        group.dn,
        context=context,
        risk_level=PROTECTED_RISK if group.protected else USUAL_RISK,
        refusals={MEMBER: reason} if reason else {},
    )


def _is(name: str, others: Collection[str]) -> bool:
    """Say whether a name is one of these. A directory compares loosely: to it, "muller" may be "müller"."""
    return name.casefold() in {other.casefold() for other in others}
