"""Calls of a cloud's API as program files: complete JSON documents with named slots.

    {
      "what": "Makes the login of one grant.",
      "needs": "iam:CreateUser",
      "service": "iam",
      "operation": "CreateUser",
      "parameters": {"UserName": "{login}", "Path": "{path}"},
      "pages": {"marker": "Marker"}
    }

Service, operation and parameters are in the API's own spelling. A slot is a whole value (see connectors.toolkit.slots);
a value of None leaves its parameter out. `pages` is for calls that answer a page at a time: the slot that takes the
token, and where in the answer the next one is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.slots import filled, revealed, slots_in

KEYS = {"what", "needs", "service", "operation", "parameters", "pages"}
REQUIRED = {"what", "service", "operation", "parameters"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its slots filled."""

    service: str
    operation: str
    parameters: dict[str, Any]

    def in_words(self) -> str:
        """Return the call as a dry run shows it."""
        return f"{self.service} {self.operation}\n\n{json.dumps(self.parameters, indent=2, ensure_ascii=False)}"


class CallFile(ProgramFile):
    """One call."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the parsed file. Raises Misconfigured for what is no such document."""
        found = parsed(self)
        if not KEYS.issuperset(found) or not found.keys() >= REQUIRED or not isinstance(found["parameters"], dict):
            raise Misconfigured(
                f"{self.path.name}: a call has what, service, operation, parameters, and may have needs, pages."
            )
        pages = found.get("pages", {})
        if not isinstance(pages, dict) or len(pages) > 1 or not slots_in(found["parameters"]) >= pages.keys():
            raise Misconfigured(f"{self.path.name}: 'pages' names one slot, and where in the answer its value is.")
        return found

    @cached_property
    def needs(self) -> str:
        """Return the privilege that the call needs, in its own words; may be empty."""
        return str(self.document.get("needs", ""))

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of the slots that the file has."""
        return slots_in(self.document["parameters"])

    @property
    def page(self) -> tuple[str, str]:
        """Return the slot of the page's token, and where the next one is. Raises Misconfigured where there is none."""
        for slot, place in self.document.get("pages", {}).items():
            return slot, place
        raise Misconfigured(f"{self.path.name} does not answer in pages.")

    def compose(self, values: Mapping[str, Any], *, hide_secrets: bool = False) -> Call:
        """Return the call with its slots filled. Raises Misconfigured for other values than the file has slots for."""
        check_slots(self, self.slots, values)
        plain = revealed(values, hide_secrets=hide_secrets)
        document = self.document
        return Call(document["service"], document["operation"], filled(document["parameters"], plain))


class Calls:
    """The call files of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> CallFile:
        """Declare a call: its file's name without .json, and its slots. `connectors.vet` compares both."""
        return CallFile(self._folder / f"{name}.json", *slots)


def parsed(file: ProgramFile) -> dict[str, Any]:
    """Return a file as a JSON object. Raises Misconfigured when it is none."""
    try:
        found = json.loads(file.text)
    except ValueError as error:
        raise Misconfigured(f"{file.path.name} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Misconfigured(f"{file.path.name} is no JSON object.")
    return found


def check_slots(file: ProgramFile, slots: frozenset[str], values: Mapping[str, Any]) -> None:
    """Raise Misconfigured unless the values are those that a file has slots for."""
    if values.keys() != slots:
        raise Misconfigured(f"{file.path.name} has the slots {sorted(slots)}, not {sorted(values)}.")
