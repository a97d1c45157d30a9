"""What a flow's document says, the form shows and sends back: nothing is lost, whatever was written and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Attribute
from audit.actor import system
from flows import actions
from flows.actions.scopes import define_scope
from flows.choices import FieldKind, MatchOperator
from flows.decision.windows import DAYS
from flows.forms import PolicyForm
from flows.forms.fields import Values
from flows.forms.selectors import selectors, written
from flows.models import AccessFlow, Webhook
from tests.desk.flow_form import as_shown
from tests.story import Story, document, put_into

# What people and directories write: commas, quotes, equals signs, backslashes; no white space around.
TEXT = st.text(alphabet='abcÄ ,"=\\:.-_%', min_size=1, max_size=12).map(str.strip).filter(bool)
SOME = st.lists(TEXT, min_size=1, max_size=3, unique=True)
JOIN = st.sampled_from(["and", "or"])
WORDS = st.lists(st.sampled_from(["engineers", "approvers", "Sales, EMEA"]), min_size=1, max_size=2, unique=True)


def condition(kind: str, values: Any, operator: Any = MatchOperator.IS.value) -> st.SearchStrategy[dict[str, Any]]:
    """Return conditions of one type."""
    return st.fixed_dictionaries(
        {
            "type": st.just(kind),
            "operator": operator if isinstance(operator, st.SearchStrategy) else st.just(operator),
            "source": st.just(""),
            "values": values,
        }
    )


PARTLY = st.sampled_from(["contains", "does_not_contain", "starts_with"])
OF_PEOPLE = st.one_of(
    condition("group", WORDS),
    condition("group", SOME, PARTLY),
    condition("user", SOME.map(lambda values: sorted({one.lower() for one in values})), PARTLY),
    condition("city", SOME, st.sampled_from(MatchOperator.values)),
    condition("manager", st.just([])),
)
PATTERN = st.sampled_from(["", "[A-Z]{2}-[0-9]{1,5}", "a,b", 'x"y'])


@st.composite
def asked(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return custom fields."""
    keys = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), max_size=3, unique=True))
    found = []
    for key in keys:
        kind = draw(st.sampled_from(FieldKind.values))
        choices = draw(SOME) if kind == "choice" else []
        pattern = draw(PATTERN) if kind == "text" else ""
        more = {"required": draw(st.booleans()), "choices": choices, "pattern": pattern}
        found.append({"key": key, "label": draw(TEXT), "kind": kind, **more})
    return found


@st.composite
def groups(draw: st.DrawFn, hook: str) -> list[dict[str, Any]]:
    """Return approver groups in steps; somebody can always answer."""
    sure = {"type": "group", "operator": "is", "source": "", "values": ["approvers"]}
    others = [condition("Owner", st.just([])), condition("webhook", st.just([hook])), OF_PEOPLE]
    found = []
    for tier in range(draw(st.integers(0, 3)) + 1):
        for _ in range(draw(st.integers(1, 2))):
            more = draw(st.lists(st.one_of(*others), max_size=2))
            joined = {"operator": "or", "conditions": [sure, *more]} if more else {"operator": draw(JOIN)}
            found.append({"tier": tier, "conditions": [sure], **joined})
    return found


@st.composite
def targets(draw: st.DrawFn, there: dict[str, str]) -> list[dict[str, Any]]:
    """Return targets of all kinds."""
    selector = st.fixed_dictionaries({"type": st.sampled_from(["name", "id", "tag"]), "key": TEXT, "values": SOME})
    found: list[dict[str, Any]] = []
    for kind in draw(st.lists(st.sampled_from(["integration", "bundle", "access_scope", "query"]), min_size=1)):
        if kind == "integration":
            picked: dict[tuple[str, str, str], dict[str, Any]] = {}
            for mode in ("include_resources", "exclude_resources"):
                for one in draw(st.lists(selector, max_size=2)):
                    key = one["key"] if one["type"] == "tag" else ""
                    picked[mode, one["type"], key] = {**one, "key": key, "mode": mode}
            whole = {"integration": there["integration"], "resource_type": "database", "permissions": ["READ_ONLY"]}
            found.append({"kind": kind, **whole, "selectors": list(picked.values())})
        elif kind == "query":
            found.append({"kind": kind, "query": 'resource_name = "a, b"\nor permission = "ADMIN"'})
        else:
            found.append({"kind": kind, kind: there[kind]})
    return found


