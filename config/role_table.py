"""The table of roles as a page: what each may do, in words, and who holds which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import accounts.queries
import flows.queries
from accounts.choices import Role, SpaceRole
from accounts.roles import MATRIX, AnyRole, Line

MAY = "accounts.view_user"
# Of each role and each space so many are named.
NAMED = 50
COLUMNS: tuple[AnyRole, ...] = (
    *(Role.ADMIN, Role.POWER_USER, Role.DEPLOYMENT, Role.VIEWER, Role.GRANTEE),
    *(SpaceRole.OWNER, SpaceRole.MANAGER),
)
YES, THERE, NO = "yes", "in their space", ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table as it is read: a word for each role or, where no role decides, who may."""

    words: str
    cells: tuple[str, ...]
    rule: str

    @property
    def named(self) -> list[tuple[str, str]]:
        """Return the word for each role, with the role's name."""
        return [(str(role.label), word) for role, word in zip(COLUMNS, self.cells, strict=True)]


def cell(line: Line, role: AnyRole) -> str:
    """Return what a line says of a role."""
    if role in line.anywhere:
        return YES
    return THERE if role in line.there else NO


def rows() -> list[Row]:
    """Return the table."""
    return [Row(line.words, tuple(cell(line, role) for role in COLUMNS), line.rule) for line in MATRIX]


def read() -> dict[str, Any]:
    """Return the table, who holds each role, and who belongs to which space. Two queries per role, two for spaces."""
    holders = [(role.label, *accounts.queries.holding(role, NAMED)) for role in Role if role != Role.GRANTEE]
    return {
        "columns": [role.label for role in COLUMNS],
        "rows": rows(),
        "holders": holders,
        "members": flows.queries.space_members(NAMED),
    }
