"""HTTP requests as program files: complete JSON documents with named slots.

    {
      "what": "Adds a person to a team.",
      "needs": "the scope admin:org",
      "method": "PUT",
      "path": "/orgs/{organization}/teams/{team}/memberships/{username}",
      "query": {"per_page": "{size}"},
      "body": {"role": "{role}"}
    }

In `path` a slot is filled by its value as one percent-encoded segment, and `{+name}` by its value as several, parted by
slashes and each encoded. Instead of `body`, which travels as JSON, there may be `form`, an object of texts that travels
as a form does. In `query`, `body` and `form` a slot is a whole string,
and the value takes its place in the parsed tree. Nothing else can be filled in, so a value can never become a further
segment, parameter or key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from connectors.contract.errors import Misconfigured
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.slots import filled, revealed, slots_in

PATH_SLOT = re.compile(r"\{(?P<several>\+?)(?P<name>[a-z][a-z0-9_]*)\}")
KEYS = {"what", "needs", "method", "path", "query", "body", "form"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Composed:
    """A request with its slots filled. `body` is None where there is none."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    form: dict[str, str] | None = None

    def in_words(self) -> str:
        """Return the request as a dry run shows it."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        head = f"{self.method} {self.path}{'?' + query if query else ''}"
        return head if self.body is None else f"{head}\n\n{json.dumps(self.body, indent=2, ensure_ascii=False)}"


class RequestFile(ProgramFile):
    """One HTTP request."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the parsed file. Raises Misconfigured for what is no such document."""
        try:
            found = json.loads(self.text)
        except ValueError as error:
            raise Misconfigured(f"{self.path.name} is no JSON: {error}") from error
        if not isinstance(found, dict) or not KEYS.issuperset(found) or not {"what", "method", "path"} <= found.keys():
            raise Misconfigured(
                f"{self.path.name}: a request has what, method, path, and may have needs, query, body or form."
            )
        if found["method"] not in METHODS or not str(found["path"]).startswith("/"):
            raise Misconfigured(f"{self.path.name}: a method of {', '.join(METHODS)}, and a path that begins with /.")
        return found

    @cached_property
    def needs(self) -> str:
        """Return the privilege that the request needs, in its own words; may be empty."""
        return str(self.document.get("needs", ""))

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of the slots that the file has."""
        document = self.document
        found = frozenset(slot["name"] for slot in PATH_SLOT.finditer(document["path"]))
        return found | slots_in(document.get("query")) | slots_in(document.get("body")) | slots_in(document.get("form"))

    def compose(self, values: Mapping[str, Any], *, hide_secrets: bool = False) -> Composed:
        """Return the request with its slots filled. A value of None leaves its query parameter or body key out.

        Raises Misconfigured for values that are not those the file has slots for, or that no path could take.
        """
        if values.keys() != self.slots:
            raise Misconfigured(f"{self.path.name} has the slots {sorted(self.slots)}, not {sorted(values)}.")
        plain = revealed(values, hide_secrets=hide_secrets)
        query = filled(self.document.get("query", {}), plain)
        return Composed(
            method=self.document["method"],
            path=PATH_SLOT.sub(lambda slot: _segments(slot, plain[slot["name"]]), self.document["path"]),
            query={name: str(value) for name, value in query.items()},
            body=filled(self.document["body"], plain) if "body" in self.document else None,
            form=filled(self.document["form"], plain) if "form" in self.document else None,
        )


class Requests:
    """The request files of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> RequestFile:
        """Declare a request: its file's name without .json, and its slots. `connectors.vet` compares both."""
        return RequestFile(self._folder / f"{name}.json", *slots)


def _segments(slot: re.Match[str], value: Any) -> str:
    """Return a value as what its slot takes: one segment, or several."""
    if not slot["several"]:
        return _segment(value, slot["name"])
    return "/".join(_segment(part, slot["name"]) for part in str(value).split("/"))


def _segment(value: Any, name: str) -> str:
    """Return a value as one segment of a path."""
    text = str(value)
    if not text or text in {".", ".."} or "\0" in text:
        raise Misconfigured(f"{text!r} cannot stand in a path as {name}.")
    return quote(text, safe="")
