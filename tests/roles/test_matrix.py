"""The table of roles, cell by cell: every permission, action, verb and page has a line, and answers as it says."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access_requests.choices import RevocationKind
from accounts.actions import issue_token, write_letter
from accounts.choices import LetterKind, Role, SpaceRole
from accounts.models import Group, Letter, User
from accounts.roles import LINES, MATRIX, AnyRole, allow_there, allowed
from audit.actor import Actor, person, system
from audit.choices import ACTIONS, Source
from audit.models import AuditEntry
from config import role_table
from flows.actions import add_member, define_bundle, define_scope, define_space
from flows.models import AccessFlow, AccessScope, Bundle, Space
from tests.cast import person as somebody
from tests.desk import test_roles as desk
from tests.desk.conftest import signed_in, simulated, story  # noqa: F401
from tests.desk.test_roles import rows  # noqa: F401
from tests.journeys.test_outsider import TABLE, addresses
from tests.roles import table
from tests.story import Story, document, flow

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "audit", "flows", "integrations", "access_requests")
_PERMISSION = re.compile(r'"((?:accounts|audit|flows|integrations|requests)\.(?:[a-z]+)_[a-z]+)"')
ROLES: tuple[AnyRole, ...] = (*Role, *SpaceRole)


def test_every_permission_that_is_asked_for_has_one_line() -> None:
    sources = [
        one
        for app in (*APPS, "config", "requests")
        for one in (ROOT / app).rglob("*.py")
        if "migrations" not in one.parts
    ]
    asked = {name for one in sources for name in _PERMISSION.findall(one.read_text()) if not name.endswith("new_app")}
    for model in admin.site._registry:
        label = model._meta.app_label
        asked |= {f"{label}.{verb}_{model._meta.model_name}" for verb in model._meta.default_permissions}
        asked |= {f"{label}.{name}" for name, _ in model._meta.permissions}
    assert {name for name in asked if name not in LINES} == set()
    twice = [name for name in LINES if sum(name in line.permissions for line in MATRIX) > 1]
    # The first steps are taken by who may add an integration.
    assert twice == ["integrations.add_integration"]


def test_every_recorded_action_has_one_line() -> None:
    named = [name for line in MATRIX for name in line.actions]
    assert sorted(named) == sorted(set(named))
    assert set(named) == set(ACTIONS) - {"demo.invented"}
    assert all(bool(line.permissions) != bool(line.rule) for line in MATRIX)


def verbs() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every function of an app's actions that takes an actor, by app, module and name."""
    for app in APPS:
        package = importlib.import_module(f"{app}.actions")
        for one in [package, *(importlib.import_module(f"{app}.actions.{found.name}")
                               for found in pkgutil.iter_modules(getattr(package, "__path__", [])))]:  # fmt: skip
            for name, verb in vars(one).items():
                own = inspect.isfunction(verb) and verb.__module__ == one.__name__ and not name.startswith("_")
                if own and "actor" in inspect.signature(verb).parameters:
                    yield f"{app}.{one.__name__.rpartition('.')[2]}.{name}", verb


def test_every_verb_and_every_address_is_in_the_table() -> None:
    assert {name for name, _ in verbs()} == set(table.VERBS)
    desks = {name.removeprefix("admin:") for name, _ in addresses() if name.startswith("admin:")}
    lines = {name for name in desks if name not in table.DESK | table.EMPTY | table.RULED and needs(name) is None}
    assert lines == set()
    assert set(table.PAGES) | table.RULED <= desks
    # Names of the API begin so: tests/api/test_every_endpoint.py walks all of them, with tokens of each scope.
    assert {name for name, _ in addresses() if not name.startswith(("admin:", "api_"))} - set(TABLE) == set()


def needs(name: str) -> tuple[str, str] | None:
    """Return how a page of the desk is asked, and for which permission; None where the table says nothing."""
    if name in table.PAGES:
        return table.PAGES[name]
    parts = name.split("_")
    if len(parts) != 3 or parts[2] not in table.USUAL:
        return None
    return "get", f"{parts[0]}.{table.USUAL[parts[2]]}_{parts[1]}"


def test_the_page_of_documentation_is_the_table() -> None:
    marks = {"yes": "●", "in their space": "◐", "": ""}
    told = (ROOT / "docs" / "roles.md").read_text()
    for row in role_table.rows():
        cells = f"*{row.rule}*" if row.rule else " | ".join(marks[one] for one in row.cells)
        assert f"| {row.words} | {cells} |" in told


