"""Reads from the cluster what a person holds there: what we made for them, and what others gave them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Desired, Found, Order, ReadBack, Unit
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.names import Marks, RoleRef, Subject, marks, seconds, selector, unit_of
from connectors.providers.kubernetes.server import Target
from connectors.providers.kubernetes.wanting import Wanted


@dataclass(frozen=True, slots=True)
class Account:
    """A service account of ours."""

    name: str
    uid: str
    made_at: float
    mark: Marks


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding, whoever made it. `mark` is None on what bears no mark of Latchkey."""

    name: str
    uid: str
    ref: RoleRef
    subjects: tuple[Subject, ...]
    mark: Marks | None

    @property
    def unit(self) -> Unit:
        """Return it as a unit."""
        return unit_of(self.ref, self.mark.unit if self.mark else "")

    def words(self) -> str:
        """Return what it is called, as the API server does in its reasons: its name, and its namespace behind it."""
        return f"{self.name}/{self.ref.namespace}" if self.ref.namespace else self.name


class Held(NamedTuple):
    """By which binding something is held, and by whom."""

    binding: Binding
    subject: Subject


@dataclass(slots=True)
class State:
    """What was read in one go. `foreign` are bindings that others made for accounts of ours."""

    read_at: float
    accounts: list[Account] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    foreign: list[Binding] = field(default_factory=list)
    standing: list[tuple[Binding, Subject]] = field(default_factory=list)

    def accounts_of(self, grant_id: str) -> list[Account]:
        """Return the accounts of a grant, the newest first."""
        found = [one for one in self.accounts if one.mark.grant == grant_id]
        return sorted(found, key=lambda one: (one.made_at, one.name), reverse=True)

    def bindings_of(self, grant_id: str) -> list[Binding]:
        """Return the bindings of a grant."""
        return [one for one in self.bindings if one.mark is not None and one.mark.grant == grant_id]

    def grants(self) -> set[str]:
        """Return the grants of which there is anything."""
        found = [one.mark for one in self.accounts] + [one.mark for one in self.bindings if one.mark is not None]
        return {mark.grant for mark in found}

    def held(self, at: Target, desired: Desired, grant_id: str, wanted: Wanted) -> Held | None:
        """Return by what a unit of a grant is held now: the right role, for somebody who can sign in."""
        if wanted.ref is None or wanted.error is not None:
            return None
        usable = subjects_of(at, self, desired, grant_id)
        fitting = [
            Held(binding, subject)
            for binding in self.bindings_of(grant_id)
            for subject in binding.subjects
            if binding.ref == wanted.ref and subject in usable
        ]
        return next((one for one in fitting if one.binding.unit == wanted.unit), next(iter(fitting), None))


def desired_of(order: Order) -> Desired:
    """Return what an order about a person wants; the runner has seen to it that there is one."""
    assert order.desired is not None
    return order.desired


def subjects_of(at: Target, state: State, desired: Desired, grant_id: str) -> set[Subject]:
    """Return whom the bindings of a grant may be for; nobody where it is not known who the person's user is."""
    if at.users:
        try:
            return {at.user(desired.person)}
        except Misconfigured:
            return set()
    return {Subject("ServiceAccount", one.name, at.namespace) for one in state.accounts_of(grant_id)}


def read(at: Target, order: Order) -> State:
    """Read everything about one person."""
    person, integration = desired_of(order).person, order.integration_id
    state = State(0.0)
    for item in at.api.every(programs.ACCOUNTS, namespace=at.namespace, selector=selector(integration, person)):
        mark = marks(item)
        if mark is not None and mark[:2] == (integration, person.person_id):
            meta = item["metadata"]
            made_at = seconds(str(meta.get("creationTimestamp")))
            state.accounts.append(Account(meta["name"], meta["uid"], made_at, mark))
    ours = {Subject("ServiceAccount", one.name, at.namespace) for one in state.accounts}
    own = {Subject("User", at.prefix + alias) for alias in person.aliases}
    for binding in _bindings(at):
        if binding.mark is not None and binding.mark[:2] == (integration, person.person_id):
            state.bindings.append(binding)
            continue
        if ours & set(binding.subjects):
            state.foreign.append(binding)
        if binding.mark is None:
            state.standing += [(binding, subject) for subject in binding.subjects if subject in own]
    state.read_at = at.api.now
    return state


def _bindings(at: Target) -> Iterable[Binding]:
    """Yield every binding in the cluster: no question finds only those that are for somebody."""
    for program in (programs.CLUSTER_ROLE_BINDINGS, programs.ROLE_BINDINGS):
        yield from map(_binding, at.api.every(program))


def _binding(item: dict[str, Any]) -> Binding:
    """Return one binding."""
    meta, role = item["metadata"], item["roleRef"]
    namespace = str(meta.get("namespace") or "")
    return Binding(
        name=meta["name"],
        uid=meta["uid"],
        ref=RoleRef(namespace, role["kind"], role["name"]),
        subjects=tuple(
            Subject(one["kind"], one["name"], (one.get("namespace") or "") if one["kind"] == "ServiceAccount" else "")
            for one in item.get("subjects") or ()
        ),
        mark=marks(item),
    )


def read_back(at: Target, state: State, desired: Desired, wanted: dict[str, list[Wanted]]) -> ReadBack:
    """Return the state as a proof; `wanted` has the resolved units of every grant that should be held."""
    logins = {grant.grant_id: grant.login for grant in desired.holds}
    logins |= {ending.grant_id: ending.login for ending in desired.gone}
    ours: dict[Found, None] = {}
    for grant_id in sorted(state.grants()):
        should = wanted.get(grant_id, [])
        held = {one.unit: found for one in should if (found := state.held(at, desired, grant_id, one)) is not None}
        explained = [found.binding for found in held.values()]
        units = [*held, *(one.unit for one in state.bindings_of(grant_id) if one not in explained)]
        doors = [] if grant_id in wanted else state.accounts_of(grant_id)
        units += [Unit("account", one.name, "TOKEN") for one in doors]
        unnamed = next((one.name for one in state.accounts_of(grant_id)), "")
        ours |= {Found(unit, logins.get(grant_id, unnamed), grant_id): None for unit in units}
    for binding in state.foreign:
        for account in state.accounts:
            if Subject("ServiceAccount", account.name, at.namespace) in binding.subjects:
                ours[Found(binding.unit, account.name, account.mark.grant)] = None
    standing = {Found(binding.unit, subject.name): None for binding, subject in state.standing}
    return ReadBack(read_at=state.read_at, ours=tuple(ours), standing=tuple(standing))
