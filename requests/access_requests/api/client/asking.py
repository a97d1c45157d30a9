"""What would happen to a new request, in the words of clients. How it is asked for is every room's (api.asking)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from access_requests import actions
from access_requests.api.asking import TICKET, ErrorShape, Picked, error_shape, pick, run, wish_of
from flows.decision import Problem

__all__ = [
    "TICKET",
    "DryRunShape",
    "ErrorShape",
    "Picked",
    "dry_run_shape",
    "error_shape",
    "pick",
    "run",
    "wish_of",
]
# What is about the resources that are named; without any there is nothing to say of them.
_OF_RESOURCES = {"TOO_MANY", "NOT_GRANTABLE", "LIMIT", "NO_FLOW"}


class DryRunShape(TypedDict):
    """What would happen."""

    status: str
    errors: list[ErrorShape]
    max_duration_in_sec: NotRequired[int]


def dry_run_shape(found: actions.DryRun, problems: Sequence[Problem], *, type_only: bool = False) -> DryRunShape:
    """Return a dry run in the client's words."""
    limits = [plan.part.max_duration_seconds for plan in found.plans]
    longest = min((limit for limit in limits if limit is not None), default=None)
    told = [one for one in problems if not (type_only and one.code in _OF_RESOURCES)]
    shape: DryRunShape = {
        "status": "FAILURE" if told else "SUCCESS",
        "errors": [error_shape(one, longest) for one in told],
    }
    if longest is not None:
        shape["max_duration_in_sec"] = longest
    return shape
