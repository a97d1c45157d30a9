"""GitHub's published description of its REST interface: the part that we use, and answers made after it."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

NPM = Path(__file__).resolve().parents[1] / "npm-github" / "node_modules"
WHOLE = NPM / "@octokit" / "openapi" / "generated" / "api.github.com.json"
USED = (
    "/user",
    "/users/{username}",
    "/orgs/{org}",
    "/orgs/{org}/repos",
    "/orgs/{org}/teams",
    "/orgs/{org}/teams/{team_slug}/memberships/{username}",
    "/orgs/{org}/memberships/{username}",
    "/orgs/{org}/organization-roles",
    "/orgs/{org}/organization-roles/{role_id}/users",
    "/orgs/{org}/organization-roles/users/{username}/{role_id}",
    "/repos/{owner}/{repo}/collaborators/{username}",
    "/repos/{owner}/{repo}/invitations",
    "/repos/{owner}/{repo}/invitations/{invitation_id}",
)


class Description:
    """The description, cut down to the paths in USED, so that a validator starts in a second and not in eleven."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the description."""
        whole = json.loads(WHOLE.read_text(encoding="utf-8"))
        paths = {path: whole["paths"][path] for path in USED}
        document = {"openapi": whole["openapi"], "info": {"title": "used", "version": "1"}, "paths": paths}
        components: dict[str, dict[str, Any]] = {}
        queue = list(_references(paths))
        while queue:
            _, _, kind, name = queue.pop().split("/", 3)
            if name not in components.setdefault(kind, {}):
                components[kind][name] = whole["components"][kind][name]
                queue += _references(components[kind][name])
        return {**document, "components": components}

    def made(self, schema: str, **given: Any) -> dict[str, Any]:
        """Return an object of a schema: what it requires, with `given` in place of what the description makes up."""
        made = self._value({"$ref": f"#/components/schemas/{schema}"})
        assert isinstance(made, dict)
        return {**made, **given}

    def _value(self, schema: dict[str, Any]) -> Any:
        """Return a value that a schema allows."""
        if "$ref" in schema:
            _, _, kind, name = schema["$ref"].split("/", 3)
            return self._value(self.document["components"][kind][name])
        for several in ("allOf", "oneOf", "anyOf"):
            if several in schema:
                parts = [self._value(part) for part in schema[several][: None if several == "allOf" else 1]]
                return {key: value for part in parts for key, value in part.items()}
        if schema.get("type") == "object" or "properties" in schema:
            properties = schema.get("properties", {})
            return {name: self._value(properties[name]) for name in schema.get("required", ()) if name in properties}
        if schema.get("type") == "array":
            return []
        if "enum" in schema:
            return schema["enum"][0]
        return _plain(schema)


DESCRIPTION = Description()


def _plain(schema: dict[str, Any]) -> Any:
    """Return a value that is no object."""
    if "example" in schema and not isinstance(schema["example"], dict | list):
        return schema["example"]
    if schema.get("type") == "string":
        made = {"date-time": "2024-01-01T00:00:00Z", "uri": "https://github.com/", "email": "nobody@example.org"}
        return made.get(schema.get("format", ""), "text")
    return {"boolean": False, "integer": 1, "number": 1}.get(schema.get("type", ""))


def _references(tree: Any) -> list[str]:
    """Return the references in a tree."""
    if isinstance(tree, list):
        return [one for item in tree for one in _references(item)]
    if not isinstance(tree, dict):
        return []
    found = [one for value in tree.values() for one in _references(value)]
    return [*found, tree["$ref"]] if isinstance(tree.get("$ref"), str) else found
