"""What holds answers against a document notices what is otherwise; and our own answers keep to the published ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.api.conftest import bearer
from tests.cast import Cast
from tests.contracts import CLIENT, assert_answers, complaints, needs_contracts

API: dict[str, Any] = {
    "paths": {
        "/things/{id}": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "204": {},
                }
            }
        }
    },
    "components": {
        "schemas": {
            "Name": {"type": "string", "nullable": True},
            "Time": {"type": "number"},
            "Thing": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"$ref": "#/components/schemas/Name"},
                    "nullable": {"type": "boolean"},
                    "end": {"type": "number", "allOf": [{"$ref": "#/components/schemas/Time"}], "nullable": True},
                    "kind": {"type": ["string", "null"]},
                },
            },
        }
    },
}


class Answer:
    """An answer of the test client, as far as it is read."""

    def __init__(self, data: Any, status: int = 200) -> None:
        self.status_code, self.content = status, json.dumps(data).encode()
        self.headers = {"Content-Type": "application/json; charset=utf-8"}

    def json(self) -> Any:
        """Return the data."""
        return json.loads(self.content)


@pytest.mark.parametrize(
    "data",
    [
        {"id": "1"},
        {"id": "1", "name": None, "end": None, "kind": None, "nullable": False},
        {"id": "1", "name": "a", "end": 1.5, "kind": "a", "more": 1},
    ],
)
def test_what_keeps_to_the_document_passes(data: Any) -> None:
    assert_answers(Answer(data), API, "/things/{id}", "GET")


@pytest.mark.parametrize("data", [{}, {"id": 1}, {"id": None}, {"id": "1", "end": "soon"}, {"id": "1", "name": 3}, []])
def test_what_does_not_is_found(data: Any) -> None:
    with pytest.raises(AssertionError, match="answers otherwise"):
        assert_answers(Answer(data), API, "/things/{id}", "get")


def test_an_answer_the_document_does_not_have_is_found() -> None:
    with pytest.raises(AssertionError, match="no answer 201"):
        assert_answers(Answer({"id": "1"}, 201), API, "/things/{id}", "get")
    with pytest.raises(AssertionError):
        assert_answers(Answer({"id": "1"}, 404), API, "/things/{id}", "get")
    assert_answers(Answer({"status": 404, "code": "not_found", "detail": "x"}, 404), API, "/things/{id}", "get", 404)
    assert_answers(Answer(None, 204), API, "/things/{id}", "get")


def test_complaints_say_where() -> None:
    found = complaints({"id": "1", "end": "soon"}, {"$ref": "#/components/schemas/Thing"}, API)
    assert [error.json_path for error in found] == ["$.end"]


@needs_contracts
def test_session_and_tokens_answer_as_published(cast: Cast) -> None:
    client, header, base = Client(), bearer(cast.requester), "/api/client/v1"
    own, one = f"{base}/personal-tokens", f"{base}/personal-tokens/{{id}}"
    assert_answers(client.get(f"{base}/session", **header), CLIENT, f"{base}/session", "get")
    enrolled = f"{base}/session/is-mfa-enrolled"
    assert_answers(client.get(enrolled, **header), CLIENT, enrolled, "get")
    made = client.post(own, {"name": "laptop"}, "application/json", **header)
    assert_answers(made, CLIENT, own, "post")
    address = f"{own}/{made.json()['id']}"
    assert_answers(client.get(own, **header), CLIENT, own, "get")
    assert_answers(client.get(address, **header), CLIENT, one, "get")
    expiry = {"expiry_date": None}
    changed = client.put(f"{address}/expiry", expiry, "application/json", **header)
    assert_answers(changed, CLIENT, f"{one}/expiry", "put")
    assert_answers(client.delete(address, **header), CLIENT, one, "delete")
    assert_answers(client.get(address, **header), CLIENT, one, "get", 404)
