"""A client of the command line, in short words: it calls with a token, and knows the contract if it is at hand."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from tests.contracts import CLIENT, FOLDER, assert_answers, document

BASE = "/api/client/v1/"


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
        conform(method, path, answer)
        return answer.json()


def ask_body(**change: Any) -> dict[str, Any]:
    """Return a new request as clients send it: with every list, most of them empty."""
    names = ("integration_ids", "bundle_ids", "resource_type_ids", "resource_ids", "resources", "permission_ids")
    lists: dict[str, Any] = {f"filter_{name}": [] for name in (*names, "access_unit_ids")}
    return lists | {"justification": "an incident"} | change


def conform(method: str, path: str, answer: Any) -> None:
    """Hold an answer against the contract, where it is at hand: every field known and of its kind, and no null."""
    if not FOLDER:
        return
    published = document(CLIENT)
    template = _template(published, method, path)
    assert_answers(answer, CLIENT, template, method)
    operation = published["paths"][template][method]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(_wrong(published, schema, answer.json(), path)) == []


def _template(published: dict[str, Any], method: str, path: str) -> str:
    """Return the address as the contract writes it."""
    parts = f"{BASE}{path}".split("/")
    for template, operations in sorted(published["paths"].items(), key=lambda one: str(one[0]).count("{")):
        known = template.split("/")
        same = len(known) == len(parts) and all(a == b or a.startswith("{") for a, b in zip(known, parts, strict=True))
        if same and method in operations:
            return str(template)
    raise AssertionError(f"The contract has no {method} {path}.")


def _wrong(published: dict[str, Any], schema: dict[str, Any], data: Any, at: str) -> Any:
    """Yield what is otherwise than the contract has it. Stricter than it: no unknown field, and never a null."""
    if "$ref" in schema:
        schema = published["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "allOf" in schema:
        for one in schema["allOf"]:
            yield from _wrong(published, one, data, at)
        return
    kind = schema.get("type")
    kinds = {"string": str, "integer": int, "number": int | float, "boolean": bool, "array": list, "object": dict}
    if not isinstance(data, kinds[str(kind)]) or (isinstance(data, bool) and kind != "boolean"):
        yield f"{at}: {data!r} is no {kind}"
    elif "enum" in schema and data not in schema["enum"]:
        yield f"{at}: {data!r} is none of {schema['enum']}"
    elif kind == "array":
        for place, one in enumerate(data):
            yield from _wrong(published, schema["items"], one, f"{at}[{place}]")
    elif "properties" in schema:
        yield from (f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in data)
        yield from (f"{at}: {name} is unknown" for name in data if name not in schema["properties"])
        for name in schema["properties"].keys() & data.keys():
            yield from _wrong(published, schema["properties"][name], data[name], f"{at}.{name}")
