"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

LIST_USERS = _program("list_users")
LIST_TEAMS = _program("list_teams")
READ_SCHEDULE = _program("read_schedule", "team", "days")
