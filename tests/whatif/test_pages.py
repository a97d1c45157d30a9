"""What a change would do is shown on the pages that make it; what takes two is proposed and decided there."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Group, GroupMembership, User
from flows import actions
from flows.models import AccessFlow, Bundle, FlowVersion, Proposal
from tests import cast as people
from tests.cast import Cast
from tests.desk.conftest import signed_in
from tests.desk.flow_form import as_shown, sent
from tests.story import Story, begin, document, flow

ADD = "admin:flows_accessflow_add"


@pytest.fixture
def story(simulated: None, cast: Cast) -> Story:
    told = begin(cast)
    flow(told.integration)
    return told


def page_of(name: str, row: Any, *more: Any, model: str = "accessflow") -> str:
    return reverse(f"admin:flows_{model}_{name}", args=[row.pk, *more])


def shown(desk: Client, row: AccessFlow, **change: Any) -> dict[str, Any]:
    """Return the form of a flow as a browser sends it untouched, with a change."""
    form = desk.get(page_of("change", row)).context["form"]
    told = as_shown(form) | {"version": str(row.current.number if row.current else 0), "_save": "yes"} | change
    return {name: value for name, value in told.items() if value is not None}


def narrower(desk: Client, row: AccessFlow, **change: Any) -> dict[str, Any]:
    """Return the form with one database less."""
    return shown(desk, row, **{"targets-0-never": "orders_prod"}, **change)


def test_what_changes_is_shown_beside_the_form_and_nothing_is_saved(story: Story, desk: Client) -> None:
    row, story.now = AccessFlow.objects.get(), timezone.now()
    story.ask("orders_prod")
    page = desk.post(page_of("change", row), narrower(desk, row, _save=None, _do="whatif"))
    assert page.status_code == 200
    effect = page.context["effect"]
    assert (effect.people_losing.count, effect.lost.count, effect.ends.count) == (1, 1, 1)
    text = " ".join(page.content.decode().split())
    for words in (
        "person loses",
        "Rita, rita@example.com",
        "Read only on server/orders_prod",
        "of 1 past request",
    ):
        assert words in text, words
    assert FlowVersion.objects.count() == 1


def test_somebody_loses_only_after_it_was_shown_and_said_yes_to(story: Story, desk: Client) -> None:
    row = AccessFlow.objects.get()
    page = desk.post(page_of("change", row), narrower(desk, row))
    assert page.status_code == 409
    assert "Save anyway" in page.content.decode()
    assert FlowVersion.objects.count() == 1
    digest = page.context["effect"].digest
    # The yes was to that change, and not to another one.
    other = desk.post(page_of("change", row), narrower(desk, row, grant_duration_minutes="1 min", _sure=digest))
    assert (other.status_code, FlowVersion.objects.count()) == (409, 1)
    done = desk.post(page_of("change", row), narrower(desk, row, _sure=digest))
    assert (done.status_code, FlowVersion.objects.count()) == (302, 2)


def test_what_costs_nobody_anything_is_saved_at_once(story: Story, desk: Client) -> None:
    row = AccessFlow.objects.get()
    assert desk.post(page_of("change", row), shown(desk, row, grant_duration_minutes="2 h")).status_code == 302
    assert AccessFlow.objects.get().grant_duration_minutes == 120


def test_what_policy_refuses_is_said_before_what_it_costs(story: Story, desk: Client) -> None:
    row = AccessFlow.objects.get()
    story.cast.approver.memberships.all().delete()
    page = desk.post(page_of("change", row), narrower(desk, row))
    assert page.context["faults"]
    assert not page.context["unsure"]


def test_switching_and_deleting_say_who_loses(story: Story, desk: Client) -> None:
    row = AccessFlow.objects.get()
    for name in ("switch", "delete"):
        text = desk.get(page_of(name, row)).content.decode()
        assert "person loses" in text
        assert "entitlements less" in text
    listed = {"action": "switch_off", "_selected_action": [str(row.pk)]}
    assert "person loses" in desk.post(reverse("admin:flows_accessflow_changelist"), listed).content.decode()
    assert AccessFlow.objects.get().active


def test_a_bundle_says_what_its_flows_would_not_give_any_more(story: Story, desk: Client) -> None:
    admin, target = story.by(story.cast.admin), document(story.integration)["targets"][0]
    bundle = actions.define_bundle("B", [target], actor=admin)
    flow(story.integration, "By bundle", targets=[{"kind": "bundle", "bundle": str(bundle.pk)}])
    address = page_of("change", bundle, model="bundle")
    form = desk.get(address).context["form"]
    told: dict[str, Any] = {"targets": []}
    for part in (form.own, *form.targets):
        told |= {field.html_name: field.field.prepare_value(field.value()) for field in part}
    told |= {"targets": [row.key for row in form.targets], "targets-0-never": "orders_prod", "_save": "yes"}
    told = {name: value for name, value in told.items() if value not in (None, False)}
    looked = desk.post(address, {**told, "_do": "whatif"})
    assert looked.context["effect"].lost.count == 1
    page = desk.post(address, told)
    assert page.status_code == 409
    done = desk.post(address, told | {"_sure": page.context["effect"].digest})
    assert done.status_code == 302
    versions = desk.get(page_of("history", bundle, model="bundle")).content.decode()
    assert "Version 2, in force" in versions
    compared = desk.get(page_of("compare", bundle, model="bundle"), {"old": "1", "new": "2"}).content.decode()
    assert "+" in compared and "exclude_resources" in compared
    restoring = page_of("restore", bundle, 1, model="bundle")
    after = desk.get(restoring).context["of"].after
    assert desk.post(restoring, {"after": "something else"}).status_code == 409
    assert desk.post(restoring, {"after": after}).status_code == 302
    assert not Bundle.objects.get().targets.get().selectors.exists()


def members(desk: Client, group: Group, **change: str) -> dict[str, str]:
    """Return the page of a group as it is sent, with a change."""
    rows = list(GroupMembership.objects.filter(group=group).order_by("pk"))
    told = {
        "name": group.name, "memberships-TOTAL_FORMS": str(len(rows)), "memberships-INITIAL_FORMS": str(len(rows)),
        "memberships-MIN_NUM_FORMS": "0", "memberships-MAX_NUM_FORMS": "1000", "_save": "Save",
    }  # fmt: skip
    for number, row in enumerate(rows):
        told |= {f"memberships-{number}-id": str(row.pk), f"memberships-{number}-group": str(group.pk)}
        told[f"memberships-{number}-user"] = row.user.email
    return told | change


def test_a_group_says_who_loses_before_somebody_is_taken_out(story: Story, desk: Client) -> None:
    story.granted("orders_prod")
    group = Group.objects.get(name="engineers")
    address = reverse("admin:accounts_group_change", args=[group.pk])
    gone = members(desk, group, **{"memberships-0-DELETE": "on"})
    page = desk.post(address, gone)
    text = page.content.decode()
    assert page.status_code == 409
    assert "person loses" in text and "1 request that waits or holds access ends" in " ".join(text.split())
    assert group.memberships.count() == 1
    digest = page.context["digest"]
    renamed = desk.post(address, members(desk, group, name="other", _sure=digest))
    assert (renamed.status_code, Group.objects.get(pk=group.pk).name) == (409, "engineers")
    looked = desk.post(address, members(desk, group, _whatif="yes"))
    assert looked.status_code == 200
    assert "No access depends on what was changed here." in looked.content.decode()
    assert desk.post(address, gone | {"_sure": digest}).status_code == 302
    assert group.memberships.count() == 0


def test_deleting_a_group_says_who_loses(story: Story, desk: Client) -> None:
    group = Group.objects.get(name="engineers")
    text = desk.get(reverse("admin:accounts_group_delete", args=[group.pk])).content.decode()
    assert "person loses" in text


def test_a_group_that_nobody_loses_by_is_saved_at_once(story: Story, desk: Client) -> None:
    group = Group.objects.create(name="nothing names it")
    address = reverse("admin:accounts_group_change", args=[group.pk])
    assert desk.post(address, members(desk, group, name="still nothing")).status_code == 302
    assert Group.objects.filter(name="still nothing").exists()


def test_two_versions_are_compared_and_one_is_restored(story: Story, desk: Client) -> None:
    row = AccessFlow.objects.get()
    actions.define(
        {"grant_duration_minutes": 30}, document(story.integration), actor=story.by(story.cast.admin), flow=row
    )
    assert "Restore version 1" in desk.get(page_of("history", row)).content.decode()
    page = desk.get(page_of("compare", row), {"old": "1", "new": "2"})
    assert page.context["lines"] == ["At most: 30 min instead of 1 h."]
    assert "-  &quot;duration_seconds&quot;: 3600" in page.content.decode()
    for query in ({"old": "9"}, {"new": "x"}, {"old": "0"}):
        assert desk.get(page_of("compare", row), query).status_code == 404
    asked = desk.get(page_of("restore", row, 1))
    assert "At most: 1 h instead of 30 min." in asked.content.decode()
    assert desk.get(page_of("restore", row, 7)).status_code == 404
    assert desk.post(page_of("restore", row, 1), {"after": "2"}).status_code == 302
    row.refresh_from_db()
    assert row.current is not None
    first = FlowVersion.objects.get(flow=row, number=1)
    assert (row.current.number, row.current.digest, row.grant_duration_minutes) == (3, first.digest, 60)
    assert desk.post(page_of("restore", row, 2), {"after": "2"}).status_code == 409


def test_a_version_that_nobody_could_approve_any_more_is_not_restored(story: Story, desk: Client) -> None:
    row = AccessFlow.objects.get()
    other = {"groups": [{"conditions": [{"type": "user", "operator": "is", "values": ["ada@example.com"]}]}]}
    actions.define({}, document(story.integration, approval=other), actor=story.by(story.cast.admin), flow=row)
    story.cast.approver.memberships.all().delete()
    page = desk.post(page_of("restore", row, 1), {"after": "2"})
    assert page.status_code == 409
    assert "nobody could ever approve" in page.content.decode()
    assert FlowVersion.objects.count() == 2


def test_who_may_only_read_restores_nothing(story: Story) -> None:
    row = AccessFlow.objects.get()
    reader = signed_in(people.person("Vic", Role.VIEWER))
    assert reader.get(page_of("history", row)).status_code == 200
    assert reader.get(page_of("compare", row), {"old": "1", "new": "1"}).status_code == 200
    for method in (reader.get, reader.post):
        assert method(page_of("restore", row, 1)).status_code == 403


@pytest.fixture
def production(settings: LazySettings) -> None:
    settings.PRODUCTION_TAGS = [("env", "prod")]


def opening(story: Story, **change: Any) -> dict[str, Any]:
    """Return the form of a flow that gives everybody production without approval."""
    whole = {
        "requestors": ["0"], "requestors-0-type": "user", "requestors-0-operator": "contains",
        "requestors-0-values": "@", "approval_mode": "none", "approvers": [], "targets-0-only": "tag: env=prod",
    }  # fmt: skip
    return sent(story, **whole, **change)


def test_a_change_that_takes_two_is_proposed_and_another_admin_says_yes(
    story: Story, desk: Client, production: None
) -> None:
    bea = signed_in(people.person("Bea", Role.ADMIN))
    page = desk.post(reverse(ADD), opening(story))
    assert page.status_code == 409
    assert "this takes two" in page.content.decode() and "Propose it" in page.content.decode()
    assert AccessFlow.objects.count() == 1
    proposed = desk.post(reverse(ADD), opening(story, _save=None, _propose="yes"))
    row = Proposal.objects.get()
    assert proposed["Location"] == page_of("change", row, model="proposal")
    own = desk.get(proposed["Location"]).content.decode()
    assert "Withdraw it" in own and "Yes, make this change" not in own
    assert desk.post(page_of("accept", row, model="proposal")).status_code == 403
    assert "1 change of policy waits for a second yes" in bea.get(reverse("admin:index")).content.decode()
    theirs = bea.get(proposed["Location"])
    assert "a new access flow" in theirs.content.decode()
    assert theirs.context["effect"].people_gaining.count == 5
    assert bea.get(page_of("accept", row, model="proposal")).status_code == 405
    assert bea.post(page_of("accept", row, model="proposal")).status_code == 302
    assert AccessFlow.objects.filter(name="Prod reads", active=True).exists()
    assert bea.post(page_of("refuse", row, model="proposal")).status_code == 409
    assert "changes of policy" not in bea.get(reverse("admin:index")).content.decode()


def test_a_power_user_proposes_and_never_decides(story: Story, desk: Client, production: None) -> None:
    pia, quin = (signed_in(people.person(name, Role.POWER_USER)) for name in ("Pia", "Quin"))
    pia.post(reverse(ADD), opening(story, _save=None, _propose="yes"))
    row = Proposal.objects.get()
    for verb in ("accept", "refuse", "withdraw"):
        assert quin.post(page_of(verb, row, model="proposal")).status_code == 403
    assert "An admin has to say yes." in quin.get(page_of("change", row, model="proposal")).content.decode()
    no = desk.post(page_of("refuse", row, model="proposal"), {"reason": "too wide"}, follow=True).content.decode()
    assert "too wide" in no
    assert not AccessFlow.objects.filter(name="Prod reads").exists()


def test_an_outsider_sees_no_proposal(story: Story, production: None) -> None:
    signed_in(people.person("Bea", Role.ADMIN))
    pia = signed_in(people.person("Pia", Role.POWER_USER))
    pia.post(reverse(ADD), opening(story, _save=None, _propose="yes"))
    row, outsider = Proposal.objects.get(), signed_in(story.cast.outsider)
    for name, method in (("change", "get"), ("accept", "post"), ("refuse", "post"), ("withdraw", "post")):
        answer = getattr(outsider, method)(page_of(name, row, model="proposal"))
        assert answer.status_code in {302, 403}
        assert "Prod reads" not in answer.content.decode()
    row.refresh_from_db()
    assert row.state == "waiting"


def test_switching_on_what_takes_two_is_proposed_on_its_page(story: Story, desk: Client, production: None) -> None:
    people.person("Bea", Role.ADMIN)
    desk.post(reverse(ADD), opening(story, active=None))
    row = AccessFlow.objects.get(name="Prod reads")
    assert not row.active
    page = desk.post(page_of("switch", row), {"active": "on"})
    assert (page.status_code, AccessFlow.objects.get(pk=row.pk).active) == (409, False)
    assert desk.post(page_of("switch", row), {"active": "propose"}).status_code == 302
    bea = signed_in(User.objects.get(name="Bea"))
    bea.post(page_of("accept", Proposal.objects.get(), model="proposal"))
    assert AccessFlow.objects.get(pk=row.pk).active
