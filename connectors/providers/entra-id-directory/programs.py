"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

READ_TOKEN = _program("read_token", "tenant", "client_id", "client_secret", "scope")
LIST_USERS = _program("list_users", "fields", "size", "skip")
READ_USER = _program("read_user", "user", "fields")
LIST_CHANGED_USERS = _program("list_changed_users", "fields", "delta", "skip")
LIST_GROUPS = _program("list_groups", "size", "skip")
READ_GROUP = _program("read_group", "group")
LIST_CHANGED_GROUPS = _program("list_changed_groups", "delta", "skip")
LIST_MEMBERS = _program("list_members", "group", "size", "skip")
