"""Tries, before anybody depends on it, whether the connector can do its work here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from connectors.contract.errors import LeaseLost, NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.toolkit.aws import compact

from . import programs
from .account import Account, open_account
from .discovery import SIZE, SIZES
from .kinds import KINDS, Kind
from .names import BOUNDARY, POLICY, ROOT, Marker

SETUP = "Run the set-up: setup/1_boundary.json and setup/2_connector.json."
PROBE = "probe"


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with open_account(order, run) as at:
        return (*_who(at), *_boundary(at), *_looking(at), *_making(at, order))


def _who(at: Account) -> Iterator[Finding]:
    """Say who the connector is."""
    yield Finding("ok", f"AWS answers, and the connector is {at.identity} in {at.place.region}.")
    if at.identity.endswith(":root"):
        yield Finding("error", "The connector is the root user of the account: far more than it needs.", SETUP)
    elif ":user/" in at.identity:
        yield Finding(
            "warning",
            "The connector has a user's long-lived key.",
            "Run it with a role: of its instance, task or service account.",
        )


def _boundary(at: Account) -> Iterator[Finding]:
    """Say whether the boundary is there."""
    try:
        at.cloud.read(programs.POLICY, policy=at.boundary)
    except TargetMissing:
        yield Finding("error", f"There is no policy {BOUNDARY}: without a boundary no user is made.", SETUP)
    except NotPermitted as error:
        yield Finding("error", error.message, error.fix)
    else:
        yield Finding("ok", f"The boundary {BOUNDARY} is there: no user of ours can go beyond it.")


def _looking(at: Account) -> Iterator[Finding]:
    """Say what cannot be listed."""
    listed = []
    for kind in KINDS.values():
        try:
            at.cloud.read(kind.looks, **_first(at, kind))
        except NotPermitted as error:
            yield Finding("error", f"{kind.id} cannot be listed. {error.message}", error.fix)
        except LeaseLost:
            raise
        except TargetError as error:
            yield Finding("warning", f"{kind.id} could not be listed just now. {error.message}", error.fix)
        else:
            listed.append(kind.id)
    if listed:
        yield Finding("ok", f"Can be listed: {', '.join(listed)}.")


def _first(at: Account, kind: Kind) -> dict[str, Any]:
    """Return the values for a look at a first, small page."""
    slots = {"marker": None, "region": at.place.region, "size": SIZES.get(kind.id, SIZE)[0]}
    return {name: value for name, value in slots.items() if name in kind.looks.slots}


def _making(at: Account, order: Order) -> Iterator[Finding]:
    """Make a user that may nothing, and delete it again."""
    marker = Marker(order.integration_id, PROBE)
    login = f"{PROBE}-{order.integration_id}"[:64]
    said = Finding("ok", f"The connector can make bounded users below {ROOT} with policies and keys.")
    try:
        _unmake(at, login)  # a check that was cut short may have left one
        _make(at, marker, login)
    except LeaseLost:
        raise
    except TargetError as error:
        words = f"The connector cannot make users below {ROOT}. {error.message}"
        said = Finding("error", words, error.fix or SETUP)
    yield said
    try:
        _unmake(at, login)
    except LeaseLost:
        raise
    except TargetError as error:
        yield Finding("error", f"The user {login}, made to try, could not be deleted. {error.message}", error.fix)


def _make(at: Account, marker: Marker, login: str) -> None:
    """Do all that giving does."""
    at.cloud.change(
        programs.CREATE_USER,
        login=login,
        path=marker.path,
        boundary=at.boundary,
        integration=marker.integration,
        person=marker.person,
        grant=PROBE,
    )
    document = compact(at.cloud.document(programs.DENY_EVERYTHING))
    at.cloud.change(programs.SET_USER_POLICY, login=login, name=POLICY, document=document)
    made = at.cloud.change(programs.CREATE_KEY, login=login)
    if made is not None:
        at.cloud.change(programs.DROP_KEY, login=login, key=made["AccessKey"]["AccessKeyId"])


def _unmake(at: Account, login: str) -> None:
    """Delete what is left of the probe."""
    with suppress(TargetMissing):
        for page in at.cloud.pages(programs.KEYS, login=login):
            for key in page["AccessKeyMetadata"]:
                at.cloud.change(programs.DROP_KEY, login=login, key=key["AccessKeyId"])
        with suppress(TargetMissing):
            at.cloud.change(programs.DELETE_USER_POLICY, login=login, name=POLICY)
        at.cloud.change(programs.DROP_USER, login=login)
