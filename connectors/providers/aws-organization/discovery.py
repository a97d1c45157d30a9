"""What there is to ask for: the accounts of the organization, and the permission sets in them.

The units are walked from the root, in the order of their ids; those that are excluded are left out with all that is
below them. Where to go on is a unit, AWS's own token there, and how many accounts of that page were handed on already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from connectors.contract.orders import Order, Page, PermissionFact, ResourceFact, ResourceTypeFact
from connectors.contract.provider import Run

from . import programs
from .center import Center, PermissionSet, open_center

ACCOUNT = "account"
# AWS gives no more accounts in one answer.
ACCOUNTS_A_PAGE = 20
RISKS = {"AdministratorAccess": 9, "PowerUserAccess": 8, "ReadOnlyAccess": 3, "ViewOnlyAccess": 2, "Billing": 5}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sync stands."""

    parent: str
    token: str | None = None
    skip: int = 0

    def written(self) -> str:
        """Return it as a word that can be resumed from."""
        return json.dumps([self.parent, self.token, self.skip], separators=(",", ":"))


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
    start = _resumed(order.resume)
    with open_center(order, run) as at:
        sets = permission_sets(at)
        refused = {one.arn: one.refusal for one in sets if one.refusal}
        known = _Known(refused, [one.arn for one in sets], _is_delegated(at))
        parents = list(_parents(at))
        ids = [parent for parent, _ in parents]
        first = ids.index(start.parent) if start is not None and start.parent in ids else 0
        for parent, path in parents[first:]:
            here = start if start is not None and start.parent == parent else Place(parent)
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


def _resumed(text: str) -> Place | None:
    """Return where to go on. What cannot be understood begins again."""
    with suppress(ValueError, TypeError):
        parent, token, skip = json.loads(text)
        if isinstance(parent, str) and isinstance(skip, int) and (token is None or isinstance(token, str)):
            return Place(parent, token, skip)
    return None


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


def _pages(at: Center, here: Place, path: str, size: int, known: _Known) -> Iterator[Page]:
    """Yield the accounts directly in one unit."""
    token, skip = here.token, here.skip
    most = min(ACCOUNTS_A_PAGE, size)
    for answer in at.cloud.pages(programs.ACCOUNTS_IN, begin=token, parent=here.parent, size=most):
        rows = [one for one in answer["Accounts"] if one["Id"] not in at.excluded("excluded_accounts")]
        after = answer.get("NextToken") or None
        for first in range(skip, len(rows), size):
            few = rows[first : first + size]
            last = first + size >= len(rows)
            resume = Place(here.parent, after) if last and after else Place(here.parent, token, first + len(few))
            yield Page(tuple(_fact(at, one, path, known) for one in few), resume=resume.written())
        token, skip = after, 0


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
