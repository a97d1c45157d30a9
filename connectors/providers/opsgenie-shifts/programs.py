"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

LIST_SCHEDULES = _program("list_schedules")
READ_TIMELINE = _program("read_timeline", "schedule", "days", "since")
