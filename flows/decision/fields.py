"""What else a request is asked for: the number of a ticket, and a flow's own fields. Pure functions of plain data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from math import prod
from typing import Any

from flows.choices import FieldKind

PATTERN_MAX, ANSWER_MAX, TICKET_MAX = 200, 1000, 200
FIELDS_MAX, CHOICES_MAX, LABEL_MAX = 20, 100, 100
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
# More parts of any length than this could take long on a text that is made for it.
_OPEN_ENDS = 2
# In how many ways a text may be divided among the parts of a pattern: each may be tried, which takes part of a second.
_WAYS_MAX = 10**7
Field = dict[str, Any]


def wrong_pattern(pattern: str) -> str:
    """Return why a pattern is not taken, in words; nothing when it is.

    A pattern is a regular expression that has to fit the whole text; what could take long on some text is refused.
    """
    if len(pattern) > PATTERN_MAX:
        return f"A pattern has at most {PATTERN_MAX} characters."
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as problem:
        return f"“{pattern}” is no regular expression: {problem}."
    plain = re.sub(r"\\.", "x", pattern)
    if re.search(r"\\[1-9]|\(\?(?!:)", pattern) or re.search(r"\)\s*[*+{?]", plain):
        return "Write it without repeated groups, look-around and back references: they can take for ever."
    if len(re.findall(r"[*+]|\{\d*,\}", re.sub(r"\[[^\]]*\]", "x", plain))) > _OPEN_ENDS:
        return f"At most {_OPEN_ENDS} parts may be of any length; say how long the others are: [0-9]{{1,8}}."
    if _ways(plain) > _WAYS_MAX:
        return "Its parts may be of too many lengths together: say more closely how long each is."
    return ""


def _ways(plain: str) -> int:
    """Return a bound on the ways to divide a text among the parts of a pattern, whose escapes were replaced."""
    flat = re.sub(r"\[[^\]]*\]", "x", plain).replace("(?:", "(")
    spans = re.findall(r"\{(\d*),(\d*)\}", flat)
    lengths = [int(most) - int(least or 0) + 1 if most else ANSWER_MAX for least, most in spans]
    choices = [piece.count("|") + 1 for piece in re.split(r"[()]", flat)]
    endless = [ANSWER_MAX] * len(re.findall(r"[*+]", flat))
    return prod([*lengths, *choices, *endless, *[2] * flat.count("?")])


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says; a pattern that is not taken fits nothing."""
    return not wrong_pattern(pattern) and re.fullmatch(pattern, text) is not None


def wrong_ticket(pattern: str, ticket: str) -> str:
    """Return what is wrong with the number of a ticket, in words; nothing when it will do, or none is asked for."""
    if not pattern:
        return ""
    if not ticket:
        return "Name the ticket this is for."
    if len(ticket) > TICKET_MAX or not fits(pattern, ticket):
        return f"“{ticket[:40]}” is no ticket as this flow knows them: they look like {pattern}."
    return ""


def wrong_answers(fields: list[Field], answers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) for each field that is not answered as it wants."""
    for field in fields:
        wrong = _wrong(field, answers.get(field["key"], "").strip())
        if wrong:
            yield field["key"], f"{field['label']}: {wrong}"


def _wrong(field: Field, answer: str) -> str:
    if not answer:
        return "this has to be filled in." if field.get("required") else ""
    if len(answer) > ANSWER_MAX:
        return f"at most {ANSWER_MAX} characters."
    match field.get("kind", FieldKind.TEXT):
        case FieldKind.CHOICE:
            return "" if answer in field.get("choices", ()) else "choose one of the list."
        case FieldKind.NUMBER:
            return "" if re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", answer, re.ASCII) else "write a number."
        case FieldKind.DATE:
            return "" if _is_date(answer) else "write a date as 2026-11-30."
        case _:
            pattern = field.get("pattern", "")
            return "" if not pattern or fits(pattern, answer) else f"it has to look like {pattern}."


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def wrong_fields(fields: Any) -> list[str]:
    """Return why a flow's fields must not be saved, in words."""
    if not isinstance(fields, list) or not all(isinstance(one, dict) for one in fields):
        return ["The fields of a request are a list."]
    if len(fields) > FIELDS_MAX:
        return [f"A request has at most {FIELDS_MAX} fields."]
    keys = [one.get("key") for one in fields]
    found = ["Each field needs a key of its own."] if len(set(keys)) < len(keys) else []
    return found + [text for one in fields for text in _about(one)]


def _about(field: Field) -> Iterator[str]:
    label = field.get("label", "")
    if not KEY.fullmatch(str(field.get("key", ""))):
        yield f"“{field.get('key', '')}” is no key: small letters, digits and _, beginning with a letter."
    if not isinstance(label, str) or not 0 < len(label) <= LABEL_MAX:
        yield f"Give each field a label of at most {LABEL_MAX} characters."
    kind = field.get("kind", FieldKind.TEXT)
    if kind not in FieldKind.values:
        yield f"There is no kind of field “{kind}”; there are {', '.join(FieldKind.values)}."
    choices = field.get("choices", [])
    if kind == FieldKind.CHOICE and not 0 < len(choices) <= CHOICES_MAX:
        yield f"The field {label} needs a list to choose from, of at most {CHOICES_MAX}."
    if field.get("pattern") and wrong_pattern(field["pattern"]):
        yield wrong_pattern(field["pattern"])