@pytest.fixture
def things(rows: dict[str, Any], story: Story) -> dict[str, Any]:  # noqa: F811
    """One row of everything in the account, and in a space a flow, a bundle, a scope."""
    dev = define_scope("Dev", 'resource_type = "database"', actor=system())
    space = define_space("Space", [dev], actor=system())
    inside = {"space": str(space.pk)}
    rows["space"] = space
    rows["spacemember"] = add_member(space, story.cast.approver, SpaceRole.MANAGER, actor=system())
    rows["group"] = Group.objects.first()
    rows["user"] = story.cast.outsider
    rows["letter"] = a_letter(story.cast.requester)
    owner = person(story.cast.outsider, Source.PORTAL)
    rows["apitoken"] = issue_token(story.cast.outsider, "Script", actor=owner)[0]
    rows["auditentry"] = AuditEntry.objects.first()
    rows["in accessflow"] = flow(story.integration, "Inside", columns=inside)
    rows["in bundle"] = define_bundle("Inside", document(story.integration)["targets"], actor=system(), **inside)
    rows["in accessscope"] = define_scope("Inside", dev.query, actor=system(), **inside)
    return rows


def a_letter(to: User) -> Letter | None:
    """Return a letter that waits."""
    told = {"by": "a test", "where": "the outbox"}
    with transaction.atomic():
        return write_letter(to=to, kind=LetterKind.OPENED, subject="Hello", template="test", context=told, key="hello")


def people_of(space: Space) -> dict[AnyRole, User]:
    """Return somebody for each role; those of spaces hold it in the space."""
    found: dict[AnyRole, User] = {role: somebody(f"r-{role.value}", role) for role in Role}
    for role in SpaceRole:
        found[role] = somebody(f"r-{role.value}", Role.GRANTEE)
        add_member(space, found[role], role, actor=system())
    return found


def argument(annotation: str, things: dict[str, Any], inside: bool) -> Any:
    """Return something of a type, of which the verb may find out that it is nonsense."""
    now = timezone.now()
    name = annotation.partition(" |")[0].lower()
    if inside and f"in {name}" in things:
        return things[f"in {name}"]
    if name in things:
        return things[name]
    if name == "revocationkind":
        return RevocationKind.EVERYWHERE
    plain = {"str": "x", "bool": False, "int": 1, "datetime": now + timedelta(days=1), "document": {}, "any": None}
    if name in plain:
        return plain[name]
    return SpaceRole.MANAGER if name == "spacerole" else {} if name.startswith(("dict", "mapping")) else []


def call(verb: Callable[..., Any], things: dict[str, Any], user: User, *, inside: bool = False) -> bool:
    """Use a verb, and undo it; return whether it was refused for want of a permission."""
    told: dict[str, Any] = {"actor": Actor(**vars_of(user))}
    for one in inspect.signature(verb).parameters.values():
        if one.default is one.empty and one.name not in {"actor", "at"}:
            told[one.name] = (
                user
                if one.name in {"user", "approver"} and _by(verb)
                else argument(str(one.annotation), things, inside)
            )
    if inside and verb.__name__ == "define":
        told["columns"] = {"space": str(things["space"].pk)}
    if inside and "space" in inspect.signature(verb).parameters and "space" not in told:
        told["space"] = str(things["space"].pk)
    try:
        with transaction.atomic():
            try:
                verb(**told)
            finally:
                transaction.set_rollback(True)
    except PermissionDenied:
        return True
    except Exception as problem:  # noqa: BLE001 - whatever nonsense leads to, it was let in
        return type(problem).__name__ == "NotYours"
    return False


def _by(verb: Callable[..., Any]) -> bool:
    """Whether the verb is told apart from its actor who does it."""
    return verb.__module__.startswith("access_requests")


