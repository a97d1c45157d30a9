"""What is found, before anybody depends on it, about groups that a connector may write, and about its own might."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from connectors.contract.orders import Finding
from connectors.toolkit.memberships import Group, refused

# Built-in Administrators and Account Operators, and how Domain, Schema and Enterprise Admins end (MS-DTYP, 2.4.2.4).
MIGHTY = ("S-1-5-32-544", "S-1-5-32-548")
MIGHTY_ENDS = ("-512", "-518", "-519")
NAMED = 5
# A check reads groups in pages of so many, and so many of them at most: it has to end within its lease.
PAGE = 500
LOOKED_AT = 20_000
SETUP = "Run the set-up file as an admin of the domain."


def might(own_groups: Iterable[str]) -> Iterator[Finding]:
    """Say whether the connector's account may do more than it needs, by the SIDs of what it is in."""
    if any(sid in MIGHTY or (sid.startswith("S-1-5-21-") and sid.endswith(MIGHTY_ENDS)) for sid in own_groups):
        yield Finding(
            "warning",
            "The connector's account is an administrator: far more than it needs.",
            "Use an account of its own, with the rights of the set-up file.",
        )


def records(place: str, *, there: bool, may_create: bool) -> Finding:
    """Say whether records can be kept in their container."""
    if not there:
        return Finding("error", f"There is no container of records at {place}.", SETUP)
    if not may_create:
        return Finding("error", f"The connector may not keep records in {place}.", SETUP)
    return Finding("ok", f"Records can be kept in {place}.")


def groups(pages: Iterable[Iterable[Group]]) -> Iterator[Finding]:
    """Say which groups can be given, of the first `LOOKED_AT`."""
    ready = [group for group in islice(chain.from_iterable(pages), LOOKED_AT) if not refused(group)]
    if not ready:
        yield Finding("warning", "The connector may write the members of no group, so none can be asked for.", SETUP)
        return
    yield Finding("ok", f"Ready to be asked for: {_some(sorted(group.name for group in ready))}.")
    risky = [group.name for group in ready if group.protected]
    if risky:
        yield Finding(
            "warning",
            f"The connector may write the members of protected groups: {_some(risky)}.",
            "Whoever has its password can become an administrator: take the right back if that is not meant.",
        )


def end(ends: bool) -> Finding:
    """Say whether memberships end by themselves."""
    if ends:
        return Finding("ok", "Memberships end by themselves: Privileged Access Management is on in this forest.")
    return Finding(
        "warning",
        "Memberships do not end by themselves in this forest: they end when the connector takes them.",
        "Privileged Access Management (forest level 2016) would let the directory do it; it cannot be turned off.",
    )


def _some(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
