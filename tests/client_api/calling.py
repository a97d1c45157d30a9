"""A client of the command line, in short words: it calls with a token, and knows the contract if it is at hand."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import User
from audit.actor import person
from audit.choices import Source

BASE = "/api/client/v1/"
CONTRACTS = "LATCHKEY_CONTRACTS"


class Caller:
    """Somebody's client. Every answer is held against the contract, where that is at hand."""

    def __init__(self, user: User, scopes: list[str] | None = None) -> None:
        """Make a token for them."""
        now = timezone.now()
        _, self.text = actions.issue_token(user, "cli", scopes=scopes, actor=person(user, Source.PORTAL), at=now)
        self.browser = Client(headers={"Authorization": f"Bearer {self.text}"})

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call, and return the answer of the test client."""
        at = f"{BASE}{path}"
        if method in {"get", "head"}:
            return getattr(self.browser, method)(at, query)
        told = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(self.browser, method)(at, **told, query_params=query)

    def get(self, path: str, **query: Any) -> Any:
        """Return what a GET answers with 200."""
        return self._good("get", path, None, query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Return what a POST answers with 200."""
        return self._good("post", path, body, query)

    def put(self, path: str, body: Any) -> Any:
        """Return what a PUT answers with 200."""
        return self._good("put", path, body, {})

    def delete(self, path: str) -> Any:
        """Return what a DELETE answers with 200."""
        return self._good("delete", path, None, {})

    def _good(self, method: str, path: str, body: Any, query: dict[str, Any]) -> Any:
        answer = self.send(method, path, body, **query)
        assert answer.status_code == 200, (answer.status_code, answer.content)
        data = answer.json()
        conform(method, path, data)
        return data


def ask_body(**change: Any) -> dict[str, Any]:
    """Return a new request as clients send it: with every list, most of them empty."""
    names = ("integration_ids", "bundle_ids", "resource_type_ids", "resource_ids", "resources", "permission_ids")
    lists: dict[str, Any] = {f"filter_{name}": [] for name in (*names, "access_unit_ids")}
    return lists | {"justification": "an incident"} | change


@cache
def contract() -> dict[str, Any] | None:
    """Return the client API's document; None where the environment does not say where it is."""
    folder = os.environ.get(CONTRACTS)
    if not folder:
        return None
    found: dict[str, Any] = json.loads((Path(folder) / "client-api.openapi.json").read_text())
    return found


def conform(method: str, path: str, data: Any) -> None:
    """Hold an answer against the contract: every field known and of its kind, none missing, no null."""
    document = contract()
    if document is None:
        return
    operation = _operation(document, method, path)
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    wrong = list(_wrong(document, schema, data, path))
    assert wrong == []


def _operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    parts = f"{BASE}{path}".split("/")
    for template, operations in sorted(document["paths"].items(), key=lambda one: one[0].count("{")):
        known = template.split("/")
        same = len(known) == len(parts) and all(a == b or a.startswith("{") for a, b in zip(known, parts, strict=True))
        if same and method in operations:
            found: dict[str, Any] = operations[method]
            return found
    raise AssertionError(f"The contract has no {method} {path}.")


def _wrong(document: dict[str, Any], schema: dict[str, Any], data: Any, at: str) -> Any:
    """Yield what is otherwise than the contract has it. Stricter than it: no unknown field, and never a null."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "allOf" in schema:
        for one in schema["allOf"]:
            yield from _wrong(document, one, data, at)
        return
    kind = schema.get("type")
    kinds = {"string": str, "integer": int, "number": int | float, "boolean": bool, "array": list, "object": dict}
    if not isinstance(data, kinds[str(kind)]) or (isinstance(data, bool) and kind != "boolean"):
        yield f"{at}: {data!r} is no {kind}"
    elif "enum" in schema and data not in schema["enum"]:
        yield f"{at}: {data!r} is none of {schema['enum']}"
    elif kind == "array":
        for place, one in enumerate(data):
            yield from _wrong(document, schema["items"], one, f"{at}[{place}]")
    elif "properties" in schema:
        yield from (f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in data)
        yield from (f"{at}: {name} is unknown" for name in data if name not in schema["properties"])
        for name in schema["properties"].keys() & data.keys():
            yield from _wrong(document, schema["properties"][name], data[name], f"{at}.{name}")
