"""A dossier's file: signed once, checked anywhere, refused when anything in it is not as it was."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from audit import dossiers
from audit.dossiers import BadDossier, Key, canonical, sign, verify

KEY, OTHER = Key("d1", b"k" * 32), Key("d2", b"o" * 32)
TOLD = {"about": "AR-7", "made_at": "2026-03-02T12:00:00+00:00", "list": [1, "zwei", None, {"ü": True}]}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_what_was_signed_is_read_back() -> None:
    assert verify(sign(TOLD, KEY), [OTHER.public, KEY.public.upper()]) == TOLD


@given(dossier=st.dictionaries(st.text(), PLAIN))
def test_anything_a_dossier_can_hold_comes_back(dossier: dict[str, object]) -> None:
    assert verify(sign(dossier, KEY), [KEY.public]) == dossier


def test_its_layout_does_not_matter() -> None:
    file = json.loads(sign(TOLD, KEY))
    turned = {"signature": file["signature"], "dossier": dict(reversed(file["dossier"].items()))}
    assert verify(json.dumps(turned), [KEY.public]) == TOLD


@given(data=st.data())
def test_no_byte_of_it_can_be_changed(data: st.DataObject) -> None:
    text = sign(TOLD, KEY)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.characters(codec="ascii").filter(lambda sign_: sign_ != text[at]))
    changed = text[:at] + put + text[at + 1 :]
    try:
        found = verify(changed, [KEY.public])
    except BadDossier:
        return
    # White space between its parts, or the case of hex digits, is no change; the id of the key is a hint only.
    assert found == TOLD


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: "", "no JSON"),
        (lambda text: "[]", "has not exactly the parts"),
        (lambda text: text.replace('"about": "AR-7"', '"about": "AR-7", "about": "AR-8"'), "said twice"),
        (lambda text: text.replace("AR-7", "AR-8"), "something in it was changed"),
        (lambda text: text.replace('"zwei"', "2.5"), "fraction 2.5"),
        (lambda text: text.replace('"zwei"', "NaN"), "holds NaN"),
        (lambda text: text.replace("Ed25519", "none"), "not signed by Ed25519"),
        (lambda text: text.replace('"value"', '"worth"'), "signature is not as it should be"),
        (lambda text: '{"dossier":' + "[" * 100_000, "dossier"),
    ],
)
def test_what_is_wrong_with_it_is_said(change: object, why: str) -> None:
    with pytest.raises(BadDossier, match=why):
        verify(change(sign(TOLD, KEY)), [KEY.public])  # type: ignore[operator]


def test_a_key_in_the_file_is_no_reason_to_believe_it() -> None:
    forged = sign(TOLD | {"about": "AR-8"}, OTHER)
    with pytest.raises(BadDossier, match="none that you trust"):
        verify(forged, [KEY.public])
    swapped = json.loads(forged)
    swapped["signature"]["public_key"] = KEY.public
    with pytest.raises(BadDossier, match="changed"):
        verify(json.dumps(swapped), [KEY.public])


@pytest.mark.parametrize("wrong", [{"a": 1.5}, {"a": b"x"}, {1: "a"}, {"a": {1: 2}}, {"a": [object()]}])
def test_what_no_dossier_holds_is_not_signed(wrong: dict[object, object]) -> None:
    with pytest.raises(ValueError, match="A dossier"):
        canonical(wrong)  # type: ignore[arg-type]


def run(*words: str) -> str:
    out = StringIO()
    call_command("audit", *words, stdout=out)
    return out.getvalue()


def test_the_command_checks_a_file_and_needs_no_database(tmp_path: Path) -> None:
    path = tmp_path / "dossier.json"
    path.write_text(sign(TOLD, KEY), encoding="utf-8")
    assert "is what was signed: AR-7" in run("verify-dossier", str(path), "--key", KEY.public)
    path.write_text(sign(TOLD, KEY).replace("AR-7", "AR-9"), encoding="utf-8")
    with pytest.raises(CommandError, match="something in it was changed"):
        run("verify-dossier", str(path), "--key", KEY.public)
    with pytest.raises(CommandError, match="none that you trust"):
        run("verify-dossier", str(path))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="no text"):
        run("verify-dossier", str(path), "--key", KEY.public)


def test_the_command_names_the_keys_that_sign_here() -> None:
    (key,) = dossiers.keys_of(settings.SIGNING_KEYS)
    assert run("signing-keys") == f"{key.id}:{key.public}\n"
