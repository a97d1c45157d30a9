"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

READ_TOKEN = _program("read_token")
LIST_USERS = _program("list_users", "fields", "size", "since", "cursor")
LIST_ROLES = _program("list_roles", "size", "cursor")
LIST_MEMBERS = _program("list_members", "role", "size", "cursor")
