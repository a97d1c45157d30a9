"""IAM policies as program files: complete policy documents, as AWS and its tools read them, with named slots.

A slot is a whole value (see connectors.toolkit.slots): a list of resources, a moment, the tags of a condition. A value
of None leaves its key out. What a policy does is in the Sid of its statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.toolkit.call_files import check_slots, parsed
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.slots import filled, revealed, slots_in

VERSION = "2012-10-17"
ENDS = ("DateLessThan", "aws:CurrentTime")


class PolicyFile(ProgramFile):
    """One policy."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the parsed file. Raises Misconfigured for what is no policy, or gives what has no end."""
        found = parsed(self)
        statements = found.get("Statement")
        if found.keys() != {"Version", "Statement"} or found["Version"] != VERSION or not isinstance(statements, list):
            raise Misconfigured(f"{self.path.name}: a policy has Version {VERSION} and a list of Statement.")
        for statement in statements:
            if not isinstance(statement, dict) or not str(statement.get("Sid", "")).isalnum():
                raise Misconfigured(f"{self.path.name}: every statement has a Sid of letters and digits.")
            operator, key = ENDS
            ends = statement.get("Condition", {}).get(operator, {}).get(key)
            if statement.get("Effect") != "Deny" and ends != "{ends_at}":
                raise Misconfigured(f"{self.path.name}: {statement['Sid']} does not end: {operator} {key} {{ends_at}}.")
        return found

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of the slots that the file has."""
        return slots_in(self.document)

    def compose(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the policy with its slots filled. Raises Misconfigured for other values than it has slots for."""
        check_slots(self, self.slots, values)
        document = filled(self.document, revealed(values, hide_secrets=True))
        assert isinstance(document, dict)
        return document


class Policies:
    """The policy files of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> PolicyFile:
        """Declare a policy: its file's name without .json, and its slots. `connectors.vet` compares both."""
        return PolicyFile(self._folder / f"{name}.json", *slots)
