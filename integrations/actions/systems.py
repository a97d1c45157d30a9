"""Integrations themselves: connected, edited, checked, synced, switched off, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actions import require
from accounts.events import publish
from accounts.models import Group, User
from audit.actions import Subject, record
from audit.actor import Actor
from connectors.contract.errors import Misconfigured
from connectors.contract.manifest import Manifest
from connectors.contract.orders import Order as WireOrder
from connectors.contract.orders import Report, Verb
from connectors.registry import BUILT_IN
from connectors.runners import local
from integrations.actions import trials
from integrations.actions.configuring import BadConfig, Kept, clean_config, known_secrets, missing_secrets, referred
from integrations.actions.orders import order_for_system
from integrations.actions.people.settings import begin_directory, sync_verb
from integrations.actions.running import embedded_connector, owners_rules
from integrations.actions.secrets import refer, set_secret
from integrations.choices import OPEN_ORDERS, SYNCS, UNDECIDED, ConnectorKind, IntegrationStatus, OrderVerb
from integrations.models import (
    Change,
    Connector,
    Integration,
    IntegrationOwner,
    Order,
    Permission,
    ResourceType,
)
from integrations.queries import owner_name

TRY_SECONDS = 20.0


def try_connection(
    type_: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    saved: Integration | None = None,
    kept: Kept | None = None,
    connector: Connector | None = None,
    actor: Actor,
) -> Report:
    """Check a configuration that is not saved, where it is to run, leaving no row. Raises BadConfig.

    With `saved`, secrets left empty are the ones kept for it; with `kept`, all of them are in another store.
    `connector` is the one it is to run through: by default that of `saved`, else the embedded one. One that runs
    elsewhere is waited for, half a minute at most; call it outside any transaction.
    """
    require(actor, "integrations.change_integration" if saved else "integrations.add_integration")
    manifest = BUILT_IN.manifest(type_)
    clean = clean_config(manifest, config)
    known = known_secrets(manifest, secrets, saved, kept)
    order = WireOrder(
        order_id=str(uuid.uuid4()),
        epoch=1,
        verb=Verb.CHECK,
        provider=type_,
        integration_id=str(saved.pk if saved else uuid.uuid4()),
        config=clean,
        secrets=known,
        references=referred(manifest, kept),
        lease_seconds=TRY_SECONDS,
    )
    runs_through = connector or (saved.connector if saved else None)
    if runs_through is not None and runs_through.kind == ConnectorKind.REMOTE:
        return trials.ask(runs_through, order)
    return local.run(order, on_page=lambda page: None, rules=owners_rules())


def connect(
    name: str,
    type_: str,
    *,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    actor: Actor,
    kept: Kept | None = None,
    connector: Connector | None = None,
    settings: Mapping[str, Any] | None = None,
    owners: Iterable[User | Group] = (),
    although: str = "",
    at: datetime | None = None,
) -> Integration:
    """Connect a system: keep its configuration and secrets, then order a check and a first sync.

    `settings` are further columns of Integration (enabled_types, custom_access_details, rotation_days, cleanup_days,
    reconcile_hours, owner_tag_key, owner_tag_type).
    `although` says what a test before had found wrong, when it is connected all the same: the trail keeps it. With
    `kept`, all secrets are one secret in another store. Raises BadConfig, and Misconfigured for an unknown type.
    """
    require(actor, "integrations.add_integration")
    moment, manifest = at or timezone.now(), BUILT_IN.manifest(type_)
    clean, missing = clean_config(manifest, config), missing_secrets(manifest, secrets) if kept is None else {}
    if missing:
        raise BadConfig(missing)
    with transaction.atomic():
        integration = Integration.objects.create(
            name=name,
            type=type_,
            connector=connector or embedded_connector(),
            config=clean,
            created_at=moment,
            sync_due_at=moment,
            **(settings or {}),
        )
        _keep_secrets(integration, manifest, secrets, kept, actor, moment)
        _keep_owners(integration, owners)
        _declare_types(integration, manifest)
        details = _shown(integration) | _although(although)
        record("integration.connected", actor=actor, subject=_subject(integration), details=details, at=moment)
        begin_directory(integration, manifest, at=moment)
        order_for_system(integration, OrderVerb.CHECK, at=moment)
        order_for_system(integration, sync_verb(integration), at=moment)
    return integration


def _declare_types(integration: Integration, manifest: Manifest) -> None:
    """Write the resource types of the manifest, so that policy can be written before the first sync ends."""
    for kind in manifest.resource_types:
        if kind.optional and kind.id not in integration.enabled_types:
            continue
        row, _ = ResourceType.objects.get_or_create(integration=integration, type=kind.id, defaults={"name": kind.name})
        for permission in kind.permissions:
            Permission.objects.get_or_create(
                resource_type=row,
                source_id=permission.id,
                defaults={"name": permission.name, "risk_level": permission.risk_level},
            )


def _keep_secrets(  # noqa: PLR0917  # two callers, just above and below
    integration: Integration,
    manifest: Manifest,
    secrets: Mapping[str, str],
    kept: Kept | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Keep what was given, in the built-in store or as a reference to another."""
    if kept is not None:
        fields = [field.name for field in manifest.secret_fields()]
        refer(integration, kept.store, kept.reference, fields, actor=actor, at=at)
        return
    for field in manifest.secret_fields():
        if secrets.get(field.name):
            set_secret(integration, field.name, secrets[field.name], actor=actor, at=at)


