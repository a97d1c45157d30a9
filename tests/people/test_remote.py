"""A directory read by a connector that runs elsewhere: every message as it comes off the wire."""

from __future__ import annotations

import time

import pytest

from connectors.contract import wire
from connectors.contract.wire import Message, ReportOf, Taken
from connectors.registry import BUILT_IN
from connectors.runners.execution import Asked, Held, Means, execute
from connectors.runners.rules import Rules
from integrations import actions
from integrations.choices import ConnectorKind
from integrations.models import Connector, Directory, Integration, SyncRun
from tests.cast import Cast
from tests.people.entra_site import SECRET, entra_site
from tests.people.okta_site import TOKEN, okta_site
from tests.people.world import NOON, Connected, connected, groups_of
from tests.remote.by_hand import ByHand, instance


def work_off(world: Connected, by: ByHand) -> None:
    """Do, one after the other, what the instance is told to do."""

    def ask(held: Held, text: str, what: Asked, until: float) -> Message | None:
        message = wire.read(text)
        assert message is not None
        return by.hear(message, world.now)[0]

    means = Means(by.key, time.monotonic, ask, BUILT_IN, Rules())
    # The lease counts from the last beat that the server heard, by the instance's own clock.
    by.beat(world.now, echo=time.monotonic())
    while (work := by.work(world.now)) is not None:
        assert "reader-token" not in wire.write(work) and "s3cret" not in wire.write(work)
        held = Held(work.order.order_id, work.order.epoch, work.order.verb, time.monotonic() + 60)
        report = execute(means, held, work)
        assert report.error is None, report.error
        (answer,) = by.hear(ReportOf(report), world.now)
        assert isinstance(answer, Taken) and not answer.refused


@pytest.mark.parametrize("vendor", ["okta", "entra"])
def test_people_come_through_a_remote_connector_as_they_do_here(fresh_database: None, cast: Cast, vendor: str) -> None:
    remote = Connector.objects.create(name="beside", kind=ConnectorKind.REMOTE)
    by = instance(remote, at=NOON)
    with okta_site() as okta, entra_site() as entra:
        if vendor == "okta":
            world = connected(cast, "okta-directory", {"address": okta.address}, {"token": TOKEN}, "There")
        else:
            config = {"tenant": "contoso.example", "client_id": "app-1"}
            config |= {"graph_address": entra.address, "login_address": entra.address}
            world = connected(cast, "entra-id-directory", config, {"client_secret": SECRET}, "There")
        Integration.objects.update(connector=remote)
        work_off(world, by)
        actions.sweep_people(at=lambda: world.now)
        assert SyncRun.objects.get().state == "succeeded"
        assert groups_of("cem") == {"Engineers", "Everyone"}
        assert Directory.objects.get().cursor
