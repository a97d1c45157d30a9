"""The built-in secret store, and the opening of credentials that connectors sealed to us."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions import reencrypt_factors
from audit.actions import Subject, record
from audit.actor import Actor
from connectors.contract.orders import SecretReference as WireReference
from connectors.contract.secret import Secret
from connectors.stores import builtin
from connectors.toolkit import sealing
from integrations.choices import SecretStore
from integrations.models import Integration, SecretReference, StoredSecret

# The field that drafts are bound to; no manifest has one of this name, for a field's name is an identifier.
DRAFT = "a draft"


def _hex_part(key: str) -> str:
    """Return the key of "id:hex" or "hex"; the id is for people."""
    return key.rpartition(":")[2].strip()


def store_keys() -> tuple[builtin.Key, ...]:
    """Return the key ring of the built-in store, newest first. Raises ValueError when none is configured."""
    return builtin.key_ring(_hex_part(key) for key in settings.STORE_KEYS)


def sealing_key() -> str:
    """Return the public key (hex) that connectors seal credentials to. Raises ValueError when none is configured."""
    if not settings.SEALING_KEYS:
        raise ValueError("LATCHKEY_SEALING_KEYS is not set.")
    return sealing.public_key(_hex_part(settings.SEALING_KEYS[0]))


def set_secret(integration: Integration, field: str, value: str, *, actor: Actor, at: datetime | None = None) -> None:
    """Keep `value` as the integration's secret `field`, replacing what was there. Needs a transaction around it."""
    row, name = uuid.uuid4(), str(integration.pk)
    sealed = builtin.encrypt(store_keys(), value, str(row), field)
    old = SecretReference.objects.filter(integration=integration, field=field).first()
    StoredSecret.objects.create(
        id=row,
        field=field,
        key_id=sealed.key_id,
        nonce=sealed.nonce,
        ciphertext=sealed.ciphertext,
        updated_at=at or timezone.now(),
    )
    SecretReference.objects.update_or_create(
        integration=integration, field=field, defaults={"store": SecretStore.BUILTIN, "reference": str(row)}
    )
    if old is not None and old.store == SecretStore.BUILTIN:
        StoredSecret.objects.filter(pk=old.reference).delete()
    record(
        "integration.secret_set",
        actor=actor,
        subject=Subject("integration", name, integration.name),
        details={"field": field, "replaced": old is not None},
        at=at,
    )


def refer(
    integration: Integration, store: str, reference: str, fields: Iterable[str], *, actor: Actor, at: datetime
) -> None:
    """Let all secret fields come from one secret of another store; what the built-in one kept for them is deleted.

    Needs a transaction around it. The secret is a JSON object with the fields' names, or, for one field, the value.
    """
    old = SecretReference.objects.filter(integration=integration)
    names = list(fields)
    same = {"store": store, "reference": reference}
    if old.filter(**same, field__in=names).count() == len(names) == old.count():
        return
    StoredSecret.objects.filter(
        pk__in=list(old.filter(store=SecretStore.BUILTIN).values_list("reference", flat=True))
    ).delete()
    old.delete()
    SecretReference.objects.bulk_create(SecretReference(integration=integration, field=name, **same) for name in names)
    record(
        "integration.secret_referred",
        actor=actor,
        subject=Subject("integration", str(integration.pk), integration.name),
        details={"store": store, "reference": reference, "fields": names},
        at=at,
    )


def references(integration: Integration) -> dict[str, WireReference]:
    """Return the secrets that the connector reads from their stores by itself, by field."""
    others = SecretReference.objects.filter(integration=integration).exclude(store=SecretStore.BUILTIN)
    return {one.field: WireReference(one.store, one.reference, one.field) for one in others}


def resolve(integration: Integration) -> dict[str, Secret]:
    """Return the integration's secrets in the built-in store by field, for one order.

    Raises builtin.SecretUnreadable.
    """
    kept = list(SecretReference.objects.filter(integration=integration, store=SecretStore.BUILTIN))
    keys = store_keys() if kept else ()
    found: dict[str, Secret] = {}
    for reference in kept:
        row = StoredSecret.objects.get(pk=reference.reference)
        sealed = builtin.Encrypted(row.key_id, bytes(row.nonce), bytes(row.ciphertext))
        found[reference.field] = Secret(builtin.decrypt(keys, sealed, str(row.pk), row.field))
    return found