def vars_of(user: User) -> dict[str, Any]:
    """Return the actor that a person is."""
    made = person(user, Source.ADMIN)
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def test_every_verb_lets_in_whom_the_table_says(things: dict[str, Any]) -> None:
    people, wrong, refused = people_of(things["space"]), [], 0
    for name, verb in verbs():
        permission = table.VERBS[name]
        if permission in {table.INNER, table.RULE}:
            continue
        for role, user in people.items():
            may = role in allowed(permission)
            # The space of members is the one that its people are in.
            may = may or (permission.endswith("_spacemember") and allow_there({role} & set(SpaceRole), permission))
            if call(verb, things, user) == may:
                wrong.append((name, role.value, "may" if may else "may not"))
            refused += not may
            if isinstance(role, SpaceRole) and permission.partition("_")[2] in {"accessflow", "bundle", "accessscope"}:
                there = may or allow_there({role}, permission)
                if call(verb, things, user, inside=True) == there:
                    wrong.append((name, role.value, "there"))
    assert wrong == []
    assert refused > 100


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no page be written: who is let in is decided before, and other tests read the pages."""
    monkeypatch.setattr(Template, "render", lambda *args, **named: "")


@pytest.mark.usefixtures("unwritten")
def test_every_page_of_the_desk_lets_in_whom_the_table_says(things: dict[str, Any]) -> None:
    clients = {role: signed_in(user) for role, user in people_of(things["space"]).items()}
    wrong = []
    pages = sorted(name.removeprefix("admin:") for name, _ in addresses() if name.startswith("admin:"))
    for name in pages:
        said = None if name in table.DESK | table.EMPTY | table.RULED else needs(name)
        if said is None:
            continue
        for role, client in clients.items():
            got = status(client, said[0], where(name, things))
            if got != expected(name, said[1], role, things):
                wrong.append((name, role.value, got))
    assert wrong == []


def expected(name: str, permission: str, role: AnyRole, things: dict[str, Any]) -> str:
    """Return what a role gets: in, out, or to the sign-in page."""
    if role == Role.GRANTEE:
        return "sign in"
    _, model, what = [*name.split("_"), "", ""][:3]
    never = (what in {"add", "delete"} and model in table.NEVER) or (what == "delete" and model in table.NEVER_DELETED)
    if never and name not in table.PAGES:
        return "out"
    somewhere = isinstance(role, SpaceRole) and allow_there({role}, permission)
    # A new one may lie in a space; suggestions are for whoever writes anything; members are those of the space.
    there = what in {"add", "suggest", "members", "dismiss"}
    return "in" if role in allowed(permission) or (somewhere and there) else "out"


def where(name: str, things: dict[str, Any]) -> str:
    """Return an address of that name."""
    if "_" not in name or name in {"first_steps", "resume_steps"}:
        return reverse(f"admin:{name}")
    if name == "skip_step":
        return reverse("admin:skip_step", args=["flow"])
    if name == "flows_space_dismiss":
        return reverse(f"admin:{name}", args=[things["space"].pk, things["spacemember"].pk])
    return desk.address(name, things)


def status(client: Client, method: str, address: str) -> str:
    """Ask, undo what came of it, and return what the answer means."""
    with transaction.atomic():
        answer = getattr(client, method)(address)
        transaction.set_rollback(True)
    if answer.status_code == 302 and "/login/" in answer["Location"]:
        return "sign in"
    return "out" if answer.status_code == 403 else "in"


@pytest.mark.usefixtures("unwritten")
@pytest.mark.parametrize("role", list(SpaceRole))
def test_pages_of_what_lies_in_a_space_let_its_people_write(things: dict[str, Any], role: SpaceRole) -> None:
    space: Space = things["space"]
    other = define_space("Other", [], actor=system())
    clients = []
    for number, place in enumerate((space, other)):
        user = somebody(f"p{number}", Role.GRANTEE)
        add_member(place, user, role, actor=system())
        clients.append(signed_in(user))
    mine: list[tuple[str, AccessFlow | Bundle | AccessScope]] = [
        (model, things[f"in {model}"]) for model in ("accessflow", "bundle", "accessscope")
    ]
    for model, row in mine:
        what = ["delete", "restore"] + (["switch"] if model == "accessflow" else [])
        for page in what:
            args = [row.pk, 1] if page == "restore" else [row.pk]
            address = reverse(f"admin:flows_{model}_{page}", args=args)
            assert [status(client, "get", address) for client in clients] == ["in", "out"], (model, page)
        address = reverse(f"admin:flows_{model}_change", args=[row.pk])
        assert [status(client, "get", address) for client in clients] == ["in", "in"]
        assert [status(client, "post", address) for client in clients] == ["in", "out"]
