"""How things are called: source ids, the marks on what is ours, and which binding a unit is.

Source ids: `cluster` for the cluster itself, `shop` for a namespace, `shop/reader` for a role in it, `reader` for a
cluster role. No name in Kubernetes has a slash in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Person, Unit

CLUSTER = "cluster"
LEVELS = {
    "cluster": {"READ_ONLY": "view", "READ_WRITE": "edit", "ADMIN": "cluster-admin"},
    "namespace": {"READ_ONLY": "view", "READ_WRITE": "edit", "ADMIN": "admin"},
}
MEMBER = "MEMBER"
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
ROLE = re.compile(r"(?!\.{1,2}$)[^/%\0]{1,253}")
ACCOUNT = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
# A name has at most 253 characters; a hyphen and what makes ours unique are to fit behind it.
ACCOUNT_MAX = 200


class Subject(NamedTuple):
    """Whom a binding is for."""

    kind: str
    name: str
    namespace: str = ""

    @property
    def user(self) -> str:
        """Return what the API server calls somebody who signed in as this."""
        return self.name if self.kind == "User" else f"system:serviceaccount:{self.namespace}:{self.name}"


class RoleRef(NamedTuple):
    """A role, and where it is bound: in one namespace, or in the whole cluster (namespace "")."""

    namespace: str
    kind: str
    name: str

    def words(self) -> str:
        """Return it as people say it."""
        return f"{self.kind} {self.name!r}" + (f" in the namespace {self.namespace!r}" if self.namespace else "")


class Marks(NamedTuple):
    """What is written on everything that we make."""

    integration: str
    person: str
    grant: str
    unit: str = ""
    ends_at: str = ""


def role_ref(unit: Unit) -> RoleRef:
    """Return which binding a unit is. Raises Misconfigured when type, permission or source id is none of ours."""
    kind, resource, permission = unit.resource_type, unit.resource, unit.permission
    levels = LEVELS.get(kind, {MEMBER: ""} if kind in ("role", "cluster-role") else {})
    if permission not in levels:
        raise Misconfigured(f"Kubernetes has no permission {permission} on a {kind}.")
    namespace, slash, role = resource.partition("/")
    if kind == "cluster" and resource == CLUSTER:
        return RoleRef("", "ClusterRole", levels[permission])
    if kind == "namespace" and NAMESPACE.fullmatch(resource):
        return RoleRef(resource, "ClusterRole", levels[permission])
    if kind == "role" and slash and NAMESPACE.fullmatch(namespace) and ROLE.fullmatch(role):
        return RoleRef(namespace, "Role", role)
    if kind == "cluster-role" and ROLE.fullmatch(resource):
        return RoleRef("", "ClusterRole", resource)
    raise Misconfigured(f"{resource!r} is no source id of a {kind}.")


def unit_of(ref: RoleRef, hint: str = "") -> Unit:
    """Return a binding as a unit; `hint` is the unit that was written on it, and counts if it fits."""
    if (hinted := _hinted(hint)) is not None:
        with suppress(Misconfigured):
            if role_ref(hinted) == ref:
                return hinted
    if ref.kind == "Role":
        return Unit("role", f"{ref.namespace}/{ref.name}", MEMBER)
    kind = "namespace" if ref.namespace else "cluster"
    level = next((level for level, role in LEVELS[kind].items() if role == ref.name), None)
    if ref.namespace:
        return Unit("namespace", ref.namespace, level or ref.name)
    return Unit("cluster", CLUSTER, level) if level else Unit("cluster-role", ref.name, MEMBER)


def written(unit: Unit) -> str:
    """Return a unit as it is written on a binding."""
    return json.dumps([unit.resource_type, unit.resource, unit.permission], ensure_ascii=False)


def _hinted(hint: str) -> Unit | None:
    """Return the unit that is written on a binding."""
    try:
        found = json.loads(hint or "null")
    except ValueError:
        return None
    if isinstance(found, list) and len(found) == 3 and all(isinstance(one, str) for one in found):
        return Unit(*found)
    return None


def marks(thing: dict[str, Any]) -> Marks | None:
    """Return what is written on an object of ours; None on any other."""
    notes = thing["metadata"].get("annotations") or {}
    values = [str(notes.get(f"latchkey/{name}", "")) for name in ("integration", "person", "grant", "unit", "ends-at")]
    return Marks(*values) if all(values[:3]) else None


def label(value: str) -> str:
    """Return a value as a label can hold it; the annotation beside it holds it whole."""
    if LABEL.fullmatch(value):
        return value
    return f"sha256-{hashlib.sha256(value.encode()).hexdigest()[:40]}"


def selector(integration: str, person: Person) -> str:
    """Return what finds the accounts of one person in one integration."""
    return f"latchkey/integration={label(integration)},latchkey/person={label(person.person_id)}"


def account_base(login: str) -> str:
    """Return how the accounts of a grant begin to be called. Raises Misconfigured for a login that makes no name."""
    name = login.lower().replace("_", "-")
    if not ACCOUNT.fullmatch(name) or ".." in name or len(name) > ACCOUNT_MAX:
        raise Misconfigured(f"The login {login!r} makes no name of a service account.")
    return name


def binding_name(subject: Subject, integration: str, grant_id: str, unit: Unit) -> str:
    """Return what the binding for one unit of a grant is called: the same each time, and nobody else's."""
    key = json.dumps([integration, grant_id, written(unit), *subject], ensure_ascii=False)
    unique = hashlib.sha256(key.encode()).hexdigest()[:20]
    return f"{subject.name}-{unique}" if subject.kind == "ServiceAccount" else f"latchkey-{unique}"


def moment(seconds: float) -> str:
    """Return a moment as Kubernetes writes it; empty for never."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds != float("inf") else ""


def seconds(text: str) -> float:
    """Return a moment that Kubernetes wrote, in seconds since the epoch; infinite where there is none."""
    with suppress(ValueError):
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    return float("inf")
