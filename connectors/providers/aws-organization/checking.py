"""Tries, before anybody depends on it, whether the connector can do its work here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run

from . import programs
from .center import GRANTABLE, HOUR, Center, open_center
from .discovery import permission_sets

SETUP = "Run the set-up: setup/connector.json."
NOBODY = "nobody@latchkey.invalid"


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with open_center(order, run) as at:
        return (*_who(at), *_reading(at), *_sets(at))


def _who(at: Center) -> Iterator[Finding]:
    """Say who the connector is."""
    yield Finding("ok", f"Identity Center answers in {at.cloud.region}, and the connector is {at.identity}.")
    if ":user/" in at.identity or at.identity.endswith(":root"):
        yield Finding(
            "warning", "The connector has a long-lived key.", "Run it with a role, or name a management role."
        )


def _reading(at: Center) -> Iterator[Finding]:
    """Say what cannot be read."""
    cloud = at.cloud
    looks: dict[str, Callable[[], object]] = {
        "the organization": lambda: cloud.read(programs.ORGANIZATION),
        "its units": lambda: [
            cloud.read(programs.UNITS_BELOW, parent=root["Id"], marker=None)
            for root in cloud.read(programs.ROOTS, marker=None)["Roots"]
        ],
        "users": lambda: cloud.read(programs.USER_BY_EMAIL, store=at.store, value=NOBODY),
        "assignments under way": lambda: cloud.read(programs.ALL_GIVING, instance=at.instance, marker=None),
    }
    bad = False
    for what, look in looks.items():
        try:
            look()
        except TargetMissing:
            continue
        except LeaseLost:
            raise
        except TargetError as error:
            bad = True
            yield Finding("error", f"The connector cannot read {what}. {error.message}", error.fix or SETUP)
    if not bad:
        yield Finding("ok", "The connector can read the organization, users and assignments.")


def _sets(at: Center) -> Iterator[Finding]:
    """Say which permission sets can be asked for, and how long their sessions outlive a grant."""
    found = permission_sets(at)
    open_ = [one for one in found if not one.refusal]
    if not open_:
        yield Finding(
            "warning", "No permission set can be asked for.", f"Tag those that may be with {GRANTABLE} = true."
        )
        return
    yield Finding("ok", f"Can be asked for: {', '.join(sorted(one.name for one in open_))}.")
    longest = max(open_, key=lambda one: one.session)
    yield Finding(
        "warning" if longest.session > HOUR else "ok",
        f"A session goes on after its grant: up to {longest.session / HOUR:g} h with {longest.name}.",
        "Shorten the session duration of the permission sets: AWS ends no session of one person early.",
    )