@st.composite
def flows(draw: st.DrawFn, there: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return columns and document of a self-serve or automatic flow, as flows.actions.define takes them."""
    automatic = draw(st.booleans())
    who = {"requestors": {"conditions": draw(st.lists(OF_PEOPLE, min_size=1, max_size=3))}}
    columns = {
        "description": draw(st.one_of(st.just(""), TEXT)),
        "requestor_operator": draw(JOIN),
        "labels": draw(st.lists(TEXT, max_size=3, unique=True)),
        "pending_hours": draw(st.integers(1, 99)),
    }
    told = {**who, "targets": draw(targets(there)), "approval": {"groups": []}}
    if automatic:
        more = {"trigger": "automatic", "approval_mode": "none", "justification_required": False}
        more |= {"removes_foreign": draw(st.booleans())}
        return columns | more | {"indefinite": True, "grant_duration_minutes": None}, told
    scopes = draw(st.lists(st.sampled_from(["self", "others", "direct_reports"]), min_size=1, unique=True))
    others = draw(st.lists(OF_PEOPLE, min_size=1, max_size=2)) if "others" in scopes else []
    approval = draw(st.one_of(st.just([]), groups(there["webhook"])))
    forever, times = draw(st.booleans()), draw(st.integers(0, 2))
    columns |= {
        "request_for": scopes,
        "grantee_operator": draw(JOIN),
        "approval_mode": draw(st.sampled_from(["any_of", "all_of"])) if approval else "none",
        "escalation_minutes": draw(st.integers(1, 3000)) if any(one["tier"] for one in approval) else None,
        "indefinite": forever,
        "grant_duration_minutes": None if forever else draw(st.integers(1, 100_000)),
        "max_extensions": 0 if forever else times,
        "extension_minutes": 0 if forever or not times else draw(st.integers(1, 5000)),
        "drain_minutes": 0 if forever else draw(st.integers(0, 480)),
        "break_glass": bool(approval) and draw(st.booleans()),
        "ticket_pattern": draw(PATTERN),
        "fields": draw(asked()),
        **{name: draw(st.booleans()) for name in ("justification_required", "approver_reason_required")},
        "mfa_required": draw(st.booleans()),
    }
    clock = st.times().map(lambda time: f"{time:%H:%M}")
    days = st.lists(st.sampled_from(DAYS), min_size=1, unique=True)
    zone = st.sampled_from(["Europe/Berlin", "UTC", "America/Argentina/Ushuaia"])
    window = st.fixed_dictionaries({"start": clock, "end": clock, "days": days, "time_zone": zone})
    told |= {"request_for": {"grantees": {"conditions": others}}, "approval": {"groups": approval}}
    told |= {"timeframe": draw(st.one_of(st.none(), window)), "checks": draw(st.sampled_from([[], [there["webhook"]]]))}
    return columns, told


def posted(fields: dict[str, Any]) -> QueryDict:
    """Return fields as the server gets them from a browser."""
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else ["on" if value is True else str(value)])
    return data


@pytest.fixture
def there(story: Story) -> dict[str, str]:
    """One thing of each kind that a flow can name."""
    put_into("Sales, EMEA", story.cast.admin)
    for who in (story.cast.requester, story.cast.approver):
        Attribute.objects.create(user=who, type="city", value="Kiel")
    bundle = actions.define_bundle("Kit", document(story.integration)["targets"], actor=system())
    scope = define_scope("Databases of prod", 'resource_tag["env"] = "prod"', actor=system())
    story.integration.owners.create(user=story.cast.admin)
    ids = {"integration": story.integration.pk, "bundle": bundle.pk, "access_scope": scope.pk}
    ids |= {"webhook": Webhook.objects.create(name="Change, board", url="https://example.com/ask").pk}
    return {name: str(pk) for name, pk in ids.items()}


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, *HealthCheck])
def test_a_flow_that_is_shown_and_sent_back_untouched_is_the_same_flow(there: dict[str, str], data: Any) -> None:
    columns, told = data.draw(flows(there))
    AccessFlow.objects.filter(name="Made").delete()
    flow = actions.define({"name": "Made"} | columns, told, actor=system())
    assert flow.current is not None
    shown = PolicyForm(flow)
    assert shown.draft() == flow.current.document
    back = PolicyForm(flow, posted(as_shown(shown)))
    assert back.is_valid(), [
        part.errors for part in (back.flow, back.window, *(row for one in back.lists for row in one))
    ]
    assert back.draft() == flow.current.document
    actions.define(back.columns(), back.document(), actor=system(), flow=flow, after=1)
    assert flow.versions.count() == 1


@given(values=SOME)
def test_values_are_read_as_they_are_written(values: list[str]) -> None:
    field = Values()
    assert field.clean(field.prepare_value(values)) == values


@given(key=TEXT, values=SOME)
def test_a_tag_selector_is_read_as_it_is_written(key: str, values: list[str]) -> None:
    from flows.choices import SelectorMode

    one = {"mode": "include_resources", "type": "tag", "key": key, "values": sorted(values)}
    assert selectors(SelectorMode.INCLUDE, written(one)) == [one]
