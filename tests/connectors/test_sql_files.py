"""SQL programs are static: values fill slots, quoted, and nothing else can be filled in."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.registry import BUILT_IN
from connectors.toolkit.sql import PostgreSQLQuoting
from connectors.toolkit.sql_files import Slot, SqlFile, parse
from tests.targets import PostgresServer

QUOTING = PostgreSQLQuoting()


def file(tmp_path: Path, text: str) -> SqlFile:
    """Return a program with this text."""
    path = tmp_path / "program.sql"
    path.write_text(text)
    return SqlFile(path)


def test_slots_are_found_outside_of_quotes_and_comments_only() -> None:
    (statement,) = parse("""SELECT :"a", ':"b"', "x:'c'", 'x'::text -- :"d" ;\n, :'e';""", "x")
    assert [piece for piece in statement if isinstance(piece, Slot)] == [Slot("a", False), Slot("e", True)]


def test_statements_end_at_semicolons_outside_of_quotes_and_comments() -> None:
    assert parse("SELECT ';'; -- a;\nSELECT \";\";", "x") == (("SELECT ';'",), ('SELECT ";"',))


def test_names_are_quoted_as_names_and_values_as_values(tmp_path: Path) -> None:
    program = file(tmp_path, """-- Does it.\nALTER ROLE :"role" PASSWORD :'text';\nSELECT :'names'::text[], :'no';""")
    one, two = program.compose({"role": 'a"b', "text": "c'd\\", "names": ["x", 'y"'], "no": None}, QUOTING)
    assert one == """ALTER ROLE "a""b" PASSWORD  E'c''d\\\\'"""
    assert two == """SELECT '{x,"y\\""}'::text[], NULL""" or "text[]" in two
    assert (program.needs, len(program.digest)) == ("", 64)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=15))
def test_no_name_leaves_its_quotes(name: str) -> None:
    statement = BUILT_IN.programs("postgresql")["shut_login"]
    (composed,) = SqlFile(statement).compose({"login": name}, QUOTING)
    text = composed.removeprefix("ALTER ROLE ").removesuffix(
        " NOLOGIN PASSWORD NULL VALID UNTIL '1970-01-01 00:00:00+00'"
    )
    assert text == '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("values", [{}, {"role": "x", "other": "y"}, {"other": "x"}])
def test_slots_and_values_must_match(tmp_path: Path, values: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="slots"):
        file(tmp_path, 'DROP ROLE :"role";').compose(values, QUOTING)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ü" * 32, None, 7])
def test_a_name_that_no_server_could_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured):
        file(tmp_path, 'DROP ROLE :"role";').compose({"role": name}, QUOTING)


@pytest.mark.parametrize("value", ["a\0b", ["x", "a\0b"], Secret("\0")])
def test_a_value_that_no_server_could_take_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(Misconfigured, match="NUL"):
        file(tmp_path, "SELECT :'value';").compose({"value": value}, QUOTING)


def test_secrets_are_sent_but_never_shown(tmp_path: Path) -> None:
    program = file(tmp_path, "SELECT :'value';")
    sent = program.compose({"value": Secret("canary")}, QUOTING)[0]
    shown = program.compose({"value": Secret("canary")}, QUOTING, hide_secrets=True)[0]
    assert "canary" in sent
    assert shown == "SELECT '(secret)'"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1", "semicolon"),
        ("", "none at all"),
        ("SELECT 1;;", "empty statement"),
        ("SELECT 'x;", "line 1"),
        ("SELECT 1;\nSELECT $$x$$;", "line 2"),
        ("SELECT /* x */ 1;", "line 1"),
        ("SELECT :x;", "line 1"),
        ("SELECT :'X';", "line 1"),
        ("SELECT E'a\\n';", "line 1"),
    ],
)
def test_what_is_not_part_of_the_language_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(Misconfigured, match=complaint):
        parse(text, "program.sql")


def test_a_program_that_cannot_be_read_is_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="gone"):
        _ = SqlFile(tmp_path / "gone.sql").text


def test_psql_takes_the_programs_as_they_are(server_18: PostgresServer) -> None:
    """What only looks is run by the real psql, with its own variables."""
    for name, path in BUILT_IN.programs("postgresql").items():
        program = SqlFile(path)
        if program.needs:
            continue
        values = {"names": "{a}", "logins": "{a}", "marker": "m", "schema": "public", "table": "t"}
        options = [part for slot in sorted(program.slots) for part in ("-v", f"{slot}={values[slot]}")]
        done = server_18.psql(*options, "-v", "ON_ERROR_STOP=1", "-f", str(path), check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}"
