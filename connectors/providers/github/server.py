"""The way in: GitHub's two interfaces from an order's configuration, and the account of the person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.orders import Order, Person
from connectors.contract.provider import Run
from connectors.providers.github import programs
from connectors.toolkit.http import Answer, Service
from connectors.toolkit.http_files import RequestFile

VERSION = "2022-11-28"
PUBLIC = "https://api.github.com"
ATTRIBUTE = "github_login"
PAGE = 100
# Ids in one question: GitHub counts what a question might return, and refuses too much.
IDS = 50
ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Target:
    """GitHub as one order sees it."""

    rest: Service
    graph: Service
    organization: str

    def items(self, file: RequestFile, **values: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page."""
        page = 1
        while True:
            items = objects(self.rest.read(file, size=PAGE, page=page, **values).data, file)
            yield from items
            if len(items) < PAGE:
                return
            page += 1

    def nodes(self, ids: list[str], login: str) -> tuple[list[Any], list[dict[str, Any]]]:
        """Return what these ids are, in their order, and what GitHub could not answer. Raises a TargetError."""
        answer = self.graph.read(programs.READ_HOLDINGS, ids=ids, login=login)
        data = answer.data if isinstance(answer.data, dict) else {}
        errors = [error for error in data.get("errors") or [] if isinstance(error, dict)]
        nodes = (data.get("data") or {}).get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise graph_error(errors[0] if errors else {}, programs.READ_HOLDINGS)
        return nodes, errors


@contextmanager
def target(order: Order, run: Run) -> Iterator[Target]:
    """Give the way to the organization of an order; nothing is sent yet. Raises Misconfigured for what is missing."""
    organization = str(order.config.get("organization") or "")
    if not ORGANIZATION.fullmatch(organization):
        raise Misconfigured(f"{organization!r} is no name of an organization.", fix="It is acme in github.com/acme.")
    if "token" not in order.secrets:
        raise Misconfigured("The integration has no token.", fix="Make one as the set-up file says.")
    base = str(order.config.get("api_address") or PUBLIC).rstrip("/")
    # On a server of one's own one interface is at /api/v3, the other beside it at /api/graphql.
    graph = base.removesuffix("/v3")
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": VERSION,
        "Authorization": f"Bearer {order.secrets['token'].reveal()}",
    }
    with ExitStack() as stack:
        services = [
            stack.enter_context(Service(one, run, headers=headers, dry_run=order.dry_run)) for one in (base, graph)
        ]
        yield Target(services[0], services[1], organization)


def account(order: Order, person: Person, at: Target) -> str:
    """Return the login of the person's account as GitHub writes it.

    Raises TargetMissing, or Misconfigured where something is to be ended: then an account that cannot be found proves
    nothing, for what was given to it may still be there under another name.
    """
    name = str(order.config.get("login_attribute") or ATTRIBUTE)
    ending = order.desired is not None and bool(order.desired.gone)
    missing = Misconfigured if ending else TargetMissing
    logins = sorted({value.strip() for value in person.attributes.get(name, ()) if value.strip()})
    if not logins:
        raise missing(
            f"{person.name} has no attribute {name}, so it is not known which GitHub account is theirs.",
            fix=f"Set the attribute {name} of {person.name} to their GitHub user name.",
        )
    if len(logins) > 1:
        raise Misconfigured(
            f"The attribute {name} of {person.name} has {len(logins)} values; an account is never guessed.",
            fix=f"Leave one value in the attribute {name}.",
        )
    if not LOGIN.fullmatch(logins[0]):
        raise Misconfigured(f"{logins[0]!r} in the attribute {name} of {person.name} is no GitHub user name.")
    answer = at.rest.read(programs.READ_ACCOUNT, login=logins[0], accept=(200, 404))
    data = answer.data if isinstance(answer.data, dict) else {}
    if answer.status == 404 or data.get("type") != "User":
        raise missing(
            f"GitHub has no account {logins[0]!r} of a person.",
            fix=f"Look whether it was renamed, and correct the attribute {name} of {person.name}.",
        )
    return str(data["login"])


def clock(answer: Answer) -> float:
    """Return GitHub's own time of an answer, in seconds since the epoch. Raises Misconfigured when it tells none."""
    try:
        told = datetime.strptime(answer.headers.get("Date", "").replace("GMT", "+0000"), "%a, %d %b %Y %H:%M:%S %z")
    except ValueError as error:
        raise Misconfigured("The answer bears no Date: something stands between the connector and GitHub.") from error
    return told.timestamp()


def objects(data: Any, file: RequestFile) -> list[dict[str, Any]]:
    """Return a list of objects. Raises Misconfigured for anything else."""
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise Misconfigured(f"The answer to {file.name} is not the list that GitHub gives: is the API address right?")
    return data


def graph_error(error: dict[str, Any], file: RequestFile) -> TargetError:
    """Return the typed error for what the second interface says beside its data."""
    kind, said = str(error.get("type", "")), str(error.get("message", "It says nothing."))[:300]
    words = f"GitHub answered to {file.name}: {said}"
    if kind == "NOT_FOUND":
        return TargetMissing(words)
    if kind in ("FORBIDDEN", "INSUFFICIENT_SCOPES"):
        return NotPermitted(words, fix=f"It needs {file.needs}.")
    if kind == "RATE_LIMITED" or "timeout" in said.lower():
        return Unreachable(words, fix="It is tried again.")
    if said == "Bad credentials":
        return CredentialsRejected(words, fix="Ask the owner of the integration for a new token.")
    return Misconfigured(words)
