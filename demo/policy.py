"""The systems of the made-up organisation and its access flows: the simulated ones with a past, and the real one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from audit.actor import Actor
from demo.target import CONNECTOR, HOME, HOST
from flows import actions as flow_actions
from flows.models import AccessFlow
from integrations import actions as integrations
from integrations.models import Integration

REAL = "payments-prod"
ON_CALL, LEDGER, ARCHIVE = "Payments read, on call", "Ledger read and write", "Ledger archive, the old way"
MONTH_END = "Month-end kit"
EMERGENCY, STANDING, OWNED = "Platform, in an emergency", "Security looks on", "Owned by somebody"
Group = dict[str, Any]

NOT_THERE = "This system is simulated: there is nothing to connect to. Try payments-prod, which is real."


@dataclass(frozen=True, slots=True)
class System:
    """A simulated system."""

    name: str
    databases: tuple[str, ...]
    # Which group a database belongs to, by its name.
    owners: tuple[tuple[str, str], ...] = ()


WAREHOUSE = System("warehouse (simulated)", ("sales_mart", "finance_mart", "events_raw", "customer_360", "forecasts"))
STAGING = System("payments-staging (simulated)", ("orders_staging", "ledger_staging", "checkout_staging"))
DESK = System("support-desk (simulated)", ("tickets", "customers", "refunds"))
PLATFORM = System(
    "platform-prod (simulated)",
    ("config_store", "job_queue", "deploy_log", "feature_flags"),
    (("config_store", "security"), ("job_queue", "platform"), ("feature_flags", "data")),
)
SYSTEMS = (WAREHOUSE, STAGING, DESK, PLATFORM)


def connect_simulated(system: System, *, actor: Actor, at: datetime) -> Integration:
    """Connect a simulated system."""
    return integrations.connect(
        system.name,
        "simulated",
        config={
            "hostname": f"{system.name.split()[0]}.example",
            "databases": ", ".join(system.databases),
            "owners": ", ".join("=".join(pair) for pair in system.owners),
        },
        secrets={"password": "simulated"},
        actor=actor,
        settings={"custom_access_details": NOT_THERE, "owner_tag_key": "owner" if system.owners else ""},
        at=at,
    )


def config_of(port: int) -> dict[str, Any]:
    """Return the real target's plain fields."""
    return {"hostname": HOST, "port": port, "dbname": HOME, "sslmode": "prefer", "username": CONNECTOR}


def connect_real(port: int, password: str, *, actor: Actor, at: datetime) -> Integration:
    """Connect the real PostgreSQL server."""
    return integrations.connect(
        REAL,
        "postgresql",
        config=config_of(port),
        secrets={"password": password},
        actor=actor,
        settings={"custom_access_details": "A real PostgreSQL server on this machine, made for this demo."},
        at=at,
    )


def one_of(group: str) -> Group:
    """Return people in a group."""
    return {"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": [group]}]}


def manager() -> Group:
    """Return whoever leads the one who asks."""
    return {"operator": "or", "conditions": [{"type": "manager", "operator": "is", "values": []}]}


def manager_or(group: str) -> Group:
    """Return whoever leads the one who asks, and a group beside."""
    return {"operator": "or", "conditions": [*manager()["conditions"], *one_of(group)["conditions"]]}


def give(
    name: str,
    to: Iterable[str],
    integration: Integration,
    permissions: tuple[str, ...],
    *,
    actor: Actor,
    at: datetime,
    databases: tuple[str, ...] = (),
    approvers: tuple[Group, ...] = (),
    **columns: Any,
) -> AccessFlow:
    """Define a flow: the groups named in `to` may ask for databases of one integration."""
    given = target(integration, permissions, databases)
    return define(name, to, given, actor=actor, at=at, approvers=approvers, **columns)


def define(
    name: str,
    to: Iterable[str],
    given: dict[str, Any],
    *,
    actor: Actor,
    at: datetime,
    approvers: tuple[Group, ...] = (),
    **columns: Any,
) -> AccessFlow:
    """Define a flow: the groups named in `to` may ask for what is given. Columns are those of flows.actions.define."""
    document = {
        "requestors": {"conditions": [{"type": "group", "operator": "is", "values": list(to)}]},
        "targets": [given],
        "approval": {"groups": list(approvers)},
    }
    mode = "none" if not approvers else "any_of"
    settled = {"name": name, "approval_mode": mode, "grant_duration_minutes": 60, **columns}
    return flow_actions.define(settled, document, actor=actor, at=at)


