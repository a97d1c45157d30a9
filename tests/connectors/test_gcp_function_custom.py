"""The way to Google Cloud; tests of the contract are in test_custom_function.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from google.auth.compute_engine import _metadata

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Desired, Ending, Order, Person, Report, Unit, Verb
from connectors.contract.secret import Secret
from connectors.runners.local import run
from tests.connectors.custom_functions import Google, Reports, on_google


@pytest.fixture(scope="module")
def cloud() -> Iterator[tuple[Reports, Google]]:
    """The sample, behind the gate."""
    with on_google() as running:
        yield running


def order(reports: Reports) -> Order:
    """Return an order that ends something."""
    desired = Desired(Person("p", "Ada"), (), (Ending("g", "u", (Unit("resource", "sales", "read"),)),))
    secrets = {name: Secret(value) for name, value in reports.secrets.items()}
    return Order("o", 1, Verb.APPLY, "gcp-function-custom", "i", reports.config, secrets, desired)


def told(made: Order) -> Report:
    """Run an order."""
    return run(made, on_page=lambda page: None)


def test_a_token_is_for_one_function_only(cloud: tuple[Reports, Google]) -> None:
    reports, google = cloud
    assert told(order(reports)).error is None
    other = google.token("http://127.0.0.1/other")
    google.token = lambda audience: other  # type: ignore[method-assign]  # as a token endpoint that mixes them up
    try:
        report = told(order(reports))
    finally:
        del google.token  # type: ignore[method-assign]
    assert report.error is not None
    assert report.error.kind is ErrorKind.CREDENTIALS_REJECTED


def test_a_token_that_is_over_is_rejected(cloud: tuple[Reports, Google]) -> None:
    reports, google = cloud
    google.seconds = -600
    try:
        report = told(order(reports))
    finally:
        google.seconds = 3600
    assert report.error is not None
    assert report.error.kind in (ErrorKind.CREDENTIALS_REJECTED, ErrorKind.UNREACHABLE)


@pytest.mark.parametrize(("status", "kind"), [(400, ErrorKind.CREDENTIALS_REJECTED), (503, ErrorKind.UNREACHABLE)])
def test_google_may_give_no_token(cloud: tuple[Reports, Google], status: int, kind: ErrorKind) -> None:
    reports, google = cloud
    google.status = status
    try:
        report = told(order(reports))
    finally:
        google.status = 200
    assert report.error is not None
    assert report.error.kind is kind


@pytest.mark.parametrize("key", ["{", "[]", '{"type": "service_account"}', "not json at all, but s3cret-words"])
def test_a_key_file_that_is_none_is_told_without_its_words(cloud: tuple[Reports, Google], key: str) -> None:
    reports, _ = cloud
    report = told(replace(order(reports), secrets={"service_account_key": Secret(key)}))
    assert report.error is not None
    assert report.error.kind is ErrorKind.MISCONFIGURED
    assert "s3cret-words" not in repr(report)


def test_a_key_that_was_replaced_is_rejected(cloud: tuple[Reports, Google]) -> None:
    reports, google = cloud
    before, other = google.account_private, Google(None)
    found = json.loads(reports.secrets["service_account_key"])
    assert found["private_key"] == before
    key = json.dumps({**found, "private_key": other.account_private})
    report = told(replace(order(reports), secrets={"service_account_key": Secret(key)}))
    assert report.error is not None
    assert report.error.kind is ErrorKind.CREDENTIALS_REJECTED


def test_a_function_that_is_not_there_does_not_look_like_access_that_is_gone(cloud: tuple[Reports, Google]) -> None:
    reports, _ = cloud
    config = {**reports.config, "address": reports.config["address"].replace("/reports", "/others")}
    report = told(replace(order(reports), config=config))
    assert report.error is not None
    assert report.error.kind is ErrorKind.MISCONFIGURED


def test_without_a_key_the_machine_says_who_it_is(
    cloud: tuple[Reports, Google], monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, _ = cloud
    host = urlsplit(reports.config["address"]).netloc
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    for name in ("_GCE_METADATA_HOST", "_GCE_DEFAULT_MDS_IP", "_GCE_DEFAULT_HOST"):
        monkeypatch.setattr(_metadata, name, host)
    monkeypatch.setenv("GCE_METADATA_IP", host)
    report = told(replace(order(reports), secrets={}))
    assert report.error is None


def test_the_address_is_made_of_names_only(cloud: tuple[Reports, Google]) -> None:
    reports, _ = cloud
    config = {"project_id": "p", "region": "r.evil.example/", "function_name": "f"}
    report = told(replace(order(reports), config=config))
    assert report.error is not None
    assert report.error.kind is ErrorKind.MISCONFIGURED
