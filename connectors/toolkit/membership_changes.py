"""Gives and takes memberships: a record is written before one is given, and deleted after it is proved gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.contract.orders import Grant
from connectors.toolkit.membership_state import State
from connectors.toolkit.memberships import NO_END, Record, last_end, record


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
    for account, group in sorted({one.link for one in stale} - state.kept(stale)):
        if state.is_member(account, group):
            changes.attempt(group, partial(state.directory.take, group, state.accounts[account]))


def drop(state: State, stale: Iterable[Record], changes: Changes, *, unseen: bool = False) -> None:
    """Delete the records of memberships that are gone, or kept by another record. `unseen`: whatever was read."""
    stale = list(stale)
    kept = state.kept(stale)
    for one in stale:
        if unseen or one.link in kept or not state.is_member(*one.link):
            changes.attempt(one.group, partial(state.directory.drop_record, one))


def give(
    state: State, marked: str, group: str, grants: list[Grant], changes: Changes, *, take_over: bool = False
) -> None:
    """Make the person's account a member of one group for these grants; what it is without us is left as it is.

    With `take_over`, a membership without a record counts as given by us from now on: the server remembers that it was
    not there before, or an admin has made it part of a grant.
    """
    account, directory = state.account, state.directory
    if account is None:
        return
    found = directory.group(group)
    if found is None:
        raise TargetMissing("There is no such group any more.", fix="Sync the integration.")
    changes.names[group] = found.name
    member, before = state.is_member(account.guid, group), state.recorded(account.guid, group)
    if member and not before and not take_over:
        return
    until = last_end(grants) if directory.ends else NO_END
    records = [record(marked, grant.grant_id, account.guid, group, until) for grant in grants]
    known = {one.name: one for one in before}
    for one in records:
        if one.name not in known:
            directory.create_record(marked, one)
    # A record that says another end than the wanted one may be the only trace of what the link really has.
    if not member or any(one.until != until for one in before):
        seconds = NO_END if until == NO_END else max(1, until - int(state.now))
        directory.give(group, account, seconds, member=member)
    for one in records:
        if one.name in known and known[one.name].until != until:
            directory.change_record(one)
