"""What to write instead: the nearest right words, for what people write who know other languages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from integrations.aql.fields import FIELDS, OPERATORS, RISK_VALUES
from integrations.aql.scan import Piece
from integrations.aql.tree import quoted

_OTHER_NAMES = {
    "integration_id": "integration", "integration_type": "integration", "resource_id": "resource",
    "permission_id": "permission", "type": "resource_type", "name": "resource_name", "path": "resource_path",
    "status": "resource_status", "source_id": "resource_source_id", "risk": "resource_risk_level",
    "risk_level": "resource_risk_level", "tag": 'resource_tag["key"]', "tags": 'resource_tag["key"]',
    "resource_tags": 'resource_tag["key"]', "context": 'resource_context["key"]', "role": "permission_name",
}  # fmt: skip
_OTHER_OPERATORS = {
    "==": "=", "===": "=", "is": "=", "equals": "=", "eq": "=", "<>": "!=", "=!": "!=", "!==": "!=", "ne": "!=",
    "is_not": "!=", "not": "not_in", "NOT": "not_in", "like": "contains", "includes": "contains", "has": "contains",
    "=~": "contains", "~": "contains", "~=": "contains", "!~": "not_contains", "startswith": "starts_with",
    "beginswith": "starts_with", "begins_with": "starts_with", "endswith": "ends_with", "notin": "not_in",
    "does_not_contain": "not_contains",
}  # fmt: skip
_OTHER_LOGIC = {"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", ",": "and"}
_DOTTED = re.compile(r"(?:resource[_.])?(?P<what>permission[_.]tag|permission[_.]context|tag|context)s?\.(?P<key>.+)")
_QUOTES = "'`‘’“”„«»"
_RISK_NEAR = {
    "critical": "high",
    "severe": "high",
    "moderate": "medium",
    "mid": "medium",
    "minor": "low",
    "none": "low",
}


def field_for(word: str) -> str:
    """Return the field that was meant."""
    dotted = _DOTTED.fullmatch(word)
    if dotted:
        what = dotted["what"].replace(".", "_")
        return f"{what if '_' in what else f'resource_{what}'}[{quoted(dotted['key'])}]"
    lower = word.lower().replace("-", "_").replace(".", "_")
    near = _OTHER_NAMES.get(lower) or _nearest(lower, FIELDS)
    return with_key(near) if near in FIELDS else near


def with_key(field: str) -> str:
    """Return a field as it is written."""
    return f'{field}["key"]' if FIELDS[field].keyed else field


def operator_for(word: str, after: Piece | None) -> str:
    """Return the operator that was meant; `after` is what comes behind the word."""
    if word in {"not", "NOT"} and after is not None and after.text.lower() in OPERATORS:
        found = f"not_{after.text.lower()}"
        return found if found in OPERATORS else "!="
    lower = word.lower().replace("-", "_")
    return _OTHER_OPERATORS.get(lower) or _nearest(lower, OPERATORS)


def logic_for(word: str) -> str:
    """Return which of and, or, not was meant."""
    lower = word.lower()
    return lower if lower in {"and", "or", "not"} else _OTHER_LOGIC.get(word, "")


def value_for(piece: Piece) -> str:
    """Return a value as it has to be written."""
    if piece.kind == "SINGLE":
        return quoted(re.sub(r"\\(.)", r"\1", piece.text.strip(_QUOTES)))
    if piece.kind == "OPEN":
        return f'{piece.text}"' if not piece.text.endswith("\\") else ""
    return quoted(piece.text) if piece.kind in {"WORD", "FIELD"} else ""


def risk_for(value: str) -> str:
    """Return the risk that was meant."""
    lower = value.strip().lower()
    if lower.isdigit():
        return quoted("9") if int(lower[:3]) > 9 else quoted("1")
    return quoted(_RISK_NEAR.get(lower) or _nearest(lower, RISK_VALUES) or "high")


def _nearest(word: str, words: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word[:60], list(words), 1, 0.6)), "")
