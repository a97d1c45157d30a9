"""What a manifest asks for: a configuration's plain fields, and where its secrets are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.contract.manifest import Field, Manifest
from connectors.contract.orders import SecretReference
from connectors.contract.secret import Secret
from integrations.actions.secrets import resolve
from integrations.models import Integration


class BadConfig(ValueError):
    """A configuration that its manifest refuses; `problems` says per field what is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        """Keep the problems by field."""
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in problems.items()))
        self.problems = problems


def clean_config(manifest: Manifest, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain fields as the manifest wants them. Raises BadConfig."""
    clean: dict[str, Any] = {}
    problems: dict[str, str] = {}
    known = {field.name for field in manifest.fields}
    problems.update({name: "This field is not known." for name in values if name not in known})
    for field in manifest.plain_fields():
        given = values.get(field.name)
        value = field.default if given in (None, "") else given
        problem = _problem(field, value)
        if problem:
            problems[field.name] = problem
        elif value not in (None, ""):
            clean[field.name] = _typed(field, value)
    if problems:
        raise BadConfig(problems)
    return clean


def _typed(field: Field, value: Any) -> Any:
    """Return a value that has no problem as the configuration keeps it."""
    if field.kind == "integer":
        return int(value)
    if field.kind == "boolean":
        return str(value).lower() == "true"
    # A client of ours may give the tree itself, a form gives its text: the text is kept, as its author wrote it.
    return json.dumps(value) if field.kind == "json" and not isinstance(value, str) else str(value)


def _problem(field: Field, value: Any) -> str:
    """Return what is wrong with a value, or nothing."""
    if value in (None, ""):
        return "This field is required." if field.required else ""
    if field.kind == "choice" and value not in field.choices:
        return f"One of {', '.join(field.choices)}."
    if field.kind == "boolean":
        return "" if str(value).lower() in {"true", "false"} else "True or false."
    if field.kind == "json":
        return _no_json(value) if isinstance(value, str) else ""
    return _no_number(field, value) if field.kind == "integer" else ""


def _no_number(field: Field, value: Any) -> str:
    """Return why a value is no whole number within the field's limits, or nothing."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return "A whole number."
    low, high = field.minimum, field.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        return f"Between {low} and {high}."
    return ""


def _no_json(text: str) -> str:
    """Return where a text is no JSON, or nothing."""
    try:
        json.loads(text)
    except ValueError as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return f"This is no JSON{place}."
    return ""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the secrets of an integration are, when they are not in the built-in store."""

    store: str
    reference: str


def missing_secrets(manifest: Manifest, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the required secret fields that are not given, each with what is wrong."""
    return {
        field.name: "This field is required."
        for field in manifest.secret_fields()
        if field.required and not secrets.get(field.name)
    }


def known_secrets(
    manifest: Manifest, secrets: Mapping[str, str], saved: Integration | None, kept: Kept | None
) -> dict[str, Secret]:
    """Return the secrets that are given, or kept for `saved` in the built-in store. Raises BadConfig."""
    if kept is not None:
        return {}
    known = resolve(saved) if saved else {}
    known.update({name: Secret(value) for name, value in secrets.items() if value})
    missing = missing_secrets(manifest, {name: secret.reveal() for name, secret in known.items()})
    if missing:
        raise BadConfig(missing)
    return known


def referred(manifest: Manifest, kept: Kept | None) -> dict[str, SecretReference]:
    """Return the references to secrets in another store, by field."""
    if kept is None:
        return {}
    return {one.name: SecretReference(kept.store, kept.reference, one.name) for one in manifest.secret_fields()}
