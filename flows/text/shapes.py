"""The closed schema of policy as text: one shape for each kind of thing."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from typing import Any

from accounts.choices import SpaceRole
from flows.choices import DRAIN_SECONDS_MAX, FieldKind, MatchOperator, RequestScope, Trigger
from flows.decision.fields import wrong_pattern
from flows.text.nodes import NOTHING, Book, Choice, Duration, Flag, Json, Node, Number, Path, Shaped, Text
from flows.text.problems import nearest
from flows.text.wholes import Either, Group, Keys, Many, Named, refuse
from integrations.aql import BadQuery, parse

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# What a stored number of minutes can hold.
_MINUTES_MAX = 2_147_483_647
NOBODY: dict[str, Any] = {"operator": "or", "conditions": []}


class Query(Text):
    """A query over entitlements."""

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return it as it was written, if it is one."""
        text = super().read(value, path, book)
        if text is NOTHING:
            return text
        try:
            parse(text)
        except BadQuery as error:
            return book.wrong(path, f"This query cannot be read: {error}")
        return text


class Pattern(Text):
    """A pattern that a ticket or an answer has to fit."""

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return it, if it is one that is taken."""
        text = super().read(value, path, book)
        wrong = wrong_pattern(text) if text is not NOTHING and text else ""
        return book.wrong(path, wrong) if wrong else text


def _known_permissions(target: dict[str, Any], path: Path, book: Book) -> None:
    """Refuse a resource type or a permission that the integration has not."""
    types = book.known.get("types", {}).get(target["integration"])
    if types is None:
        return
    kind = target["resource_type"]
    if kind not in types:
        text = f"{target['integration']} has no resource type “{kind}”.{nearest(kind, types)}"
        book.wrong((*path, "resource_type"), text)
        return
    for one in target["permissions"]:
        if one not in types[kind]:
            book.wrong((*path, "permissions"), f"There is no permission “{one}” here.{nearest(one, types[kind])}")


def _known_webhooks(condition: dict[str, Any], path: Path, book: Book) -> None:
    """Refuse a webhook that is not there; the values of other conditions are whatever a directory says."""
    if condition["type"] != "webhook" or "webhook" not in book.known:
        return
    for one in condition["values"]:
        if one not in book.known["webhook"]:
            told = f"There is no webhook “{one}”.{nearest(one, book.known['webhook'])}"
            book.wrong((*path, "values"), told)


_VALUES = Many(Text(), short=True, default=[], quiet=True)
CONDITION = Keys(
    {
        "type": Text(100, needed=True),
        "operator": Choice(*MatchOperator.values, default="is"),
        "values": _VALUES,
        "source": Text(refers="integration", default="", quiet=True),
    },
    _known_webhooks,
)


_SELECTOR = Either(
    Keys({"name": Many(Text(), short=True)}),
    Keys({"id": Many(Text(), short=True)}),
    Keys({"tag": Text(200, needed=True), "values": Many(Text(), short=True)}),
)
_INTEGRATION = Keys(
    {
        "integration": Text(refers="integration"),
        "resource_type": Text(60),
        "permissions": Many(Text(), short=True),
        "include": Many(_SELECTOR, default=[], quiet=True),
        "exclude": Many(_SELECTOR, default=[], quiet=True),
    },
    _known_permissions,
)
_SCOPE_TARGET = Keys({"scope": Text(refers="scope")})
_QUERY_TARGET = Keys({"query": Query(needed=True)})
_BUNDLE_TARGET = Keys({"bundle": Text(refers="bundle")})


def _extension_told(found: dict[str, Any], path: Path, book: Book) -> None:
    if (found["times"] > 0) != (found["each"] is not None):
        book.wrong(path, "Say “times” and “each”, or leave extensions out.")


def _is_zone(name: str) -> bool:
    return name in zoneinfo.available_timezones()


_CLOCK = Shaped(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time of day like “08:00” (from 00:00 to 23:59)")
_WINDOW = Keys(
    {
        "from": _CLOCK,
        "to": _CLOCK,
        "days": Many(Choice(*DAYS), short=True, once=True, order=DAYS.index, least=1),
        "time_zone": Shaped(r".{1,60}", "a time zone like “Europe/Berlin”", _is_zone),
    }
)
_FIELD = Keys(
    {
        "key": Text(needed=True),
        "label": Text(needed=True),
        "kind": Choice(*FieldKind.values),
        "required": Flag(default=False),
        "choices": Many(Text(), ordered=True, short=True, default=[], quiet=True),
        "pattern": Pattern(default="", quiet=True),
    }
)


class Maybe(Node):
    """What may be left out altogether."""

    def __init__(self, inner: Node) -> None:
        """Keep what it is where it is there."""
        super().__init__(default=None, quiet=True)
        self.inner = inner

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return it."""
        return self.inner.read(value, path, book)

    def tree(self, plain: Any) -> Any:
        """Return it."""
        return self.inner.tree(plain)

    def merge(self, old: Any, plain: Any) -> Any:
        """Change what differs."""
        return self.inner.merge(old, plain)


_SETTINGS = {
    "justification_required": Flag(default=True),
    "approver_reason_required": Flag(default=False),
    "self_approval": Flag(default=False),
    "mfa_required": Flag(default=False),
    "break_glass": Flag(default=False),
    "only_while_eligible": Flag(default=True, quiet=True),
    "removes_foreign": Flag(default=False, quiet=True),
    "drain": Maybe(Duration(most=DRAIN_SECONDS_MAX)),
    "ticket_pattern": Pattern(200, default="", quiet=True),
    "fields": Many(_FIELD, ordered=True, default=[], quiet=True),
    "labels": Many(Text(), ordered=True, short=True, default=[], quiet=True),
}
_USUAL: dict[str, Any] = {name: node.default for name, node in _SETTINGS.items()}


