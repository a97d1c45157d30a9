"""Access scopes in the admin site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.choices import Role
from audit.actor import system
from audit.models import AuditEntry
from flows import actions
from flows.models import AccessFlow, AccessScope, Revision
from integrations.models import Integration
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.story import Story, flow

ADD, LIST = "admin:flows_accessscope_add", "admin:flows_accessscope_changelist"
PROD, DEV = 'resource_tag["env"] = "prod"', 'resource_tag["env"] = "dev"'


def told(**change: str) -> dict[str, str]:
    """Return the form of a scope as a person fills it in."""
    return {"name": "Prod", "description": "For incidents", "query": PROD, "_save": "yes"} | change


@pytest.fixture
def prod(story: Story) -> AccessScope:
    """A scope that the flow “With it” gives, and that the bundle “Kit” has in it."""
    made = actions.define_scope("Prod", PROD, actor=system())
    target = {"kind": "access_scope", "access_scope": str(made.pk)}
    flow(story.integration, "With it", targets=[target])
    actions.define_bundle("Kit", [target], actor=system())
    return made


def page_of(name: str, scope: AccessScope) -> str:
    return reverse(f"admin:flows_accessscope_{name}", args=[scope.pk])


def text_of(page: Any) -> str:
    return " ".join(page.content.decode().split())


def saved(desk: Client, scope: AccessScope, sent: dict[str, str]) -> Any:
    """Save, saying yes to what that costs people."""
    page = desk.post(page_of("change", scope), sent, follow=True)
    if page.status_code == 409 and page.context["unsure"]:
        page = desk.post(page_of("change", scope), sent | {"_sure": page.context["effect"].digest}, follow=True)
    return page


def test_a_scope_is_made_by_form(story: Story, desk: Client) -> None:
    assert PROD.replace('"', "&quot;") in desk.get(f"{reverse(ADD)}", {"query": PROD}).content.decode()
    page = desk.post(reverse(ADD), told(query=f'{PROD}\r\nand resource_type = "database"'), follow=True)
    made = AccessScope.objects.get()
    assert "Prod is saved." in text_of(page)
    assert made.query == f'{PROD}\nand resource_type = "database"'
    assert AuditEntry.objects.get(action="scope.saved").actor_name == "Ada"
    assert 'Selects <b class="num">2 entitlements</b>' in text_of(page)


def test_it_says_as_of_when_it_selects_that(story: Story, desk: Client, prod: AccessScope) -> None:
    Integration.objects.update(synced_at=timezone.now() - timedelta(minutes=12, seconds=5))
    text = text_of(desk.get(page_of("change", prod))).replace("\xa0", " ")
    assert "as of the last sync of each integration (oldest:" in text
    assert "12 minutes ago)" in text


def test_the_list_says_what_each_selects_and_who_uses_it(story: Story, desk: Client, prod: AccessScope) -> None:
    page = desk.get(reverse(LIST))
    text = text_of(page)
    assert "2 entitlements" in text
    assert '<td class="field-flows_using">1</td>' in text
    assert '<td class="field-bundles_using">1</td>' in text


def test_the_list_takes_one_query_more_for_each_scope(story: Story, desk: Client, prod: AccessScope) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            desk.get(reverse(LIST))
        return len(queries)

    count()
    before = count()
    for number in range(5):
        actions.define_scope(f"More {number}", PROD, actor=system())
    assert count() == before + 5


def test_a_change_is_carried_into_flows_and_the_page_says_who(story: Story, desk: Client, prod: AccessScope) -> None:
    shown = desk.get(page_of("change", prod))
    assert "With it" in text_of(shown)
    assert "Kit" in text_of(shown)
    page = saved(desk, prod, told(query=DEV, version=shown.context["read_version"]))
    assert "1 access flow gives it as it is now." in text_of(page)
    current = AccessFlow.objects.get(name="With it").current
    assert current is not None
    assert current.document["targets"][0]["query"] == DEV


def test_a_flow_that_gives_it_in_a_bundle_is_named_too(story: Story, desk: Client) -> None:
    made = actions.define_scope("Prod", PROD, actor=system())
    target = {"kind": "access_scope", "access_scope": str(made.pk)}
    kit = actions.define_bundle("Kit", [target], actor=system())
    flow(story.integration, "By bundle", targets=[{"kind": "bundle", "bundle": str(kit.pk)}])
    assert "By bundle" in text_of(desk.get(page_of("change", made)))


def test_two_who_write_one_scope_do_not_overwrite_each_other(story: Story, desk: Client, prod: AccessScope) -> None:
    version = desk.get(page_of("change", prod)).context["read_version"]
    saved(desk, prod, told(query=DEV, version=version))
    late = told(query='resource_name = "orders_prod"', version=version)
    page = desk.post(page_of("change", prod), late)
    assert page.status_code == 409
    assert "Somebody saved this access scope meanwhile" in text_of(page)
    assert "removed: </span>resource_tag[&quot;env&quot;] = &quot;dev&quot;" in text_of(page)
    assert "resource_name = &quot;orders_prod&quot;</textarea>" in text_of(page)
    prod.refresh_from_db()
    assert prod.query == DEV
    # Having seen that, the writer saves.
    assert "Prod is saved." in text_of(saved(desk, prod, late | {"version": page.context["read_version"]}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"query": ""}, "Line 1, column 1"),
        ({"query": "resource_typ = 'x'"}, "Did you mean resource_type?"),
        ({"query": "x" * 10_001}, "too long"),
    ],
)
def test_what_is_no_scope_is_refused_and_nothing_is_lost(
    story: Story, desk: Client, change: dict[str, str], words: str
) -> None:
    page = desk.post(reverse(ADD), told(**change))
    assert page.status_code == 200
    assert words in text_of(page)
    assert "For incidents" in text_of(page)
    assert not AccessScope.objects.exists()


def test_a_name_is_taken_once(story: Story, desk: Client, prod: AccessScope) -> None:
    assert "Another access scope has this name." in text_of(desk.post(reverse(ADD), told()))
    assert AccessScope.objects.count() == 1


def test_everything_works_without_a_script(story: Story, desk: Client) -> None:
    """A wrong query, its suggestion by button, rows by button, a row more, and saved as rows."""
    page = desk.post(reverse(ADD), told(query='resource_tag = "prod"', _do="read"))
    assert "Use it" in text_of(page)
    assert "Nothing was saved" not in text_of(page)
    page = desk.post(reverse(ADD), told(query='resource_tag = "prod"', _do="mend"))
    assert "resource_tag[&quot;key&quot;] = &quot;prod&quot;</textarea>" in text_of(page)
    page = desk.post(reverse(ADD), told(_do="basic"))
    assert 'value="env"' in text_of(page)
    rows: dict[str, Any] = {"aql-mode": "basic", "aql-field": ["resource_tag"], "aql-key": ["env"]}
    rows |= {"aql-operator": ["="], "aql-values": ["prod"]}
    page = desk.post(reverse(ADD), told(_do="row:add") | rows)
    assert text_of(page).count('class="aql-row"') == 2
    page = desk.post(reverse(ADD), told(_do="aql") | rows)
    assert f"{PROD.replace(chr(34), '&quot;')}</textarea>" in text_of(page)
    why = desk.post(reverse(ADD), told(query=f"not {PROD}", _do="basic"))
    assert "Basic shows comparisons that are all joined by and" in text_of(why)
    assert not AccessScope.objects.exists()
    rows["aql-values"] = ["dev"]
    assert desk.post(reverse(ADD), told() | rows).status_code == 302
    assert AccessScope.objects.get().query == DEV


def test_what_it_would_cost_people_is_shown_before_it_is_saved(story: Story, desk: Client, prod: AccessScope) -> None:
    version = desk.get(page_of("change", prod)).context["read_version"]
    page = desk.post(page_of("change", prod), told(query=DEV, version=version, _do="whatif"))
    assert "What changes" in text_of(page)
    page = desk.post(page_of("change", prod), told(query=DEV, version=version))
    assert page.status_code == 409
    assert "Save anyway" in text_of(page)
    prod.refresh_from_db()
    assert prod.query == PROD
    # What is no query has no effect to look at.
    assert "Line 1, column" in text_of(desk.post(page_of("change", prod), told(query="x", version=version)))
    assert desk.post(page_of("change", prod), told(query="x", version=version, _do="whatif")).status_code == 200


def test_every_version_is_kept_and_can_be_restored(story: Story, desk: Client, prod: AccessScope) -> None:
    actions.define_scope("Dev", f'{PROD} and permission = "ADMIN"', actor=system(), scope=prod, description="Other")
    text = text_of(desk.get(page_of("history", prod)))
    assert "Version 2, in force" in text
    assert "Name: “Dev” instead of “Prod”." in text
    assert "Another description." in text
    assert "Query: added “and permission = &quot;ADMIN&quot;”." in text
    assert "removed" not in text
    restore = reverse("admin:flows_accessscope_restore", args=[prod.pk, "1"])
    after = desk.get(restore).context["of"].after
    assert desk.post(restore, {"after": after}).status_code == 302
    prod.refresh_from_db()
    assert (prod.name, prod.query, prod.description) == ("Prod", PROD, "")
    assert Revision.objects.filter(subject=prod.pk).count() == 3
    # Whoever has not seen that restores nothing.
    assert desk.post(restore, {"after": after}).status_code == 409


def test_what_is_used_is_not_deleted_and_what_uses_it_is_named(story: Story, desk: Client, prod: AccessScope) -> None:
    for page in (desk.get(page_of("delete", prod)), desk.post(page_of("delete", prod))):
        assert "With it" in text_of(page)
        assert "Kit" in text_of(page)
    assert page.status_code == 409
    free = actions.define_scope("Free", PROD, actor=system())
    assert "Deleting it takes nothing from anybody" in text_of(desk.get(page_of("delete", free)))
    assert "Free is deleted." in text_of(desk.post(page_of("delete", free), follow=True))


def test_who_only_looks_changes_nothing(story: Story, prod: AccessScope) -> None:
    vera = signed_in(person("Vera", Role.VIEWER))
    text = text_of(vera.get(page_of("change", prod)))
    assert "resource_tag[&quot;env&quot;]" in text
    assert "2 entitlements" in text
    assert "<textarea" not in text
    for name, sent in (("change", told()), ("delete", {})):
        assert vera.post(page_of(name, prod), sent).status_code == 403
    assert vera.post(reverse("admin:flows_accessscope_restore", args=[prod.pk, "1"])).status_code == 403
    assert vera.post(reverse(ADD), told(name="Mine")).status_code == 403
    prod.refresh_from_db()
    assert prod.name == "Prod"


def test_the_page_takes_a_pinned_number_of_queries(story: Story, desk: Client, prod: AccessScope) -> None:
    desk.get(page_of("change", prod))
    with CaptureQueriesContext(connection) as queries:
        desk.get(page_of("change", prod))
    # The frame's own; the scope; what it selects (6); the oldest sync; what uses it.
    assert len(queries) <= 24
