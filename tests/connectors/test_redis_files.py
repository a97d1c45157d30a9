"""Redis commands as files: a closed little language, and values that stay values."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.toolkit.redis_files import CommandFile, Commands, in_words
from connectors.vet.programs import complaints


def file(tmp_path: Path, text: str) -> CommandFile:
    """Write a program and return it."""
    path = tmp_path / "add_rule.json"
    path.write_text(text, encoding="utf-8")
    return CommandFile(path)


SETUSER = (
    '{"what": "Adds.", "needs": "+acl|setuser", "command": ["ACL", "SETUSER", "{login}", "%R~{pattern}", "#{hash}"]}'
)


def test_slots_are_filled_where_they_stand(tmp_path: Path) -> None:
    program = file(tmp_path, SETUSER)
    assert program.slots == {"login", "pattern", "hash"}
    assert program.needs == "+acl|setuser"
    values = {"login": "a b\nc", "pattern": "app:*", "hash": Secret("ff")}
    assert program.compose(values) == ["ACL", "SETUSER", "a b\nc", "%R~app:*", "#ff"]
    shown = program.compose(values, hide_secrets=True)
    assert shown[-1] == "#(secret)"
    assert in_words(shown).endswith("'#(secret)'")


def test_other_values_than_the_slots_are_refused(tmp_path: Path) -> None:
    program = file(tmp_path, SETUSER)
    for values in ({"login": "x"}, {"login": "x", "pattern": "y", "hash": "z", "more": "w"}):
        with pytest.raises(Misconfigured):
            program.compose(values)


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "a\u00a0b", 'a"', "a'", "a)", "(a", "a\\", "a\0", "a\x7f"])
def test_a_value_behind_a_prefix_is_one_word_of_a_rule(tmp_path: Path, value: str) -> None:
    with pytest.raises(Misconfigured):
        file(tmp_path, SETUSER).compose({"login": "x", "pattern": value, "hash": "z"})


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"command": ["PING"]}',
        '{"what": "x", "command": "PING"}',
        '{"what": "x", "command": []}',
        '{"what": "x", "command": [1]}',
        '{"what": "x", "command": ["{name}"]}',
        '{"what": "x", "command": ["GET", "a{name}"]}',
        '{"what": "x", "command": ["GET", "~{name}*"]}',
        '{"what": "x", "command": ["GET", "~{a}{b}"]}',
        '{"what": "x", "command": ["GET", "{Name}"]}',
        '{"what": "x", "command": ["PING"], "then": ["PING"]}',
    ],
)
def test_what_is_not_part_of_the_language_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured):
        _ = file(tmp_path, text).slots


def test_vet_compares_slots_with_the_code(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    file(tmp_path / "programs", SETUSER)
    (tmp_path / "programs.py").write_text('A = _program("add_rule", "login")\n')
    (wrong,) = complaints(tmp_path)
    assert "has the slots" in wrong
    (tmp_path / "programs.py").write_text('A = _program("add_rule", "login", "pattern", "hash")\n')
    assert complaints(tmp_path) == []


def test_the_owner_may_replace_a_command(tmp_path: Path) -> None:
    program = Commands(tmp_path).program("add_rule", "login")
    other = file(tmp_path, '{"what": "Stricter.", "command": ["ACL", "SETUSER", "{login}", "+get"]}')
    replaced = program.replaced(other.path)
    assert replaced.name == "add_rule"
    assert replaced.compose({"login": "x"}) == ["ACL", "SETUSER", "x", "+get"]