def _keep_owners(integration: Integration, owners: Iterable[User | Group]) -> None:
    """Make `owners` the owners, in this order."""
    IntegrationOwner.objects.filter(integration=integration).delete()
    IntegrationOwner.objects.bulk_create(
        IntegrationOwner(integration=integration, user=one)
        if isinstance(one, User)
        else IntegrationOwner(integration=integration, group=one)
        for one in dict.fromkeys(owners)
    )


def _refuse_while_deleting(integration: Integration) -> None:
    """Raise Misconfigured for an integration that is on its way out."""
    if integration.deleting_since is not None:
        raise Misconfigured("This integration is being deleted.", fix="Connect the system anew.")


def edit(
    integration: Integration,
    *,
    actor: Actor,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    kept: Kept | None = None,
    settings: Mapping[str, Any] | None = None,
    owners: Iterable[User | Group] | None = None,
    although: str = "",
    at: datetime | None = None,
) -> Integration:
    """Change an integration; secrets left empty stay. Orders a check and a sync. Raises BadConfig.

    `settings`, `although` and `kept` are as in `connect`; the connector is one of the settings. `owners` replace those
    there are.
    """
    require(actor, "integrations.change_integration")
    moment, manifest = at or timezone.now(), BUILT_IN.manifest(integration.type)
    with transaction.atomic():
        row = Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
        _refuse_while_deleting(row)
        before = _shown(row)
        row.name = name or row.name
        if config is not None:
            row.config = clean_config(manifest, config)
        for column, value in (settings or {}).items():
            setattr(row, column, value)
        row.save()
        _keep_secrets(row, manifest, secrets or {}, kept, actor, moment)
        if owners is not None:
            _keep_owners(row, owners)
        _declare_types(row, manifest)
        if row.name != before["name"]:
            # Queries choose by it.
            publish(Change, "inventory.changed", str(row.pk))
        details = {"before": before, "after": _shown(row)} | _although(although)
        record("integration.edited", actor=actor, subject=_subject(row), details=details, at=moment)
        if row.status != IntegrationStatus.DISABLED:
            order_for_system(row, OrderVerb.CHECK, at=moment)
            order_for_system(row, sync_verb(row), at=moment)
    return row


def check(integration: Integration, *, actor: Actor, at: datetime | None = None) -> Order:
    """Order a check now."""
    return _order_by(integration, OrderVerb.CHECK, "integration.check_ordered", actor, at)


def sync(integration: Integration, *, actor: Actor, at: datetime | None = None) -> Order:
    """Order a sync now."""
    return _order_by(integration, sync_verb(integration), "integration.sync_ordered", actor, at)


def _order_by(integration: Integration, verb: str, action: str, actor: Actor, at: datetime | None) -> Order:
    require(actor, "integrations.sync_integration")
    if integration.status == IntegrationStatus.DISABLED:
        raise Misconfigured("This integration is disabled.", fix="Enable it first.")
    moment = at or timezone.now()
    with transaction.atomic():
        order = order_for_system(integration, verb, at=moment)
        record(action, actor=actor, subject=_subject(integration), details={"order": str(order.pk)}, at=moment)
    return order


def sync_due(*, at: datetime | None = None, limit: int = 50) -> int:
    """Order syncs that the timetable owes; return how many."""
    moment = at or timezone.now()
    due = Integration.objects.filter(sync_due_at__lte=moment).exclude(status=IntegrationStatus.DISABLED)
    # What a directory told is taken over, or refused, before it is asked again.
    due = due.exclude(sync_runs__state__in=UNDECIDED)
    rows = list(due.exclude(orders__verb__in=SYNCS, orders__state__in=OPEN_ORDERS)[:limit])
    for integration in rows:
        order_for_system(integration, OrderVerb.CHECK, at=moment)
        order_for_system(integration, sync_verb(integration), at=moment)
    return len(rows)


def disable(integration: Integration, *, actor: Actor, at: datetime | None = None) -> None:
    """Stop checks, syncs and new access. Access that exists still ends as it should."""
    _set_status(integration, IntegrationStatus.DISABLED, "integration.disabled", actor, at)


def enable(integration: Integration, *, actor: Actor, at: datetime | None = None) -> None:
    """Take an integration back into use; the next check says how it is."""
    _set_status(integration, IntegrationStatus.INITIALIZING, "integration.enabled", actor, at)
    check(integration, actor=actor, at=at)


def _set_status(
    integration: Integration, status: IntegrationStatus, action: str, actor: Actor, at: datetime | None
) -> None:
    require(actor, "integrations.change_integration")
    _refuse_while_deleting(integration)
    with transaction.atomic():
        integration.status, integration.status_reason = status, ""
        integration.save(update_fields=["status", "status_reason"])
        record(action, actor=actor, subject=_subject(integration), at=at)


def _subject(integration: Integration) -> Subject:
    return Subject("integration", str(integration.pk), integration.name)


def _although(error: str) -> dict[str, Any]:
    return {"although_test_failed": error} if error else {}


def _shown(integration: Integration) -> dict[str, Any]:
    """Return what the audit shows of an integration: plain fields only."""
    return {
        "name": integration.name,
        "type": integration.type,
        "connector": integration.connector.name,
        "config": integration.config,
        "enabled_types": integration.enabled_types,
        "custom_access_details": integration.custom_access_details,
        "rotation_days": integration.rotation_days,
        "cleanup_days": integration.cleanup_days,
        "reconcile_hours": integration.reconcile_hours,
        "owners": [owner_name(one) for one in integration.owners.select_related("user", "group")],
        "owner_tag": [integration.owner_tag_key, integration.owner_tag_type] if integration.owner_tag_key else [],
    }
