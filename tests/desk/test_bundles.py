"""Bundles in the admin site."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from audit.actor import system
from audit.models import AuditEntry
from flows import actions
from flows.document import compose_bundle
from flows.models import AccessFlow, Bundle
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.desk.flow_form import sent
from tests.story import Story, document, flow, put_into

ADD = "admin:flows_bundle_add"


def told(story: Story, **change: Any) -> dict[str, Any]:
    """Return the form of a bundle as a person fills it in."""
    whole = {
        "name": "Kit",
        "description": "For incidents",
        "targets": ["0"],
        "targets-0-kind": "integration",
        "targets-0-integration": str(story.integration.pk),
        "targets-0-resource_type": "database",
        "targets-0-permissions": ["READ_ONLY"],
        "targets-0-only": "orders_prod",
        "_save": "yes",
    } | change
    return {name: value for name, value in whole.items() if value is not None}


@pytest.fixture
def kit(story: Story) -> Bundle:
    """A bundle that the flow “With it” gives."""
    made = actions.define_bundle("Kit", document(story.integration)["targets"], actor=system())
    flow(story.integration, "With it", targets=[{"kind": "bundle", "bundle": str(made.pk)}])
    return made


def page_of(name: str, bundle: Bundle) -> str:
    return reverse(f"admin:flows_bundle_{name}", args=[bundle.pk])


def test_a_bundle_is_made_by_form(story: Story, desk: Client) -> None:
    page = desk.post(reverse(ADD), told(story), follow=True)
    made = Bundle.objects.get()
    assert "Kit is saved." in page.content.decode()
    (target,) = compose_bundle(made)["targets"]
    assert target["permissions"] == ["READ_ONLY"]
    assert target["selectors"][0]["values"] == ["orders_prod"]
    assert AuditEntry.objects.get(action="bundle.saved").actor_name == "Ada"
    assert "Selects 1 entitlement now" in desk.get(page_of("change", made)).content.decode()


def test_a_flow_gives_a_bundle_that_is_chosen_in_its_form(story: Story, desk: Client, kit: Bundle) -> None:
    put_into("Sales, EMEA")
    change = {"targets-0-kind": "bundle", "targets-0-bundle": str(kit.pk)}
    desk.post(reverse("admin:flows_accessflow_add"), sent(story, **change))
    current = AccessFlow.objects.get(name="Prod reads").current
    assert current is not None
    assert current.document["targets"] == [compose_bundle(kit)]


def save(desk: Client, kit: Bundle, sent: dict[str, Any]) -> Any:
    """Save a bundle by which somebody loses something: it is shown first."""
    shown = desk.post(page_of("change", kit), sent)
    assert (shown.status_code, shown.context["unsure"]) == (409, True)
    return desk.post(page_of("change", kit), sent | {"_sure": shown.context["effect"].digest}, follow=True)


def test_changing_a_bundle_changes_what_flows_give_and_says_so(story: Story, desk: Client, kit: Bundle) -> None:
    shown = desk.get(page_of("change", kit))
    assert "gives every access flow that gives this bundle a new version" in " ".join(shown.content.decode().split())
    version = shown.context["read_version"]
    page = save(desk, kit, told(story, version=version))
    assert "1 access flow gives it as it is now." in page.content.decode()
    given = AccessFlow.objects.get(name="With it")
    text = desk.get(reverse("admin:flows_accessflow_history", args=[given.pk])).content.decode()
    assert "In the bundle “Kit”: added READ_ONLY on any database of Simulated server whose name is" in text


def test_two_who_write_one_bundle_do_not_overwrite_each_other(story: Story, desk: Client, kit: Bundle) -> None:
    version = desk.get(page_of("change", kit)).context["read_version"]
    save(desk, kit, told(story, version=version))
    late = told(story, version=version, description="Mine", **{"targets-0-permissions": ["ADMIN"]})
    page = desk.post(page_of("change", kit), late)
    assert page.status_code == 409
    assert "Somebody saved this bundle meanwhile" in page.content.decode()
    assert ">\nMine</textarea>" in page.content.decode()
    assert compose_bundle(kit)["targets"][0]["permissions"] == ["READ_ONLY"]
    # Having seen that, the writer saves.
    save(desk, kit, late | {"version": page.context["read_version"]})
    assert compose_bundle(kit)["targets"][0]["permissions"] == ["ADMIN"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"targets": []}, "Say what is in the bundle: add a target."),
        ({"targets-0-permissions": []}, "Choose at least one permission."),
        ({"targets-0-kind": "bundle", "targets-0-bundle": "x"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_a_bundle_is_refused_in_words(
    story: Story, desk: Client, change: dict[str, Any], words: str
) -> None:
    page = desk.post(reverse(ADD), told(story, **change))
    assert page.status_code == 200
    assert words in page.content.decode()
    assert not Bundle.objects.exists()


def test_a_name_is_taken_once(story: Story, desk: Client, kit: Bundle) -> None:
    assert "Another bundle has this name." in desk.post(reverse(ADD), told(story)).content.decode()
    assert Bundle.objects.count() == 1


def test_a_target_is_added_without_a_script_and_junk_is_refused(story: Story, desk: Client) -> None:
    text = desk.post(reverse(ADD), told(story, _save=None, _do="add:targets:integration")).content.decode()
    assert 'name="targets-1-integration"' in text
    assert "orders_prod" in text
    assert desk.post(reverse(ADD), told(story, targets=["x"])).status_code == 400
    assert not Bundle.objects.exists()


def test_a_bundle_in_use_is_not_deleted_and_its_flows_are_linked(story: Story, desk: Client, kit: Bundle) -> None:
    page = desk.post(page_of("delete", kit))
    address = reverse("admin:flows_accessflow_change", args=[AccessFlow.objects.get(name="With it").pk])
    assert page.status_code == 409
    assert f'<a href="{address}">With it</a>' in page.content.decode()
    assert Bundle.objects.exists()
    actions.delete(AccessFlow.objects.get(name="With it"), actor=system())
    assert desk.post(page_of("delete", kit)).status_code == 302
    assert not Bundle.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEPLOYMENT])
def test_who_only_looks_sees_the_bundle_and_writes_nothing(story: Story, kit: Bundle, role: Role) -> None:
    auditor = signed_in(person("Vera", role))
    text = auditor.get(page_of("change", kit)).content.decode()
    assert "READ_ONLY on any database of Simulated server" in text
    assert "<textarea" not in text
    assert auditor.post(page_of("change", kit), told(story)).status_code == 403
    assert auditor.post(page_of("delete", kit)).status_code == 403
    assert compose_bundle(kit)["targets"][0]["selectors"] == []


def test_the_list_counts_what_is_in_them_and_what_gives_them(story: Story, desk: Client, kit: Bundle) -> None:
    text = desk.get(reverse("admin:flows_bundle_changelist")).content.decode()
    assert "Kit" in text
    assert 'field-flows_using">1<' in text
