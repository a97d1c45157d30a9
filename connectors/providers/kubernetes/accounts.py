"""The account of a grant: a service account with a token that ends by itself.

New credentials are always a new account. The API server takes a token that it saw in the last ten seconds without
looking again, so an account that was deleted and made again under its old name would be open to its old token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import NamedTuple

from connectors.contract.errors import Misconfigured, TargetMissing
from connectors.contract.orders import Grant, Person
from connectors.contract.secret import Secret
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.ending import end
from connectors.providers.kubernetes.names import Marks, Subject, account_base, label, moment, seconds
from connectors.providers.kubernetes.reading import Account, State
from connectors.providers.kubernetes.server import Target

# The API server makes no token that lasts less than ten minutes, and here none lasts longer than a year.
TOKEN_MIN_SECONDS = 600
TOKEN_MAX_SECONDS = 365 * 24 * 3600
# The token's end is in whole seconds, and the clocks of two machines differ.
SAME_MOMENT_SECONDS = 5.0
MADE = (200, 201)


class Giving(NamedTuple):
    """One grant, for whom, and until when what signs them in lasts. `subject` is nobody until it is known."""

    grant: Grant
    integration: str
    person: Person
    ends_at: str
    subject: Subject = Subject("", "")

    def marks(self) -> dict[str, str]:
        """Return what everything we make bears, as the slots of its programs."""
        words = {"integration": self.integration, "person": self.person.person_id, "grant": self.grant.grant_id}
        return {**words, **{f"{name}_label": label(value) for name, value in words.items()}, "ends_at": self.ends_at}


@dataclass(slots=True)
class Credentials:
    """What was made in this run: an account and, where it was asked for, its token."""

    account: Account | None = None
    token: Secret | None = None


def present(at: Target, state: State, giving: Giving) -> Giving | None:
    """Return the grant with the account that it has, or None where it has none or is to get new credentials."""
    accounts = state.accounts_of(giving.grant.grant_id)
    if not accounts or giving.grant.wants_credentials:
        return None
    subject = Subject("ServiceAccount", accounts[0].name, at.namespace)
    return giving._replace(subject=subject, ends_at=ends_at(state, giving.grant))


def ends_at(state: State, grant: Grant) -> str:
    """Return when the token of a grant ends, as it was written on its bindings when it was made."""
    newest = next(iter(state.accounts_of(grant.grant_id)), None)
    if newest is None:
        return moment(grant.ends_at)
    bindings = [
        one for one in state.bindings_of(grant.grant_id) if newest.name in {subject.name for subject in one.subjects}
    ]
    written = [one.mark.ends_at for one in bindings if one.mark is not None and one.mark.ends_at]
    return max(written, default=newest.mark.ends_at)


def make(at: Target, giving: Giving, made: Credentials) -> Giving:
    """Make an account, and a token where one is wanted; return the grant with them. `made` has what there is so far.

    Raises Misconfigured where the namespace for accounts is not prepared.
    """
    name = f"{account_base(giving.grant.login)}-{secrets.token_hex(4)}"
    giving = giving._replace(subject=Subject("ServiceAccount", name, at.namespace))
    try:
        answer = at.api.change(
            programs.CREATE_ACCOUNT, accept=MADE, namespace=at.namespace, account=name, **giving.marks()
        )
    except TargetMissing as error:
        raise Misconfigured(
            f"There is no namespace {at.namespace!r} for the accounts of grants.",
            fix="Apply setup/1_connector.yaml, or name another namespace.",
        ) from error
    uid = "" if answer is None else answer.data["metadata"]["uid"]
    mark = Marks(giving.integration, giving.person.person_id, giving.grant.grant_id)
    made.account = Account(name, uid, at.api.now, mark)
    return giving._replace(ends_at=_request_token(at, giving, made)) if giving.grant.wants_credentials else giving


def unmake(at: Target, made: Credentials) -> None:
    """Delete an account that was made in this run and got nothing; what fails here, the next order does."""
    if made.account is not None:
        end(at, (), [made.account])
    made.account = made.token = None


def _request_token(at: Target, giving: Giving, made: Credentials) -> str:
    """Have a token made and return when it ends, as the API server says: it may shorten and lengthen what we ask."""
    wished = min(giving.grant.ends_at - at.api.now, TOKEN_MAX_SECONDS)
    lasts = max(TOKEN_MIN_SECONDS, int(wished))
    names = {"namespace": at.namespace, "account": giving.subject.name}
    answer = at.api.change(programs.TOKEN, accept=MADE, seconds=lasts, **names)
    if answer is None:
        return giving.ends_at  # a dry run
    made.token = Secret(str(answer.data["status"]["token"]))
    return str(answer.data["status"]["expirationTimestamp"])


def unequal_ends(giving: Giving) -> str:
    """Return what to say where the token does not end with the grant, or nothing."""
    token, grant = seconds(giving.ends_at), giving.grant.ends_at
    if token < grant - SAME_MOMENT_SECONDS:
        return f"The token ends at {giving.ends_at}, before the grant does: to go on after that, reset the credentials."
    if token > grant + SAME_MOMENT_SECONDS:
        return (
            f"The token lasts until {giving.ends_at}, longer than the grant: the API server makes none that is shorter."
            " It ends with its account, when the connector ends the grant."
        )
    return ""
