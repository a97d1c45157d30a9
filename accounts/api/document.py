"""The document that describes the API, made from the endpoints themselves, and a page to read it and try it out."""

from __future__ import annotations

import hashlib
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import condition, require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer


@cache
def text() -> bytes:
    """Return the document; made once in a process, for it says the same until the next version."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    made: bytes = OpenApiJsonRenderer().render(schema, renderer_context={})
    return made


def _etag(http: HttpRequest) -> str:
    return f'"{hashlib.sha256(text()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=_etag)
def openapi(http: HttpRequest) -> HttpResponse:
    """Return the document."""
    return HttpResponse(text(), content_type="application/vnd.oai.openapi+json")


@require_safe
def docs(http: HttpRequest) -> HttpResponse:
    """Show the document. It has no session to act with: who tries something out brings a token."""
    return render(http, "api/docs.html")
