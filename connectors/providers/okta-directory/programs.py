"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

READ_CONNECTOR = _program("read_connector")
LIST_USERS = _program("list_users", "after")
LIST_CHANGED_USERS = _program("list_changed_users", "search", "after")
LIST_GROUPS = _program("list_groups", "filter", "after")
LIST_MEMBERS = _program("list_members", "group", "after")
