"""Reads the owner's rules: a TOML file with a closed schema, whose tables are known by their lines.

default = "allow"          # or "deny": what no rule speaks of
read_only = false          # true: nothing is changed, whatever the rules say

[[rules]]                  # the first rule that fits decides
deny = ["grant"]           # verbs; or allow = […]; ["*"] for all
providers = ["postgresql"]
resources = ["*prod*"]     # also: resource_types, permissions, programs
because = "production is opened by hand"

[[pins]]                   # a provider with one pin runs no program without
program = "postgresql/create_login"
sha256 = "…"

[[replace]]                # a path is seen from the folder of this file
program = "postgresql/shut_login"
with = "shut_login.sql"

[[quotas]]
verb = "grant"             # new grants; with another verb its orders
per_hour = 20
providers = ["postgresql"]
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.runners.rules import GRANT, VERBS, Pin, Quota, Replacement, Rule, Rules

VARIABLE = "LATCHKEY_CONNECTOR_RULES"
TABLES = ("rules", "pins", "replace", "quotas")
LISTS = ("providers", "resource_types", "resources", "permissions", "programs")
RULE_KEYS = {"allow", "deny", "because", *LISTS}
PROGRAM = re.compile(r"[a-z0-9-]+/[A-Za-z0-9_.-]+")
SHA256 = re.compile(r"[0-9a-f]{64}")


def rules_from_environment() -> Rules:
    """Return the rules in the file that LATCHKEY_CONNECTOR_RULES names; without it, none. Raises Misconfigured."""
    name = os.environ.get(VARIABLE, "")
    return read_rules(Path(name)) if name else Rules()


def read_rules(path: Path) -> Rules:
    """Return the rules in a file. Raises Misconfigured naming file and line: one that is not understood stops all."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path}: {error}") from error
    unknown = data.keys() - {"default", "read_only", *TABLES}
    if unknown:
        raise Misconfigured(f"{path}: unknown key '{min(unknown)}'.")
    if data.get("default", "allow") not in ("allow", "deny"):
        raise Misconfigured(f"{path}: default is 'allow' or 'deny'.")
    if not isinstance(data.get("read_only", False), bool):
        raise Misconfigured(f"{path}: read_only is true or false.")
    reader = _Reader(path, text, data)
    return Rules(
        source=str(path),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        allow_by_default=data.get("default", "allow") == "allow",
        read_only_line=_line_of(text, r"\s*read_only\s*=") if data.get("read_only") else 0,
        rules=reader.rules(),
        pins=reader.pins(),
        replacements=reader.replacements(),
        quotas=reader.quotas(),
    )


class _Reader:
    """Makes rules of tables."""

    def __init__(self, path: Path, text: str, data: dict[str, Any]) -> None:
        self._path = path
        self._data = data
        self._lines = {name: _lines_of(text, name) for name in TABLES}

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules."""
        return tuple(self._rule(line, table) for line, table in self._tables("rules", RULE_KEYS))

    def pins(self) -> tuple[Pin, ...]:
        """Return the pins."""
        found = []
        for line, table in self._tables("pins", {"program", "sha256"}):
            digest = self._text(line, table, "sha256").removeprefix("sha256:").lower()
            if not SHA256.fullmatch(digest):
                raise self._wrong(line, "sha256 is 64 hex digits")
            found.append(Pin(line, self._program(line, table), digest))
        return tuple(found)

    def replacements(self) -> tuple[Replacement, ...]:
        """Return the replacements; each file has to be there."""
        found = []
        for line, table in self._tables("replace", {"program", "with"}):
            path = self._path.parent / self._text(line, table, "with")
            if not path.is_file():
                raise self._wrong(line, f"there is no file {path}")
            found.append(Replacement(line, self._program(line, table), path))
        return tuple(found)

    def quotas(self) -> tuple[Quota, ...]:
        """Return the quotas."""
        found = []
        for line, table in self._tables("quotas", {"verb", "per_hour", "providers"}):
            number, verb = table.get("per_hour"), table.get("verb", GRANT)
            if type(number) is not int or number < 0:
                raise self._wrong(line, "per_hour is a whole number")
            if verb not in VERBS or verb == "revoke":
                raise self._wrong(line, f"verb is one of {', '.join(one for one in VERBS if one != 'revoke')}")
            found.append(Quota(line, number, verb, self._list(line, table, "providers")))
        return tuple(found)

    def _rule(self, line: int, table: dict[str, Any]) -> Rule:
        if ("allow" in table) == ("deny" in table):
            raise self._wrong(line, "a rule has either allow or deny, a list of verbs")
        allow = "allow" in table
        verbs = self._list(line, table, "allow" if allow else "deny")
        if not verbs or not {*VERBS, "*"}.issuperset(verbs):
            raise self._wrong(line, f"the verbs are {', '.join(VERBS)} and *")
        lists = {name: self._list(line, table, name) for name in LISTS}
        if lists["programs"] and any(lists[name] for name in ("resource_types", "resources", "permissions")):
            raise self._wrong(line, "a rule is about programs or about resources, not both")
        if any(lists[name] for name in ("resource_types", "resources", "permissions")) and verbs != (GRANT,):
            raise self._wrong(line, "a rule about resources is about granting them: its verbs are ['grant']")
        because = self._text(line, table, "because") if "because" in table else ""
        return Rule(line, allow, verbs=() if "*" in verbs else verbs, because=because, **lists)

    def _tables(self, name: str, keys: set[str]) -> list[tuple[int, dict[str, Any]]]:
        """Return the tables of a name with their lines."""
        tables = self._data.get(name, [])
        if not isinstance(tables, list) or len(tables) != len(self._lines[name]):
            raise Misconfigured(f"{self._path}: {name} are written as tables, [[{name}]].")
        for line, table in zip(self._lines[name], tables, strict=True):
            unknown = table.keys() - keys
            if unknown:
                raise self._wrong(line, f"unknown key '{min(unknown)}'; known are {', '.join(sorted(keys))}")
        return list(zip(self._lines[name], tables, strict=True))

    def _program(self, line: int, table: dict[str, Any]) -> str:
        name = self._text(line, table, "program")
        if not PROGRAM.fullmatch(name):
            raise self._wrong(line, "program is written provider/program")
        return name

    def _text(self, line: int, table: dict[str, Any], key: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value:
            raise self._wrong(line, f"{key} is a text")
        return value

    def _list(self, line: int, table: dict[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self._wrong(line, f"{key} is a list of texts")
        return tuple(value)

    def _wrong(self, line: int, words: str) -> Misconfigured:
        return Misconfigured(f"{self._path}, line {line}: {words}.")


def _lines_of(text: str, table: str) -> list[int]:
    """Return the lines of the headers [[table]], counted from 1."""
    header = re.compile(rf"\s*\[\[\s*{table}\s*\]\]")
    return [number for number, line in enumerate(text.splitlines(), 1) if header.match(line)]


def _line_of(text: str, pattern: str) -> int:
    """Return the first line that begins with a pattern."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if re.match(pattern, line))
