"""An integration's page and buttons, the inventory, connectors and orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from connectors.contract.orders import ResourceFact
from connectors.registry import BUILT_IN
from flows import actions as flow_actions
from integrations import actions
from integrations.models import Integration, Order, Resource, StoredSecret
from tests.desk.conftest import signed_in
from tests.story import Story


def page_of(integration: Integration) -> str:
    """Return the address of an integration's page."""
    return reverse("admin:integrations_integration_change", args=[integration.pk])


def press(desk: Client, integration: Integration, button: str) -> Any:
    """Press a button of the page and return where that leads."""
    return desk.post(reverse("admin:integrations_integration_press", args=[integration.pk, button]), follow=True)


def test_the_page_says_how_the_integration_is_and_what_was_found(story: Story, desk: Client) -> None:
    page = desk.get(page_of(story.integration)).content.decode()
    run = story.integration.sync_runs.get()
    assert "Active" in page
    assert "kept, never shown" in page
    assert "the-connectors-own-password" not in page
    assert f">{run.found}</td>" in page
    assert f"All {run.found} of the last sync" in page
    assert "Read only" in page
    assert reverse("admin:integrations_order_change", args=[story.integration.orders.first().pk]) in page


def test_the_page_of_a_provider_shows_its_set_up_files_and_functions(desk: Client) -> None:
    page = desk.get(reverse("admin:integrations_integration_connect", args=["postgresql"])).content.decode()
    for name in BUILT_IN.setup_files("postgresql"):
        assert name in page
    for function in BUILT_IN.functions("postgresql"):
        assert function.digest in page


def test_the_page_shows_an_error_with_what_to_do(story: Story, desk: Client) -> None:
    story.target.down = Unreachable("sim does not answer.", fix="Start it.")
    press(desk, story.integration, "check")
    actions.run_until_idle(seconds=5)
    for address in (page_of(story.integration), reverse("admin:integrations_integration_changelist")):
        page = desk.get(address).content.decode()
        assert "sim does not answer. Start it." in page
        assert 'data-tone="bad"' in page


def test_a_sync_under_way_shows_how_far_it_is(story: Story, desk: Client) -> None:
    page = press(desk, story.integration, "sync").content.decode()
    assert "Sync under way" in page
    story.integration.sync_runs.filter(finished_at=None).update(found=4321)
    assert "4321 found" in desk.get(page_of(story.integration)).content.decode()
    assert AuditEntry.objects.filter(action="integration.sync_ordered", actor_name="Ada").exists()


def test_disabling_and_enabling(story: Story, desk: Client) -> None:
    page = press(desk, story.integration, "disable").content.decode()
    assert "Disabled: no checks" in page
    assert press(desk, story.integration, "sync").content.decode().count("Enable it first.") == 1
    press(desk, story.integration, "enable")
    story.integration.refresh_from_db()
    assert story.integration.status == "initializing"
    assert Order.objects.filter(verb="check", state="queued").exists()


def test_buttons_take_no_get_and_unknown_ones_are_not_found(story: Story, desk: Client) -> None:
    address = reverse("admin:integrations_integration_press", args=[story.integration.pk, "check"])
    assert desk.get(address).status_code == 405
    assert press(desk, story.integration, "explode").status_code == 404


def test_deleting_is_refused_while_a_flow_or_a_request_depends_on_it_and_names_them(story: Story, desk: Client) -> None:
    request = story.ask("orders_prod")
    address = reverse("admin:integrations_integration_delete", args=[story.integration.pk])
    for page in (desk.get(address), desk.post(address)):
        text = page.content.decode()
        assert "Access flow Databases" in text
        assert f"Access request AR-{request.pk}" in text
        assert reverse("admin:requests_accessrequest_change", args=[request.pk]) in text
        assert reverse("admin:flows_accessflow_change", args=[request.flow_version.flow_id]) in text
    assert page.status_code == 409
    assert Integration.objects.filter(pk=story.integration.pk).exists()


def test_deleting_what_nothing_needs_takes_its_inventory_and_secrets_with_it(story: Story, desk: Client) -> None:
    from flows.models import AccessFlow

    flow_actions.delete(AccessFlow.objects.get(), actor=story.by(story.cast.admin))
    address = reverse("admin:integrations_integration_delete", args=[story.integration.pk])
    assert "Deleting Simulated server" in desk.get(address).content.decode()
    assert desk.post(address).status_code == 302
    assert not Integration.objects.exists()
    assert not Resource.objects.exists()
    assert not StoredSecret.objects.exists()


def test_a_name_cannot_become_markup(story: Story, desk: Client) -> None:
    canary = "<img src=x onerror=alert(1)>"
    Integration.objects.update(name=canary, status_reason=canary, custom_access_details=canary)
    story.target.databases = [ResourceFact("database", canary, canary, canary, {canary: canary}, {canary: canary})]
    actions.sync(story.integration, actor=story.by(story.cast.admin))
    actions.run_until_idle(seconds=5)
    resource = Resource.objects.get(name=canary)
    Resource.objects.filter(pk=resource.pk).update(refusals={"ADMIN": canary})
    addresses = [
        page_of(story.integration),
        reverse("admin:integrations_integration_changelist"),
        reverse("admin:integrations_integration_edit", args=[story.integration.pk]),
        reverse("admin:integrations_integration_delete", args=[story.integration.pk]),
        reverse("admin:integrations_resource_changelist"),
        reverse("admin:integrations_resource_change", args=[resource.pk]),
        reverse("admin:integrations_order_changelist"),
    ]
    for address in addresses:
        text = desk.get(address).content.decode()
        assert canary not in text, address
        assert "&lt;img src=x onerror=alert(1)&gt;" in text, address


