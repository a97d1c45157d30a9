"""A known secret leaves no text, however it was spelled there."""

import base64
import json
from urllib.parse import quote

import pytest

from connectors.toolkit.redaction import Redactor

SECRET = "p4ss'wo\"rd\\ ü/@"


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps({"password": SECRET}),
        repr(SECRET),
        quote(SECRET, safe=""),
        "PASSWORD '" + SECRET.replace("'", "''") + "'",
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_spelling_is_hidden(text: str) -> None:
    scrubbed = Redactor([SECRET]).scrub(f"before {text} after")
    assert "(secret)" in scrubbed
    assert text not in scrubbed
    assert scrubbed.startswith("before ")
    assert scrubbed.endswith(" after")


def test_a_longer_secret_leaves_no_tail() -> None:
    assert Redactor(["abc", "abcdef"]).scrub("abcdef") == "(secret)"


def test_no_secret_means_no_change() -> None:
    assert Redactor(["", "x"]).scrub("all good") == "all good"


def test_the_causes_of_an_error_are_scrubbed() -> None:
    redactor = Redactor()
    redactor.add("canary-7")
    try:
        try:
            raise ValueError("canary-7")
        except ValueError as cause:
            raise RuntimeError("outer") from cause
    except RuntimeError as error:
        described = redactor.describe(error)
    assert "ValueError: (secret)" in described
    assert "RuntimeError: outer" in described
