"""Nothing is lost: a flow's document becomes text, and the text the very document."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flows import document as documents
from flows.choices import MatchOperator
from flows.text.forms import Names, flow_columns, flow_document, flow_form
from flows.text.loading import dump, load
from flows.text.nodes import Book
from flows.text.patching import comments_kept, patched
from flows.text.shapes import DAYS, FLOW, WEBHOOK


def ids(kind: str, number: int) -> list[str]:
    return [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}{one}")) for one in range(number)]


INTEGRATIONS = dict(zip(ids("i", 3), ["Orders", "true", "2024-01-01: a # b"], strict=True))
WEBHOOKS = dict(zip(ids("w", 2), ["Change window", "~"], strict=True))
QUERIES = ['resource_name = "a"', 'resource_tag["env"] = "prod"\n  and not resource_name = "#"']


def integration_target(**more: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "kind": st.just("integration"),
            "integration": st.sampled_from(list(INTEGRATIONS)),
            "resource_type": words,
            "permissions": st.lists(words, max_size=3).map(sorted),
            "bundle": st.just(""),
            "access_scope": st.just(""),
            "query": st.just(""),
            "selectors": st.lists(selectors, max_size=3).map(documents.ordered),
        }
    )


# What PostgreSQL can keep.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
words = texts.filter(str.strip)
values = st.lists(texts, max_size=3).map(sorted)
plain_selectors = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["include_resources", "exclude_resources"]),
        "type": st.sampled_from(["name", "id"]),
        "key": st.just(""),
        "values": values,
    }
)
tag_selectors = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["include_resources", "exclude_resources"]),
        "type": st.just("tag"),
        "key": words,
        "values": values,
    }
)
selectors = plain_selectors | tag_selectors
scopes = st.sampled_from(
    [{"kind": "access_scope", "access_scope": pk, "name": name, "query": QUERIES[0]}
     for pk, name in zip(ids("s", 2), ["Production", "null"], strict=True)]
)  # fmt: skip
queries = st.sampled_from(QUERIES).map(lambda query: {"kind": "query", "query": query})
BUNDLES = [
    {"kind": "bundle", "bundle": pk, "name": name, "targets": [{"kind": "query", "query": QUERIES[1]}]}
    for pk, name in zip(ids("b", 2), ["Kit", "- kit"], strict=True)
]
targets = integration_target() | scopes | queries | st.sampled_from(BUNDLES)
sources = st.sampled_from(["", *INTEGRATIONS])
operators = st.sampled_from(MatchOperator.values)
people = st.builds(
    documents.condition,
    st.sampled_from(["user", "group", "manager", "Owner"]) | words.filter(lambda kind: kind != "webhook"),
    operators,
    values,
    sources,
)
hooks = st.builds(
    documents.condition, st.just("webhook"), operators, st.lists(st.sampled_from(list(WEBHOOKS)), max_size=2)
)
conditions = st.lists(people | hooks, max_size=3).map(documents.ordered)
groups = st.fixed_dictionaries({"operator": st.sampled_from(["and", "or"]), "conditions": conditions})
tiered = st.lists(st.builds(lambda tier, group: {"tier": tier, **group}, st.integers(0, 5), groups), max_size=4).map(
    lambda found: sorted(found, key=lambda group: group["tier"])
)
clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
windows = st.none() | st.fixed_dictionaries(
    {
        "start": clock,
        "end": clock,
        "days": st.sets(st.sampled_from([day.upper() for day in DAYS]), min_size=1).map(sorted),
        "time_zone": st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kolkata"]),
    }
)
fields = st.lists(
    st.fixed_dictionaries(
        {
            "key": words,
            "label": words,
            "kind": st.sampled_from(["text", "number", "date", "choice"]),
            "required": st.booleans(),
            "choices": st.lists(texts, max_size=3),
            "pattern": st.sampled_from(["", "[0-9]{1,8}"]),
        }
    ),
    max_size=3,
)
minutes = st.integers(1, 10_000_000).map(lambda number: number * 60)
extensions = st.just((0, 0)) | st.tuples(st.integers(1, 1000), minutes)


@st.composite
def flows(draw: st.DrawFn) -> dict[str, Any]:
    """Return a document that the database lets a flow have."""
    automatic = draw(st.booleans())
    endless = draw(st.booleans())
    times, each = (0, 0) if endless else draw(extensions)
    settings_ = {
        **{name: draw(st.booleans()) for name in ("approver_reason_required", "self_approval", "mfa_required")},
        "justification_required": not automatic and draw(st.booleans()),
        "break_glass": draw(st.booleans()),
        **draw(st.sampled_from([{}, {"only_while_eligible": False}])),
        **draw(st.sampled_from([{}, {"drain_seconds": 60}, {"drain_seconds": 8 * 3600}])),
        "removes_foreign": draw(st.booleans()),
        "ticket_pattern": draw(st.sampled_from(["", "INC-[0-9]+", "[A-Z]{2,8}-[0-9]{1,9}"])),
        "fields": draw(fields),
        "max_extensions": times,
        "extension_seconds": each,
        "labels": draw(st.lists(texts, max_size=3)),
    }
    return {
        "id": draw(st.sampled_from(ids("f", 3))),
        "name": draw(words),
        "description": draw(st.text(st.sampled_from("ab #:'\"\\\n\t\r-|>é\u2028\x85\x1f"), max_size=30) | texts),
        "active": draw(st.booleans()),
        "trigger": "automatic" if automatic else "self_serve",
        "requestors": draw(groups),
        "request_for": {
            "scopes": draw(st.sets(st.sampled_from(["self", "others", "direct_reports"]), min_size=1).map(sorted)),
            "grantees": draw(groups),
        },
        "targets": draw(st.lists(targets, max_size=4).map(documents.ordered)),
        "approval": {
            "mode": "none" if automatic else draw(st.sampled_from(["none", "any_of", "all_of"])),
            "groups": draw(tiered),
            "escalation_seconds": draw(st.none() | minutes),
        },
        "duration_seconds": None if endless else draw(minutes),
        "pending_seconds": draw(st.integers(1, 100_000)) * 3600,
        "timeframe": draw(windows),
        "checks": draw(st.sets(st.sampled_from(list(WEBHOOKS))).map(sorted)),
        "settings": settings_,
    }


NAMES = Names(
    INTEGRATIONS,
    WEBHOOKS,
    {one["bundle"]: one for one in BUNDLES},
    {pk: {"kind": "access_scope", "access_scope": pk, "name": name, "query": QUERIES[0]}
     for pk, name in zip(ids("s", 2), ["Production", "null"], strict=True)},
)  # fmt: skip
KNOWN = {
    "integration": set(INTEGRATIONS.values()),
    "webhook": set(WEBHOOKS.values()),
    "scope": {"Production", "null"},
    "bundle": {"Kit", "- kit"},
}


def read(text: str) -> dict[str, Any]:
    book = Book("f", KNOWN)
    form: dict[str, Any] = FLOW.read(load(text.encode(), "f"), (), book)
    assert book.problems == []
    return form


@given(flows())
@settings(max_examples=100)
def test_a_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    text = dump(FLOW.tree(flow_form(document, NAMES)))
    assert flow_document(read(text), NAMES, document["id"]) == document


@given(flows())
@settings(max_examples=30)
def test_equal_policy_is_equal_text(document: dict[str, Any]) -> None:
    text = dump(FLOW.tree(flow_form(document, NAMES)))
    assert dump(FLOW.tree(read(text))) == text


@given(flows(), flows())
@settings(max_examples=60)
def test_whatever_a_file_said_before_it_says_the_new_after_and_keeps_its_comments(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    before = dump(FLOW.tree(flow_form(one, NAMES)))
    lines = [f"# {number}\n{line}" for number, line in enumerate(before.split("\n")) if line[:1].isalpha()]
    commented = before
    for line in lines:
        commented = commented.replace("\n" + line.split("\n", 1)[1], "\n" + line, 1)
    if read(commented) != read(before):
        commented = before
    form = flow_form(other, NAMES)
    tree = load(commented.encode(), "f")
    base = dump(copy.deepcopy(tree), like=commented)
    merged = dump(FLOW.merge(tree, form), like=commented)
    assert read(merged) == form
    kept = comments_kept(commented, patched(commented, base, merged))
    assert {line for line in commented.split("\n") if line.startswith("# ")} <= set(kept.split("\n"))


@given(flows())
@settings(max_examples=30)
def test_columns_say_what_the_document_says(document: dict[str, Any]) -> None:
    columns = flow_columns(flow_form(document, NAMES))
    seconds = (columns["grant_duration_minutes"] or 0) * 60 or None
    assert seconds == document["duration_seconds"]
    assert columns["indefinite"] is (document["duration_seconds"] is None)
    assert columns["pending_hours"] * 3600 == document["pending_seconds"]
    assert (columns["escalation_minutes"] or 0) * 60 == (document["approval"]["escalation_seconds"] or 0)
    apart = {"extension_seconds", "only_while_eligible", "drain_seconds"}
    assert columns["drain_minutes"] * 60 == document["settings"].get("drain_seconds", 0)
    same = {name: value for name, value in document["settings"].items() if name not in apart}
    assert columns["outlasts_eligibility"] is not document["settings"].get("only_while_eligible", True)
    assert {name: columns[name] for name in same} == same
    assert columns["extension_minutes"] * 60 == document["settings"]["extension_seconds"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(texts, json_values, max_size=4), st.dictionaries(words, texts, max_size=3))
@settings(max_examples=60)
def test_a_webhooks_body_comes_back_as_it_was(body: dict[str, Any], headers: dict[str, str]) -> None:
    form = {
        **{"name": "A", "description": "", "active": True, "method": "POST"},
        **{"url": "https://a.example/", "headers": headers},
        **{"body": body, "oauth": None, "validators": [{"path": "$.ok", "operator": "is", "value": "true"}]},
        **{"timeout": 10, "error_message": "", "secrets": {"header:X-Key": "kept"}},
    }
    book = Book("w")
    found = WEBHOOK.read(load(dump(WEBHOOK.tree(form)).encode(), "w"), (), book)
    assert book.problems == []
    assert (found, repr(found["body"])) == (form, repr(found["body"]))
