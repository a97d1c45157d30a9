"""LDAP operations as program files: complete JSON documents with named slots.

    {
      "what": "Makes an account a member of a group.",
      "needs": "Write Members on the group",
      "ldap": "modify",
      "dn": "<GUID={group}>",
      "changes": [{"change": "add", "attribute": "member", "values": ["{account}"]}],
      "controls": ["1.2.840.113556.1.4.1413"]
    }

A slot in `filter` stands for a whole assertion value, `(cn={name})`, and is escaped (RFC 4515). In `dn` it is a whole
DN (alone, or after a comma at the end), the value of an RDN (`CN={name},…`, escaped by RFC 4514), or an object's GUID.
In `values`, and in the lists of an `entry`, it is a whole value. `{"ttl": "{seconds}", "dn": "{account}"}` is a
value of Active Directory's that takes itself away. Nothing else can be filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.redaction import HIDDEN

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
ASSERTION = re.compile(r"=\{([a-z][a-z0-9_]*)\}\)")
DN_PARTS = re.compile(r"<GUID=\{(?P<guid>[a-z_]+)\}>|(?<==)\{(?P<rdn>[a-z_]+)\}(?=,)|(?:(?<=,)|^)\{(?P<dn>[a-z_]+)\}$")
OID = re.compile(r"\d+(\.\d+)+")
COMMON = {"what", "needs", "ldap", "dn", "controls"}
# What each operation has besides, all of it required.
KEYS = {
    "search": {"scope", "filter", "attributes"},
    "modify": {"changes"},
    "add": {"entry"},
    "delete": set[str](),
}
SCOPES = ("base", "one", "subtree")
CHANGES = ("add", "delete", "replace")

Value = str | int | Secret
Wire = str | bytes


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one attribute."""

    change: str
    attribute: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """An operation with its slots filled; what it does not have is empty."""

    operation: str
    dn: str
    scope: str = ""
    filter: str = ""
    attributes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    entry: dict[str, tuple[str, ...]] = field(default_factory=dict)
    controls: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return the operation as a dry run shows it: as LDIF, with values as they are."""
        lines = [f"dn: {self.dn}", f"changetype: {self.operation}"]
        lines[1:1] = [f"control: {oid} true" for oid in self.controls]
        for name, values in self.entry.items():
            lines += [f"{name}: {value}" for value in values]
        for change in self.changes:
            lines += [f"{change.change}: {change.attribute}"]
            lines += [f"{change.attribute}: {value}" for value in change.values] + ["-"]
        return "\n".join(lines)


class LdapFile(ProgramFile):
    """One LDAP operation."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the parsed file. Raises Misconfigured for what is no such document."""
        try:
            found = json.loads(self.text)
        except ValueError as error:
            raise Misconfigured(f"{self.path.name} is no JSON: {error}") from error
        keys = KEYS.get(str(found.get("ldap"))) if isinstance(found, dict) else None
        if keys is None or not isinstance(found, dict):
            raise Misconfigured(f"{self.path.name}: ldap is one of {', '.join(KEYS)}.")
        lacking = ({"what", "ldap", "dn"} | keys) - found.keys()
        if lacking or found.keys() - COMMON - keys:
            raise Misconfigured(
                f"{self.path.name}: {found['ldap']} has what, ldap, dn, {', '.join(sorted(keys))}, may have"
                " needs and controls, and nothing else."
            )
        _check_shape(found, self.path.name)
        return found

    @cached_property
    def needs(self) -> str:
        """Return the right that the operation needs, in its own words; may be empty."""
        return str(self.document.get("needs", ""))

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of the slots that the file has."""
        document = self.document
        found = {name for part in DN_PARTS.finditer(document["dn"]) for name in part.groups() if name}
        found |= set(ASSERTION.findall(document.get("filter", "")))
        found |= {slot[1] for value in _values(document) for text in _texts(value) if (slot := SLOT.fullmatch(text))}
        return frozenset(found)

    def compose(self, values: Mapping[str, Value], *, hide_secrets: bool = False) -> Composed:
        """Return the operation with its slots filled.

        Raises Misconfigured for values that are not those the file has slots for, or that cannot stand there.
        """
        if values.keys() != self.slots:
            raise Misconfigured(f"{self.path.name} has the slots {sorted(self.slots)}, not {sorted(values)}.")
        document, plain = self.document, {name: _revealed(value, hide_secrets) for name, value in values.items()}
        changes = [
            Change(one["change"], one["attribute"], tuple(_filled(value, plain) for value in one["values"]))
            for one in document.get("changes", ())
        ]
        entry = {
            name: tuple(_filled(value, plain) for value in given) for name, given in document.get("entry", {}).items()
        }
        return Composed(
            operation=document["ldap"],
            dn=DN_PARTS.sub(lambda part: _dn_part(part, plain), document["dn"]),
            scope=document.get("scope", ""),
            filter=ASSERTION.sub(lambda slot: f"={assertion(plain[slot[1]])})", document.get("filter", "")),
            attributes=tuple(document.get("attributes", ())),
            changes=tuple(changes),
            entry=entry,
            controls=tuple(document.get("controls", ())),
        )


class Operations:
    """The LDAP files of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> LdapFile:
        """Declare an operation: its file's name without .json, and its slots. `connectors.vet` compares both."""
        return LdapFile(self._folder / f"{name}.json", *slots)


