"""A system that says itself what there is: a function of the customer's own, connected on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations import actions
from integrations.models import Integration, Permission, Resource
from tests.connectors.custom_functions import KEY, Web, over_http


@pytest.fixture(scope="module")
def reports() -> Iterator[Web]:
    """The sample function."""
    with over_http() as running:
        yield running


def form(reports: Web) -> dict[str, str]:
    """Return the form as a person fills it in."""
    return {
        "name": "Reports",
        "config_address": reports.config["address"],
        "config_resource_types": "resource",
        "config_custom_parameters": "{}",
        "secret_signing_key": KEY,
        "cleanup_days": "90",
        "_save": "Save",
    }


def test_types_and_permissions_come_with_the_first_sync(fresh_database: Any, desk: Client, reports: Web) -> None:
    connect = reverse("admin:integrations_integration_connect", args=["http-custom"])
    assert 'name="types"' not in desk.get(connect).content.decode()
    assert desk.post(connect, form(reports)).status_code == 302
    integration = Integration.objects.get()
    assert (integration.enabled_types, list(integration.resource_types.all())) == ([], [])
    page = reverse("admin:integrations_integration_change", args=[integration.pk])
    assert "what the system says it has" in desk.get(page).content.decode()
    assert actions.run_until_idle(seconds=20) >= 2
    assert set(Resource.objects.values_list("resource_type__name", "source_id")) == {
        ("Report", "sales"),
        ("Report", "payroll"),
    }
    assert set(Permission.objects.values_list("source_id", "risk_level")) == {("read", 3), ("publish", 6)}
    assert "Report" in desk.get(page).content.decode()
    edit = reverse("admin:integrations_integration_edit", args=[integration.pk])
    assert desk.post(edit, {**form(reports), "name": "Our reports", "secret_signing_key": ""}).status_code == 302
    assert Integration.objects.get().name == "Our reports"


def test_a_wrong_key_is_told_before_anything_is_saved(cast: Any, desk: Client, reports: Web) -> None:
    connect = reverse("admin:integrations_integration_connect", args=["http-custom"])
    wrong = {**form(reports), "secret_signing_key": "another key of more than 24 characters"}
    text = desk.post(connect, wrong).content.decode()
    assert "Not saved: the test failed" in text
    assert "The signature is wrong" in text
    assert not Integration.objects.exists()
