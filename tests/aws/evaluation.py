"""Whether IAM would allow a request: AWS's own rules, as far as the policies in our tests go.

An explicit deny wins; else an identity policy has to allow it; else, where there is a boundary, it has to allow it too.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

Written against AWS's documentation, not against our provider: it is the judge of what the provider writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

Document = dict[str, Any]


def allowed(
    identity: Iterable[Document], boundary: Document | None, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Return whether a request is allowed."""
    identity = list(identity)
    everything = [*identity, *([boundary] if boundary is not None else [])]
    if any(_says(document, "Deny", action, resource, context) for document in everything):
        return False
    if not any(_says(document, "Allow", action, resource, context) for document in identity):
        return False
    return boundary is None or _says(boundary, "Allow", action, resource, context)


def _says(document: Document, effect: str, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Return whether a policy has a statement of this effect that fits the request."""
    statements = document["Statement"]
    for one in statements if isinstance(statements, list) else [statements]:
        if one["Effect"] != effect or not _names(one, "Action", action.lower(), context, lower=True):
            continue
        if _names(one, "Resource", resource, context) and _condition(one.get("Condition", {}), context):
            return True
    return False


def _names(statement: Document, key: str, value: str, context: Mapping[str, str], lower: bool = False) -> bool:
    """Return whether an element of a statement, or its negation, names a value."""
    negated = f"Not{key}" in statement
    patterns = _several(statement[f"Not{key}"] if negated else statement[key])
    found = any(_like(_variables(one.lower() if lower else one, context), value) for one in patterns)
    return found is not negated


def _condition(condition: Document, context: Mapping[str, str]) -> bool:
    """Return whether all of a condition is true. An operator that is not known here is an error, not a yes."""
    for operator, keys in condition.items():
        name, optional = operator.removesuffix("IfExists"), operator.endswith("IfExists")
        for key, wanted in keys.items():
            actual = next((value for one, value in context.items() if one.lower() == key.lower()), None)
            if name == "Null":
                if (actual is None) is not (str(wanted).lower() == "true"):
                    return False
                continue
            negative = "Not" in name
            if actual is None:
                if optional or negative:
                    continue
                return False
            test = TESTS[name.replace("Not", "")]
            fits = any(test(actual, _variables(str(one), context)) for one in _several(wanted))
            if fits is negative:
                return False
    return True


def _moment(text: str) -> datetime:
    """Return a moment in ISO 8601."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _like(pattern: str, value: str) -> bool:
    """Return whether a value fits a pattern with * and ?."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern as a regular expression."""
    return re.compile("".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern), re.DOTALL)


TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringLike": lambda actual, wanted: _like(wanted, actual),
    "ArnEquals": lambda actual, wanted: _like(wanted, actual),
    "ArnLike": lambda actual, wanted: _like(wanted, actual),
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "DateLessThan": lambda actual, wanted: _moment(actual) < _moment(wanted),
    "DateLessThanEquals": lambda actual, wanted: _moment(actual) <= _moment(wanted),
    "DateGreaterThan": lambda actual, wanted: _moment(actual) > _moment(wanted),
    "DateGreaterThanEquals": lambda actual, wanted: _moment(actual) >= _moment(wanted),
}


def _variables(text: str, context: Mapping[str, str]) -> str:
    """Return a text with its policy variables filled."""
    plain = {"$": "$", "*": "*", "?": "?"}
    return re.sub(r"\$\{([A-Za-z:]+|[$*?])\}", lambda found: (plain | dict(context)).get(found[1], "\0none"), text)


def _several(value: Any) -> list[str]:
    """Return what may be one or a list as a list."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
