"""A sealed box opens with its key in its context, and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.toolkit.sealing import SealBroken, new_private_key, open_sealed, public_key, seal

KEY = new_private_key()


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_what_was_sealed_comes_out(plaintext: bytes, context: bytes) -> None:
    assert open_sealed(KEY, seal(public_key(KEY), plaintext, context), context) == plaintext


def test_another_context_does_not_open_it() -> None:
    with pytest.raises(SealBroken):
        open_sealed(KEY, seal(public_key(KEY), b"x", b"grant-1"), b"grant-2")


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(SealBroken):
        open_sealed(new_private_key(), seal(public_key(KEY), b"x", b"g"), b"g")


@pytest.mark.parametrize("position", [0, 1, 20, 32, 33, -1])
def test_a_changed_byte_does_not_open(position: int) -> None:
    box = bytearray.fromhex(seal(public_key(KEY), b"secret", b"g"))
    box[position] ^= 1
    with pytest.raises(SealBroken):
        open_sealed(KEY, box.hex(), b"g")


@pytest.mark.parametrize("text", ["", "zz", "01", "00" * 60])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(SealBroken):
        open_sealed(KEY, text, b"g")


def test_two_boxes_of_the_same_text_differ() -> None:
    assert seal(public_key(KEY), b"x", b"g") != seal(public_key(KEY), b"x", b"g")
