"""The built-in store binds a secret to its row and field, and rotates its keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.stores.builtin import SecretUnreadable, decrypt, encrypt, key_ring, needs_rotation, new_key

OLD, NEW = new_key(), new_key()
RING = key_ring([NEW, OLD])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_was_encrypted_comes_out(text: str) -> None:
    assert decrypt(RING, encrypt(RING, text, "17", "password"), "17", "password") == text


@pytest.mark.parametrize(("row", "field"), [("18", "password"), ("17", "token"), ("17pass", "word")])
def test_a_value_moved_to_another_place_is_unreadable(row: str, field: str) -> None:
    with pytest.raises(SecretUnreadable):
        decrypt(RING, encrypt(RING, "x", "17", "password"), row, field)


def test_an_older_key_still_decrypts_and_asks_for_rotation() -> None:
    before = encrypt(key_ring([OLD]), "x", "1", "f")
    assert decrypt(RING, before, "1", "f") == "x"
    assert needs_rotation(RING, before.key_id)
    assert not needs_rotation(RING, encrypt(RING, "x", "1", "f").key_id)


def test_a_key_that_left_the_ring_no_longer_decrypts() -> None:
    with pytest.raises(SecretUnreadable, match="not in the ring"):
        decrypt(key_ring([NEW]), encrypt(key_ring([OLD]), "x", "1", "f"), "1", "f")


def test_a_changed_ciphertext_is_unreadable() -> None:
    box = encrypt(RING, "x", "1", "f")
    with pytest.raises(SecretUnreadable):
        decrypt(RING, box._replace(ciphertext=bytes([box.ciphertext[0] ^ 1]) + box.ciphertext[1:]), "1", "f")


@pytest.mark.parametrize("keys", [[], ["00"], ["no hex"], [NEW, "ab" * 31]])
def test_a_ring_of_bad_keys_is_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError, match=r"key|hex"):
        key_ring(keys)


def test_keys_are_not_printed() -> None:
    assert NEW not in repr(RING)
    assert bytes.fromhex(NEW) not in repr(RING).encode()
    assert repr(bytes.fromhex(NEW)) not in repr(RING)
