"""What every endpoint stands on: bodies, errors, pages of lists, wildcards, repeats, limits, conditional reads."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import hypothesis
import pytest
from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import Http404
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.choices import TokenScope
from accounts.models import ApiToken, Group, IdempotentAnswer, User
from accounts.rest import errors, limits, paging, wildcards
from accounts.rest.fields import Instant
from accounts.rest.parsing import DEPTH_MAX, careful
from accounts.rest.permissions import ANY_TOKEN, Scopes
from accounts.rest.views import Endpoint
from audit.actor import system
from tests.api.conftest import token_for
from tests.cast import Cast

BAD = [
    b"{",
    b"[1,",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'"\\u0000"',
    b'{"\\u0000": 1}',
    b'"\\ud800"',
    b"\xff\xfe",
    b'"\xed\xa0\x80"',
    b"[" * 100_000,
    b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
    b'{"a":' * 40 + b"1" + b"}" * 40,
]


class Deeds(Endpoint):
    """An endpoint of the test: it makes groups, and lists them in each style."""

    scopes: ClassVar[Scopes] = {"GET": ANY_TOKEN, "POST": (TokenScope.TOKENS_WRITE,)}
    body_max = 300_000

    def get(self, request: Request) -> Response:
        """List groups."""
        groups = Group.objects.filter(wildcards.named("name", request.query_params.get("name", "*")))
        if request.query_params.get("style") == "token":
            page = paging.by_token(request, groups, order=("name", "id"))
            return Response({"rows": [row.name for row in page.rows], "pagination": page.by_token})
        page = paging.by_skip(request, groups.order_by("name"))
        return Response({"rows": [row.name for row in page.rows], "pagination": page.by_number})

    def post(self, request: Request) -> Response:
        """Make a group; or fail as the body says, after it was made."""
        data = request.data if isinstance(request.data, dict) else {}
        Group.objects.create(name=str(data.get("name", "x"))[:200])
        wrong: dict[str, Exception] = {
            "value": actions.BadValue("A value."),
            "not": actions.NotAllowed("Not you."),
            "there": actions.AlreadyThere("There."),
            "gone": Http404(),
            "data": DataError("secret words of the database"),
            "big": OverflowError("x"),
            "bad": BadRequest("Bad."),
        }
        if data.get("fail") in wrong:
            raise wrong[data["fail"]]
        return Response({"name": data.get("name"), "groups": Group.objects.count()}, status=201)


class Quiet(Deeds):
    """Likewise, with answers that show a secret."""

    secret = True


def ask(text: str, method: str = "get", body: bytes | str = b"", view: Any = Deeds, **rest: Any) -> Any:
    """Call the endpoint of the test as a client does that brings the token `text`."""
    query = rest.pop("query", {})
    headers = {"HTTP_AUTHORIZATION": f"Bearer {text}", **rest}
    factory = RequestFactory()
    if method == "get":
        request = factory.get("/api/deeds", query, **headers)
    else:
        request = factory.post("/api/deeds", body, content_type="application/json", **headers)
    response = view.as_view()(request)
    return response if response.is_rendered else response.render()


@pytest.mark.parametrize("body", BAD, ids=lambda body: repr(body[:12]))
def test_a_body_that_nobody_could_mean_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        careful(body)


@hypothesis.settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=20,
    )
)
def test_other_bodies_are_read_as_they_are(data: Any) -> None:
    text = json.dumps(data)
    if "\\u0000" in text:
        text, data = text.replace("\\u0000", "-"), json.loads(text.replace("\\u0000", "-"))
    assert careful(text.encode()) == data


def test_a_text_that_only_speaks_of_nul_is_no_nul() -> None:
    assert careful(rb'"\\u0000"') == r"\u0000"


def test_hostile_requests_get_a_clear_no_and_leave_nothing_behind(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    for body in [*BAD, b'{"name": "' + b"a" * 400_000 + b'"}']:
        answer = ask(text, "post", body)
        assert answer.status_code in {400, 413}, body[:20]
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["status"] == answer.status_code
    assert Group.objects.count() == 0
    for query in (
        {"name": "a\x00b"},
        {"\x00": "a"},
        {"limit": "-1"},
        {"limit": "x"},
        {"skip": "9" * 30},
        {"limit": "²"},
    ):
        assert ask(text, query=query).status_code == 400, query
    assert ask(text, query={"style": "token", "page_token": "x\x00"}).status_code == 400


@pytest.mark.parametrize(
    ("fail", "status", "code"),
    [
        ("value", 400, "invalid"),
        ("not", 403, "forbidden"),
        ("there", 409, "refused"),
        ("gone", 404, "not_found"),
        ("data", 400, "invalid"),
        ("big", 400, "invalid"),
        ("bad", 400, "invalid"),
    ],
)
def test_what_actions_refuse_is_a_problem_with_status_and_code(cast: Cast, fail: str, status: int, code: str) -> None:
    _, text = token_for(cast.requester)
    answer = ask(text, "post", json.dumps({"fail": fail}))
    told = json.loads(answer.content)
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["detail"]
    assert "secret words" not in told["detail"]
    assert answer["Cache-Control"] == "no-store"


def test_an_error_of_ours_stays_one(cast: Cast) -> None:
    assert errors.answer(RuntimeError("x"), {}) is None


def test_fields_are_told_one_by_one() -> None:
    detail: Any = {"name": ["missing"], "settings": {"labels": {0: ["odd"]}}, "non_field_errors": ["both"]}
    answer = errors.answer(serializers.ValidationError(detail), {})
    assert answer is not None
    assert answer.data["errors"] == [
        {"field": "name", "message": "missing"},
        {"field": "settings.labels.0", "message": "odd"},
        {"field": "", "message": "both"},
    ]


def walk(text: str, limit: int, name: str = "*") -> list[str]:
    """Return the whole list, page by page."""
    rows: list[str] = []
    query = {"style": "token", "limit": str(limit), "name": name}
    for _ in range(100):
        told = json.loads(ask(text, query=query).content)
        rows += told["rows"]
        if told["pagination"]["next_page_token"] is None:
            return rows
        query["page_token"] = told["pagination"]["next_page_token"]
    raise AssertionError("the list does not end")


def test_pages_by_token_show_every_row_once_whatever_the_limit(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    names = sorted(["a", "a", "a", "b", "c", "d", "d"])
    for name in names:
        Group.objects.create(name=name)
    for limit in (1, 2, 3, 7, 8):
        assert walk(text, limit) == names
    assert walk(text, 1, "d*") == ["d", "d"]


def test_a_row_that_comes_or_goes_meanwhile_shifts_no_page(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    for name in "bdf":
        Group.objects.create(name=name)
    query = {"style": "token", "limit": "2"}
    first = json.loads(ask(text, query=query).content)
    Group.objects.filter(name="b").delete()
    Group.objects.create(name="a")
    query["page_token"] = first["pagination"]["next_page_token"]
    assert json.loads(ask(text, query=query).content)["rows"] == ["f"]


def test_a_page_token_is_good_for_its_own_list_and_person_only(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    _, other = token_for(cast.outsider)
    for name in "abc":
        Group.objects.create(name=name)
    query = {"style": "token", "limit": "1"}
    page = json.loads(ask(text, query=query).content)["pagination"]["next_page_token"]
    assert ask(text, query={**query, "page_token": page}).status_code == 200
    assert ask(text, query={**query, "page_token": page, "limit": "2"}).status_code == 200, "the limit may change"
    for wrong in ({"page_token": page[:-1]}, {"page_token": "x" + page}, {"page_token": page, "name": "a*"}):
        assert ask(text, query={**query, **wrong}).status_code == 400
    assert ask(other, query={**query, "page_token": page}).status_code == 400


def test_pages_by_number_say_how_many_there_are(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    for name in "abcde":
        Group.objects.create(name=name)
    told = json.loads(ask(text, query={"skip": "2", "limit": "2"}).content)
    assert told == {"rows": ["c", "d"], "pagination": {"limit": 2, "offset": 2, "total": 5}}
    assert json.loads(ask(text, query={"skip": "9"}).content)["rows"] == []
    assert json.loads(ask(text, query={"limit": "99999"}).content)["pagination"]["limit"] == paging.LIMIT_MAX


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", {"prod-db", "Prod_web", "100%", "a\\b", "a*b"}),
        ("prod-*", {"prod-db"}),
        ("PROD*", {"prod-db", "Prod_web"}),
        ("*_*", {"Prod_web"}),
        ("*%", {"100%"}),
        ("*\\*", {"a\\b"}),
        ("a*b", {"a\\b", "a*b"}),
        ("prod_db", set()),
        ("p*d*b", {"prod-db", "Prod_web"}),
        ("p*-*b", {"prod-db"}),
        ("*'; DROP*", set()),
        ("prod-db", {"prod-db"}),
    ],
)
def test_only_a_star_is_a_wildcard(db: None, pattern: str, found: set[str]) -> None:
    for name in ("prod-db", "Prod_web", "100%", "a\\b", "a*b"):
        Group.objects.create(name=name)
    assert {*Group.objects.filter(wildcards.named("name", pattern)).values_list("name", flat=True)} == found


def test_the_same_post_again_does_its_work_once(cast: Cast) -> None:
    token, text = token_for(cast.requester)
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    first = ask(text, "post", '{"name": "a"}', **key)
    again = ask(text, "post", '{"name":   "a"}', **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Group.objects.count() == 1
    other = ask(text, "post", '{"name": "b"}', **key)
    assert (other.status_code, json.loads(other.content)["code"]) == (422, "key_reused")
    _, elsewhere = token_for(cast.requester)
    assert ask(elsewhere, "post", '{"name": "b"}', **key).status_code == 201, "a key is a token's own"
    assert IdempotentAnswer.objects.filter(token=token).count() == 1
    assert ask(text, "post", "{}", HTTP_IDEMPOTENCY_KEY="é").status_code == 400
    assert ask(text, "post", "{}", HTTP_IDEMPOTENCY_KEY="a" * 300).status_code == 400


def test_a_post_that_failed_leaves_nothing_and_may_be_tried_again(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    assert ask(text, "post", '{"fail": "value"}', **key).status_code == 400
    assert (Group.objects.count(), IdempotentAnswer.objects.count()) == (0, 0)
    assert ask(text, "post", '{"name": "a"}', **key).status_code == 201


def test_whoever_dies_between_leaves_nothing_and_the_repeat_does_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = token_for(cast.requester)
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}

    def die(self: IdempotentAnswer, **_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(IdempotentAnswer, "save", die)
        with pytest.raises(KeyboardInterrupt):
            ask(text, "post", '{"name": "a"}', **key)
    assert (Group.objects.count(), IdempotentAnswer.objects.count()) == (0, 0)
    assert ask(text, "post", '{"name": "a"}', **key).status_code == 201
    assert Group.objects.count() == 1


def test_an_answer_with_a_secret_is_not_kept(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    first = ask(text, "post", '{"name": "s3cret"}', view=Quiet, HTTP_IDEMPOTENCY_KEY="one")
    assert (first.status_code, first["Cache-Control"]) == (201, "no-store")
    again = ask(text, "post", '{"name": "s3cret"}', view=Quiet, HTTP_IDEMPOTENCY_KEY="one")
    assert (again.status_code, json.loads(again.content)["code"]) == (409, "already_done")
    assert Group.objects.count() == 1
    assert "s3cret" not in str([*IdempotentAnswer.objects.values()])


def test_answers_and_tokens_that_are_long_over_are_swept(cast: Cast) -> None:
    token, text = token_for(cast.requester)
    ask(text, "post", '{"name": "a"}', HTTP_IDEMPOTENCY_KEY="one")
    kept = IdempotentAnswer.objects.get()
    assert actions.tidy_tokens(at=kept.created_at) == 0
    assert actions.tidy_tokens(at=kept.created_at.replace(year=kept.created_at.year + 2)) > 0
    assert IdempotentAnswer.objects.count() == 0
    assert not ApiToken.objects.filter(pk=token.pk).exists()


def test_a_limit_is_told_and_held(cast: Cast, settings: Any) -> None:
    settings.API_PER_MINUTE = {"token": 3, "address": 2}
    _, text = token_for(cast.requester)
    answers = [ask(text) for _ in range(4)]
    # A minute may end in between; then it began anew.
    if answers[0]["RateLimit-Remaining"] == "2" and answers[-1]["RateLimit-Remaining"] == "0":
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1]["Retry-After"]) <= 61
        assert json.loads(answers[-1].content)["code"] == "throttled"
    assert all(answer["RateLimit-Limit"] == "3" for answer in answers)
    cache.clear()
    assert {ask("lk_wrong").status_code for _ in range(6)} == {401, 429}


def test_a_limit_counts_by_minute_and_by_who() -> None:
    cache.clear()
    used = [limits.count("a", 5, at=120.0 + second).used for second in (0, 1, 59, 60)]
    assert used == [1, 2, 3, 1]
    assert limits.count("b", 5, at=120.0).used == 1
    assert limits.count("a", 5, at=125.0).headers == {
        "RateLimit-Limit": "5",
        "RateLimit-Remaining": "1",
        "RateLimit-Reset": "55",
    }


def test_what_did_not_change_is_not_sent_again(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    first = ask(text)
    same = ask(text, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (same.status_code, same.content) == (304, b"")
    Group.objects.create(name="new")
    other = ask(text, HTTP_IF_NONE_MATCH=first["ETag"])
    assert other.status_code == 200
    assert other["ETag"] != first["ETag"]
    assert "ETag" not in ask(text, view=Quiet)


@pytest.mark.parametrize("wrong", ["soon", True, None, [], 1e300, -1e300, float("nan"), "1"])
def test_an_instant_is_a_number_of_seconds(wrong: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        Instant().run_validation(wrong)
    assert Instant().run_validation(1.5).timestamp() == 1.5


def test_a_read_costs_few_queries(cast: Cast, django_assert_num_queries: Any) -> None:
    _, text = token_for(cast.requester)
    ask(text)
    # The token with its owner; how many there are; the page.
    with django_assert_num_queries(3):
        ask(text)


def test_one_is_oneself_over_http_too(cast: Cast) -> None:
    _, text = token_for(cast.requester)
    actions.create_group("unseen", actor=system())
    told = Client().get("/api/client/v1/session", HTTP_AUTHORIZATION=f"bearer {text}").json()
    assert User.objects.get(pk=told["user"]["id"]) == cast.requester
