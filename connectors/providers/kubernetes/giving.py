"""Gives access: an account and a token per grant, or the person's own user, and a binding for each of its units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import NotPermitted, Refused, TargetError, TargetMissing
from connectors.contract.orders import Unit
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.accounts import MADE, Credentials, Giving, make, present, unequal_ends, unmake
from connectors.providers.kubernetes.ending import Ended, end
from connectors.providers.kubernetes.names import RoleRef, binding_name, written
from connectors.providers.kubernetes.reading import State
from connectors.providers.kubernetes.server import Target, told
from connectors.providers.kubernetes.wanting import Wanted

TAKEN = 409
GROUP = "rbac.authorization.k8s.io"
SETUP = "Add it to the roles that the connector may bind: setup/2, 3 or 4, whichever is for its kind; apply that again."


@dataclass(slots=True)
class Given:
    """What became of one grant. `kept` are the names of the bindings that it has."""

    errors: dict[Unit, TargetError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    made: Credentials = field(default_factory=Credentials)
    ended: Ended = field(default_factory=Ended)
    kept: set[str] = field(default_factory=set)


def give(at: Target, state: State, giving: Giving, wanted: list[Wanted]) -> Given:
    """Make a grant hold its units and nothing else; a unit that fails leaves the others alone."""
    given = Given({one.unit: one.error for one in wanted if one.error is not None})
    if wanted and len(given.errors) == len(wanted):
        return given  # not one unit can be resolved: nothing is made for nothing
    try:
        giving = _somebody(at, state, giving, given)
    except TargetError as error:
        given.errors = {one.unit: told(error) for one in wanted}
        unmake(at, given.made)
        return given
    for one in wanted:
        if one.error is None:
            _give_unit(at, state, giving, one, given)
    if given.made.account is not None and wanted and not given.kept:
        unmake(at, given.made)
        return given
    _end_surplus(at, state, giving, wanted, given)
    given.warnings += filter(None, [unequal_ends(giving) if not at.users else ""])
    return given


def _somebody(at: Target, state: State, giving: Giving, given: Given) -> Giving:
    """Return whom the grant's bindings are for; make an account where one is wanted or missing."""
    if at.users:
        return giving._replace(subject=at.user(giving.person))
    if (there := present(at, state, giving)) is not None:
        return there
    if not giving.grant.wants_credentials:
        given.warnings.append(
            f"The account of {giving.grant.login} was gone and was made again: its old token does not work."
        )
    return make(at, giving, given.made)


def _give_unit(at: Target, state: State, giving: Giving, one: Wanted, given: Given) -> None:
    """Make sure of the binding for one unit, or remember why not."""
    assert one.ref is not None
    name = binding_name(giving.subject, giving.integration, giving.grant.grant_id, one.unit)
    same_name = [b for b in state.bindings_of(giving.grant.grant_id) if b.name == name]
    there = next((b for b in same_name if b.ref.namespace == one.ref.namespace), None)
    try:
        if there is None or there.ref != one.ref or giving.subject not in there.subjects:
            if one.refusal is not None:
                raise one.refusal
            if there is not None:
                end(at, [there], (), given.ended)  # somebody has put something else in the place of ours
            _bind(at, giving, one.unit, one.ref, name)
    except TargetError as error:
        given.errors[one.unit] = told(error)
        return
    given.kept.add(name)


def _bind(at: Target, giving: Giving, unit: Unit, ref: RoleRef, name: str) -> None:
    """Make one binding. Raises NotPermitted naming the role, and Refused where its name is taken."""
    subject = giving.subject
    values: dict[str, Any] = {
        **giving.marks(),
        "binding": name,
        "role_kind": ref.kind,
        "role": ref.name,
        "subject_kind": subject.kind,
        "subject_group": GROUP if subject.kind == "User" else None,
        "subject": subject.name,
        "subject_namespace": subject.namespace or None,
        "unit": written(unit),
    }
    accept = (*MADE, TAKEN)
    try:
        if ref.namespace:
            answer = at.api.change(programs.CREATE_ROLE_BINDING, accept=accept, namespace=ref.namespace, **values)
        else:
            answer = at.api.change(programs.CREATE_CLUSTER_ROLE_BINDING, accept=accept, **values)
    except NotPermitted as error:
        raise NotPermitted(f"The connector may not bind {ref.words()}. {error.message}", fix=SETUP) from error
    if answer is not None and answer.status == TAKEN:
        raise Refused(
            f"There is a binding {name!r} that does not bear the marks of this grant. It is not taken over.",
            fix="Delete that binding, or ask again: a new grant gets new names.",
        )


def _end_surplus(at: Target, state: State, giving: Giving, wanted: list[Wanted], given: Given) -> None:
    """End what the grant holds beyond its units, and what older accounts of it hold.

    The binding of a unit that could not be asked about just now is left alone.
    """
    unsure = {one.unit for one in wanted if one.error is not None and not isinstance(one.error, TargetMissing)}
    bindings = [
        one
        for one in state.bindings_of(giving.grant.grant_id)
        if one.name not in given.kept and (one.unit not in unsure or giving.subject not in one.subjects)
    ]
    accounts = [one for one in state.accounts_of(giving.grant.grant_id) if one.name != giving.subject.name]
    end(at, bindings, accounts, given.ended)
    failures = [*given.ended.errors, *given.ended.failed.values()]
    given.warnings += [*given.ended.warnings, *(error.message for error in failures)]
