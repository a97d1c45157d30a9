"""What can be connected: providers, their quality and their drawings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import Count

from connectors.contract.errors import Misconfigured
from connectors.contract.manifest import Limit, Manifest
from connectors.manifests import read_toml
from connectors.registry import BUILT_IN
from connectors.vet.quality import FILE as QUALITY_FILE
from connectors.vet.quality import RULES
from integrations.choices import (
    QualityLevel,
)
from integrations.models import (
    Integration,
)
from integrations.queries.entitlements import Entitlement

# How selectors list resources one by one; tags are of any number.
_BY_HAND = ("name", "id")


def catalogue() -> dict[str, Manifest]:
    """Return the manifests of all providers by id."""
    return BUILT_IN.manifests()


def manifest(type_: str) -> Manifest:
    """Return one provider's manifest. Raises connectors' Misconfigured for an unknown type."""
    return BUILT_IN.manifest(type_)


def has_logins(integration: Integration) -> bool:
    """Whether access there means a login of its own for each grant."""
    return manifest(integration.type).has_logins


def tells_people(integration: Integration) -> bool:
    """Whether it tells of people, and no access is given there."""
    known = BUILT_IN.manifests().get(integration.type)
    return known is not None and known.kind == "people"


def reads_named_only(integration: Integration) -> bool:
    """Whether a read-back there sees only what its order names."""
    return manifest(integration.type).reads_named_only


def can_drain(integration: Integration) -> bool:
    """Whether sessions that are open at the end may go on there for a while, and no new one begin."""
    return manifest(integration.type).drains


def that_cannot_drain(ids: Iterable[str]) -> list[str]:
    """Return the names of those of these integrations where everything ends at once. One query."""
    rows = Integration.objects.filter(pk__in=list(ids)).order_by("name")
    return [one.name for one in rows if one.type in BUILT_IN.manifests() and not can_drain(one)]


def tells_sessions(integration: Integration) -> bool:
    """Whether a read-back there counts the sessions that are open on our logins."""
    return manifest(integration.type).tells_sessions


def login_max(integration: Integration) -> int:
    """Return how long the name of a login may be there, in characters."""
    return manifest(integration.type).login_max


def credential(integration: Integration) -> str:
    """Return what a grantee gets there with a login: "password", "kubeconfig" and the like."""
    return manifest(integration.type).credential


def over_limits(asks: Iterable[Entitlement]) -> list[str]:
    """Return, in the manifests' own words, the limits that one grant of these entitlements would be over.

    All surfaces say the same words, before anything is asked for. Asks of one request, whatever integrations they name.
    """
    named: dict[tuple[str, str], dict[str, set[int]]] = {}
    for one in asks:
        kinds = named.setdefault((one.integration_id, one.integration_type), {})
        kinds.setdefault(one.resource_type, set()).add(one.resource_id)
    return [
        limit.words
        for (_, type_), kinds in named.items()
        for limit in manifest(type_).limits
        if sum(len(kinds.get(kind, ())) for kind in limit.resource_types) > limit.at_most
    ]


INSTEAD = "Leave the list empty for any resource, choose by a tag, or use an access scope."


def limit_doubts(target: Mapping[str, Any]) -> list[str]:
    """Return, in the same words as `over_limits`, the limits that an integration target's own lists are over.

    What is listed by name or id counts, whether it is taken in or left out: whoever asks for all of it is refused.
    """
    limits = limits_on(target["integration"], target["resource_type"])
    named = [one["values"] for one in target.get("selectors", ()) if one["type"] in _BY_HAND]
    number = sum(len(values) for values in named)
    return [f"{limit.words} {number:,} are listed here. {INSTEAD}" for limit in limits if number > limit.at_most]


def limits_on(integration: str, resource_type: str) -> list[Limit]:
    """Return the limits of one grant that resources of a type count for; none for an integration that is not there."""
    type_ = Integration.objects.filter(pk=integration).values_list("type", flat=True).first()
    if type_ is None or type_ not in BUILT_IN.manifests():
        return []
    return [one for one in manifest(type_).limits if resource_type in one.resource_types]


@dataclass(frozen=True, slots=True)
class Rule:
    """One claim of a provider's quality file."""

    words: str
    status: str
    why: str


@dataclass(frozen=True, slots=True)
class Quality:
    """What a provider claims about itself by level, and the level that follows from it."""

    level: QualityLevel
    rules: tuple[tuple[QualityLevel, tuple[Rule, ...]], ...]


def quality(type_: str) -> Quality:
    """Return the quality of a provider: the highest level of which, and below which, no rule is left to do."""
    return _quality(BUILT_IN.folder(type_))


@cache
def _quality(folder: Path) -> Quality:
    try:
        claims = read_toml(folder / QUALITY_FILE)
    except Misconfigured:
        return Quality(QualityLevel.NONE, ())
    level, met, told = QualityLevel.NONE, True, []
    for name, rules in RULES.items():
        said = {rule: claims.get(name, {}).get(rule, {}) for rule in rules}
        met = met and all(one.get("status") in {"done", "exempt"} for one in said.values())
        level = QualityLevel(name) if met else level
        shown = (
            Rule(rule.replace("_", " "), one.get("status", "todo"), one.get("why", "")) for rule, one in said.items()
        )
        told.append((QualityLevel(name), tuple(shown)))
    return Quality(level, tuple(told))


def drawing(type_: str) -> str:
    """Return a provider's own drawing as SVG, which ships with its code; nothing for a type that is not known."""
    return _drawing(BUILT_IN.folder(type_)) if type_ in BUILT_IN.manifests() else ""


@cache
def _drawing(folder: Path) -> str:
    path = folder / "logo.svg"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def connected() -> dict[str, int]:
    """Return how many integrations there are of each type. One query."""
    return dict(Integration.objects.order_by().values_list("type").annotate(Count("pk")))


def _rule(name: str, claim: dict[str, str]) -> Rule:
    return Rule(name.replace("_", " "), claim.get("status", "todo"), claim.get("why", ""))
