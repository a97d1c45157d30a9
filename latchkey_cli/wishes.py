"""What somebody wants, and how the client API is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from latchkey_cli.client import Client
from latchkey_cli.problems import NotYours, Usage

Row = dict[str, Any]
SHOWN = 8


@dataclass
class Wish:
    """A new request as it is being put together; ids are the server's. `grantee` is an address or an id."""

    integrations: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    permissions: list[str] = field(default_factory=list)
    bundles: list[str] = field(default_factory=list)
    grantee: str = ""
    justification: str = ""
    seconds: int | None = None
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is named yet."""
        return not (self.integrations or self.types or self.resources or self.permissions or self.bundles)

    def body(self) -> Row:
        """Return it as the client API takes it."""
        return {
            "filter_integration_ids": self.integrations,
            "filter_bundle_ids": self.bundles,
            "filter_resource_type_ids": self.types,
            "filter_resource_ids": [],
            "filter_resources": [{"type": "id", "value": one} for one in self.resources],
            "filter_permission_ids": self.permissions,
            "filter_access_unit_ids": [],
            "justification": self.justification,
            "duration_in_sec": self.seconds,
            "custom_fields": self.answers,
            "grantee_id": self.grantee,
        }

    def where(self) -> Row:
        """Return it as the inventory's lists are narrowed."""
        found: Row = {"grantee_id": self.grantee} if self.grantee else {}
        parts = {"integration-id": self.integrations, "resource-type-id": self.types, "resource-ids": self.resources}
        return found | {name: values for name, values in parts.items() if values}


def find(client: Client, kind: str, text: str, where: Row, *names: str) -> Row:
    """Return the one row of an inventory list that a text names: by its id, or by one of its names, whatever the case.

    Raises NotYours where there is none, Usage where there are several.
    """
    rows = client.every(f"inventory/{kind}", where, most=1000)
    for name in ("id", *names):
        found = [row for row in rows if str(row.get(name, "")).lower() == text.lower()]
        if len(found) == 1:
            return found[0]
        if found:
            raise Usage(f"“{text}” is the name of several {_words(kind)}: {_some(found)}.", then="Name more exactly.")
    near = f" There are: {_some(rows)}." if rows else ""
    raise NotYours(
        f"No access flow gives you {_words(kind)} called “{text}”.{near}", then=f"Why: latchkey why-not “{text}”"
    )


def _words(kind: str) -> str:
    return kind.replace("-", " ")


def _some(rows: list[Row]) -> str:
    told = [_told(row) for row in rows[:SHOWN]]
    return ", ".join(told) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


def _told(row: Row) -> str:
    name = str(row.get("name", ""))
    kind = row.get("type")
    more = f"{kind.get('id', '')}, {row.get('path', '')}" if isinstance(kind, dict) else str(kind or "")
    return f"{name} ({more})" if more else name


@dataclass
class Flags:
    """What the command's options name, as it was typed."""

    integration: str = ""
    resource_type: str = ""
    resources: list[str] = field(default_factory=list)
    permissions: list[str] = field(default_factory=list)
    bundles: list[str] = field(default_factory=list)


def named(client: Client, flags: Flags, wish: Wish) -> Wish:
    """Put the server's ids of what the options name into the wish, and return it. Raises NotYours, Usage."""
    if flags.integration:
        wish.integrations = [find(client, "integrations", flags.integration, wish.where(), "name", "type")["id"]]
    if flags.resource_type:
        wish.types = [find(client, "resource-types", flags.resource_type, wish.where(), "name")["id"]]
    for text in flags.resources:
        where = wish.where() | {"search": text[:200]}
        where.pop("resource-ids", None)
        found = _by_name(client, text, where)
        wish.resources.append(str(found["id"]))
    wish.permissions = list(flags.permissions)
    for text in flags.bundles:
        wish.bundles.append(find(client, "bundles", text, {"grantee_id": wish.grantee}, "name")["id"])
    return wish


def _by_name(client: Client, text: str, where: Row) -> Row:
    """Return a resource by what it is called; ids of ours and of the target are no words that a search finds."""
    try:
        return find(client, "resources", text, where, "source_id", "name", "path")
    except NotYours:
        exact = {name: value for name, value in where.items() if name != "search"}
        rows = client.every("inventory/resources", exact | {"resource-ids": [text]}, most=10)
        if len(rows) != 1:
            raise
        return rows[0]
