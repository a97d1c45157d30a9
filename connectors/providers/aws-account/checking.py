"""Tries, before anybody depends on it, whether the connector can do its work here."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connectors.contract.errors import LeaseLost, NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.toolkit.aws import Cloud, compact

from . import programs
from .account import Account, open_account
from .discovery import SIZE, SIZES
from .kinds import KINDS, Kind
from .names import BOUNDARY, POLICY, ROOT, Marker

SETUP = "Run the set-up: setup/1_boundary.json and setup/2_connector.json."
PROBE = "probe"
# No lease is as long.
OLD_SECONDS = 600
CLEANING_SECONDS = 10.0


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with open_account(order, run) as at:
        return (*_who(at), *_boundary(at), *_looking(at), *_making(at, order, run))


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


def _making(at: Account, order: Order, run: Run) -> Iterator[Finding]:
    """Make a user that may nothing, and delete it again whatever happens."""
    marker, login = Marker(order.integration_id, PROBE), f"{PROBE}-{secrets.token_hex(8)}"
    said = Finding("ok", f"The connector can make bounded users below {ROOT} with policies and keys.")
    left: list[TargetError] = []
    try:
        for old in _left_behind(at, marker):
            _unmake(at.cloud, old)
        _make(at, marker, login)
    except LeaseLost:
        raise
    except TargetError as error:
        words = f"The connector cannot make users below {ROOT}. {error.message}"
        said = Finding("error", words, error.fix or SETUP)
    finally:
        left += _cleaned(order, run, login)
    yield said
    for one in left:
        yield Finding("error", f"The user {login}, made to try, could not be deleted. {one.message}", one.fix)


def _left_behind(at: Account, marker: Marker) -> list[str]:
    """Return the probes of checks that were killed; one that is younger may be of a check that is under way."""
    users = [user for page in at.cloud.pages(programs.USERS, path=marker.path) for user in page["Users"]]
    return [str(user["UserName"]) for user in users if at.cloud.now - user["CreateDate"].timestamp() > OLD_SECONDS]


def _cleaned(order: Order, run: Run, login: str) -> list[TargetError]:
    """Delete the probe, by a connection of its own and also after the lease: nobody else knows its name.

    Return why it could not be. Then the next check finds it by its path; it may do nothing and its key is forgotten.
    """
    unleashed = replace(run, alive=lambda: None, remaining=lambda: CLEANING_SECONDS)
    try:
        with open_account(order, unleashed) as at:
            _unmake(at.cloud, login)
    except TargetError as error:
        return [error]
    return []


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


def _unmake(cloud: Cloud, login: str) -> None:
    """Delete what there is of a probe."""
    with suppress(TargetMissing):
        for page in cloud.pages(programs.KEYS, login=login):
            for key in page["AccessKeyMetadata"]:
                cloud.change(programs.DROP_KEY, login=login, key=key["AccessKeyId"])
        with suppress(TargetMissing):
            cloud.change(programs.DELETE_USER_POLICY, login=login, name=POLICY)
        cloud.change(programs.DROP_USER, login=login)
