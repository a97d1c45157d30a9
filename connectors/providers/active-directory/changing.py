"""Gives and takes memberships. A record is written before one is given, and deleted after it is proved gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.contract.orders import Grant
from connectors.toolkit.ldap_errors import ENTRY_EXISTS

from . import programs
from .accounts import Account
from .names import NO_END, Record, end_of, record
from .reading import State


@dataclass(slots=True)
class Changes:
    """What became of the changes: errors by group, and the names of the groups that were found."""

    errors: dict[str, TargetError] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def attempt(self, group: str, step: Callable[[], None]) -> None:
        """Do what concerns one group; remember why it failed."""
        try:
            step()
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors[group] = error


def revoke(state: State, stale: Iterable[Record], changes: Changes) -> None:
    """Take the memberships of these records, but for those that another record keeps."""
    stale = list(stale)
    kept = state.kept(stale)
    for link in sorted({one.link for one in stale} - kept):
        if state.is_member(*link):
            changes.attempt(link[1], partial(_revoke, state, *link))


def _revoke(state: State, account: str, group: str) -> None:
    """Take one membership; a group that is gone has none."""
    try:
        state.at.directory.change(programs.REVOKE_MEMBER, group=group, account=state.accounts[account].dn)
    except TargetMissing:
        return


def drop(state: State, stale: Iterable[Record], changes: Changes, *, unseen: bool = False) -> None:
    """Delete the records of memberships that are gone, or kept by another record. `unseen`: whatever was read."""
    stale = list(stale)
    kept = state.kept(stale)
    for one in stale:
        if unseen or one.link in kept or not state.is_member(*one.link):
            changes.attempt(one.group, partial(_drop, state, one))


def _drop(state: State, one: Record) -> None:
    """Delete one record."""
    try:
        state.at.directory.change(programs.DROP_RECORD, records=state.at.records, name=one.name)
    except TargetMissing:
        return


def give(state: State, marked: str, group: str, grants: list[Grant], changes: Changes) -> None:
    """Make the person's account a member of one group for these grants; what it is without us is left as it is."""
    account = state.account
    if account is None:
        return
    found = state.at.directory.rows(programs.GROUP, missing_is_empty=True, group=group)
    if not found:
        raise TargetMissing("There is no such group any more.", fix="Sync the integration.")
    changes.names[group] = found[0].text("cn")
    member = state.is_member(account.guid, group)
    before = [one for one in (*state.records, *state.others) if one.link == (account.guid, group)]
    if member and not before:
        return
    until = max_end(grants) if state.at.ends else NO_END
    records = [record(marked, grant.grant_id, account.guid, group, until) for grant in grants]
    known = {one.name: one for one in before}
    for one in records:
        if one.name not in known:
            _create(state, marked, one)
    # A record that says another end than the wanted one may be the only trace of what the link really has.
    if not member or any(one.until != until for one in before):
        _give(state, account, group, until, member=member)
    for one in records:
        if one.name in known and known[one.name].until != until:
            state.at.directory.change(programs.CHANGE_RECORD, records=state.at.records, name=one.name, facts=one.facts)


def max_end(grants: Iterable[Grant]) -> int:
    """Return when the last of these grants ends."""
    ends = [end_of(grant.ends_at) for grant in grants]
    return NO_END if NO_END in ends else max(ends)


def _create(state: State, marked: str, one: Record) -> None:
    """Write a record down; one of the same name says the same."""
    state.at.directory.change(
        programs.CREATE_RECORD,
        already=(ENTRY_EXISTS,),
        records=state.at.records,
        name=one.name,
        marker=marked,
        account=one.account,
        facts=one.facts,
    )


def _give(state: State, account: Account, group: str, until: int, *, member: bool) -> None:
    """Give one membership, or another end to one that is there already."""
    change = state.at.directory.change
    if until != NO_END:
        program = programs.RENEW_MEMBER_UNTIL if member else programs.GRANT_MEMBER_UNTIL
        change(program, group=group, account=account.dn, seconds=max(1, until - int(state.at.now)))
    else:
        program = programs.RENEW_MEMBER if member else programs.GRANT_MEMBER
        change(program, group=group, account=account.dn)
