"""What can be connected."""

from __future__ import annotations

from itertools import groupby

from django.http import HttpRequest, HttpResponse

from connectors.contract.manifest import Manifest
from integrations import queries
from integrations.choices import QUALITY_WORDS
from integrations.views.common import need, page


def catalogue(request: HttpRequest) -> HttpResponse:
    """Choose what to connect; search and category are in the address."""
    need(request, "integrations.add_integration")
    text, category = request.GET.get("q", "").strip()[:100], request.GET.get("category", "")
    kinds = sorted(queries.catalogue().values(), key=lambda kind: (kind.category, kind.name))
    categories = sorted({kind.category for kind in kinds})
    found = [kind for kind in kinds if (not category or kind.category == category) and _matches(kind, text)]
    connected = queries.connected()
    cards = [(kind, queries.quality(kind.id), connected.get(kind.id, 0)) for kind in found]
    groups = [(name, list(rows)) for name, rows in groupby(cards, key=lambda card: card[0].category)]
    return page(
        request,
        "catalogue.html",
        "Connect a system",
        groups=groups,
        categories=categories,
        category=category,
        text=text,
        total=len(kinds),
        levels=QUALITY_WORDS.items(),
    )


def _matches(kind: Manifest, text: str) -> bool:
    """Whether every word of the text stands in what the card says."""
    said = " ".join((kind.id, kind.name, kind.category, kind.description, *(one.name for one in kind.resource_types)))
    return all(word in said.lower() for word in text.lower().split())