def keep_secret(value: str, field: str, *, at: datetime | None = None) -> uuid.UUID:
    """Keep a secret that belongs to no integration; return its row's id. Whoever keeps that writes the audit entry.

    Needs a transaction around it. Raises ValueError when no key is configured.
    """
    row = uuid.uuid4()
    sealed = builtin.encrypt(store_keys(), value, str(row), field)
    kept = {"key_id": sealed.key_id, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext}
    StoredSecret.objects.create(id=row, field=field, updated_at=at or timezone.now(), **kept)
    return row


def open_secrets(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Secret]:
    """Return kept secrets by id. Raises builtin.SecretUnreadable, also for one that is gone."""
    wanted = set(ids)
    keys = store_keys() if wanted else ()
    found = {
        row.pk: Secret(
            builtin.decrypt(
                keys, builtin.Encrypted(row.key_id, bytes(row.nonce), bytes(row.ciphertext)), str(row.pk), row.field
            )
        )
        for row in StoredSecret.objects.filter(pk__in=wanted)
    }
    if len(found) < len(wanted):
        raise builtin.SecretUnreadable("A stored secret is gone.")
    return found


def forget_secrets(ids: Iterable[uuid.UUID]) -> None:
    """Delete kept secrets that nothing names any more. Needs a transaction around it."""
    StoredSecret.objects.filter(pk__in=list(ids)).delete()


def keep_draft(values: Mapping[str, str]) -> dict[str, str]:
    """Return secrets as ciphertext, to be kept until a form is saved. Raises ValueError when no key is configured."""
    row = str(uuid.uuid4())
    sealed = builtin.encrypt(store_keys(), json.dumps(dict(values)), row, DRAFT)
    nonce, ciphertext = sealed.nonce.hex(), sealed.ciphertext.hex()
    return {"row": row, "key_id": sealed.key_id, "nonce": nonce, "ciphertext": ciphertext}


def open_draft(draft: Mapping[str, str]) -> dict[str, str]:
    """Return what `keep_draft` was given; nothing when no key opens it or it is none."""
    try:
        sealed = builtin.Encrypted(draft["key_id"], bytes.fromhex(draft["nonce"]), bytes.fromhex(draft["ciphertext"]))
        opened = json.loads(builtin.decrypt(store_keys(), sealed, draft["row"], DRAFT))
    except (KeyError, TypeError, ValueError, builtin.SecretUnreadable):
        return {}
    return {str(name): str(value) for name, value in opened.items()}


def open_credentials(sealed: str, grant_id: str) -> dict[str, str]:
    """Open credentials that a connector sealed for a grant. Raises ValueError when no key of ours opens them."""
    for key in settings.SEALING_KEYS:
        try:
            opened = sealing.open_sealed(_hex_part(key), sealed, grant_id.encode())
        except ValueError:
            continue
        return {str(name): str(value) for name, value in json.loads(opened).items()}
    raise ValueError("No sealing key opens these credentials.")


def reencrypt(*, actor: Actor) -> int:
    """Encrypt again, with the newest key, what lies under an older one; return how many rows. Idempotent."""
    keys, moved = store_keys(), reencrypt_factors()
    for row in StoredSecret.objects.exclude(key_id=keys[0].id).iterator():
        with transaction.atomic():
            old = builtin.Encrypted(row.key_id, bytes(row.nonce), bytes(row.ciphertext))
            new = builtin.encrypt(keys, builtin.decrypt(keys, old, str(row.pk), row.field), str(row.pk), row.field)
            moved += StoredSecret.objects.filter(pk=row.pk, key_id=row.key_id).update(
                key_id=new.key_id, nonce=new.nonce, ciphertext=new.ciphertext, updated_at=timezone.now()
            )
    if moved:
        with transaction.atomic():
            record(
                "store.reencrypted",
                actor=actor,
                subject=Subject("store", "builtin", "Built-in store"),
                details={"rows": moved},
            )
    return moved
