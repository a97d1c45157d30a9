"""Every address of the API: who gets in, and what the document says of it. New ones are found by themselves."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.validation import validate_schema

from accounts.choices import TokenScope
from accounts.rest.views import Endpoint
from tests.api.conftest import bearer
from tests.cast import Cast
from tests.journeys.test_outsider import addresses

OPEN = {"api_openapi", "api_docs"}
METHODS = ("get", "post", "put", "patch", "delete")
FOUND = {name: pattern for name, pattern in addresses() if name.startswith("api_")}
ENDPOINTS = {name: pattern for name, pattern in FOUND.items() if name not in {*OPEN, "api_unknown"}}


def path_of(pattern: URLPattern) -> str:
    """Return the address with ids of nothing in it."""
    path = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        value = {"UUIDConverter": str(uuid.UUID(int=0)), "IntConverter": "999999"}.get(kind, "nothing")
        path = path.replace(f"<{kind.removesuffix('Converter').lower().replace('string', 'str')}:{name}>", value)
    return f"/{path}"


def view_of(pattern: URLPattern) -> Any:
    """Return the class behind an address."""
    return pattern.callback.cls  # type: ignore[attr-defined]


def methods_of(pattern: URLPattern) -> list[str]:
    """Return the methods that the address answers."""
    return [method for method in METHODS if hasattr(view_of(pattern), method)]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_names_the_scopes_of_every_method(name: str) -> None:
    view = view_of(ENDPOINTS[name])
    assert issubclass(view, Endpoint)
    assert set(view.scopes) == {method.upper() for method in methods_of(ENDPOINTS[name])}
    assert {scope for scopes in view.scopes.values() for scope in scopes} <= set(TokenScope)


def test_nobody_gets_in_without_a_token_or_by_a_browsers_session(cast: Cast) -> None:
    # A new client sets up everything anew: two for all the cells.
    stranger, signed_in = Client(), Client()
    signed_in.force_login(cast.admin)
    for pattern in ENDPOINTS.values():
        for method in methods_of(pattern):
            for client in (stranger, signed_in):
                answer = getattr(client, method)(path_of(pattern))
                assert answer.status_code == 401, (method, pattern)
                assert answer["Content-Type"] == "application/problem+json"


def test_nobody_gets_in_with_a_token_for_something_else(cast: Cast) -> None:
    header = bearer(cast.requester, TokenScope.ANALYTICS_WRITE)
    tried, client = 0, Client()
    for pattern in ENDPOINTS.values():
        scopes = view_of(pattern).scopes
        for method in methods_of(pattern):
            if scopes[method.upper()] and TokenScope.ANALYTICS_WRITE not in scopes[method.upper()]:
                answer = getattr(client, method)(path_of(pattern), **header)
                assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), (method, pattern)
                tried += 1
    assert tried > 4


def test_what_is_no_address_says_so_in_json(cast: Cast) -> None:
    for path in ("/api/", "/api/nothing", "/api/client/v1/session/"):
        answer = Client().post(path, "{}", "application/json", **bearer(cast.requester))
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_document_describes_every_endpoint(db: None) -> None:
    answer = Client().get("/api/openapi.json")
    assert answer.status_code == 200
    document = json.loads(answer.content)
    validate_schema(document)
    assert Client().get("/api/openapi.json", HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
    described = {(path.split("{")[0], method) for path, methods in document["paths"].items() for method in methods}
    for pattern in ENDPOINTS.values():
        for method in methods_of(pattern):
            assert (f"/{pattern.pattern}".split("<")[0], method) in described
    assert "Scope of the token: `end_user:tokens:write`" in json.dumps(document)


def test_every_path_of_the_test_can_be_filled_in() -> None:
    assert "api_personal_token_expiry" in ENDPOINTS
    assert not [path_of(pattern) for pattern in ENDPOINTS.values() if "<" in path_of(pattern)]
