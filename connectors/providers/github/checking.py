"""Tries, before anybody depends on it, what the token can do, and says what it can do too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.contract.errors import LeaseLost, NotPermitted, TargetError, TargetMissing, Unreachable
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.providers.github import programs
from connectors.providers.github.reading import sees_everything
from connectors.providers.github.server import ATTRIBUTE, Target, target

NEEDED = {"repo", "admin:org"}
SETUP = "Make a token as setup/1_token.md says."


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with target(order, run) as at:
        findings = [*_way_in(at), *_token(at), *_rights(at)]
    attribute = str(order.config.get("login_attribute") or ATTRIBUTE)
    words = f"A person's GitHub account is the one that their attribute {attribute} names, and no other."
    return (*findings, Finding("ok", words))


def _way_in(at: Target) -> Iterator[Finding]:
    """Say whether the organization answers."""
    answer = at.rest.read(programs.READ_ORGANIZATION, organization=at.organization, accept=(200, 404))
    if answer.status == 404:
        raise TargetMissing(
            f"GitHub has no organization {at.organization!r} that this token may see.",
            fix="Look at the spelling, and that the token was made for this organization.",
        )
    yield Finding("ok", f"{at.rest.base} answers for {at.organization}.")


def _token(at: Target) -> Iterator[Finding]:
    """Say whose token it is, and of what kind."""
    answer = at.rest.read(programs.READ_CONNECTOR)
    login = str(answer.data.get("login")) if isinstance(answer.data, dict) else ""
    yield Finding("ok", f"The token is {login}'s.")
    if (ends := answer.headers.get("GitHub-Authentication-Token-Expiration")) is not None:
        yield Finding("ok", f"The token ends {ends}: make another before that.")
    scopes = {scope.strip() for scope in answer.headers.get("X-OAuth-Scopes", "").split(",") if scope.strip()}
    if not scopes:
        return
    if lacking := NEEDED - scopes:
        yield Finding("error", f"The token lacks the scopes {', '.join(sorted(lacking))}.", SETUP)
    yield Finding(
        "warning",
        f"It is a classic token with {', '.join(sorted(scopes))}: it may read and write all that {login} may.",
        f"A fine-grained token may only what it must. {SETUP}",
    )


def _rights(at: Target) -> Iterator[Finding]:
    """Try what will be needed, as far as that changes nothing."""
    tries: list[tuple[str, Callable[[], object]]] = [
        ("read who has access to repositories and teams", lambda: at.nodes([], at.organization)),
        ("list teams", lambda: at.rest.read(programs.LIST_TEAMS, organization=at.organization, size=1, page=1)),
        ("list organization roles", lambda: at.rest.read(programs.LIST_ROLES, organization=at.organization)),
    ]
    for words, call in tries:
        try:
            call()
        except (LeaseLost, Unreachable):
            raise
        except TargetError as error:
            # Roles can be done without: then none is found, and none can be asked for.
            level = "warning" if call is tries[-1][1] else "error"
            yield Finding(level, f"The connector may not {words}: {error.message}", f"{error.fix} {SETUP}".strip())
    yield _whole(at)


def _whole(at: Target) -> Finding:
    """Say whether the token sees all of the organization."""
    try:
        whole = sees_everything(at)
    except NotPermitted:
        whole = False
    if whole:
        return Finding("ok", "The token is an owner's and sees every repository.")
    return Finding(
        "error",
        "The token is no owner's, or does not see every repository: what it does not see can be neither given nor"
        " proven gone.",
        SETUP,
    )
