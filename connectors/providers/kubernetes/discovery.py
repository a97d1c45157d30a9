"""What there is to ask for. Everything is shown; what cannot be granted is refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.contract.orders import Order, Page, ResourceFact
from connectors.contract.provider import Run
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.names import CLUSTER, LEVELS, MEMBER, RoleRef
from connectors.providers.kubernetes.rules import Rules, own_rules, refusal, risk, words
from connectors.providers.kubernetes.server import Target, target
from connectors.toolkit.http_files import RequestFile

DEFAULT_TYPES = ("cluster", "namespace")
SYSTEM = "system:"
# Where the connector's rules for the whole cluster are asked about; it need not be there.
ANYWHERE = "default"


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield the inventory, a page at a time; a page says where to go on after it."""
    types = order.resource_types or DEFAULT_TYPES
    begin, resume = _place(order.resume)
    with target(order, run) as at:
        inventory = _Inventory(at)
        kinds = [kind for kind in inventory.kinds if kind in types]
        kinds = kinds[kinds.index(begin) :] if begin in kinds else kinds
        for number, kind in enumerate(kinds):
            following = next(iter(kinds[number + 1 :]), "")
            yield from inventory.pages(kind, order.page_size, resume if kind == begin else "", following)


def _place(resume: str) -> tuple[str, str]:
    """Return the type and the place in its list to go on at. What is no place of ours is the beginning."""
    try:
        kind, place = json.loads(resume or '["",""]')
    except (ValueError, TypeError):
        return "", ""
    return str(kind), str(place)


@dataclass(slots=True)
class _Inventory:
    """A cluster, being listed."""

    at: Target
    rules: dict[str, Rules] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, tuple[RequestFile | None, Callable[[dict[str, Any]], ResourceFact]]]:
        """Return how each type is listed, in this order."""
        return {
            "cluster": (None, self._cluster),
            "namespace": (programs.NAMESPACES, self._namespace),
            "role": (programs.ROLES, self._role),
            "cluster-role": (programs.CLUSTER_ROLES, self._cluster_role),
        }

    def pages(self, kind: str, size: int, resume: str, following: str) -> Iterator[Page]:
        """Yield the resources of one type; after its last page it goes on with the type that follows."""
        program, fact = self.kinds[kind]
        after = json.dumps([following, ""]) if following else ""
        if program is None:
            yield Page((fact({}),), after)
            return
        for part in self.at.api.parts(program, size=size, resume=resume):
            shown = [item for item in part.items if self.at.system or not item["metadata"]["name"].startswith(SYSTEM)]
            page = Page(tuple(map(fact, shown)), json.dumps([kind, part.resume]) if part.resume else after)
            if page.resources:
                yield page

    def _own(self, namespace: str) -> Rules:
        """Return the connector's rules in a namespace, asked for once."""
        if namespace not in self.rules:
            self.rules[namespace] = own_rules(self.at, namespace)
        return self.rules[namespace]

    def _cluster(self, item: dict[str, Any]) -> ResourceFact:
        """Return the cluster itself."""
        context = {"server": self.at.for_people}
        return ResourceFact(
            "cluster",
            CLUSTER,
            self.at.name,
            self.at.name,
            context=context,
            risk_level=9,
            refusals=self._levels("cluster", ""),
        )

    def _namespace(self, item: dict[str, Any]) -> ResourceFact:
        """Return a namespace with the levels that cannot be given in it."""
        name = item["metadata"]["name"]
        refusals = self._levels("namespace", name)
        if name == self.at.namespace:
            refusals = dict.fromkeys(
                LEVELS["namespace"], "The accounts of all grants lie in it: nobody gets a role there."
            )
        return ResourceFact(
            "namespace",
            name,
            name,
            f"{self.at.name}/{name}",
            tags=_tags(item),
            context={"phase": str(item.get("status", {}).get("phase", ""))},
            risk_level=5,
            refusals=refusals,
        )

    def _role(self, item: dict[str, Any]) -> ResourceFact:
        """Return a role of a namespace."""
        namespace, name = item["metadata"]["namespace"], item["metadata"]["name"]
        ref = RoleRef(namespace, "Role", name)
        reason = refusal(self._own(namespace), ref)
        if namespace == self.at.namespace:
            reason = "The accounts of all grants lie in its namespace: nobody gets a role there."
        return _role_fact(item, "role", f"{namespace}/{name}", f"{self.at.name}/{namespace}/{name}", reason)

    def _cluster_role(self, item: dict[str, Any]) -> ResourceFact:
        """Return a cluster role."""
        name = item["metadata"]["name"]
        reason = refusal(self._own(ANYWHERE), RoleRef("", "ClusterRole", name))
        return _role_fact(item, "cluster-role", name, f"{self.at.name}/{name}", reason)

    def _levels(self, kind: str, namespace: str) -> dict[str, str]:
        """Return the levels that cannot be given, with the reason."""
        rules = self._own(namespace or ANYWHERE)
        refs = {level: RoleRef(namespace, "ClusterRole", role) for level, role in LEVELS[kind].items()}
        return {level: reason for level, ref in refs.items() if (reason := refusal(rules, ref))}


def _role_fact(item: dict[str, Any], kind: str, source_id: str, path: str, reason: str) -> ResourceFact:
    """Return a role with what it allows."""
    rules = item.get("rules") or ()
    if not rules and not reason:
        reason = "It has no rules, so it would give nothing."
    return ResourceFact(
        kind,
        source_id,
        item["metadata"]["name"],
        path,
        tags=_tags(item),
        context={"rules": words(rules)} if rules else {},
        risk_level=risk(rules),
        refusals={MEMBER: reason} if reason else {},
    )


def _tags(item: dict[str, Any]) -> dict[str, str]:
    """Return the labels of a thing."""
    return {str(name): str(value) for name, value in (item["metadata"].get("labels") or {}).items()}
