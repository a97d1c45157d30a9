"""The way over HTTP; tests of the contract are in test_custom_function.py."""

from __future__ import annotations

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Order, Verb
from connectors.contract.secret import Secret
from connectors.runners.local import run
from tests.connectors.custom_functions import KEY
from tests.targets import free_port


@pytest.mark.parametrize(
    ("address", "key", "kind"),
    [
        ("", KEY, ErrorKind.MISCONFIGURED),
        ("ftp://access.example.org", KEY, ErrorKind.MISCONFIGURED),
        ("http://127.0.0.1:{port}/", KEY, ErrorKind.UNREACHABLE),
        ("http://127.0.0.1/", None, ErrorKind.MISCONFIGURED),
    ],
)
def test_what_cannot_work_is_told(address: str, key: str | None, kind: ErrorKind) -> None:
    address = address.replace("{port}", str(free_port()))
    secrets = {"signing_key": Secret(key)} if key else {}
    report = run(
        Order("o", 1, Verb.CHECK, "http-custom", "i", {"address": address}, secrets), on_page=lambda page: None
    )
    assert report.error is not None
    assert report.error.kind is kind
