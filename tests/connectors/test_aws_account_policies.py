"""Policies put together: none larger than AWS takes, nothing lost, nothing more; and crashes while many are written."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Unit
from connectors.contract.provider import Run
from connectors.registry import BUILT_IN
from connectors.toolkit.aws import Cloud
from connectors.vet.stories import Stage, a_crash_is_made_good, crash_points
from tests.aws.server import ACCOUNT, REGION
from tests.aws.stage import stage
from tests.connectors.aws_fixtures import account as account  # noqa: PLC0414
from tests.live.aws_account import AccountLive

SAMPLE = 2


@pytest.fixture(scope="module")
def modules() -> dict[str, ModuleType]:
    """The provider's own modules; its folder's name is none that could be imported."""
    BUILT_IN.provider("aws-account")
    return {
        name: sys.modules[f"connectors.providers.aws_account.{name}"]
        for name in ("account", "names", "policies", "kinds")
    }


@pytest.fixture(scope="module")
def at(modules: dict[str, ModuleType]) -> Iterator[Any]:
    """An account that is never called."""
    run = Run(lambda: None, lambda details, grant_id="": "")
    place = modules["names"].Place("aws", ACCOUNT, REGION)
    with Cloud(run, region=REGION) as cloud:
        yield modules["account"].Account(cloud, place, "arn", ("env",), True)


names = st.lists(st.from_regex(r"[a-z0-9]{3,60}", fullmatch=True), unique=True, min_size=1, max_size=100)
levels = st.sampled_from(["READ_ONLY", "READ_WRITE", "ADMIN"])
kinds = st.sampled_from(["s3-bucket", "dynamodb-table", "secret", "sqs-queue", "ecr-repository"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(kinds, levels, names), min_size=1, max_size=4))
def test_packed_policies_fit_and_say_just_what_was_asked_for(
    modules: dict[str, ModuleType], at: Any, lots: list[tuple[str, str, list[str]]]
) -> None:
    policies, allows = modules["policies"], []
    for id_, level, few in lots:
        kind = modules["kinds"].KINDS[id_]
        for name in few:
            arn = kind.arn(at.place, name)
            parts = (arn + kind.parts,) if kind.parts else ()
            allows.append(policies.Allow(kind.policies[level], (arn,), parts))
    wanted = {piece for one in allows for piece in policies.pieces(policies.compose(at, "ada", one, 9e9), 0.0)}
    try:
        packed = policies.pack(at, "ada", allows, 9e9)
    except Misconfigured as error:
        assert len(allows) > 60
        assert "characters" in error.message
        return
    documents = [packed.inline, *packed.managed]
    assert policies.size(packed.inline) <= 2048
    assert len(packed.managed) <= 4
    for document in documents:
        assert policies.size(document) <= 6144
        sids = [one["Sid"] for one in document["Statement"]]
        assert len(sids) == len(set(sids))
        assert all(sid.isalnum() for sid in sids)
    assert {piece for document in documents for piece in policies.pieces(document, 0.0)} == wanted
    assert packed.inline["Statement"][0]["Effect"] == "Deny"


def test_white_space_is_not_counted(modules: dict[str, ModuleType]) -> None:
    assert modules["policies"].size({"a": "b c"}) == len('{"a":"bc"}')


def test_a_policy_of_somebody_elses_can_be_read(modules: dict[str, ModuleType]) -> None:
    pieces, shuts = modules["policies"].pieces, modules["policies"].shuts
    loose = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    assert pieces(loose, 0.0) == {("Allow", ("s3:*",), "*", "{}")}
    over = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    assert pieces({"Statement": [{**loose["Statement"], "Condition": over}]}, 1.7e9) == frozenset()
    odd = {"DateLessThan": {"aws:CurrentTime": "tomorrow"}}
    assert pieces({"Statement": [{**loose["Statement"], "Condition": odd}]}, 1.7e9)
    assert shuts({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}, 0.0)
    assert not shuts({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}, 0.0)
    after = {"DateGreaterThanEquals": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    denial = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": after}]}
    assert shuts(denial, 1.7e9)
    assert not shuts(denial, 1.5e9)


@pytest.fixture
def rich(account: AccountLive) -> Iterator[Stage]:
    """A stage whose one unit is of many policies: too much for an inline one."""
    on, units = stage("aws-account", account), account.units
    every = [
        Unit(kind.id, unit.resource, permission.id)
        for kind in on.registry.manifest("aws-account").resource_types
        for permission in kind.permissions
        for unit in units
        if unit.resource_type == kind.id and unit.resource_type != "iam-role"
    ]
    plain = Stage.grant

    def grant(*asked: Unit, seconds: float = 3600.0) -> Any:
        return plain(on, *(asked or every), seconds=seconds)

    on.grant = grant  # type: ignore[method-assign]
    yield on


def test_a_crash_while_many_policies_are_written_is_made_good(
    rich: Stage, rng: random.Random, request: pytest.FixtureRequest, account: AccountLive
) -> None:
    iam: Any = account.aws.client("iam")
    probe = rich.grant()
    rich.apply(probe)
    managed = [one for one in iam.list_policies(Scope="Local")["Policies"] if one["Path"].startswith("/latchkey/")]
    assert len(managed) > 1
    assert all(json.dumps(one["Arn"]).count(probe.grant_id) for one in managed)
    rich.leave(probe)
    points = range(1, crash_points(rich) + 1)
    whole = request.config.getoption("--full")
    for at_ in points[::5] if whole else sorted(rng.sample(points, SAMPLE)):
        a_crash_is_made_good(rich, at_)
