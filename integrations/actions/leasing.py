"""Leasing: who gets which order next. Fair across integrations, so that a crowd of one never starves another.

The next order is of the integration with the fewest leases now; among equals of the one that was leased to the longest
ago; within it ends come before everything else, and what is due longest comes first. An integration never has more than
so many leases of one runner, so that a target that hangs does not take all of its slots.

The statements are written out: every order passes here, and building them anew took longer than running them.
"""

# ruff: noqa: S608

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from integrations.actions.orders import lease_seconds
from integrations.choices import SYNCS, ConnectorKind, IntegrationStatus, OrderVerb, Transport
from integrations.models import ConnectorInstance, Integration, Order

_SYNCS = "(" + ", ".join(f"'{verb}'" for verb in SYNCS) + ")"
_OF_SYSTEM = "(" + ", ".join(f"'{verb}'" for verb in (OrderVerb.CHECK, *SYNCS)) + ")"
# Due and queued, and no earlier lease on the same thing held: the same person's, or, of the system, the same verb's.
# The index integrations_order_turn answers it in this order.
_DUE = f"""
    wanted.integration_id = i.id AND wanted.state = 'queued' AND wanted.next_try_at <= %(at)s
    AND (i.status <> '{IntegrationStatus.DISABLED}' OR wanted.verb NOT IN {_OF_SYSTEM})
    AND NOT EXISTS (
        SELECT 1 FROM integrations_order AS earlier
        WHERE earlier.integration_id = wanted.integration_id AND earlier.lease_until > %(at)s
            AND earlier.id <> wanted.id AND earlier.person_id = wanted.person_id)
    AND NOT EXISTS (
        SELECT 1 FROM integrations_order AS earlier
        WHERE wanted.person_id IS NULL AND earlier.integration_id = wanted.integration_id
            AND earlier.person_id IS NULL AND earlier.lease_until > %(at)s
            AND earlier.id <> wanted.id AND earlier.verb = wanted.verb)
"""
# Leases that count against an integration's share: in this process's connector those of every process, for they share
# one machine's slots; of a remote one its own.
_HELD = """
    (SELECT count(*) FROM integrations_order AS held
     WHERE held.integration_id = i.id AND held.lease_until > %(at)s
        AND (%(shared)s OR held.leased_by_id = %(instance)s))
"""
_TURNS = f"""
    SELECT i.id, i.type, {_HELD} AS leases, (
        SELECT max(o.leased_at) FROM integrations_order AS o
        WHERE o.integration_id = i.id AND o.leased_at IS NOT NULL) AS latest
    FROM integrations_integration AS i JOIN integrations_connector AS c ON c.id = i.connector_id
    WHERE c.id = %(connector)s AND c.kind = %(kind)s
        AND EXISTS (SELECT 1 FROM integrations_order AS wanted WHERE {_DUE})
    ORDER BY leases, latest NULLS FIRST, i.id
"""
_TAKE = f"""
    UPDATE integrations_order
    SET state = 'leased', epoch = epoch + 1, attempts = attempts + 1, leased_by_id = %(instance)s,
        leased_at = %(at)s, lease_until = CASE WHEN verb IN {_SYNCS} THEN %(sync_until)s ELSE %(until)s END
    WHERE state = 'queued' AND id = (
        SELECT wanted.id FROM integrations_order AS wanted, integrations_integration AS i
        WHERE i.id = %(integration)s AND {_HELD} < %(share)s AND {_DUE}
        ORDER BY wanted.ends DESC, wanted.next_try_at, wanted.created_at LIMIT 1 {{lock}})
    RETURNING id
"""


def lease(instance: ConnectorInstance, *, without: Collection[str] = (), at: datetime | None = None) -> Order | None:
    """Lease the next due order of the instance's connector to it, with a new epoch; None when nothing is due.

    Orders for the providers in `without` are left to others. The row carries the lease until the final report or its
    end, also when the order is superseded meanwhile.
    """
    values = _values(instance, at or timezone.now())
    # Most looks find nothing: they take no lock, which on SQLite all writers share.
    for integration in _turns(values, without):
        order = _lease_in(integration, values)
        if order is not None:
            return order
    return None


def _values(instance: ConnectorInstance, at: datetime) -> dict[str, Any]:
    """Return the values of the statements, as the database takes them."""
    moment = connection.ops.adapt_datetimefield_value
    # What runs beside its target never runs in this process, nor the other way round.
    here = instance.transport == Transport.IN_PROCESS
    return {
        "at": moment(at),
        "until": moment(at + timedelta(seconds=lease_seconds(OrderVerb.APPLY))),
        "sync_until": moment(at + timedelta(seconds=lease_seconds(OrderVerb.DISCOVER))),
        "instance": _id(instance.pk),
        "connector": _id(instance.connector_id),
        "kind": str(ConnectorKind.IN_PROCESS if here else ConnectorKind.REMOTE),
        "shared": here,
        "share": settings.LEASES_PER_INTEGRATION,
    }


def _id(value: uuid.UUID) -> Any:
    return Order._meta.pk.get_db_prep_value(value, connection)


def _turns(values: dict[str, Any], without: Collection[str]) -> list[uuid.UUID]:
    """Return the integrations with an order to lease, whose turn it is first. One query, an index probe for each."""
    with connection.cursor() as cursor:
        cursor.execute(_TURNS, values)
        return [key for key, kind, held, _ in cursor.fetchall() if held < values["share"] and kind not in without]


def _lease_in(integration: uuid.UUID, values: dict[str, Any]) -> Order | None:
    """Lease the first order of an integration; None when others were quicker, or have taken its share."""
    ours = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        # Leases of one integration are given one after the other, or eight at once would each see a share left.
        # On SQLite all writers are one after the other anyway.
        if ours:
            Integration.objects.select_for_update(no_key=True).filter(pk=integration).order_by().values_list("pk").get()
        with connection.cursor() as cursor:
            lock = "FOR UPDATE OF wanted SKIP LOCKED" if ours else ""
            cursor.execute(_TAKE.format(lock=lock), values | {"integration": integration})
            taken = cursor.fetchone()
        return Order.objects.select_related("integration").get(pk=taken[0]) if taken else None
