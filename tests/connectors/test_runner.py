"""One order in, one report out: typed errors, no secrets, and nothing done once the lease is over."""

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Desired, Grant, Order, Page, Person, Verb
from connectors.contract.secret import Secret
from connectors.registry import Registry
from connectors.runners.local import run
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from tests.connectors.dummy import CODE, write_dummy

KEY = new_private_key()
DESIRED = Desired(Person("p", "Ada"), (Grant("g-1", "login", (), 0.0),))
ORDER = Order(
    "o-1", 7, Verb.APPLY, "dummy", "i", {}, {"password": Secret("hunter'2")}, DESIRED, seal_to=public_key(KEY)
)


def ignore(page: Page) -> None:
    """Take a page and do nothing."""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    write_dummy(tmp_path)
    return Registry(tmp_path)


def broken(tmp_path: Path, statement: str) -> Registry:
    """Return a registry whose provider does `statement` first in every verb about a person."""
    write_dummy(
        tmp_path,
        code=CODE.replace("def apply(self, order, run):", f"def apply(self, order, run):\n        {statement}"),
    )
    return Registry(tmp_path)


def test_the_report_names_order_and_epoch(registry: Registry) -> None:
    report = run(ORDER, on_page=ignore, registry=registry)
    assert (report.order_id, report.epoch, report.error) == ("o-1", 7, None)
    assert report.read_back is not None


def test_credentials_are_sealed_to_their_grant(registry: Registry) -> None:
    report = run(ORDER, on_page=ignore, registry=registry)
    assert json.loads(open_sealed(KEY, report.grants[0].sealed_credentials, b"g-1")) == {"password": "made-for-you"}
    assert "made-for-you" not in repr(report)


def test_without_a_key_nothing_is_sealed(registry: Registry) -> None:
    report = run(replace(ORDER, seal_to=""), on_page=ignore, registry=registry)
    assert report.error is not None
    assert report.error.kind is ErrorKind.MISCONFIGURED


def test_pages_are_handed_on_and_counted(registry: Registry) -> None:
    pages: list[Page] = []
    report = run(replace(ORDER, verb=Verb.DISCOVER, desired=None), on_page=pages.append, registry=registry)
    assert (len(pages), report.found, report.error) == (3, 6, None)


def test_what_on_page_raises_is_the_callers_and_the_provider_is_closed(registry: Registry) -> None:
    def full(page: Page) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(replace(ORDER, verb=Verb.DISCOVER), on_page=full, registry=registry)
    module = sys.modules[type(registry.provider("dummy")).__module__]
    assert vars(module)["closed"] == [True]


def test_the_lease_is_over_before_its_end_by_the_receivers_clock(registry: Registry) -> None:
    def clock(*readings: float) -> Iterator[float]:
        yield from readings

    before = clock(100.0, 157.9, 157.9)
    assert run(ORDER, on_page=ignore, registry=registry, monotonic=before.__next__).error is None
    after = clock(100.0, 158.0, 158.0)
    error = run(ORDER, on_page=ignore, registry=registry, monotonic=after.__next__).error
    assert error is not None
    assert error.kind is ErrorKind.LEASE_LOST


def test_a_lease_lost_between_pages_keeps_the_count(registry: Registry) -> None:
    seconds = [0.0]
    order = replace(ORDER, verb=Verb.DISCOVER)

    def slow(page: Page) -> None:
        seconds[0] += 40

    report = run(order, on_page=slow, registry=registry, monotonic=lambda: seconds[0])
    assert report.error is not None
    assert (report.error.kind, report.found) == (ErrorKind.LEASE_LOST, 4)


def test_a_typed_error_is_reported_without_secrets(tmp_path: Path) -> None:
    registry = broken(
        tmp_path,
        "from connectors.contract.errors import NotPermitted; raise NotPermitted(\"no hunter'2\", fix='GRANT')",
    )
    error = run(ORDER, on_page=ignore, registry=registry).error
    assert error is not None
    assert (error.kind, error.message, error.fix) == (ErrorKind.NOT_PERMITTED, "no (secret)", "GRANT")


def test_an_error_nobody_foresaw_is_typed_and_logged_without_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = broken(tmp_path, "raise KeyError(order.secrets['password'].reveal())")
    with caplog.at_level(logging.ERROR):
        error = run(ORDER, on_page=ignore, registry=registry).error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED
    assert "KeyError" in error.message
    assert "KeyError" in caplog.text
    assert "(secret)" in caplog.text
    assert "hunter" not in caplog.text + repr(error)


def test_a_password_made_in_the_run_is_not_logged_either(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    registry = broken(tmp_path, "run.seal({'password': 'canary'}); raise ValueError('canary')")
    with caplog.at_level(logging.ERROR):
        run(ORDER, on_page=ignore, registry=registry)
    assert "ValueError" in caplog.text
    assert "ValueError: canary" not in caplog.text


def test_an_unknown_provider_is_a_report_too(registry: Registry) -> None:
    error = run(replace(ORDER, provider="nothing"), on_page=ignore, registry=registry).error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED


def test_a_verb_about_nobody_is_refused(registry: Registry) -> None:
    error = run(replace(ORDER, desired=None), on_page=ignore, registry=registry).error
    assert error is not None
    assert "names a person" in error.message
