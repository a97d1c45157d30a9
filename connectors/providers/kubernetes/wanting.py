"""Resolves the units of a grant at the cluster: which role each of them binds, and whether it can be given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.contract.errors import Misconfigured, Refused, TargetError, TargetMissing
from connectors.contract.orders import Grant, Unit
from connectors.providers.kubernetes.names import RoleRef, role_ref
from connectors.providers.kubernetes.server import Target, told


@dataclass(frozen=True, slots=True)
class Wanted:
    """One unit, resolved. `refusal` says why it may not be given if it is missing; `error`, why it cannot be held."""

    unit: Unit
    ref: RoleRef | None = None
    refusal: TargetError | None = None
    error: TargetError | None = None


def resolve(at: Target, grants: Iterable[Grant]) -> dict[str, list[Wanted]]:
    """Return the resolved units of each grant."""
    return {grant.grant_id: [_wanted(at, unit) for unit in grant.units] for grant in grants}


def _wanted(at: Target, unit: Unit) -> Wanted:
    """Return one unit, resolved."""
    ref = None
    try:
        ref = role_ref(unit)
        if ref.namespace:
            _look_at_namespace(at, ref.namespace)
        rules = _role(at, ref).get("rules")
    except TargetError as error:
        return Wanted(unit, ref, error=told(error))
    return Wanted(unit, ref, refusal=_refusal(at, ref, bool(rules)))


def _look_at_namespace(at: Target, namespace: str) -> None:
    """Raise TargetMissing for a namespace that is not there, or not for long."""
    try:
        found = at.place(namespace)
    except TargetMissing as error:
        raise TargetMissing(f"There is no namespace {namespace!r} any more.") from error
    if found.get("status", {}).get("phase") == "Terminating":
        raise TargetMissing(f"The namespace {namespace!r} is being deleted.")


def _role(at: Target, ref: RoleRef) -> dict[str, object]:
    """Return a role. Raises TargetMissing in words of ours."""
    try:
        return at.role(ref)
    except TargetMissing as error:
        raise TargetMissing(f"There is no {ref.words()} any more.") from error


def _refusal(at: Target, ref: RoleRef, has_rules: bool) -> TargetError | None:
    """Return why a role may not be bound there, or None."""
    if ref.namespace == at.namespace:
        return Refused(
            f"In the namespace {at.namespace!r} lie the accounts of all grants: nobody gets a role there.",
            fix="Whoever may work there can have tokens of other people's grants.",
        )
    if not has_rules:
        return Misconfigured(
            f"{ref.words()} has no rules, so it would give nothing.",
            fix="Give it rules; view, edit and admin get theirs from the cluster's controller manager.",
        )
    return None
