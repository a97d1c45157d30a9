"""Holds an answer of a mock against the vendor's published description, as far as it is kept in descriptions/."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from tests.http_server import Answer

FOLDER = Path(__file__).resolve().parent / "descriptions"


@cache
def _described(vendor: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{vendor}.json").read_text(encoding="utf-8"))
    assert found["source"]
    return found


@cache
def _validator(vendor: str, name: str) -> Any:
    schema = {"$ref": f"#/$defs/{name}", "$defs": _described(vendor)["$defs"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def held(vendor: str, name: str, data: Any, **more: Any) -> Answer:
    """Return `data` as an answer, once it is what the description says. An answer that is not fails the test."""
    _validator(vendor, name).validate(data)
    return Answer(data=data, **more)
