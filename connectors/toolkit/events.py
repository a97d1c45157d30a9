"""Tells a function of the customer's own what to do, one event at a time. Event files are complete JSON documents:

    {
      "what": "Gives a username a permission on resources.",
      "event_type": "grant-access",
      "params": {"username": "{username}", "resources": "{resources}", "permission": "{permission}"}
    }

A slot is a whole value of `params`, and what is filled in takes its place in the parsed tree. How an event gets there
is a Channel: HTTP, or another service that calls functions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import requests
from requests.auth import AuthBase

from connectors.contract.errors import (
    CredentialsRejected,
    ErrorKind,
    Misconfigured,
    NotPermitted,
    Refused,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.orders import Order, Program
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.http import Service
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.slots import filled, slots_in

KEYS = {"what", "event_type", "params"}
SAID_MAX = 500
CONTRACT = "docs/custom-function says what an answer looks like."
KINDS: dict[str, type[TargetError]] = {
    ErrorKind.UNREACHABLE: Unreachable,
    ErrorKind.CREDENTIALS_REJECTED: CredentialsRejected,
    ErrorKind.NOT_PERMITTED: NotPermitted,
    ErrorKind.TARGET_MISSING: TargetMissing,
    ErrorKind.MISCONFIGURED: Misconfigured,
    ErrorKind.REFUSED: Refused,
}


class EventFile(ProgramFile):
    """One event."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the parsed file. Raises Misconfigured for what is no such document."""
        try:
            found = json.loads(self.text)
        except ValueError as error:
            raise Misconfigured(f"{self.path.name} is no JSON: {error}") from error
        if not isinstance(found, dict) or found.keys() != KEYS or not isinstance(found["params"], dict):
            raise Misconfigured(f"{self.path.name}: an event has what, event_type and params.")
        return found

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of the slots that the file has."""
        return slots_in(self.document["params"])

    @property
    def event_type(self) -> str:
        """Return what the function knows the event by."""
        return str(self.document["event_type"])

    def compose(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event with its slots filled; a parameter whose value is None is left out. Raises Misconfigured."""
        if values.keys() != self.slots:
            raise Misconfigured(f"{self.path.name} has the slots {sorted(self.slots)}, not {sorted(values)}.")
        return {"event_type": self.event_type, "params": filled(self.document["params"], values)}


class Events:
    """The event files of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> EventFile:
        """Declare an event: its file's name without .json, and its slots. `connectors.vet` compares both."""
        return EventFile(self._folder / f"{name}.json", *slots)


class Channel(Protocol):
    """A way to the function."""

    def send(self, file: EventFile, body: bytes) -> Any:
        """Send an event and return the parsed JSON of the answer, None for none. Raises a TargetError."""


class Function:
    """The customer's function, as one order sees it."""

    def __init__(self, channel: Channel, order: Order, run: Run, custom_parameters: dict[str, Any]) -> None:
        """Send nothing yet."""
        self._channel, self._run, self._dry_run = channel, run, order.dry_run
        self._common = {"integration_id": order.integration_id, "custom_parameters": custom_parameters}

    def read(self, file: EventFile, **values: Any) -> dict[str, Any]:
        """Send an event that only reads, and return the answer. Raises a TargetError."""
        return self._send(self._run.note(file), values)

    def change(self, file: EventFile, **values: Any) -> dict[str, Any] | None:
        """Send an event that changes something; in a dry run write down what it would be, and return None."""
        if self._dry_run:
            admitted = self._run.admit(file)
            event = admitted.compose({**self._common, "deadline": None, **values})
            self._run.programs.append(Program(admitted.name, json.dumps(event, indent=2, ensure_ascii=False)))
            return None
        return self._send(self._run.note(file), values)

    def _send(self, file: EventFile, values: dict[str, Any]) -> dict[str, Any]:
        """Send an event. The function is told until when it may work on it: the lease ends there, wherever it runs."""
        self._run.alive()
        deadline = round(time.time() + self._run.remaining(), 3)
        event = file.compose({**self._common, "deadline": deadline, **values})
        return answered(self._channel.send(file, json.dumps(event, ensure_ascii=False).encode()), file)


def answered(data: Any, file: EventFile) -> dict[str, Any]:
    """Return an answer that says it went well. Raises the error that it names."""
    if not isinstance(data, dict):
        raise Misconfigured(f"The function's answer to {file.event_type} is no JSON object.", fix=CONTRACT)
    if data.get("status", "ok") == "ok":
        return data
    kind = KINDS.get(str(data.get("error")), Misconfigured)
    said = str(data.get("message") or data.get("error") or "It does not say why.")[:SAID_MAX]
    raise kind(f"The function refused {file.event_type}: {said}", fix=str(data.get("fix") or "")[:SAID_MAX])


class HttpChannel:
    """A function that is called by HTTP at one address."""

    def __init__(self, service: Service) -> None:
        """Send to the service's own address."""
        self._service = service

    def send(self, file: EventFile, body: bytes) -> Any:
        """Send an event. Raises Misconfigured when no function is there, which must not look like access that ended."""
        try:
            return self._service.post(file, body).data
        except TargetMissing as error:
            raise Misconfigured(f"There is no function at the address: {error.message}") from error


class Signature(AuthBase):
    """Signs what is sent, after the scheme of Standard Webhooks: HMAC-SHA256 over id, time and body.

    The id is new for every request, so that a function that remembers ids for as long as it accepts times (five
    minutes) can be told nothing twice.
    """

    def __init__(self, key: Secret) -> None:
        """Sign with `key`: whsec_ and base64, or any text. Raises Misconfigured for a key that is too short."""
        text = key.reveal()
        try:
            self._key = base64.b64decode(text[6:], validate=True) if text.startswith("whsec_") else text.encode()
        except binascii.Error as error:
            raise Misconfigured("What follows whsec_ in the signing key is no base64.") from error
        if len(self._key) < 24:
            raise Misconfigured("The signing key is too short.", fix="Take 24 bytes or more, made at random.")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the signature on a request."""
        id_, now = f"msg_{uuid.uuid4().hex}", str(int(time.time()))
        body = request.body if isinstance(request.body, bytes) else b""
        digest = hmac.new(self._key, f"{id_}.{now}.".encode() + body, hashlib.sha256).digest()
        request.headers["webhook-id"] = id_
        request.headers["webhook-timestamp"] = now
        request.headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
        return request
