"""What else a flow may say, by form: whom for, when, in which steps, what is asked, how much at most."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from connectors.contract.manifest import Limit
from connectors.registry import BUILT_IN
from flows.admin.reading import people_of
from flows.findings import doubts, refusals
from flows.models import AccessFlow, AccessScope, Webhook
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.desk.flow_form import sent
from tests.story import Story, put_into

ADD = "admin:flows_accessflow_add"
LIST = "admin:flows_accessflow_changelist"
WORDS = "One grant can name at most 2 databases. Ask for fewer at once."
AUTOMATIC: dict[str, Any] = {
    "trigger": "automatic",
    "approvers-0-conditions": ["2"],
    "max_extensions": "0",
    "extension_minutes": "",
}


@pytest.fixture(autouse=True)
def sales(story: Story) -> None:
    put_into("Sales, EMEA")


@pytest.fixture
def board() -> Webhook:
    return Webhook.objects.create(name="Change, board", url="https://example.com/ask")


@pytest.fixture
def limited(story: Story) -> None:
    """The simulated provider limits what one grant may name."""
    manifests = BUILT_IN.manifests()
    own = manifests[story.integration.type]
    BUILT_IN._manifests = manifests | {story.integration.type: replace(own, limits=(Limit(("database",), 2, WORDS),))}


def saved(desk: Client, story: Story, **change: Any) -> dict[str, Any]:
    """Save the form; return the document it became."""
    page = desk.post(reverse(ADD), sent(story, **change))
    assert page.status_code == 302, [one.text for one in page.context["faults"]]
    flow = AccessFlow.objects.get(name="Prod reads")
    assert flow.current is not None
    assert isinstance(flow.current.document, dict)
    return flow.current.document


def refused(desk: Client, story: Story, **change: Any) -> list[str]:
    """Send a form that is refused; return why."""
    page = desk.post(reverse(ADD), sent(story, **change))
    assert page.status_code == 200
    assert not AccessFlow.objects.filter(name="Prod reads").exists()
    return [one.text for one in page.context["faults"]]


def read(desk: Client, story: Story, button: str = "read", **change: Any) -> str:
    """Press a button; return the page."""
    return desk.post(reverse(ADD), sent(story, _save=None, _do=button, **change)).content.decode()


def test_it_may_be_asked_for_others_who_fulfil_conditions(story: Story, desk: Client) -> None:
    others = {
        "grantees": ["0"],
        "grantees-0-type": "group",
        "grantees-0-operator": "is",
        "grantees-0-values": "engineers",
    }
    told = saved(desk, story, request_for=["others", "self"], **others)["request_for"]
    assert told["scopes"] == ["others", "self"]
    assert told["grantees"]["conditions"][0]["values"] == ["engineers"]


def test_others_without_a_condition_and_nobody_at_all_are_refused(story: Story, desk: Client) -> None:
    assert refused(desk, story, request_for=["others"]) == ["Say which others it may be asked for: add a condition."]
    assert refused(desk, story, request_for=[]) == ["Say for whom it may be asked."]


def test_an_automatic_flow_drops_what_nobody_is_asked_for(story: Story, desk: Client) -> None:
    told = saved(desk, story, **AUTOMATIC)
    assert (told["trigger"], told["duration_seconds"], told["approval"]["mode"]) == ("automatic", None, "none")
    assert told["settings"]["justification_required"] is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"approvers-0-conditions": ["0"]}, "An automatic flow asks nobody: choose “No approval”, and remove the"),
        ({"mfa_required": "on"}, "An automatic flow asks for nothing"),
        ({"ticket_pattern": "INC-[0-9]+"}, "An automatic flow asks for nothing"),
        (
            {"window-limited": "on", "window-start": "08:00", "window-end": "18:00", "window-days": ["MONDAY"],
             "window-time_zone": "UTC"},
            "An automatic flow has no working window.",
        ),
    ],
)  # fmt: skip
def test_an_automatic_flow_that_asks_for_something_is_refused_in_words(
    story: Story, desk: Client, change: dict[str, Any], words: str
) -> None:
    (told,) = refused(desk, story, **AUTOMATIC | change)
    assert words in told


def test_a_scope_and_a_query_are_chosen_as_targets_and_counted(story: Story, desk: Client) -> None:
    scope = AccessScope.objects.create(name="Prod", query='resource_tag["env"] = "prod"')
    change = {
        "targets": ["0", "1"],
        "targets-0-kind": "access_scope",
        "targets-0-access_scope": str(scope.pk),
        "targets-1-kind": "query",
        "targets-1-query": 'resource_name = "orders_dev"\r\nand permission = "ADMIN"',
    }
    text = read(desk, story, **change)
    assert text.count("Selects 2 entitlements now") == 1
    assert text.count("Selects 1 entitlement now") == 1
    assert 'class="aql"' in text
    assert "data-aql" in text
    by_kind = {one["kind"]: one for one in saved(desk, story, **change)["targets"]}
    assert by_kind["access_scope"]["query"] == scope.query
    assert by_kind["query"]["query"] == 'resource_name = "orders_dev"\nand permission = "ADMIN"'


def test_a_query_that_cannot_be_read_says_where_and_stays(story: Story, desk: Client) -> None:
    query = 'resource_name = "x" and\n  permision = "ADMIN"'
    page = desk.post(reverse(ADD), sent(story, **{"targets-0-kind": "query", "targets-0-query": query}))
    (fault,) = page.context["faults"]
    assert fault.text.startswith("Target 1: Line 2, column 3")
    assert "permission" in fault.text
    assert 'id="id_targets-0-query"' in page.content.decode()
    assert "permision" in page.content.decode()


def test_a_webhook_approves_and_checks_by_its_name(story: Story, desk: Client, board: Webhook) -> None:
    change = {
        "approvers-0-conditions-1-type": "webhook",
        "approvers-0-conditions-1-values": '"Change, board"',
        "checks": [str(board.pk)],
    }
    told = saved(desk, story, **change)
    assert told["checks"] == [str(board.pk)]
    assert [one["values"] for one in told["approval"]["groups"][0]["conditions"]][1] == [str(board.pk)]
    flow = AccessFlow.objects.get(name="Prod reads")
    text = desk.get(reverse("admin:flows_accessflow_change", args=[flow.pk])).content.decode()
    assert "&quot;Change, board&quot;</textarea>" in text
    assert "the webhook “Change, board”" in text


def test_a_webhook_that_is_not_there_is_refused_with_what_is_like_it(
    story: Story, desk: Client, board: Webhook
) -> None:
    change = {"approvers-0-conditions-1-type": "webhook", "approvers-0-conditions-1-values": "Change bord"}
    (told,) = refused(desk, story, **change)
    assert "There is no webhook “Change bord”. Did you mean “Change, board”?" in told


def test_owners_and_webhooks_are_offered_among_approvers_only(story: Story, desk: Client) -> None:
    text = read(desk, story)
    assert text.count('<option value="Owner">') == 3
    (told,) = refused(desk, story, **{"requestors-0-type": "Owner"})
    assert "Nobody has this attribute." in told


STEPS: dict[str, Any] = {
    "approvers": ["0", "1", "2"],
    **{
        f"approvers-{key}-{name}": value
        for key, group in (("1", "engineers"), ("2", "approvers"))
        for name, value in (
            ("operator", "or"),
            ("tier", key),
            ("conditions", ["0"]),
            ("conditions-0-type", "group"),
            ("conditions-0-operator", "is"),
            ("conditions-0-values", group),
        )
    },
    "escalation_minutes": "30 min",
}


def test_further_steps_are_asked_in_their_order(story: Story, desk: Client) -> None:
    approval = saved(desk, story, **STEPS)["approval"]
    assert [one["tier"] for one in approval["groups"]] == [0, 1, 2]
    assert approval["escalation_seconds"] == 1800


def test_steps_change_places_and_close_ranks_without_a_script(story: Story, desk: Client) -> None:
    text = read(desk, story, "sooner:approvers:2", **STEPS)
    assert 'name="approvers-2-tier" value="1"' in text
    assert 'name="approvers-1-tier" value="2"' in text
    assert text.index('name="approvers-2-conditions-0-type"') < text.index('name="approvers-1-conditions-0-type"')
    text = read(desk, story, "remove:approvers:1", **STEPS)
    assert 'name="approvers-2-tier" value="1"' in text
    assert 'name="approvers-3-tier" value="2"' in read(desk, story, "add:approvers:2", **STEPS)
    assert 'value="sooner:approvers:0"' not in text


def test_a_step_left_empty_is_none_and_without_one_nothing_is_waited_for(story: Story, desk: Client) -> None:
    blank = {"approvers-1-conditions-0-type": "", "approvers-1-conditions-0-values": ""}
    assert [one["tier"] for one in saved(desk, story, **STEPS | blank)["approval"]["groups"]] == [0, 1]
    AccessFlow.objects.filter(name="Prod reads").delete()
    assert saved(desk, story, escalation_minutes="30 min")["approval"]["escalation_seconds"] is None


def test_steps_without_an_interval_are_refused(story: Story, desk: Client) -> None:
    assert refused(desk, story, **STEPS | {"escalation_minutes": ""}) == ["Say after how long the next tier is asked."]


WINDOW: dict[str, Any] = {
    "window-limited": "on",
    "window-start": "08:00",
    "window-end": "18:30",
    "window-days": ["MONDAY", "FRIDAY"],
    "window-time_zone": "Europe/Berlin",
}


def test_a_window_is_written_and_ignored_when_unticked(story: Story, desk: Client) -> None:
    days = ["FRIDAY", "MONDAY"]
    told = {"start": "08:00", "end": "18:30", "days": days, "time_zone": "Europe/Berlin"}
    assert saved(desk, story, **WINDOW)["timeframe"] == told
    AccessFlow.objects.filter(name="Prod reads").delete()
    assert saved(desk, story, **WINDOW | {"window-limited": None, "window-start": "noon"})["timeframe"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"window-start": ""}, "From: Write a time, like 08:00."),
        ({"window-end": "25:00"}, "To: Enter a valid time."),
        ({"window-days": []}, "Days: Choose the days on which it may be used."),
        ({"window-time_zone": "Berlin"}, "Time zone: There is no time zone “Berlin”: write one like Europe/Berlin."),
    ],
)
def test_half_a_window_is_refused(story: Story, desk: Client, change: dict[str, Any], words: str) -> None:
    assert words in refused(desk, story, **WINDOW | change)


def test_a_new_window_is_in_the_zone_of_who_writes(story: Story, desk: Client) -> None:
    story.cast.admin.time_zone = "Europe/Lisbon"
    story.cast.admin.save()
    assert 'value="Europe/Lisbon"' in desk.get(reverse(ADD)).content.decode().replace("\n", " ")


FIELD: dict[str, Any] = {
    "fields": ["0"],
    "fields-0-label": "Change number",
    "fields-0-kind": "text",
    "fields-0-required": "on",
}


def test_fields_are_asked_with_a_key_made_of_their_label(story: Story, desk: Client) -> None:
    more = {"fields": ["4", "0"], "fields-4-label": "Risk", "fields-4-kind": "choice", "fields-4-choices": "low\nhigh"}
    told = saved(desk, story, **FIELD | more)["settings"]["fields"]
    plain = {"required": False, "choices": [], "pattern": ""}
    assert told == [
        plain | {"key": "risk", "label": "Risk", "kind": "choice", "choices": ["low", "high"]},
        plain | {"key": "change_number", "label": "Change number", "kind": "text", "required": True},
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fields-0-label": "", "fields-0-code": "x"}, "Field 1: Give the field a label"),
        ({"fields-0-code": "Ärger"}, "Field 1: Write small letters"),
        ({"fields-0-kind": "choice"}, "Field 1: Say what can be chosen."),
        ({"fields-0-pattern": "(a+)+"}, "Field 1: Write it without repeated groups"),
        (
            {"fields": ["0", "1"], "fields-1-label": "Change  number", "fields-1-kind": "date"},
            "Each field needs a key of its own.",
        ),
    ],
)
def test_fields_that_could_not_be_asked_are_refused(
    story: Story, desk: Client, change: dict[str, Any], words: str
) -> None:
    assert any(words in one for one in refused(desk, story, **FIELD | change))


def test_a_field_moves_up_and_goes_without_a_script(story: Story, desk: Client) -> None:
    two = FIELD | {"fields": ["0", "1"], "fields-1-label": "Later", "fields-1-kind": "text"}
    text = read(desk, story, "up:fields:1", **two)
    assert text.index('name="fields-1-label"') < text.index('name="fields-0-label"')
    assert 'name="fields-0-label"' not in read(desk, story, "remove:fields:0", **two)


def test_a_ticket_pattern_is_tried_before_it_is_saved(story: Story, desk: Client) -> None:
    pattern = {"ticket_pattern": "INC-[0-9]{1,8}"}
    assert "“INC-12” fits." in read(desk, story, ticket_try="INC-12", **pattern)
    assert "“INC” is no ticket as this flow knows them" in read(desk, story, ticket_try="INC", **pattern)
    assert saved(desk, story, ticket_try="INC", **pattern)["settings"]["ticket_pattern"] == "INC-[0-9]{1,8}"


def test_break_glass_needs_somebody_who_reviews_it(story: Story, desk: Client) -> None:
    (told,) = refused(desk, story, break_glass="on", approval_mode="none", approvers=[])
    assert told.startswith("Break-glass is for flows that somebody approves")
    assert saved(desk, story, break_glass="on")["settings"]["break_glass"] is True


def test_who_that_is_now_is_shown_to_who_may_see_people(story: Story, desk: Client) -> None:
    put_into("engineers", *[person(f"Eva{number:02}") for number in range(12)])
    text = read(desk, story)
    assert "13 people now" in text
    assert "Eva00" in text
    assert "Eva09" in text
    assert "Eva10" not in text
    assert "and more" in text


def test_the_list_is_narrowed_by_trigger_label_and_break_glass(story: Story, desk: Client) -> None:
    saved(desk, story, **AUTOMATIC, labels="nightly")
    text = desk.get(reverse(LIST)).content.decode()
    assert "· automatic" in text
    assert "· nightly" in text
    found = {
        "trigger__exact=automatic": True,
        "trigger__exact=self_serve": False,
        "label=nightly": True,
        "label=night": False,
        "break_glass=yes": False,
        "break_glass=no": True,
    }
    for query, there in found.items():
        assert ("Prod reads" in desk.get(f"{reverse(LIST)}?{query}").content.decode()) is there, query


@pytest.mark.parametrize(
    ("kind", "text", "found"), [("webhook", "chan", ["Change, board"]), ("label", "PRO", ["prod"])]
)
def test_webhooks_and_labels_are_suggested(
    story: Story, desk: Client, board: Webhook, kind: str, text: str, found: list[str]
) -> None:
    saved(desk, story)
    answer = desk.get(reverse("admin:flows_accessflow_suggest"), {"type": kind, "q": text})
    assert [one["value"] for one in answer.json()["values"]] == found


LISTED = {"targets-0-only": "orders_prod\nid: 7", "targets-0-never": "orders_dev"}


def test_lists_over_a_limit_are_doubtful_and_say_what_to_do_instead(story: Story, desk: Client, limited: None) -> None:
    text = read(desk, story, **LISTED)
    said = f"{WORDS} 3 are listed here. Leave the list empty for any resource, choose by a tag, or use an access scope."
    assert text.count(said) == 2  # at the target, and before saving
    assert WORDS not in read(desk, story, **LISTED | {"targets-0-never": ""})
    assert WORDS not in read(desk, story, **LISTED | {"targets-0-never": "tag: env=a\ntag: env=b\ntag: env=c"})
    saved(desk, story, **LISTED)


def test_the_bundle_editor_says_the_same_words(story: Story, desk: Client, limited: None) -> None:
    form = sent(story, _save=None, _do="read", **LISTED)
    text = desk.post(reverse("admin:flows_bundle_add"), form).content.decode()
    assert f"{WORDS} 3 are listed here." in text


def test_an_automatic_flow_over_a_limit_is_refused_for_it_gives_all_at_once(
    story: Story, desk: Client, limited: None
) -> None:
    (told,) = refused(desk, story, **AUTOMATIC | LISTED)
    assert told.startswith(f"{WORDS} 3 are listed here.")


def test_an_automatic_flow_that_selects_too_much_without_a_list_is_doubtful(story: Story, limited: None) -> None:
    flow = AccessFlow.objects.get()
    assert flow.current is not None
    automatic = flow.current.document | {"trigger": "automatic"}
    assert not any(WORDS in one.text for one in doubts(automatic))
    BUILT_IN._manifests = {
        name: replace(one, limits=tuple(replace(limit, at_most=1) for limit in one.limits))
        for name, one in BUILT_IN.manifests().items()
    }
    assert any(f"{WORDS} 2 are selected here now." in one.text for one in doubts(automatic))
    assert not any(WORDS in one.text for one in refusals(automatic))


def test_a_bundle_is_made_of_a_scope_and_a_query_but_not_of_a_bundle(story: Story, desk: Client) -> None:
    scope = AccessScope.objects.create(name="Prod", query='resource_tag["env"] = "prod"')
    form = {
        "name": "Kit",
        "targets": ["0", "1"],
        "targets-0-kind": "access_scope",
        "targets-0-access_scope": str(scope.pk),
        "targets-1-kind": "query",
        "targets-1-query": 'permission = "ADMIN"',
        "_save": "yes",
    }
    add = reverse("admin:flows_bundle_add")
    text = desk.post(add, form | {"targets-1-kind": "bundle"}).content.decode()
    assert "Select a valid choice." in text
    assert desk.post(add, form).status_code == 302
    text = desk.get(reverse("admin:flows_bundle_changelist")).content.decode()
    assert "Kit" in text


def test_who_may_not_see_people_is_told_how_many_and_no_names(story: Story) -> None:
    group = {"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": ["engineers"]}]}
    assert people_of(group, names=False).first == []
    assert [one.email for one in people_of(group, names=True).first] == ["rita@example.com"]
    assert signed_in(person("Vera", Role.VIEWER)).get(reverse(ADD)).status_code == 403
