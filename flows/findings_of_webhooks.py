"""What is wrong with a webhook, in words; `part` of a finding is the column it is about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from typing import Any

from flows import slots
from flows.choices import MatchOperator
from flows.findings import Finding
from flows.judging import VALUE_MAX, path_problem
from flows.models import Webhook
from integrations.actions import why_no_address

CLIENT_SECRET, HEADER = "oauth_client_secret", "header:"
TIMEOUT_MAX = 60
HEADERS_MAX, VALIDATORS_MAX, HEADER_LENGTH_MAX = 20, 20, 4000
_METHODS = {"POST", "PUT", "GET", "PATCH", "DELETE"}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# Set by the client itself, or by us.
_OURS = {
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "expect",
    "upgrade",
    "te",
    "trailer",
    "accept-encoding",
    "idempotency-key",
}
_SECRET_NAMES = {"authorization", "proxy-authorization", "cookie"}


def about_webhook(row: Webhook, secrets: Set[str]) -> list[Finding]:
    """Return why a webhook must not be saved; `secrets` are the fields that it will have."""
    return [
        *_about_call(row),
        *_about_headers(row, secrets),
        *_about_oauth(row, secrets),
        *_about_body(row),
        *_about_validators(row.validators),
    ]


def _about_call(row: Webhook) -> Iterator[Finding]:
    if not row.name.strip() or len(row.name) > 150:
        yield Finding("name", "Give it a name of at most 150 characters: people read it while it is asked.")
    if row.method not in _METHODS:
        yield Finding("method", f"The method is {' or '.join(sorted(_METHODS))}.")
    problem = why_no_address(row.url) or ("At most 1000 characters." if len(row.url) > 1000 else "")
    if problem:
        yield Finding("url", problem)
    seconds = row.timeout_seconds
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= TIMEOUT_MAX:
        yield Finding("timeout_seconds", f"It is waited for at least 1 and at most {TIMEOUT_MAX} seconds.")
    if len(row.error_message) > 300:
        yield Finding("error_message", "At most 300 characters.")


def _about_headers(row: Webhook, secrets: Set[str]) -> Iterator[Finding]:
    hidden = [field.removeprefix(HEADER) for field in secrets if field.startswith(HEADER)]
    if not isinstance(row.headers, dict) or len(row.headers) + len(hidden) > HEADERS_MAX:
        yield Finding("headers", f"At most {HEADERS_MAX} headers, each a name and a value.")
        return
    for name, value in row.headers.items():
        if not isinstance(value, str) or len(value) > HEADER_LENGTH_MAX or not _is_header_value(value):
            yield Finding("headers", f"The value of the header {name} has to be one line of plain text.")
        if name.lower() in _SECRET_NAMES:
            yield Finding("headers", f"The header {name} says who you are: make it a secret one.")
    for name in [*row.headers, *hidden]:
        if not _HEADER_NAME.fullmatch(name):
            yield Finding("headers", f"“{name}” cannot be the name of a header.")
        elif name.lower() in _OURS:
            yield Finding("headers", f"The header {name} is set by Latchkey itself.")
    names = [name.lower() for name in [*row.headers, *hidden]]
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield Finding("headers", f"The header {name} is there more than once.")
    if row.oauth and "authorization" in names:
        yield Finding("headers", "With OAuth, the header Authorization is the token’s.")


def _is_header_value(value: str) -> bool:
    return value == value.strip() and all(" " <= one <= "~" or one == "\t" for one in value)


def bad_secret(field: str, value: str) -> str:
    """Return why a secret's value cannot be sent, in words that do not repeat it."""
    if field != CLIENT_SECRET and not _is_header_value(value):
        return "It has to be one line of plain text, without spaces at its ends."
    return "" if 0 < len(value) <= HEADER_LENGTH_MAX else f"At least one, at most {HEADER_LENGTH_MAX} characters."


def _about_oauth(row: Webhook, secrets: Set[str]) -> Iterator[Finding]:
    if not row.oauth:
        if CLIENT_SECRET in secrets:
            yield Finding("oauth", "Say where tokens come from, or leave the client’s secret out.")
        return
    if not isinstance(row.oauth, dict) or set(row.oauth) - {"token_url", "client_id", "scope"}:
        yield Finding("oauth", "OAuth takes token_url, client_id and scope.")
        return
    problem = why_no_address(str(row.oauth.get("token_url", "")))
    if problem:
        yield Finding("oauth", f"Where tokens come from: {problem}")
    if not str(row.oauth.get("client_id", "")).strip():
        yield Finding("oauth", "Say the client’s id.")
    if CLIENT_SECRET not in secrets:
        yield Finding("oauth", "Type the client’s secret.")


def _about_body(row: Webhook) -> Iterator[Finding]:
    try:
        text = json.dumps(row.body, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        yield Finding("body", "The body has to be JSON.")
        return
    if len(text) > slots.TEXT_MAX:
        yield Finding("body", f"The body has at most {slots.TEXT_MAX} characters.")
        return
    for problem in dict.fromkeys(slots.problems(row.body)):
        yield Finding("body", problem)
    if row.method == "GET" and not _is_query(row.body):
        yield Finding("body", "A GET sends its body as the query: it has to be one object of plain values.")


def _is_query(body: Any) -> bool:
    return isinstance(body, dict) and not any(isinstance(value, dict | list) for value in body.values())


def _about_validators(validators: Any) -> Iterator[Finding]:
    if not isinstance(validators, list) or len(validators) > VALIDATORS_MAX:
        yield Finding("validators", f"At most {VALIDATORS_MAX} conditions on the answer.")
        return
    for one in validators:
        if not isinstance(one, dict) or set(one) != {"path", "operator", "value"}:
            yield Finding("validators", "A condition on the answer has a path, an operator and a value.")
            continue
        problem = path_problem(str(one["path"]))
        if problem:
            yield Finding("validators", problem)
        if one["operator"] not in MatchOperator.values:
            yield Finding("validators", f"The operator is one of {', '.join(MatchOperator.values)}.")
        value = one["value"]
        if not isinstance(value, str) or len(value) > VALUE_MAX:
            yield Finding("validators", f"A value is text of at most {VALUE_MAX} characters.")
        elif not value and one["operator"] in {"contains", "starts_with"}:
            yield Finding("validators", f"Every text {MatchOperator(one['operator']).label} nothing: give a value.")
