"""Terraform text: what a client would write to make a thing. Values are literals; text is escaped, never a template."""

from __future__ import annotations

import json
import re
from typing import Any

# Terraform looks a resource type up by its whole name in the schema that a provider brings, and the third-party
# providers that speak this API are built with this prefix: text with any other would apply to nothing.
PROVIDER = "apono"


def block(kind: str, name: str, body: dict[str, Any], *, note: str = "") -> str:
    """Return a resource of a kind, labelled by a name, with its attributes; `note` stands above it as a comment."""
    label = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "this"
    label = label if label[0].isalpha() else f"r_{label}"
    lines = [f"# {line}" for line in note.splitlines()]
    lines.append(f'resource "{PROVIDER}_{kind}" "{label}" {{')
    lines += [f"  {key} = {_value(value, 1)}" for key, value in body.items()]
    return "\n".join([*lines, "}"]) + "\n"


def _value(value: Any, depth: int) -> str:
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        told = [f"{inner}{_key(key)} = {_value(each, depth + 1)}\n" for key, each in value.items()]
        return "{\n" + "".join(told) + outer + "}" if told else "{}"
    if isinstance(value, list):
        if any(isinstance(each, dict | list) for each in value):
            return "[\n" + "".join(f"{inner}{_value(each, depth + 1)},\n" for each in value) + outer + "]"
        return f"[{', '.join(_value(each, depth) for each in value)}]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return text(str(value))


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) else text(key)


def text(value: str) -> str:
    """Return a string as HCL quotes it: as JSON, but for two escapes it has not and two signs that begin templates."""
    told = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    told = re.sub(r"(\\\\)|\\b|\\f", lambda one: one[1] or {"\\b": "\\u0008", "\\f": "\\u000c"}[one[0]], told)
    return told.replace("${", "$${").replace("%{", "%%{")
