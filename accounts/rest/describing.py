"""How endpoints are described in our own document (/api/openapi.json)."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


def plain_choices(result: Any, **_: Any) -> Any:
    """Take from a description the marks by which its maker would name choices."""
    if isinstance(result, dict):
        return {key: plain_choices(value) for key, value in result.items() if key != "x-spec-enum-id"}
    return [plain_choices(value) for value in result] if isinstance(result, list) else result


class Described(AutoSchema):
    """Describes an endpoint, with the scopes it wants."""

    def get_operation_id(self) -> str:
        """Return the name of the operation: its verb and its address, which is unique whatever is added."""
        parts = re.findall(r"\w+", self.path.removeprefix("/api/"))
        return "_".join([self.method.lower(), *parts])

    def get_description(self) -> str:  # type: ignore[override]  # of what it derives from in turn, not of it
        """Return the docstring, and which scopes a token needs."""
        words = super().get_description() or ""
        scopes = getattr(self.view, "scopes", {}).get(self.method)
        if scopes is None:
            return words
        need = " or ".join(f"`{scope}`" for scope in scopes) if scopes else "none"
        return f"{words}\n\nScope of the token: {need}.".strip()


class _Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Says how to sign in."""

    target_class = "accounts.rest.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer"}