class Tiered(Many):
    """Approver groups, in the order in which they are asked; within a tier in the author's order."""

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the groups by tier."""
        found = super().read(value, path, book)
        return found if found is NOTHING else sorted(found, key=lambda group: int(group["tier"]))


_APPROVAL = Keys(
    {
        "mode": Choice("none", "any_of", "all_of"),
        "groups": Tiered(
            Group(CONDITION, {"tier": Number(0, 5, default=0, quiet=True)}), ordered=True, default=[], quiet=True
        ),
        "escalate_after": Maybe(Duration(most=_MINUTES_MAX * 60)),
    }
)


def _flow_told(found: dict[str, Any], path: Path, book: Book) -> None:
    refuse(_contradictions(found), path, book)


def _contradictions(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Tell of what cannot be true together: the database would refuse it without a word of help."""
    if found["trigger"] == Trigger.AUTOMATIC:
        if found["approval"]["mode"] != "none":
            yield "approval", "An automatic flow asks nobody: write “mode: none” and no groups."
        if found["settings"]["justification_required"]:
            yield "settings", "Nobody is there to justify an automatic flow: write “justification_required: false”."
    if found["duration"] is None and found["extensions"]["times"]:
        yield "extensions", "Access without an end needs no extension: leave extensions out."


FLOW = Keys(
    {
        "name": Text(150, needed=True),
        "description": Text(default="", quiet=True),
        "space": Text(refers="space", default="", quiet=True),
        "active": Flag(default=True),
        "trigger": Choice(*Trigger.values, default="self_serve", quiet=True),
        "requestors": Group(CONDITION),
        "request_for": Many(Choice(*RequestScope.values), short=True, once=True, least=1, default=["self"], quiet=True),
        "grantees": Group(CONDITION, default=NOBODY, quiet=True),
        "targets": Many(Either(_INTEGRATION, _BUNDLE_TARGET, _SCOPE_TARGET, _QUERY_TARGET)),
        "approval": _APPROVAL,
        "duration": Duration(endless=True, most=_MINUTES_MAX * 60),
        "extensions": Keys(
            {"times": Number(0, 1000), "each": Maybe(Duration(most=_MINUTES_MAX * 60))},
            _extension_told,
            default={"times": 0, "each": None},
            quiet=True,
        ),
        "answer_within": Duration(3600, most=_MINUTES_MAX * 60, default=24 * 3600),
        "window": Maybe(_WINDOW),
        "checks": Many(Text(refers="webhook"), short=True, once=True, default=[], quiet=True),
        "settings": Keys(_SETTINGS, default=_USUAL),
    },
    _flow_told,
)
SCOPE = Keys(
    {
        "name": Text(150, needed=True),
        "description": Text(default="", quiet=True),
        "space": Text(refers="space", default="", quiet=True),
        "query": Query(needed=True),
    }
)
BUNDLE = Keys(
    {
        "name": Text(150, needed=True),
        "description": Text(default="", quiet=True),
        "space": Text(refers="space", default="", quiet=True),
        "targets": Many(Either(_INTEGRATION, _SCOPE_TARGET, _QUERY_TARGET)),
    }
)
_OAUTH = Keys({"token_url": Text(1000), "client_id": Text(), "scope": Text(default="", quiet=True)})
_VALIDATOR = Keys({"path": Text(needed=True), "operator": Choice(*MatchOperator.values), "value": Text()})
WEBHOOK = Keys(
    {
        "name": Text(150, needed=True),
        "description": Text(default="", quiet=True),
        "active": Flag(default=True, quiet=True),
        "method": Choice("POST", "PUT", "GET", "PATCH", "DELETE", default="POST"),
        "url": Shaped(r"https?://\S{1,990}", "an address that begins with https://"),
        "headers": Named(Text(needed=True), Text(), default={}, quiet=True),
        "body": Json(default={}, quiet=True),
        "oauth": Maybe(_OAUTH),
        "validators": Many(_VALIDATOR, ordered=True, default=[], quiet=True),
        "timeout": Duration(1, most=60, default=10),
        "error_message": Text(300, default="", quiet=True),
        "secrets": Named(
            Shaped(r"oauth_client_secret|header:.{1,190}", "“oauth_client_secret” or “header:NAME”"),
            Choice("kept"),
            default={},
            quiet=True,
        ),
    }
)
_MEMBER = Keys(
    {
        "type": Choice("user", "group", default="user", quiet=True),
        "identity": Text(300, needed=True),
        "roles": Many(Choice(*SpaceRole.values), short=True, once=True, least=1),
    }
)
SPACE = Keys(
    {
        "name": Text(64, needed=True),
        "scopes": Many(Text(refers="scope"), short=True, once=True, default=[]),
        "members": Many(_MEMBER, default=[], quiet=True),
    }
)
SHAPES = {"webhook": WEBHOOK, "scope": SCOPE, "space": SPACE, "bundle": BUNDLE, "flow": FLOW}
# Where each kind lies.
FOLDERS = {"webhook": "webhooks", "scope": "scopes", "space": "spaces", "bundle": "bundles", "flow": "flows"}
