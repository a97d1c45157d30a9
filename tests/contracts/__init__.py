"""Published documents of the API, and whether our answers keep to them.

The documents lie in a folder that LATCHKEY_CONTRACTS names; without it what needs them is skipped, and says so.

    @needs_contracts
    def test_…(cast):
        assert_answers(response, CLIENT, "/api/client/v1/session", "get")
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

CLIENT, PUBLIC, TERRAFORM = "client-api", "public-api", "terraform-legacy-api"
# tests/environment.py clears what a person set for their own Latchkey, and keeps this one by that name.
FOLDER = os.environ.get("LATCHKEY_TEST_CONTRACTS", "")
needs_contracts = pytest.mark.skipif(
    not FOLDER, reason="LATCHKEY_CONTRACTS names no folder with the published documents of the API"
)


@cache
def document(name: str) -> dict[str, Any]:
    """Return a published document by name. Skips the test where there are none."""
    if not FOLDER:
        pytest.skip("LATCHKEY_CONTRACTS names no folder with the published documents of the API")
    found: dict[str, Any] = json.loads(Path(FOLDER, f"{name}.openapi.json").read_text())
    return found


def assert_answers(
    response: Any, which: str | dict[str, Any], path: str, method: str, status: int | None = None
) -> None:
    """Fail unless the answer is one that the document has for this path (as it writes it) and method.

    `which` is a document's name, or the document. An answer with an error keeps to our own form of errors, where the
    document says nothing of it. `status`: what is expected; otherwise any success.
    """
    api = document(which) if isinstance(which, str) else which
    code = response.status_code
    assert code == status if status else 200 <= code < 300, (code, response.content[:500])
    answers = api["paths"][path][method.lower()]["responses"]
    found = answers.get(str(code), answers.get("default"))
    if found is None and code >= 400:
        assert set(response.json()) >= {"status", "code", "detail"}
        return
    assert found is not None, f"{method} {path} has no answer {code} in the document, but {sorted(answers)}"
    content = resolved(found, api).get("content")
    if not content:
        return
    media = response.headers["Content-Type"].partition(";")[0]
    assert media in content or "*/*" in content, f"{media} is none of {sorted(content)}"
    schema = (content.get(media) or content["*/*"]).get("schema")
    if schema is not None:
        problems = [f"{error.json_path}: {error.message}" for error in complaints(response.json(), schema, api)]
        assert not problems, f"{method} {path} answers otherwise than the document says:\n" + "\n".join(problems[:20])


def complaints(value: Any, schema: dict[str, Any], api: dict[str, Any]) -> list[jsonschema.ValidationError]:
    """Return what of the value is not as the schema says."""
    whole = {**plain(schema), "components": plain(api.get("components", {}))}
    return sorted(jsonschema.Draft202012Validator(whole).iter_errors(value), key=lambda error: error.json_path)


def resolved(found: dict[str, Any], api: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference in the document leads to."""
    while "$ref" in found:
        place: Any = api
        for part in found["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        found = place
    return found


def plain(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema: `nullable` means that null will do too. 3.1 stays as it is."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: plain(each) for name, each in schema.items() if name not in {"nullable", "example", "discriminator"}}
    if isinstance(made.get("exclusiveMinimum"), bool):
        made.pop("exclusiveMinimum")
    # `nullable` stands beside what it widens; in a map of properties it would be a property of that name.
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") is True else made