def assertion(value: str) -> str:
    """Return a value as it stands in a filter (RFC 4515)."""
    return re.sub(r"[\\*()\0]", lambda found: f"\\{ord(found[0]):02x}", value)


def rdn_value(value: str) -> str:
    """Return a value as it stands in a DN (RFC 4514)."""
    escaped = re.sub(r'[\\,+"<>;=#]', lambda found: f"\\{found[0]}", value).replace("\0", "\\00")
    if escaped.startswith(" "):
        escaped = f"\\{escaped}"
    return f"{escaped[:-1]}\\ " if escaped.endswith(" ") and len(value) > 1 else escaped


def _check_shape(document: dict[str, Any], name: str) -> None:
    """Raise Misconfigured for parts that are not of their kind, and for slots where none can stand."""
    changes, entry = document.get("changes", []), document.get("entry", {})
    shapes = (
        isinstance(document["dn"], str) and not SLOT.search(DN_PARTS.sub("", document["dn"])),
        document.get("scope", "base") in SCOPES,
        isinstance(document.get("filter", ""), str) and not SLOT.search(ASSERTION.sub("", document.get("filter", ""))),
        all(isinstance(one, str) for one in document.get("attributes", [])),
        all(isinstance(one, str) and OID.fullmatch(one) for one in document.get("controls", [])),
        all(isinstance(one, dict) and one.keys() == {"change", "attribute", "values"} for one in changes)
        and all(one["change"] in CHANGES for one in changes),
        isinstance(entry, dict) and all(isinstance(given, list) for given in entry.values()),
    )
    words = ("dn", "scope", "filter", "attributes", "controls", "changes", "entry")
    for fine, word in zip(shapes, words, strict=True):
        if not fine:
            raise Misconfigured(f"{name}: '{word}' is not of its form, or has a slot where none can stand.")
    for value in _values(document):
        fits = isinstance(value, str) or (isinstance(value, dict) and value.keys() == {"ttl", "dn"})
        if not fits or any(SLOT.search(text) and not SLOT.fullmatch(text) for text in _texts(value)):
            raise Misconfigured(f"{name}: a value is a text, one slot, or a link with a time to live.")


def _values(document: dict[str, Any]) -> Iterator[Any]:
    """Yield the values that a file writes."""
    for change in document.get("changes", ()):
        yield from change["values"]
    for values in document.get("entry", {}).values():
        yield from values


def _texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a value, in which slots may stand."""
    return (value,) if isinstance(value, str) else (str(value["ttl"]), str(value["dn"]))


def _filled(value: Any, values: Mapping[str, str]) -> str:
    """Return a value with its slot filled. Raises Misconfigured for a time to live that is none."""
    if isinstance(value, str):
        slot = SLOT.fullmatch(value)
        return values[slot[1]] if slot else value
    seconds, name = (_filled(text, values) for text in _texts(value))
    if not re.fullmatch("[1-9][0-9]*", seconds):
        raise Misconfigured(f"{seconds!r} is no time to live: it is a number of seconds.")
    return f"<TTL={seconds},{name}>"


def _dn_part(part: re.Match[str], values: Mapping[str, str]) -> str:
    """Return a slot of a DN, filled."""
    if part["guid"]:
        return f"<GUID={guid(values[part['guid']])}>"
    if part["rdn"]:
        return rdn_value(values[part["rdn"]])
    return values[part["dn"]]


def guid(text: str) -> str:
    """Return a GUID in the usual spelling. Raises Misconfigured for what is none."""
    try:
        return str(UUID(text))
    except ValueError as error:
        raise Misconfigured(f"{text!r} is no GUID.") from error


def _revealed(value: Value, hide: bool) -> str:
    """Return a value as it travels, or hidden."""
    if isinstance(value, Secret):
        return HIDDEN if hide else value.reveal()
    return str(value)
