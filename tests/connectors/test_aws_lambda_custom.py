"""The way through AWS Lambda; tests of the contract are in test_custom_function.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.contract.errors import ErrorKind, ErrorReport
from connectors.contract.orders import Desired, Ending, Order, Person, Unit, Verb
from connectors.runners.local import run
from connectors.toolkit import lambda_invoke
from tests.connectors.custom_functions import Aws, Reports, environment, on_aws
from tests.targets import free_port


@pytest.fixture(scope="module")
def lambdas() -> Iterator[tuple[Reports, Aws]]:
    """The sample, behind the stub."""
    with on_aws() as running:
        yield running


def failed(config: dict[str, Any], *, lease: float = 60.0) -> ErrorReport:
    """Return the error of an order that ends something."""
    desired = Desired(Person("p", "Ada"), (), (Ending("g", "u", (Unit("resource", "sales", "read"),)),))
    order = Order("o", 1, Verb.APPLY, "aws-lambda-custom", "i", config, {}, desired, lease_seconds=lease)
    report = run(order, on_page=lambda page: None)
    assert report.error is not None
    return report.error


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("AccessDeniedException", ErrorKind.NOT_PERMITTED),
        ("ExpiredTokenException", ErrorKind.CREDENTIALS_REJECTED),
        ("TooManyRequestsException", ErrorKind.UNREACHABLE),
        ("ServiceException", ErrorKind.UNREACHABLE),
        ("RequestTooLargeException", ErrorKind.MISCONFIGURED),
    ],
)
def test_what_aws_says_is_typed_and_asked_once(lambdas: tuple[Reports, Aws], says: str, kind: ErrorKind) -> None:
    reports, aws = lambdas
    aws.says = says
    try:
        error = failed(reports.config)
    finally:
        aws.says = ""
    assert error.kind is kind
    assert says in error.message


def test_a_function_that_is_not_there_does_not_look_like_access_that_is_gone(lambdas: tuple[Reports, Aws]) -> None:
    reports, _ = lambdas
    assert failed({**reports.config, "function_name": "gone"}).kind is ErrorKind.MISCONFIGURED


def test_a_function_that_fails_is_tried_again(lambdas: tuple[Reports, Aws]) -> None:
    reports, aws = lambdas

    def fails(event: Any, context: Any) -> None:
        raise RuntimeError("Task timed out after 3.00 seconds")

    aws.functions["fails"] = fails
    error = failed({**reports.config, "function_name": "fails"})
    assert error.kind is ErrorKind.UNREACHABLE
    assert "timed out" in error.message


def test_a_function_that_is_too_slow_does_not_outlive_the_lease(lambdas: tuple[Reports, Aws]) -> None:
    reports, aws = lambdas
    aws.functions["slow"] = lambda event, context: time.sleep(3)
    began = time.monotonic()
    error = failed({**reports.config, "function_name": "slow"}, lease=1.0)
    assert time.monotonic() - began < 2.5
    assert error.kind in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)


def test_an_answer_is_bounded(lambdas: tuple[Reports, Aws], monkeypatch: pytest.MonkeyPatch) -> None:
    reports, aws = lambdas
    monkeypatch.setattr(lambda_invoke, "BODY_MAX", 1000)
    aws.functions["large"] = lambda event, context: {"status": "ok", "filler": "x" * 2000}
    assert failed({**reports.config, "function_name": "large"}).kind is ErrorKind.MISCONFIGURED


def test_another_key_is_rejected_and_not_shown(lambdas: tuple[Reports, Aws]) -> None:
    reports, _ = lambdas
    with environment(AWS_SECRET_ACCESS_KEY="another secret access key"):
        error = failed(reports.config)
    assert error.kind is ErrorKind.CREDENTIALS_REJECTED
    assert "another secret" not in repr(error)


def test_what_cannot_work_is_told(lambdas: tuple[Reports, Aws], tmp_path: Any) -> None:
    reports, _ = lambdas
    assert failed({"region": "eu-west-1"}).kind is ErrorKind.MISCONFIGURED
    with environment(AWS_ENDPOINT_URL_LAMBDA=f"http://127.0.0.1:{free_port()}"):
        assert failed(reports.config).kind is ErrorKind.UNREACHABLE


def test_without_any_credentials_a_role_is_asked_for(
    lambdas: tuple[Reports, Aws], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, _ = lambdas
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    error = failed(reports.config)
    assert error.kind is ErrorKind.MISCONFIGURED
    assert "role" in error.fix