def test_a_resource_shows_tags_and_why_a_permission_cannot_be_had(story: Story, desk: Client) -> None:
    resource = Resource.objects.get(name="orders_prod")
    Resource.objects.filter(pk=resource.pk).update(refusals={"ADMIN": "Nobody prepared it."})
    page = desk.get(reverse("admin:integrations_resource_change", args=[resource.pk])).content.decode()
    assert ">env=prod</a>" in page
    assert "Nobody prepared it." in page
    assert "Low 2" in page
    assert 'name="_save"' not in page


def test_an_order_says_its_error_in_words_and_shows_no_credentials(story: Story, desk: Client) -> None:
    request = story.ask("orders_prod")
    story.approve(request)
    from access_requests import actions as requests

    requests.sweep(at=story.now)
    story.target.faults = [Unreachable("sim does not answer.", fix="Start it.")]
    actions.run_until_idle(seconds=5, at=lambda: story.now)
    order = Order.objects.get(person=story.cast.requester)
    for address in (
        reverse("admin:integrations_order_changelist"),
        reverse("admin:integrations_order_change", args=[order.pk]),
    ):
        assert "sim does not answer. Start it." in desk.get(address).content.decode()
    actions.run_until_idle(seconds=5, at=lambda: story.now + timedelta(minutes=5))
    order.refresh_from_db()
    Order.objects.filter(pk=order.pk).update(
        result={**order.result, "grants": [{"grant_id": "g", "sealed_credentials": "c0ffee"}]}
    )
    text = desk.get(reverse("admin:integrations_order_change", args=[order.pk])).content.decode()
    assert "grant_id" in text
    assert "c0ffee" not in text
    assert "sealed_credentials" not in text


def waiting(story: Story) -> Order:
    """Return an order that waits an hour for its next try."""
    later = timezone.now() + timedelta(hours=1)
    return Order.objects.create(
        integration=story.integration, person=story.cast.requester, verb="apply", next_try_at=later
    )


def test_hurrying_makes_waiting_orders_due_and_is_on_record(story: Story, desk: Client) -> None:
    order = waiting(story)
    done = Order.objects.filter(state="done").first()
    listed = reverse("admin:integrations_order_changelist")
    page = desk.post(listed, {"action": "hurry", "_selected_action": [order.pk, done.pk]}, follow=True)
    order.refresh_from_db()
    assert order.next_try_at <= timezone.now()
    assert "1 order is due now." in page.content.decode()
    assert "1 of the chosen did not wait" in page.content.decode()
    entry = AuditEntry.objects.get(action="order.hurried")
    assert (entry.actor_name, entry.details["order"]) == ("Ada", str(order.pk))


def test_hurrying_needs_its_permission(story: Story) -> None:
    from accounts.actions import NotAllowed
    from accounts.choices import Role
    from tests.cast import person

    viewer, order = person("Vera", Role.VIEWER), waiting(story)
    listed = reverse("admin:integrations_order_changelist")
    assert 'value="hurry"' not in signed_in(viewer).get(listed).content.decode()
    signed_in(viewer).post(listed, {"action": "hurry", "_selected_action": [order.pk]})
    with pytest.raises(NotAllowed):
        actions.hurry_order(order, actor=story.by(viewer))
    assert Order.objects.get(pk=order.pk).next_try_at == order.next_try_at
    assert not AuditEntry.objects.filter(action="order.hurried").exists()


def test_what_does_not_wait_is_not_hurried(story: Story) -> None:
    admin, order = story.by(story.cast.admin), waiting(story)
    Order.objects.filter(pk=order.pk).update(state="leased", lease_until=timezone.now())
    assert not actions.hurry_order(order, actor=admin)
    Order.objects.filter(pk=order.pk).update(state="queued", next_try_at=timezone.now() - timedelta(seconds=1))
    assert not actions.hurry_order(order, actor=admin)


def test_orders_are_found_by_a_part_of_the_persons_address(story: Story, desk: Client) -> None:
    order = waiting(story)
    listed = reverse("admin:integrations_order_changelist")
    address = reverse("admin:integrations_order_change", args=[order.pk])
    assert address in desk.get(f"{listed}?person=rita&verb__exact=apply").content.decode()
    page = desk.get(f"{listed}?person=nobody&verb__exact=apply").content.decode()
    assert address not in page
    assert '<input type="hidden" name="verb__exact" value="apply">' in page


def test_connectors_show_what_they_do(story: Story, desk: Client) -> None:
    order = waiting(story)
    instance = story.integration.connector.instances.get()
    Order.objects.filter(pk=order.pk).update(state="leased", leased_by=instance, lease_until=timezone.now())
    page = desk.get(reverse("admin:integrations_connector_changelist")).content.decode()
    assert "1 instance<" in page
    assert instance.version in page
    listed = desk.get(reverse("admin:integrations_connectorinstance_changelist")).content.decode()
    assert '<td class="field-running">1</td>' in listed
    for row in (instance, story.integration.connector):
        address = reverse(f"admin:integrations_{row._meta.model_name}_change", args=[row.pk])
        assert 'name="_save"' not in desk.get(address).content.decode()
