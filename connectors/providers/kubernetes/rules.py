"""What rules of roles allow: the connector's own, and those of the roles that are offered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.names import RoleRef
from connectors.providers.kubernetes.server import Target

RBAC = "rbac.authorization.k8s.io"
READING = {"get", "list", "watch"}
# What opens everything else to whoever may do it.
OPENING = {"bind", "escalate", "impersonate", "*"}
OFFER = "setup/2_namespaces.yaml, setup/3_optional_cluster.yaml or setup/4_optional_roles.yaml"


@dataclass(frozen=True, slots=True)
class Rules:
    """The connector's own rules in one namespace, those for the whole cluster included.

    `incomplete`: the API server also asks somebody else than RBAC, so that a no is not for sure.
    """

    rules: tuple[dict[str, Any], ...]
    incomplete: bool = False

    def allow(self, verb: str, group: str, resource: str, name: str = "") -> bool:
        """Say whether they allow something."""
        return any(
            _has(rule, "verbs", verb)
            and _has(rule, "apiGroups", group)
            and _has(rule, "resources", resource)
            and (not rule.get("resourceNames") or name in rule["resourceNames"])
            for rule in self.rules
        )


def own_rules(at: Target, namespace: str) -> Rules:
    """Return what the connector may do in a namespace."""
    status = at.api.read(programs.OWN_RULES, accept=(200, 201), namespace=namespace).data["status"]
    return Rules(tuple(status.get("resourceRules") or ()), bool(status.get("incomplete")))


def refusal(rules: Rules, ref: RoleRef) -> str:
    """Return why the connector could not bind a role there, or nothing."""
    bindings = "rolebindings" if ref.namespace else "clusterrolebindings"
    where = "in this namespace" if ref.namespace else "for the whole cluster"
    if rules.incomplete:
        return ""
    if not rules.allow("create", RBAC, bindings) or not rules.allow("delete", RBAC, bindings):
        return f"The connector may not make and delete {bindings} {where}: see {OFFER}."
    if not rules.allow("bind", RBAC, "roles" if ref.kind == "Role" else "clusterroles", ref.name):
        return f"The connector may not bind {ref.kind} {ref.name}: see {OFFER}."
    return ""


def risk(rules: Iterable[dict[str, Any]]) -> int:
    """Return how much harm rules can do, from 1 to 9, by the worst of them."""
    return max((_risk(rule) for rule in rules), default=1)


def words(rules: Iterable[dict[str, Any]], at_most: int = 5) -> str:
    """Return rules as people read them, the first few."""
    lines = []
    for rule in rules:
        things = [*(rule.get("resources") or ()), *(rule.get("nonResourceURLs") or ())]
        named = f" named {', '.join(rule['resourceNames'])}" if rule.get("resourceNames") else ""
        lines.append(f"{', '.join(rule.get('verbs') or ())} on {', '.join(things)}{named}")
    more = f"; and {len(lines) - at_most} more" if len(lines) > at_most else ""
    return "; ".join(lines[:at_most]) + more


def _risk(rule: dict[str, Any]) -> int:
    """Return how much harm one rule can do."""
    verbs, resources = set(rule.get("verbs") or ()), set(rule.get("resources") or ())
    if verbs & OPENING:
        return 9
    if resources & {"*", "secrets", "pods/exec", "serviceaccounts/token"}:
        return 7
    return 3 if verbs <= READING else 6


def _has(rule: dict[str, Any], kind: str, value: str) -> bool:
    """Say whether a rule has a value, or all of them."""
    values = rule.get(kind) or ()
    return value in values or "*" in values
