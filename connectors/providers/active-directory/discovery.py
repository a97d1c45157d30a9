"""What there is to ask for: groups. Everything is shown; what cannot be given is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.orders import Order, Page, ResourceFact
from connectors.contract.provider import Run
from connectors.toolkit.ldap import Entry

from . import programs
from .directory import open_directory, target
from .names import GROUP, MEMBER, guid_of

# groupType (MS-ADTS, 2.2.12).
SCOPES = {0x2: "global", 0x4: "domain local", 0x8: "universal"}
SECURITY = 0x80000000
USUAL_RISK, PROTECTED_RISK = 5, 9
DELEGATE = "run the set-up file for it, or for the unit it lies in"


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield the groups below the configured place, a page at a time."""
    if order.resource_types and GROUP not in order.resource_types:
        return
    with open_directory(order, run) as directory:
        base = target(order, directory).groups_base
        for entries in directory.stream(programs.GROUPS, order.page_size, base=base):
            if entries:
                yield Page(tuple(map(_group, entries)))


def refused(entry: Entry) -> str:
    """Return why membership in a group cannot be given, or nothing."""
    if "member" in map(str.lower, entry.texts("allowedAttributesEffective")):
        return ""
    if protected(entry):
        return "Active Directory protects it (AdminSDHolder): what is delegated in its unit does not reach it."
    return f"The connector may not write its members: {DELEGATE}."


def protected(entry: Entry) -> bool:
    """Say whether a group is, or was, an administrators' group or a member of one."""
    return entry.text("adminCount") == "1"


def _group(entry: Entry) -> ResourceFact:
    """Return a group."""
    kind = int(entry.text("groupType") or 0)
    scope = next((words for bit, words in SCOPES.items() if kind & bit), "unknown")
    context = {"scope": scope, "kind": "security" if kind & SECURITY else "distribution: opens nothing by itself"}
    if description := entry.text("description"):
        context["description"] = description
    reason = refused(entry)
    return ResourceFact(
        GROUP,
        guid_of(entry.raw("objectGUID")),
        entry.text("cn"),
        entry.dn,
        context=context,
        risk_level=PROTECTED_RISK if protected(entry) else USUAL_RISK,
        refusals={MEMBER: reason} if reason else {},
    )
