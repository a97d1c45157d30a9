"""What providers that tell of people share: where a sync goes on, what a list must look like, the next page's mark."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests.utils

from connectors.contract.errors import Misconfigured
from connectors.toolkit.http import Answer
from connectors.toolkit.http_files import RequestFile

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def mark(**place: Any) -> str:
    """Return where a sync goes on, as a page carries it; what is None is left out."""
    return json.dumps({name: value for name, value in place.items() if value is not None}, sort_keys=True)


def place_of(text: str) -> dict[str, Any]:
    """Return where a sync goes on; nothing for what no version of ours wrote: it begins again then."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def objects(data: Any, file: RequestFile, *keys: str) -> list[dict[str, Any]]:
    """Return the list of objects that an answer holds, below `keys`. Raises Misconfigured for anything else.

    A list that is not there counts as no list, never as an empty one: everybody would be gone.
    """
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise Misconfigured(f"The answer to {file.name} holds no list: is the address right?")
    return data


def record(value: Any) -> dict[str, Any]:
    """Return a value that is an object; an empty one for what is none."""
    return value if isinstance(value, dict) else {}


def text(record: dict[str, Any], *keys: str) -> str:
    """Return the first of these that is a text, without space around it; "" when none is."""
    for key in keys:
        value = record.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def linked(answer: Answer, parameter: str) -> str:
    """Return a parameter of the address that the header Link calls the next one; "" on the last page.

    Only the parameter is taken: nothing that a service says is ever an address to go to.
    """
    for link in requests.utils.parse_header_links(answer.headers.get("Link", "") or ""):
        if link.get("rel") == "next":
            return parameter_of(link.get("url", ""), parameter)
    return ""


def parameter_of(address: Any, parameter: str) -> str:
    """Return a parameter of an address that a service said; "" where there is none."""
    if not isinstance(address, str):
        return ""
    return next(iter(parse_qs(urlsplit(address).query).get(parameter, [])), "")


def clock(answer: Answer) -> datetime:
    """Return the service's own time of an answer. Raises Misconfigured when it tells none."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, TypeError) as error:
        raise Misconfigured("The answer bears no Date: something stands between the connector and it.") from error


def written(moment: datetime) -> str:
    """Return a moment as services take it: ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> str | None:
    """Return a cursor that is a moment of ours; None for what is none, which begins a whole sync."""
    return text if _MOMENT.fullmatch(text) else None
