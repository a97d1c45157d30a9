"""The built-in store: ciphertext bound to its row and field, and keys that rotate."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from audit.actor import system
from connectors.stores.builtin import SecretUnreadable
from integrations import actions
from integrations.actions.secrets import resolve
from integrations.models import Integration, SecretReference, StoredSecret
from tests.cast import Cast
from tests.story import simulated_provider

OLD, NEW = "old:" + "5a" * 32, "new:" + "c3" * 32


@pytest.fixture
def integration(db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Integration:
    """An integration whose secret lies under the old key."""
    monkeypatch.setattr(settings, "STORE_KEYS", [OLD])
    with simulated_provider():
        return actions.connect(
            "Server", "simulated", config={"hostname": "x"}, secrets={"password": "canary"}, actor=system()
        )


def test_a_secret_comes_back_and_does_not_lie_in_the_open(integration: Integration) -> None:
    assert resolve(integration)["password"].reveal() == "canary"
    assert "canary" not in repr(resolve(integration))
    row = StoredSecret.objects.get()
    assert b"canary" not in bytes(row.ciphertext)


def test_a_ciphertext_moved_to_another_row_or_field_does_not_open(integration: Integration) -> None:
    stolen = StoredSecret.objects.get()
    other = StoredSecret.objects.create(
        field=stolen.field, key_id=stolen.key_id, nonce=stolen.nonce, ciphertext=stolen.ciphertext
    )
    SecretReference.objects.update(reference=str(other.pk))
    with pytest.raises(SecretUnreadable):
        resolve(integration)
    SecretReference.objects.update(reference=str(stolen.pk))
    StoredSecret.objects.filter(pk=stolen.pk).update(field="another")
    with pytest.raises(SecretUnreadable):
        resolve(integration)


def test_a_new_secret_replaces_the_old_one_and_leaves_no_row(integration: Integration) -> None:
    with simulated_provider():
        actions.edit(integration, secrets={"password": "changed"}, actor=system())
    assert resolve(integration)["password"].reveal() == "changed"
    assert StoredSecret.objects.count() == 1


def test_keys_rotate_without_a_moment_in_which_nothing_opens(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STORE_KEYS", [NEW, OLD])
    assert resolve(integration)["password"].reveal() == "canary"
    call_command("secrets", "reencrypt")
    assert actions.reencrypt(actor=system()) == 0
    monkeypatch.setattr(settings, "STORE_KEYS", [NEW])
    assert resolve(integration)["password"].reveal() == "canary"


def test_a_key_that_is_missing_is_said_and_nothing_is_lost(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STORE_KEYS", [NEW])
    with pytest.raises(CommandError, match="Put the key it was encrypted with back"):
        call_command("secrets", "reencrypt")
    monkeypatch.setattr(settings, "STORE_KEYS", [NEW, OLD])
    assert resolve(integration)["password"].reveal() == "canary"
