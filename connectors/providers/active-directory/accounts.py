"""Whose account is whose: exactly one account may be meant, or none is touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.contract.errors import Misconfigured, TargetMissing
from connectors.contract.orders import Order, Person
from connectors.toolkit.ldap import Entry

from . import programs
from .directory import Target
from .names import guid_of, sid_of

# userAccountControl, ACCOUNTDISABLE (MS-ADTS, 2.2.16).
DISABLED = 0x2
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


def account_of(entry: Entry) -> Account:
    """Return an account as it was read."""
    sid = sid_of(entry.raw("objectSid"))
    return Account(
        guid=guid_of(entry.raw("objectGUID")),
        dn=entry.dn,
        name=entry.text("sAMAccountName"),
        sign_in=entry.text("userPrincipalName"),
        mail=entry.text("mail"),
        primary=f"{sid.rpartition('-')[0]}-{entry.text('primaryGroupID')}",
        disabled=bool(int(entry.text("userAccountControl") or 0) & DISABLED),
    )


def read_account(at: Target, guid: str) -> Account | None:
    """Return the account with a GUID, wherever it is by now, or None when it is gone."""
    rows = at.directory.rows(programs.ACCOUNT, missing_is_empty=True, account=guid)
    return account_of(rows[0]) if rows else None


def find_account(at: Target, order: Order, person: Person) -> Account:
    """Return the person's account. Raises TargetMissing when there is none, Misconfigured when there are several.

    Addresses come first: an e-mail address is somebody's alone. Only if no account has one of them, account names are
    tried; an account that is found by its name and has somebody else's address is somebody else's.
    """
    attribute = str(order.config.get("account_attribute") or "")
    names = person.attributes.get(attribute, ()) if attribute else person.aliases
    found = _by_address(at, [name for name in names if "@" in name])
    if not found:
        found = _by_name(at, [name for name in names if "@" not in name])
        if not attribute:
            found = {guid: one for guid, one in found.items() if not one.mail or _same(one.mail, names)}
    if not found:
        tried = ", ".join(names) or "nothing: the directory of people gives no name"
        raise TargetMissing(f"{at.domain} has no account of {person.name} (tried: {tried}).", fix=FIX)
    if len(found) > 1:
        several = ", ".join(sorted(one.name for one in found.values()))
        raise Misconfigured(f"{at.domain} has several accounts of {person.name}: {several}.", fix=FIX)
    return next(iter(found.values()))


def _by_address(at: Target, addresses: Iterable[str]) -> dict[str, Account]:
    """Return the accounts that have one of these addresses or sign-in names."""
    found = {}
    for address in addresses:
        for entry in at.directory.rows(programs.ACCOUNTS_BY_ADDRESS, base=at.base, address=address):
            account = account_of(entry)
            if _same(address, (account.sign_in, account.mail)):
                found[account.guid] = account
    return found


def _by_name(at: Target, names: Iterable[str]) -> dict[str, Account]:
    """Return the accounts that have one of these account names."""
    found = {}
    for name in names:
        for entry in at.directory.rows(programs.ACCOUNTS_BY_NAME, base=at.base, name=name):
            account = account_of(entry)
            if _same(name, (account.name,)):
                found[account.guid] = account
    return found


def _same(name: str, others: Iterable[str]) -> bool:
    """Say whether a name is one of these. A directory compares loosely: to it, "muller" may be "müller"."""
    return name.casefold() in {other.casefold() for other in others}
