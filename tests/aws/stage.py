"""What the tests of both AWS providers do again and again."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Grant, Order, Page, Report, Unit, UnitReport, Verb
from connectors.contract.provider import remember
from connectors.runners import local
from connectors.vet.live import Live
from connectors.vet.stories import Stage, in_this_process, of

_numbers = itertools.count(1)


def stage(provider: str, live: Live) -> Stage:
    """Return a stage on which nothing was played yet: an integration and a person of its own."""
    number = next(_numbers)
    person = replace(live.person, person_id=f"person-{number}")
    found = Stage(provider, live, in_this_process(), integration=f"integration-{number}")
    found.number = number * 100
    live.person = person
    return found


def try_apply(on: Stage, *holds: Grant, gone: tuple[Grant, ...] = (), **change: Any) -> Report:
    """Apply, whatever comes of it."""
    return tried(on, on.order(Verb.APPLY, holds, gone, **change))


def tried(on: Stage, order: Order) -> Report:
    """Run an order, whatever comes of it."""
    return local.run(order, on_page=lambda page: None, baseline=remember(on.memory), registry=on.registry)


def outcomes(report: Report, grant: Grant) -> dict[Unit, UnitReport]:
    """Return what became of each unit."""
    return {one.unit: one for one in of(report, grant).units}


def failed_as(report: Report, grant: Grant, unit: Unit) -> ErrorKind:
    """Return why a unit failed."""
    error = outcomes(report, grant)[unit].error
    assert error is not None
    return error.kind


def pages_of(on: Stage, **change: Any) -> list[Page]:
    """Return the pages of a sync."""
    pages: list[Page] = []
    report = local.run(on.order(Verb.DISCOVER, **change), on_page=pages.append, registry=on.registry)
    assert report.error is None, report.error
    return pages


def setup_actions(text: str) -> set[str]:
    """Return the actions that a policy of a set-up allows."""
    return {action for one in json.loads(text)["Statement"] if one["Effect"] == "Allow" for action in one["Action"]}
