"""One AWS account and one organization for all tests of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.vet.stories import Stage
from tests.aws.stage import stage
from tests.live import aws_account, aws_organization


@pytest.fixture(scope="module")
def account() -> Iterator[aws_account.AccountLive]:
    """An account; shared, so a test keeps to users of its own."""
    if reason := aws_account.missing():
        pytest.skip(reason)
    with aws_account.live() as found:
        yield found


@pytest.fixture
def on(account: aws_account.AccountLive) -> Stage:
    """A stage in the account."""
    return stage("aws-account", account)


@pytest.fixture(scope="module")
def organization() -> Iterator[aws_organization.OrganizationLive]:
    """An organization; shared, so a test makes a person of its own."""
    if reason := aws_organization.missing():
        pytest.skip(reason)
    with aws_organization.live() as found:
        yield found
