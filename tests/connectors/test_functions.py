"""What a connector may do, listed; and orders tried without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Verb
from connectors.registry import BUILT_IN, digest
from connectors.runners.functions import as_json, as_pins, as_table, digests, functions
from connectors.runners.rules import Rules
from connectors.runners.rules_file import read_rules
from connectors.runners.trying import attempt, in_words, read_order
from tests.connectors.world import World


def rules(tmp_path: Path, text: str) -> Rules:
    """Return the rules in a text."""
    path = tmp_path / "rules.toml"
    path.write_text(text)
    return read_rules(path)


def test_every_program_of_every_provider_is_listed_with_its_digest() -> None:
    listed = {(one.provider, one.program): one for one in functions(BUILT_IN, Rules())}
    for provider in BUILT_IN.manifests():
        for name, path in BUILT_IN.programs(provider).items():
            one = listed.pop((provider, name))
            assert (one.digest, one.path, one.state) == (digest(path), str(path), "allowed")
    assert listed == {}


def test_the_list_says_what_the_owner_replaced_pinned_and_forbade(tmp_path: Path) -> None:
    (tmp_path / "own.sql").write_text("-- mine\nSELECT 1;\n")
    own = digest(tmp_path / "own.sql")
    text = (
        f'[[replace]]\nprogram = "postgresql/clock"\nwith = "own.sql"\n'
        f'[[pins]]\nprogram = "postgresql/clock"\nsha256 = "{own}"\n'
        '[[rules]]\ndeny = ["*"]\nprograms = ["redis/*"]\n'
    )
    listed = {f"{one.provider}/{one.program}": one for one in functions(BUILT_IN, rules(tmp_path, text))}
    clock = listed["postgresql/clock"]
    assert (clock.state, clock.digest) == ("replaced and pinned", own)
    assert listed["postgresql/create_login"].state == "refused"
    assert "not among them" in listed["postgresql/create_login"].why
    assert "create_login" in as_table(list(listed.values()))
    assert {one["program"] for one in json.loads(as_json(list(listed.values())))} >= {"clock", "create_login"}


def test_what_may_run_is_what_hello_says(tmp_path: Path) -> None:
    given = rules(tmp_path, '[[rules]]\ndeny = ["*"]\nprograms = ["postgresql/drop_*"]\n')
    told = digests(BUILT_IN, given)
    assert "postgresql/create_login" in told
    assert not [name for name in told if name.startswith("postgresql/drop_")]


def test_the_list_as_pins_lets_through_just_what_was_listed(tmp_path: Path) -> None:
    listed = list(functions(BUILT_IN, Rules()))
    pinned = rules(tmp_path, as_pins(listed))
    assert {one.state for one in functions(BUILT_IN, pinned)} == {"pinned"}


def order_file(tmp_path: Path, world: World) -> Path:
    """Describe an order to a real server."""
    path = tmp_path / "order.toml"
    path.write_text(
        f"""
provider = "postgresql"

[config]
hostname = "{world.server.host}"
port = {world.server.port}
username = "{world.connector}"

[references.password]
store = "environment"
reference = "TRY"

[person]
name = "Ada"

[[holds]]
login = "lk_try"
seconds = 3600
units = [{{ resource_type = "database", resource = '["{world.database}"]', permission = "READ_ONLY" }}]
"""
    )
    return path


def test_a_dry_run_shows_exactly_what_would_run_and_changes_nothing(
    one_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_TRY", one_world.password)
    before = one_world.snapshot()
    order = read_order(order_file(tmp_path, one_world), Verb.APPLY, dry_run=True)
    report, pages = attempt(order, Rules())
    words = in_words(report, pages)
    assert 'CREATE ROLE "lk_try"' in words
    assert "-- create_login" in words
    assert one_world.password not in words
    assert one_world.snapshot() == before


def test_a_check_is_tried_for_real(one_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = order_file(tmp_path, one_world)
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_TRY", one_world.password)
    words = in_words(*attempt(read_order(path, Verb.CHECK, dry_run=False), Rules()))
    assert words.startswith(("ok", "warning"))
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_TRY", "wrong")
    assert "credentials_rejected" in in_words(*attempt(read_order(path, Verb.CHECK, dry_run=False), Rules()))


def test_the_owners_rules_hold_for_what_is_tried(one_world: World, tmp_path: Path) -> None:
    order = read_order(order_file(tmp_path, one_world), Verb.APPLY, dry_run=True)
    assert "refused: The connector's owner" in in_words(*attempt(order, rules(tmp_path, "read_only = true")))


def test_what_changes_something_is_only_tried_as_a_dry_run(one_world: World, tmp_path: Path) -> None:
    for verb in (Verb.APPLY, Verb.CLEAN_UP, Verb.RESET_CREDENTIALS, Verb.ROTATE):
        with pytest.raises(Misconfigured, match="--dry-run"):
            read_order(order_file(tmp_path, one_world), verb, dry_run=False)


@pytest.mark.parametrize(
    "text",
    ["provider = 5", 'provider = "a"\ncolour = 1', 'provider = "a"\nholds = 5', 'provider = "a"\nseconds = "x"',
     'provider = "a"\nreferences = { a = 5 }', "no toml"],
)  # fmt: skip
def test_a_file_that_describes_no_order_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "order.toml"
    path.write_text(text)
    with pytest.raises(Misconfigured, match=r"order\.toml"):
        read_order(path, Verb.APPLY, dry_run=True)
