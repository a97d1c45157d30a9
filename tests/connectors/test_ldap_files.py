"""LDAP operations as files: what may stand in a slot, and what a value can never become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from ldap3.operation.search import parse_filter
from ldap3.protocol.convert import prepare_filter_for_sending
from ldap3.utils.dn import parse_dn

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.toolkit.ldap_files import LdapFile, assertion, rdn_value

GUID = "7b95f0d5-a3ed-486c-919c-077b8c9731f2"
TEXTS = some.text(some.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
SEARCH = {
    "what": "Finds.",
    "ldap": "search",
    "dn": "{base}",
    "scope": "subtree",
    "filter": "(&(objectClass=user)(cn={name}))",
    "attributes": ["cn"],
}
MODIFY = {
    "what": "Adds.",
    "needs": "a right",
    "ldap": "modify",
    "dn": "<GUID={group}>",
    "changes": [{"change": "add", "attribute": "member", "values": [{"ttl": "{seconds}", "dn": "{account}"}]}],
    "controls": ["1.2.3"],
}
ADD = {"what": "Makes.", "ldap": "add", "dn": "CN={name},{base}", "entry": {"objectClass": ["top"], "info": ["{text}"]}}


def file(folder: Path, document: Any) -> LdapFile:
    path = folder / "program.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return LdapFile(path)


@given(TEXTS)
def test_a_value_in_a_filter_is_one_assertion(name: str) -> None:
    tree = parse_filter(f"(&(objectClass=user)(cn={assertion(name)}))", None, False, True, None, False).elements[0]
    equal = tree.elements[1]
    assert len(tree.elements) == 2
    assert equal.tag == tree.elements[0].tag
    assert not equal.elements
    assert prepare_filter_for_sending(equal.assertion["value"]).decode() in {name, name.strip()}


@given(TEXTS)
def test_a_value_in_a_dn_is_one_rdn(name: str) -> None:
    parts = parse_dn(f"CN={rdn_value(name)},DC=jit,DC=test") if "\0" not in name else [1, 2, 3]
    assert len(parts) == 3


def test_a_search_is_filled(tmp_path: Path) -> None:
    program = file(tmp_path, SEARCH)
    assert program.slots == {"base", "name"}
    composed = program.compose({"base": "DC=a", "name": "*)(cn=x\\"})
    assert composed.filter == "(&(objectClass=user)(cn=\\2a\\29\\28cn=x\\5c))"
    assert composed.dn == "DC=a"


def test_a_change_is_filled(tmp_path: Path) -> None:
    program = file(tmp_path, MODIFY)
    composed = program.compose({"group": GUID.upper(), "seconds": 60, "account": "CN=A\\, B,DC=x"})
    assert composed.dn == f"<GUID={GUID}>"
    assert composed.changes[0].values == ("<TTL=60,CN=A\\, B,DC=x>",)
    assert program.needs == "a right"


@pytest.mark.parametrize("seconds", [0, -5, "1,CN=x", "", "٣"])
def test_a_time_to_live_is_a_number_of_seconds(tmp_path: Path, seconds: Any) -> None:
    with pytest.raises(Misconfigured):
        file(tmp_path, MODIFY).compose({"group": GUID, "seconds": seconds, "account": "CN=x"})


@pytest.mark.parametrize("guid", ["", "x", f"{GUID}>,DC=x", f"{GUID[:-1]}"])
def test_a_guid_is_a_guid(tmp_path: Path, guid: str) -> None:
    with pytest.raises(Misconfigured):
        file(tmp_path, MODIFY).compose({"group": guid, "seconds": 1, "account": "CN=x"})


def test_an_entry_is_filled_and_shows_no_secret(tmp_path: Path) -> None:
    program = file(tmp_path, ADD)
    values = {"name": 'a,b="c"', "base": "DC=x", "text": Secret("hush")}
    composed = program.compose(values)
    assert composed.dn == 'CN=a\\,b\\=\\"c\\",DC=x'
    assert composed.entry == {"objectClass": ("top",), "info": ("hush",)}
    words = program.compose(values, hide_secrets=True).in_words()
    assert "hush" not in words
    assert words.startswith("dn: CN=a")


def test_other_values_than_the_slots_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="slots"):
        file(tmp_path, SEARCH).compose({"base": "DC=a"})


@pytest.mark.parametrize(
    "document",
    [
        "no json",
        "[]",
        {**SEARCH, "ldap": "bind"},
        {**SEARCH, "more": 1},
        {key: value for key, value in SEARCH.items() if key != "filter"},
        {**SEARCH, "filter": "({name}=x)"},
        {**SEARCH, "filter": "(cn={name}*)"},
        {**SEARCH, "dn": "DC={base}"},
        {**SEARCH, "dn": "{base},DC=x"},
        {**SEARCH, "scope": "children"},
        {**SEARCH, "controls": ["{oid}"]},
        {**MODIFY, "changes": [{"change": "increment", "attribute": "x", "values": ["1"]}]},
        {**MODIFY, "changes": [{"change": "add", "attribute": "x", "values": ["<TTL={seconds}>"]}]},
        {**MODIFY, "changes": [{"change": "add", "attribute": "x", "values": [1]}]},
    ],
)
def test_what_is_no_operation_is_refused(tmp_path: Path, document: Any) -> None:
    with pytest.raises(Misconfigured):
        _ = file(tmp_path, document).document
