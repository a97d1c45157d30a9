"""What an answer of a webhook means: yes, no, or no answer. Fails closed: what cannot be understood is no yes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.parser import parse

from flows.choices import MatchOperator

PATH_MAX, VALUE_MAX = 200, 300
# So many places a path may name side by side; each may double what the next step looks at.
BESIDES_MAX = 4
# What looks at the whole answer, or at what it came from, again for each thing found.
_ANEW = re.compile(r".\$|`|\swhere(not)?\s")
FOUND_MAX = 1000
# Statuses after which the same question may be answered: what is missing may come.
_AGAIN = {401, 408, 425, 429}


class Said(StrEnum):
    """What another system said."""

    YES = "yes"
    NO = "no"
    # No answer, and none is to be had by asking again.
    FAILED = "failed"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Judged:
    """One validator, and whether the answer fulfils it. `found` says in short what stood there, for whoever tries."""

    path: str
    operator: str
    value: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means, and why if it is no yes; `why` never holds what the system said."""

    said: Said
    why: str = ""
    judged: tuple[Judged, ...] = ()


def path_problem(path: str) -> str:
    """Return why a JSON path cannot be used, in words; nothing when it can."""
    if not path.strip():
        return "Say where in the answer to look: a JSON path such as $.approved."
    if len(path) > PATH_MAX:
        return f"A JSON path has at most {PATH_MAX} characters."
    if _takes_long(path):
        return _takes_long(path)
    try:
        parse(path)
    except (JSONPathError, RecursionError, ValueError):
        return f"“{path}” is no JSON path. It looks like $.approved or $.tickets[0].state."
    return ""


def _takes_long(path: str) -> str:
    """Return why looking for a path could take long, in words; nothing when it could not."""
    # Each one looks at the whole answer again, within the other.
    if path.count("..") > 1:
        return f"“{path}” looks everywhere (..) more than once: name the way."
    if _ANEW.search(path):
        return f"“{path}” begins anew on its way ($, where, parent): name the way from the beginning."
    if path.count(",") + path.count("|") > BESIDES_MAX:
        return f"“{path}” names more than {BESIDES_MAX + 1} places side by side: use several validators."
    return ""


def judge(status: int, data: Any, validators: Sequence[Mapping[str, Any]]) -> Verdict:
    """Return what an answer means: success, and every validator holds. Where it is no JSON it is no answer."""
    if status in _AGAIN or status >= 500:
        return Verdict(Said.AGAIN, f"It answered {status}.")
    if 300 <= status < 400:
        return Verdict(Said.FAILED, f"It answered {status}: it sends elsewhere, and redirects are not followed.")
    if not 200 <= status < 300:
        return Verdict(Said.FAILED, f"It answered {status}.")
    if validators and data is None:
        return Verdict(Said.FAILED, "It answered with something that is no JSON.")
    judged = tuple(_one(data, validator) for validator in validators)
    failed = [one for one in judged if not one.holds]
    if failed:
        where = ", ".join(one.path for one in failed)
        return Verdict(Said.NO, f"Its answer is not as it has to be: {where}.", judged)
    return Verdict(Said.YES, judged=judged)


def _one(data: Any, validator: Mapping[str, Any]) -> Judged:
    path, operator, value = (str(validator[name]) for name in ("path", "operator", "value"))
    if len(path) > PATH_MAX or _takes_long(path):
        return Judged(path, operator, value, holds=False, found="nothing")
    try:
        found = [one.value for one in parse(path).find(data)][:FOUND_MAX]
    except (JSONPathError, RecursionError, ValueError, TypeError, AttributeError, KeyError):
        found = []
    # What the path finds once as a list is looked at item by item.
    items = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    texts = [as_compared(one) for one in items[:FOUND_MAX]]
    shown = ", ".join(texts)[:VALUE_MAX] if texts else "nothing"
    return Judged(path, operator, value, _holds(operator, texts, value), shown)


def as_compared(value: Any) -> str:
    """Return a value as validators compare it: text as it is, all else as JSON (true, 3, null)."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _holds(operator: str, texts: list[str], value: str) -> bool:
    """Whether what was found is as it has to be. Where nothing is found, nothing holds: also no "is not"."""
    checks: dict[str, Callable[[str], bool]] = {
        MatchOperator.IS: lambda text: text == value,
        MatchOperator.IS_NOT: lambda text: text != value,
        MatchOperator.CONTAINS: lambda text: value in text,
        MatchOperator.DOES_NOT_CONTAIN: lambda text: value not in text,
        MatchOperator.STARTS_WITH: lambda text: text.startswith(value),
    }
    check = checks.get(operator)
    if check is None or not texts:
        return False
    every = operator in {MatchOperator.IS_NOT, MatchOperator.DOES_NOT_CONTAIN}
    return all(map(check, texts)) if every else any(map(check, texts))
