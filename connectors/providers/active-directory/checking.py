"""Tries, before anybody depends on it, whether the connector can do its work here, and whether it can do too much."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.errors import TargetMissing
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run

from . import programs
from .directory import Target, open_directory, target
from .discovery import protected, refused

# Built-in Administrators and Account Operators, and how Domain, Schema and Enterprise Admins end (MS-DTYP, 2.4.2.4).
MIGHTY = ("S-1-5-32-544", "S-1-5-32-548")
MIGHTY_ENDS = ("-512", "-518", "-519")
# So many groups are looked at, and so many are named.
LOOKED_AT, NAMED = 500, 5
SETUP = "Run the set-up file as an admin of the domain."


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with open_directory(order, run) as directory:
        at = target(order, directory)
        return (*_way_in(at), *_might(at), *_records(at), *_groups(at), *_end(at))


def _way_in(at: Target) -> Iterator[Finding]:
    """Say what answered and how."""
    server = at.directory.server
    yield Finding("ok", f"{at.controller or server.host} answers for {at.domain}, and the connector signs in.")
    if server.encryption == "none":
        yield Finding(
            "warning",
            "The connection is not encrypted: the connector's password can be read on the way.",
            "Choose LDAPS or StartTLS.",
        )
    elif not server.verify:
        yield Finding("warning", "Nobody proves which server answers.", "Turn the check of the certificate on.")
    if server.host.lower() == at.domain.lower():
        yield Finding(
            "warning",
            "The host name is the domain's: each order may reach another controller, which learns of changes later.",
            f"Name one controller, such as {at.controller}.",
        )


def _might(at: Target) -> Iterator[Finding]:
    """Say whether the connector's account may do more than it needs."""
    if any(sid in MIGHTY or (sid.startswith("S-1-5-21-") and sid.endswith(MIGHTY_ENDS)) for sid in at.own_groups):
        yield Finding(
            "warning",
            "The connector's account is an administrator: far more than it needs.",
            "Use an account of its own, with the rights of the set-up file.",
        )


def _records(at: Target) -> Iterator[Finding]:
    """Say whether records can be kept."""
    try:
        (row,) = at.directory.rows(programs.RECORDS_CONTAINER, records=at.records)
    except TargetMissing:
        yield Finding("error", f"There is no container of records at {at.records}.", SETUP)
        return
    if "container" in map(str.lower, row.texts("allowedChildClassesEffective")):
        yield Finding("ok", f"Records can be kept in {at.records}.")
    else:
        yield Finding("error", f"The connector may not keep records in {at.records}.", SETUP)


def _groups(at: Target) -> Iterator[Finding]:
    """Say which groups can be given."""
    try:
        entries = next(at.directory.stream(programs.GROUPS, LOOKED_AT, base=at.groups_base), [])
    except TargetMissing:
        yield Finding("error", f"There is no {at.groups_base}.", "Check the distinguished name.")
        return
    ready = [entry for entry in entries if not refused(entry)]
    if not ready:
        yield Finding("warning", "The connector may write the members of no group, so none can be asked for.", SETUP)
        return
    yield Finding("ok", f"Ready to be asked for: {_some([entry.text('cn') for entry in ready])}.")
    risky = [entry.text("cn") for entry in ready if protected(entry)]
    if risky:
        yield Finding(
            "warning",
            f"The connector may write the members of protected groups: {_some(risky)}.",
            "Whoever has its password can become an administrator: take the right back if that is not meant.",
        )


def _end(at: Target) -> Iterator[Finding]:
    """Say whether memberships end by themselves."""
    if at.ends:
        yield Finding("ok", "Memberships end by themselves: Privileged Access Management is on in this forest.")
    else:
        yield Finding(
            "warning",
            "Memberships do not end by themselves in this forest: they end when the connector takes them.",
            "Privileged Access Management (forest level 2016) would let the directory do it; it cannot be turned off.",
        )


def _some(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
