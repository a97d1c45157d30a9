"""The inventory: narrowed and paged by the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.choices import (
    RISK_BANDS,
    ResourceStatus,
    RiskBand,
)
from integrations.models import (
    Resource,
    ResourceType,
    Tag,
)

# One page of the inventory, and how many pages deep it goes: beyond, a person searches.
PAGE, PAGES_MAX = 50, 200


WORDS_MAX = 8


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What of the inventory is looked for; an empty part does not narrow. `tag` is a key, or key=value."""

    q: str = ""
    integration: str = ""
    type: str = ""
    status: str = ""
    risk: str = ""
    tag: str = ""


def inventory(narrowed: Narrowed, number: int) -> tuple[list[Resource], bool]:
    """Return one page of the inventory in reading order, and whether there is more. Two queries at most, no count."""
    found = _narrow(Resource.objects.select_related("integration", "resource_type"), narrowed)
    start = (number - 1) * PAGE
    rows = list(found.defer("context", "refusals", "fingerprint")[start : start + PAGE + 1])
    return rows[:PAGE], len(rows) > PAGE


def _narrow(found: QuerySet[Resource], narrowed: Narrowed) -> QuerySet[Resource]:
    """Keep what is looked for, in the order of an index that fits: (integration, path) or (type, name)."""
    if narrowed.integration:
        found = found.filter(integration=_uuid(narrowed.integration))
    if narrowed.type:
        types = ResourceType.objects.filter(type=narrowed.type)
        if narrowed.integration:
            types = types.filter(integration=_uuid(narrowed.integration))
        found = found.filter(resource_type__in=list(types.values_list("pk", flat=True)))
    if narrowed.status in ResourceStatus.values:
        found = found.filter(status=narrowed.status)
    if narrowed.risk in RISK_BANDS:
        lowest, highest = RISK_BANDS[RiskBand(narrowed.risk)]
        found = found.filter(risk_level__gte=lowest, risk_level__lte=highest)
    if narrowed.tag:
        key, given, value = narrowed.tag.partition("=")
        tags = Tag.objects.filter(resource=OuterRef("pk"), key=key.strip())
        found = found.filter(Exists(tags.filter(value=value.strip()) if given else tags))
    words = Q()
    for word in narrowed.q.lower().split()[:WORDS_MAX]:
        words &= Q(searched__contains=word)
    if words:
        # Said once for each status: PostgreSQL's trigrams are kept for what is there, and what is missing is little.
        found = found.filter(Q(words, status=ResourceStatus.ACTIVE) | Q(words, status=ResourceStatus.MISSING))
    return found.order_by("integration_id", "path", "pk")


def _uuid(text: str) -> uuid.UUID:
    """Return an id, or one that nothing has."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def types_known(integration: str = "") -> list[tuple[str, str]]:
    """Return the resource types of one integration or of all, by id and name."""
    rows = ResourceType.objects.order_by("type")
    if integration:
        rows = rows.filter(integration=_uuid(integration))
    return sorted(dict(rows.values_list("type", "name")).items())
