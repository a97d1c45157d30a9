"""What there is to ask for, page by page as GitHub gives it; a sync that broke off goes on at its last page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order, Page, ResourceFact
from connectors.contract.provider import Run
from connectors.providers.github import programs
from connectors.providers.github.names import LEVELS
from connectors.providers.github.server import PAGE, Target, objects, target

DEFAULT_TYPES = ("organization_role", "team", "repository")
ARCHIVED = "It is archived: GitHub changes nothing about who may use it."


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield the inventory. `resume` is the type and the page to go on with."""
    types = order.resource_types or DEFAULT_TYPES
    size = min(PAGE, order.page_size)
    steps = [(kind, lister) for kind, lister in LISTERS.items() if kind in types]
    kind, number = _resumed(order.resume, size)
    with target(order, run) as at:
        for step, lister in steps[[one for one, _ in steps].index(kind) if kind in types else 0 :]:
            page = number if step == kind else 1
            for facts in lister(at, size, page):
                page += 1
                yield Page(tuple(facts), resume=f"{step}:{size}:{page}")


def _resumed(resume: str, size: int) -> tuple[str, int]:
    """Return the type and the page that a sync goes on with; one of pages of another size begins again."""
    kind, _, rest = resume.partition(":")
    asked, _, number = rest.partition(":")
    return (kind, int(number)) if number.isdecimal() and asked == str(size) else ("", 1)


def _pages(at: Target, file: Any, size: int, page: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of a list from one on."""
    while True:
        items = objects(at.rest.read(file, organization=at.organization, size=size, page=page).data, file)
        if items:
            yield items
        if len(items) < size:
            return
        page += 1


def _repositories(at: Target, size: int, page: int) -> Iterator[list[ResourceFact]]:
    """Yield repositories."""
    for items in _pages(at, programs.LIST_REPOSITORIES, size, page):
        yield [_repository(item) for item in items]


def _repository(item: dict[str, Any]) -> ResourceFact:
    """Return a repository: its topics are tags."""
    context = {
        "visibility": str(item.get("visibility") or ("private" if item.get("private") else "public")),
        "archived": "true" if item.get("archived") else "false",
        "default_branch": str(item.get("default_branch") or ""),
        "description": str(item.get("description") or "")[:500],
    }
    refusals = dict.fromkeys(LEVELS["repository"], ARCHIVED) if item.get("archived") else {}
    return ResourceFact(
        "repository",
        str(item["node_id"]),
        str(item["name"]),
        str(item["full_name"]),
        tags={str(topic): "true" for topic in item.get("topics") or []},
        context={key: value for key, value in context.items() if value},
        refusals=refusals,
    )


def _teams(at: Target, size: int, page: int) -> Iterator[list[ResourceFact]]:
    """Yield teams; a child team stands below its parent."""
    for items in _pages(at, programs.LIST_TEAMS, size, page):
        yield [_team(at, item) for item in items]


def _team(at: Target, item: dict[str, Any]) -> ResourceFact:
    """Return a team."""
    parent = item.get("parent") or {}
    context = {"privacy": str(item.get("privacy") or ""), "description": str(item.get("description") or "")[:500]}
    context |= {"parent": str(parent["slug"])} if parent else {}
    path = "/".join(filter(None, (at.organization, str(parent.get("slug") or ""), str(item["slug"]))))
    context = {key: value for key, value in context.items() if value}
    return ResourceFact("team", str(item["node_id"]), str(item["name"]), path, context=context)


def _roles(at: Target, size: int, page: int) -> Iterator[list[ResourceFact]]:
    """Yield organization roles, which come in one answer; none where the server is too old to have them."""
    answer = at.rest.read(programs.LIST_ROLES, organization=at.organization, accept=(200, 404))
    roles = answer.data.get("roles") if isinstance(answer.data, dict) else None
    if answer.status == 404:
        return
    if not isinstance(roles, list):
        raise Misconfigured("GitHub's list of organization roles is no list.")
    facts = [
        ResourceFact(
            "organization_role",
            str(role["id"]),
            str(role["name"]),
            f"{at.organization}/{role['name']}",
            context={"source": str(role.get("source") or ""), "base_role": str(role.get("base_role") or "")},
        )
        for role in roles
    ]
    for start in range((page - 1) * size, len(facts), size):
        yield facts[start : start + size]


def _organization(at: Target, size: int, page: int) -> Iterator[list[ResourceFact]]:
    """Yield the organization itself."""
    if page == 1:
        at.rest.read(programs.READ_ORGANIZATION, organization=at.organization)
        yield [ResourceFact("organization", at.organization, at.organization, at.organization, risk_level=9)]


LISTERS: dict[str, Callable[[Target, int, int], Iterator[list[ResourceFact]]]] = {
    "organization": _organization,
    "organization_role": _roles,
    "team": _teams,
    "repository": _repositories,
}
