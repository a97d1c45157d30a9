"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

_program = Requests(Path(__file__).resolve().parent / "programs").program

LIST_ON_CALLS = _program("list_on_calls", "since", "until", "size", "offset")
LIST_SCHEDULES = _program("list_schedules", "size", "offset")
