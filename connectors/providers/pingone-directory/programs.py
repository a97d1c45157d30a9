"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

READ_TOKEN = _program("read_token", "environment")
LIST_USERS = _program("list_users", "environment", "size", "cursor")
LIST_GROUPS = _program("list_groups", "environment", "size", "cursor")
LIST_MEMBERS = _program("list_members", "environment", "filter", "size", "cursor")
