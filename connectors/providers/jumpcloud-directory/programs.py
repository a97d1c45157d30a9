"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

LIST_USERS = _program("list_users", "size", "skip")
LIST_GROUPS = _program("list_groups", "size", "skip")
LIST_MEMBERS = _program("list_members", "group", "size", "skip")