def target(integration: Integration, permissions: tuple[str, ...], databases: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what a flow or a bundle gives: permissions on databases, on all when none are named."""
    chosen = [{"mode": "include_resources", "type": "name", "values": list(databases)}] if databases else []
    return {
        "integration": str(integration.pk),
        "resource_type": "database",
        "permissions": list(permissions),
        "selectors": chosen,
    }


def write_simulated(systems: dict[str, Integration], *, actor: Actor, at: datetime) -> None:
    """Define the flows over the simulated systems."""
    read, write = ("READ_ONLY",), ("READ_WRITE",)
    rule: dict[str, Any] = {"actor": actor, "at": at}
    warehouse, staging = systems[WAREHOUSE.name], systems[STAGING.name]
    give(
        "Warehouse, read", ("data", "payments"), warehouse, read,
        grant_duration_minutes=480, max_extensions=2, extension_minutes=60, **rule,
    )  # fmt: skip
    give(
        "Warehouse, write", ("data", "payments"), warehouse, write,
        approvers=(manager(),), grant_duration_minutes=240, pending_hours=48, **rule,
    )  # fmt: skip
    give(
        "Finance for contractors", ("contractors",), warehouse, read,
        databases=("finance_mart",), approvers=(manager_or("security"),), grant_duration_minutes=120, **rule,
    )  # fmt: skip
    give(
        "Staging for builders", ("platform", "payments", "contractors"), staging, (*read, *write),
        grant_duration_minutes=480, justification_required=False, **rule,
    )  # fmt: skip
    give(
        "Customer records", ("support",), systems[DESK.name], read,
        approvers=(manager(),), approver_reason_required=True, pending_hours=8, **rule,
    )  # fmt: skip
    give(
        "Platform admin", ("platform",), systems[PLATFORM.name], ("ADMIN",),
        approvers=(manager(), one_of("security")), approval_mode="all_of", grant_duration_minutes=60, **rule,
    )  # fmt: skip


def write_emergency(*, actor: Actor, at: datetime) -> None:
    """Define a flow with much of what policy can say: a scope, owners, a second step, a field, break-glass."""
    query = (
        f'integration_name = "{PLATFORM.name}" and resource_tag["owner"] in ("platform", "security", "data")\n'
        'and permission_name = "Read and write"'
    )
    about = "What has an owner on the platform; follows the inventory."
    scope = flow_actions.define_scope(OWNED, query, description=about, actor=actor, at=at)
    owner: Group = {"operator": "or", "conditions": [{"type": "Owner", "operator": "is", "values": []}]}
    change = {"key": "change", "label": "Change number", "kind": "text", "required": True, "pattern": "CHG-[0-9]{1,6}"}
    define(
        EMERGENCY, ("platform",), {"kind": "access_scope", "access_scope": str(scope.pk)},
        approvers=({**owner, "tier": 0}, {**one_of("security"), "tier": 1}), escalation_minutes=30,
        break_glass=True, fields=[change], labels=["emergency"],
        description="Who owns it answers; after half an hour security may, too. At night the glass can be broken.",
        actor=actor, at=at,
    )  # fmt: skip


def write_standing(*, actor: Actor, at: datetime) -> None:
    """Define a flow that nobody asks: who is in security has it, and who leaves loses it."""
    platform = Integration.objects.get(name=PLATFORM.name)
    give(
        STANDING, ("security",), platform, ("READ_ONLY",), databases=("deploy_log",),
        trigger="automatic", indefinite=True, grant_duration_minutes=None, justification_required=False,
        description="Automatic: nobody asks. Who joins security has it, who leaves it loses it.", actor=actor, at=at,
    )  # fmt: skip


def write_real(integration: Integration, *, actor: Actor, at: datetime) -> None:
    """Define the flows over the real server; one of them is switched off."""
    rule: dict[str, Any] = {"actor": actor, "at": at}
    give(
        ON_CALL, ("payments-oncall",), integration, ("READ_ONLY",), databases=("orders", "ledger"),
        description="Whoever is on call looks at once, and is asked nothing but why.",
        max_extensions=2, extension_minutes=30, **rule,
    )  # fmt: skip
    give(
        LEDGER, ("payments",), integration, ("READ_ONLY", "READ_WRITE"), databases=("ledger",),
        approvers=(manager_or("payments-leads"),), grant_duration_minutes=240, pending_hours=24 * 14,
        description="Four eyes on whatever touches the books.", **rule,
    )  # fmt: skip
    give(
        ARCHIVE, ("payments",), integration, ("READ_ONLY",), databases=("ledger_archive",),
        approvers=(one_of("security"),), active=False, description="Switched off: nobody gets anything by it.", **rule,
    )  # fmt: skip


def write_bundle(integration: Integration, *, actor: Actor, at: datetime) -> None:
    """Put together what the month's end takes, and define the flow that gives it."""
    parts = [
        target(integration, ("READ_WRITE",), ("ledger",)),
        target(integration, ("READ_ONLY",), ("orders", "ledger_archive")),
    ]
    about = "All that closing a month takes, in one ask."
    kit = flow_actions.define_bundle(MONTH_END, parts, description=about, actor=actor, at=at)
    define(
        MONTH_END, ("payments",), {"kind": "bundle", "bundle": str(kit.pk)},
        approvers=(manager_or("payments-leads"),), grant_duration_minutes=180, pending_hours=24 * 14,
        actor=actor, at=at,
    )  # fmt: skip


def find(email: str) -> User:
    """Return one of the people."""
    return User.objects.get(email=email)
