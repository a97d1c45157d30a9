"""What services say is made keepable where it comes in, and nothing but that is changed."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import wire
from connectors.contract.sound import DEPTH_MAX, sound
from connectors.toolkit.http import parsed

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_what_is_made_sound_can_be_written_read_by_the_wire_and_stays_so(value: object) -> None:
    found = sound(value)
    text = json.dumps(found, allow_nan=False)
    text.encode()
    wire._refuse_unkeepable(json.loads(text))
    assert sound(found) == found


@given(PLAIN)
def test_what_is_sound_already_is_not_changed(value: object) -> None:
    found = sound(value)
    if "\ufffd" not in json.dumps(found, ensure_ascii=False) and _finite(value):
        assert found == value


def _finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(_finite(one) for one in value.values())
    if isinstance(value, list):
        return all(_finite(one) for one in value)
    return not isinstance(value, float) or math.isfinite(value)


def test_a_sign_is_replaced_never_left_out_and_depth_has_an_end() -> None:
    assert parsed('{"email": "ada@example.com\\u0000", "half": "\\ud800!", "no": NaN}') == {
        "email": "ada@example.com\ufffd",
        "half": "\ufffd!",
        "no": None,
    }
    # Two halves in their order are one sign, and whole.
    assert parsed('"\\ud83e\\udd84"') == "\U0001f984"
    deep = parsed("[" * (DEPTH_MAX + 5) + "]" * (DEPTH_MAX + 5))
    depth = 0
    while isinstance(deep, list) and deep:
        deep, depth = deep[0], depth + 1
    assert depth == DEPTH_MAX and deep is None
