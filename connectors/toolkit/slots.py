"""Slots in program files that are JSON: a string that is "{name}" and nothing else stands for a whole value.

The value takes its place in the parsed tree, so it can never become a further key, or a part of another value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.contract.secret import Secret
from connectors.toolkit.redaction import HIDDEN

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def slots_in(tree: Any) -> frozenset[str]:
    """Return the names of the slots in a tree."""
    return frozenset(slot[1] for text in _strings(tree) if (slot := SLOT.fullmatch(text)))


def filled(tree: Any, values: Mapping[str, Any]) -> Any:
    """Return a copy of a tree with its slots filled. A value of None leaves its key out."""
    if isinstance(tree, str):
        slot = SLOT.fullmatch(tree)
        return values[slot[1]] if slot else tree
    if isinstance(tree, dict):
        done = {key: filled(value, values) for key, value in tree.items()}
        return {key: value for key, value in done.items() if value is not None}
    return [filled(value, values) for value in tree] if isinstance(tree, list) else tree


def revealed(values: Mapping[str, Any], *, hide_secrets: bool) -> dict[str, Any]:
    """Return values as they travel, or with the secret ones hidden."""
    return {name: _revealed(value, hide_secrets) for name, value in values.items()}


def _revealed(value: Any, hide: bool) -> Any:
    """Return one value as it travels, or hidden."""
    if isinstance(value, Secret):
        return HIDDEN if hide else value.reveal()
    return value


def _strings(tree: Any) -> Iterator[str]:
    """Yield the string values of a tree."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _strings(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _strings(value)
