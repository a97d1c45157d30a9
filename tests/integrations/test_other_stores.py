"""Secrets that lie in another store than the built-in one: the server knows where, and never what."""

from __future__ import annotations

from typing import Any

import pytest

from audit.actor import system
from audit.models import AuditEntry
from connectors.contract.orders import SecretReference as WireReference
from connectors.registry import BUILT_IN
from connectors.stores import STORES
from integrations import actions
from integrations.actions import BadConfig, Kept
from integrations.actions.secrets import references, resolve
from integrations.choices import REFERENCE_FORMS, SecretStore
from integrations.models import Integration, Order, SecretReference, StoredSecret
from tests.cast import Cast
from tests.simulated import TARGETS
from tests.story import simulated_provider

KEPT = Kept("environment", "SHOP")


def connect(**change: Any) -> Integration:
    """Connect the simulated server."""
    given = {"config": {"hostname": "x"}, "secrets": {}, "kept": KEPT, "actor": system()} | change
    with simulated_provider():
        return actions.connect("Server", "simulated", **given)


def test_the_form_offers_the_stores_that_connectors_know() -> None:
    assert {*STORES, SecretStore.BUILTIN} == set(SecretStore.values)
    assert set(REFERENCE_FORMS) == set(SecretStore) - {SecretStore.BUILTIN}


def test_only_the_reference_is_kept(db: None, cast: Cast) -> None:
    integration = connect(secrets={"password": "typed but not wanted"})
    assert references(integration) == {"password": WireReference("environment", "SHOP", "password")}
    assert resolve(integration) == {}
    assert StoredSecret.objects.count() == 0
    entry = AuditEntry.objects.get(action="integration.secret_referred")
    assert entry.details == {"store": "environment", "reference": "SHOP", "fields": ["password"]}


def test_no_secret_is_needed_where_one_is_referred_to_and_one_is_needed_where_none_is(db: None, cast: Cast) -> None:
    with pytest.raises(BadConfig):
        connect(kept=None)
    assert connect().secrets.get().store == "environment"


def test_moving_to_another_store_deletes_what_was_kept_here(db: None, cast: Cast) -> None:
    integration = connect(kept=None, secrets={"password": "canary"})
    assert StoredSecret.objects.count() == 1
    with simulated_provider():
        actions.edit(integration, kept=KEPT, actor=system())
    assert StoredSecret.objects.count() == 0
    assert integration.secrets.get().store == "environment"
    with simulated_provider():
        actions.edit(integration, secrets={"password": "back here"}, actor=system())
    assert resolve(integration)["password"].reveal() == "back here"
    assert integration.secrets.get().store == "builtin"


def test_saying_the_same_again_is_not_on_record_again(db: None, cast: Cast) -> None:
    integration = connect()
    with simulated_provider():
        actions.edit(integration, kept=KEPT, actor=system())
    assert AuditEntry.objects.filter(action="integration.secret_referred").count() == 1
    assert SecretReference.objects.count() == 1


def test_an_order_carries_the_reference_and_the_provider_gets_the_secret(
    db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", "canary")
    seen = []

    def check(order: Any, run: Any) -> tuple[()]:
        seen.append(order.secrets["password"].reveal())
        return ()

    integration = connect()
    with simulated_provider():
        monkeypatch.setattr(BUILT_IN.provider("simulated"), "check", check, raising=True)
        TARGETS[str(integration.pk)]  # a target that answers
        actions.run_until_idle(seconds=5)
    assert seen == ["canary"]
    assert "canary" not in repr(list(Order.objects.values()))


def test_a_secret_that_cannot_be_read_is_the_integrations_error(db: None, cast: Cast) -> None:
    integration = connect(kept=Kept("environment", "NOT_THERE"))
    with simulated_provider():
        actions.run_until_idle(seconds=5)
    integration.refresh_from_db()
    assert integration.status == "error"
    assert "Secret NOT_THERE is unreachable in the store 'environment'" in integration.status_reason


def test_a_test_before_saving_reads_the_store_too(db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated_provider():
        seen = []

        def check(order: Any, run: Any) -> tuple[()]:
            seen.append(order.secrets["password"].reveal())
            return ()

        monkeypatch.setattr(BUILT_IN.provider("simulated"), "check", check, raising=True)
        monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", "canary")
        report = actions.try_connection("simulated", {"hostname": "x"}, {}, kept=KEPT, actor=system())
    assert report.error is None
    assert seen == ["canary"]
