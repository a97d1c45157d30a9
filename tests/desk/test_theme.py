"""The admin site wears the portal's clothes: shell, tokens, theme, time zone; and some of it is out of reach."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from tests.cast import Cast, person
from tests.desk.conftest import signed_in
from tests.story import Story

NAMES = (
    "index",
    "first_steps",
    "accounts_user_changelist",
    "accounts_user_add",
    "accounts_group_changelist",
    "audit_auditentry_changelist",
    "flows_accessflow_changelist",
    "flows_accessflow_add",
    "integrations_integration_changelist",
    "integrations_integration_add",
    "integrations_resource_changelist",
    "integrations_connector_changelist",
    "integrations_order_changelist",
    "requests_accessrequest_changelist",
)


def addresses(cast: Cast) -> list[str]:
    """Return addresses of every kind of page."""
    own = [reverse(f"admin:{kind}", args=[cast.admin.pk]) for kind in ("accounts_user_change", "accounts_user_history")]
    apps_ = [reverse("admin:app_list", args=[label]) for label in ("accounts", "integrations", "flows", "requests")]
    return [*(reverse(f"admin:{name}") for name in NAMES), *own, *apps_]


def test_every_page_is_in_the_shell_and_loads_no_stylesheet_of_djangos_own(story: Story, desk: Client) -> None:
    for address in addresses(story.cast):
        text = desk.get(address).content.decode()
        assert 'class="nav"' in text, address
        assert "css/tokens.css" in text, address
        assert "css/admin.css" in text, address
        foreign = re.findall(r"admin/css/(?!vendor/|autocomplete)[\w/]+\.css", text)
        assert foreign == [], address
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)", text), address


def test_the_theme_is_the_persons(story: Story, desk: Client) -> None:
    User.objects.filter(pk=story.cast.admin.pk).update(theme="dark")
    for address in addresses(story.cast):
        assert 'data-theme="dark"' in desk.get(address).content.decode(), address


def test_times_are_in_the_readers_zone(story: Story, desk: Client) -> None:
    User.objects.filter(pk=story.cast.admin.pk).update(time_zone="Asia/Tokyo")
    page = desk.get(reverse("admin:integrations_integration_changelist")).content.decode()
    # Noon of the story in UTC.
    assert "2 Mar 2026, 21:00:00" in page
    User.objects.filter(pk=story.cast.admin.pk).update(time_zone="Nowhere/Atall")
    page = desk.get(reverse("admin:integrations_integration_changelist")).content.decode()
    assert "2 Mar 2026, 12:00:00" in page


def test_signing_in_and_changing_a_password_lead_to_our_own_pages(desk: Client) -> None:
    assert desk.get(reverse("admin:password_change"))["Location"] == reverse("account_password")
    assert reverse("account_login") in Client().get(reverse("admin:login"))["Location"]


def test_who_is_staff_and_may_not_gets_a_page_of_ours(cast: Cast) -> None:
    from accounts.choices import Role

    client = signed_in(person("Dora", Role.DEPLOYMENT))
    page = client.get(reverse("admin:audit_auditentry_changelist"))
    assert page.status_code == 403
    assert "Your roles do not allow this." in page.content.decode()


def test_the_tables_of_the_scheduler_are_out_of_reach(desk: Client) -> None:
    models = list(apps.get_app_config("django_celery_beat").get_models())
    assert models
    for model in models:
        assert not admin.site.is_registered(model)
        name = f"admin:django_celery_beat_{model._meta.model_name}_changelist"
        with pytest.raises(NoReverseMatch):
            reverse(name)
        for path in ("", "add/", "1/change/", "1/delete/"):
            where = f"/admin/django_celery_beat/{model._meta.model_name}/{path}"
            assert desk.get(where).status_code == 404
            assert desk.post(where).status_code == 404
    assert desk.get("/admin/django_celery_beat/").status_code == 404
    assert "eriodic" not in desk.get(reverse("admin:index")).content.decode()
