"""What "Test connection" says of a real PostgreSQL server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Integration, Resource
from tests import targets

pytestmark = pytest.mark.target
PASSWORD = "connector-secret"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A private server with the connector's role and one prepared database."""
    version = next((one for one in targets.VERSIONS if not targets.missing(one)), None)
    if version is None:
        pytest.skip(targets.missing(targets.VERSIONS[0]))
    with targets.running(version) as running:
        running.make_connector(password=PASSWORD)
        running.run_sql("CREATE DATABASE orders")
        running.prepare("orders")
        yield running


def sent(server: Any, **change: Any) -> dict[str, Any]:
    """Return the form as a person fills it in."""
    return {
        "name": "Orders",
        "config_hostname": server.host,
        "config_port": str(server.port),
        "config_dbname": "postgres",
        "config_sslmode": "prefer",
        "config_username": "latchkey",
        "secret_password": PASSWORD,
        "types": ["database", "role"],
        "cleanup_days": "90",
        **change,
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "and the connector signs in as latchkey."),
        ({"secret_password": "not-the-password"}, "The test failed"),
        ({"config_port": "1"}, "The test failed"),
        ({"config_dbname": "nothing-of-the-kind"}, "nothing-of-the-kind"),
    ],
)
def test_the_server_answers_in_words(cast: Any, desk: Client, server: Any, change: dict[str, str], words: str) -> None:
    address = reverse("admin:integrations_integration_connect", args=["postgresql"])
    text = desk.post(address, {**sent(server, **change), "_test": "Test"}).content.decode()
    assert words in text
    assert ('class="finding" data-tone="bad"' in re.sub(r"\s+", " ", text)) == bool(change)
    assert PASSWORD not in text
    assert "not-the-password" not in text
    assert "Traceback" not in text
    assert not Integration.objects.exists()


def test_a_server_is_connected_checked_and_synced(cast: Any, desk: Client, server: Any) -> None:
    from integrations import actions

    address = reverse("admin:integrations_integration_connect", args=["postgresql"])
    page = desk.post(address, {**sent(server), "_save": "Save"})
    assert page.status_code == 302
    actions.run_until_idle(seconds=30)
    assert Resource.objects.filter(name="orders").exists()
    text = desk.get(page["Location"]).content.decode()
    assert "Succeeded" in text
    assert "kept, never shown" in text
