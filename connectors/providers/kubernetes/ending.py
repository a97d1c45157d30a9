"""Takes access away: first the bindings, which count at once, then the account, with which its tokens end.

Every step is tried even if another failed, because each of them takes something away; what failed is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from connectors.contract.errors import NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Unit
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.deciding import Question, still_allowed
from connectors.providers.kubernetes.reading import Account, Binding
from connectors.providers.kubernetes.server import Target, told

# 409: another object has taken the name since we looked. It is not the one we know; the read-back says what it is.
OVER = (200, 202, 404, 409)


@dataclass(slots=True)
class Ended:
    """What became of ending a grant, or what is surplus of it."""

    errors: list[TargetError] = field(default_factory=list)
    failed: dict[Unit, TargetError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def attempt(self, step: Callable[[], object]) -> bool:
        """Do one step and say whether it is done; remember its error. What is missing cannot be taken any more."""
        try:
            step()
        except TargetMissing:
            return True
        except TargetError as error:
            self.errors.append(told(error))
            return False
        return True


def end(at: Target, bindings: Iterable[Binding], accounts: Iterable[Account], ended: Ended | None = None) -> Ended:
    """Delete these bindings and accounts of ours; a second time finds nothing to do."""
    ended = ended or Ended()
    dropped = [one for one in bindings if ended.attempt(partial(_drop_binding, at, one))]
    for account in accounts:
        ended.attempt(partial(_drop_account, at, account))
    for binding in dropped:
        others = [one.name for one in binding.subjects[1:]]
        if others:
            ended.warnings.append(
                f"{', '.join(others)} had been added to our binding {binding.name}, and ended with it."
            )
    if not at.api.dry_run:
        ended.attempt(partial(_prove, at, dropped, ended))
    return ended


def _prove(at: Target, dropped: Iterable[Binding], ended: Ended) -> None:
    """Wait until the API server refuses what was taken; what it does not refuse has failed."""
    units = {Question(one.subjects[0], one.ref, one.words()): one.unit for one in dropped if one.subjects}
    for question, reason in still_allowed(at, units).items():
        ended.failed[units[question]] = NotPermitted(
            f"The API server still lets {question.subject.user} in, although the binding is deleted: {reason}",
            fix="It is tried again.",
        )


def _drop_binding(at: Target, binding: Binding) -> None:
    """Delete one binding."""
    if binding.ref.namespace:
        names = {"namespace": binding.ref.namespace, "binding": binding.name, "uid": binding.uid}
        at.api.change(programs.DROP_ROLE_BINDING, accept=OVER, **names)
    else:
        at.api.change(programs.DROP_CLUSTER_ROLE_BINDING, accept=OVER, binding=binding.name, uid=binding.uid)


def _drop_account(at: Target, account: Account) -> None:
    """Delete one account."""
    at.api.change(programs.DROP_ACCOUNT, accept=OVER, namespace=at.namespace, account=account.name, uid=account.uid)
