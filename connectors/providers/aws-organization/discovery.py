"""What there is to ask for: the accounts of the organization, and the permission sets in them.

The units are walked from the root, in the order of their ids; those that are excluded are left out with all that is
below them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.contract.orders import Order, Page, PermissionFact, ResourceFact, ResourceTypeFact
from connectors.contract.provider import Run
from connectors.toolkit import bookmarks
from connectors.toolkit.bookmarks import Bookmark

from . import programs
from .center import Center, PermissionSet, open_center

ACCOUNT = "account"
# AWS gives no more accounts in one answer.
ACCOUNTS_A_PAGE = 20
RISKS = {"AdministratorAccess": 9, "PowerUserAccess": 8, "ReadOnlyAccess": 3, "ViewOnlyAccess": 2, "Billing": 5}


@dataclass(frozen=True, slots=True)
class _Known:
    """What holds for every account: why which permission sets cannot be given, and who the connector is."""

    refused: dict[str, str]
    every: list[str]
    is_delegated: bool


def resource_types(order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
    """Return the one type, with every permission set as a permission."""
    with open_center(order, run) as at:
        facts = tuple(PermissionFact(one.arn, one.name, one.risk_level) for one in permission_sets(at))
        return (ResourceTypeFact(ACCOUNT, "Account", facts),)


def permission_sets(at: Center) -> list[PermissionSet]:
    """Return all permission sets, with the risk that AWS's own policies in them say."""
    found = []
    for page in at.cloud.pages(programs.PERMISSION_SETS, instance=at.instance):
        for arn in page["PermissionSets"]:
            one = at.permission_set(arn)
            pages = at.cloud.pages(programs.PERMISSION_SET_POLICIES, instance=at.instance, permission_set=arn)
            risks = [RISKS.get(str(row["Name"]), 5) for page in pages for row in page["AttachedManagedPolicies"]]
            found.append(PermissionSet(one.arn, one.name, one.session, one.refusal, max(risks, default=5)))
    return found


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield the accounts, a page at a time; no more than a page of AWS's is ever held."""
    with open_center(order, run) as at:
        sets = permission_sets(at)
        refused = {one.arn: one.refusal for one in sets if one.refusal}
        known = _Known(refused, [one.arn for one in sets], _is_delegated(at))
        parents = list(_parents(at))
        ids = [parent for parent, _ in parents]
        start = bookmarks.read(order.resume, ids)
        for parent, path in parents[ids.index(start.part) if start is not None else 0 :]:
            here = start if start is not None and start.part == parent else Bookmark(parent)
            yield from _pages(at, here, path, order.page_size, known)


def account_refusal(at: Center, account: str) -> str:
    """Return why nothing can be given in an account, or nothing."""
    if account in at.excluded("excluded_accounts"):
        return "The account is excluded from this integration."
    units = at.excluded("excluded_units")
    child = account
    while units:
        parents = at.cloud.read(programs.PARENTS, child=child)["Parents"]
        if not parents:
            break
        child = str(parents[0]["Id"])
        if child in units:
            return "The account is in an organizational unit that is excluded from this integration."
        if parents[0].get("Type") == "ROOT":
            break
    return ""


def _is_delegated(at: Center) -> bool:
    """Say whether the connector administers Identity Center from another account than the organization's own."""
    return str(at.cloud.read(programs.ORGANIZATION)["Organization"]["MasterAccountId"]) != at.account


def _parents(at: Center) -> Iterator[tuple[str, str]]:
    """Yield the roots and units with their paths, but for those that are excluded."""
    excluded = at.excluded("excluded_units")
    waiting = [(str(one["Id"]), "") for page in at.cloud.pages(programs.ROOTS) for one in page["Roots"]]
    while waiting:
        parent, path = waiting.pop(0)
        yield parent, path
        below = [
            (str(one["Id"]), f"{path}{one['Name']}/")
            for page in at.cloud.pages(programs.UNITS_BELOW, parent=parent)
            for one in page["OrganizationalUnits"]
            if one["Id"] not in excluded
        ]
        waiting += sorted(below)


def _pages(at: Center, here: Bookmark, path: str, size: int, known: _Known) -> Iterator[Page]:
    """Yield the accounts directly in one unit."""
    excluded = at.excluded("excluded_accounts")

    def rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
        return [one for one in answer["Accounts"] if one["Id"] not in excluded]

    most = min(ACCOUNTS_A_PAGE, size)
    answers = at.cloud.pages(programs.ACCOUNTS_IN, begin=here.token, parent=here.part, size=most)
    for few, resume in bookmarks.pieces(answers, programs.ACCOUNTS_IN.page[1], rows, here, size):
        yield Page(tuple(_fact(at, one, path, known) for one in few), resume=resume)


def _fact(at: Center, row: dict[str, Any], path: str, known: _Known) -> ResourceFact:
    """Return an account."""
    id_ = str(row["Id"])
    refusals = dict(known.refused)
    if known.is_delegated and _manages(row):
        refusals = dict.fromkeys(known.every, "Only the organization's own account can assign access to itself.")
    if row.get("Status", "ACTIVE") != "ACTIVE":
        refusals = dict.fromkeys(known.every, f"The account is {row['Status'].lower()}.")
    tags = {
        str(tag["Key"]): str(tag["Value"])
        for page in at.cloud.pages(programs.ACCOUNT_TAGS, account=id_)
        for tag in page["Tags"]
    }
    context = {"email": str(row.get("Email", "")), "unit": path.rstrip("/") or "the root"}
    name = str(row.get("Name") or id_)
    return ResourceFact(ACCOUNT, id_, name, f"{path}{name} ({id_})", tags=tags, context=context, refusals=refusals)


def _manages(row: dict[str, Any]) -> bool:
    """Say whether an account is the one that manages the organization: its ARN repeats its id there."""
    parts = str(row.get("Arn", "")).split(":")
    return len(parts) > 4 and parts[4] == str(row["Id"])
