"""Whatever the API is sent that its document allows, or nearly allows, it never fails itself."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.cache import cache
from django.test import Client

from accounts.api import document
from tests.api.conftest import bearer
from tests.cast import Cast

METHODS = {"get", "post", "put", "patch", "delete"}
SETTINGS = hypothesis.settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)


def send(case: Any, header: dict[str, str]) -> int:
    """Send a case as a client does, and return the status of the answer."""
    body = None if isinstance(case.body, schemathesis.core.NotSet) else case.body
    data = body if isinstance(body, bytes) else json.dumps(body, default=str)
    client = Client(raise_request_exception=False)
    path = case.formatted_path.replace("?", "%3F").replace("#", "%23")
    query = {name: str(value) for name, value in (case.query or {}).items()}
    answer = client.generic(case.method, path, data, "application/json", query_params=query, **header)
    cache.clear()
    return answer.status_code


@pytest.mark.full
def test_no_input_makes_the_api_fail(cast: Cast) -> None:
    schema, tried = schemathesis.openapi.from_dict(json.loads(document.text())), 0
    header = bearer(cast.admin)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.method.lower() not in METHODS:
            continue

        @SETTINGS
        @hypothesis.given(case=operation.as_strategy())
        def run(case: Any) -> None:
            assert send(case, header) < 500, (case.method, case.formatted_path, case.query, case.body)

        run()
        tried += 1
    assert tried > 5
