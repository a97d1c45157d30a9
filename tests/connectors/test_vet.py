"""Vet finds what is wrong with a provider folder, and a scaffolded one has nothing wrong with it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.manifests import read_toml
from connectors.registry import BUILT_IN, PROVIDERS, Registry
from connectors.scaffold import scaffold
from connectors.scaffold.__main__ import main as new_provider
from connectors.vet import vet
from connectors.vet.__main__ import main
from connectors.vet.code import ENGINES

ROOT = PROVIDERS.parent.parent


@pytest.mark.parametrize("id_", sorted(BUILT_IN.manifests()))
def test_every_provider_that_comes_with_the_product_is_fit(id_: str) -> None:
    assert vet(PROVIDERS / id_) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the postgresql provider, with tests of its name beside it."""
    (tmp_path / "tests" / "connectors").mkdir(parents=True)
    (tmp_path / "tests" / "connectors" / "test_postgresql.py").touch()
    copy = tmp_path / "providers" / "postgresql"
    shutil.copytree(PROVIDERS / "postgresql", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    """Return a change of one file."""

    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def add(name: str, text: str) -> Callable[[Path], object]:
    """Return a change that adds a file."""
    return lambda folder: (folder / name).write_text(text)


def drop(name: str) -> Callable[[Path], object]:
    """Return a change that takes a file away."""
    return lambda folder: (folder / name).unlink()


WRONG = {
    "unknown manifest key": (
        edit("manifest.toml", "ends_by_itself", "colour = 1\nends_by_itself"),
        "unknown key 'colour'",
    ),
    "no manifest": (drop("manifest.toml"), "manifest.toml"),
    "no logo": (drop("logo.svg"), "logo.svg is missing"),
    "logo with a script": (edit("logo.svg", "<ellipse", "<script/><ellipse"), "'<script'"),
    "logo that fetches": (edit("logo.svg", "<ellipse", '<image href="x"/><ellipse'), "'href'"),
    "program without code": (add("programs/extra.sql", "-- Extra.\nSELECT 1;\n"), "no code declares it"),
    "code without program": (drop("programs/clock.sql"), "'clock' is declared, but there is no file"),
    "slot too many": (edit("programs/clock.sql", "SELECT", "SELECT :'x',"), "has the slots ['x']"),
    "slot missing": (edit("programs/shut_login.sql", ':"login"', '"x"'), "has the slots []"),
    "unfinished statement": (edit("programs/clock.sql", "read_at;", "read_at"), "does not end with a semicolon"),
    "open quote": (edit("programs/clock.sql", "read_at;", "'read_at;"), "is not understood"),
    "dollar quotes": (edit("programs/clock.sql", "read_at;", "$$x$$;"), "is not understood"),
    "uncommented program": (edit("programs/clock.sql", "-- ", "SELECT 1;\n-- "), "begin with a comment"),
    "no counterpart": (drop("programs/revoke_role.sql"), "'grant_role' has no counterpart"),
    "verb missing": (edit("provider.py", "def rotate(", "def rotates("), "the verb rotate is missing"),
    "verb misshapen": (
        edit("provider.py", "def rotate(self, order: Order, run: Run)", "def rotate(self, order: Order)"),
        "rotate does not take",
    ),
    "no PROVIDER": (edit("provider.py", "PROVIDER =", "PROVIDERS ="), "PROVIDER is not defined"),
    "django": (add("extra.py", "from django.db import models\n"), "imports django.db"),
    "driver": (add("extra.py", "import psycopg\n"), "imports psycopg"),
    "subprocess": (add("extra.py", "import subprocess\n"), "imports subprocess"),
    "another provider": (
        add("extra.py", "from connectors.providers.mysql import x\n"),
        "imports connectors.providers.mysql",
    ),
    "provider of a longer name": (add("extra.py", "import connectors.providers.postgresql2\n"), "postgresql2"),
    "f-string": (add("extra.py", 'def f(x):\n    return f"DROP ROLE {x}"\n'), "line 2: puts a statement together"),
    "plus": (add("extra.py", 'X = "GRANT " + "x"\n'), "puts a statement together"),
    "percent": (add("extra.py", 'X = "DROP ROLE %s" % "x"\n'), "puts a statement together"),
    "format": (add("extra.py", 'X = "DROP ROLE {}".format("x")\n'), "puts a statement together"),
    "execute": (add("extra.py", "def f(c, x):\n    c.execute(x)\n"), "calls execute()"),
    "made-up program": (add("extra.py", 'def f(s, x):\n    s.change("x" + x)\n'), "something else than a declared"),
    "computed name": (edit("programs.py", '_program("clock")', '_program("clo" + "ck")'), "constant names"),
    "untyped error": (add("extra.py", 'def f():\n    raise ValueError("x")\n'), "raises ValueError"),
    "syntax": (add("extra.py", "def f(:\n"), "extra.py, line 1"),
    "unknown rule": (
        edit("quality.toml", "[silver]", "[silver]\nshiny = { status = 'done' }"),
        "unknown rule 'silver.shiny'",
    ),
    "unknown status": (edit("quality.toml", '"done"', '"perfect"'), "the status is none of"),
    "rule missing": (edit("quality.toml", "dry_run", "# dry_run"), "silver.dry_run is missing"),
    "todo without why": (
        edit("quality.toml", 'typed_errors = { status = "done" }', 'typed_errors = { status = "todo" }'),
        "says not why",
    ),
    "untrue undo": (edit("README.md", "## Undo by hand", "## Undone"), "no section 'Undo by hand'"),
    "untrue set-up": (edit("manifest.toml", "\nsetup = ", "\n# setup = "), "names no set-up file"),
    "untrue end": (edit("manifest.toml", "ends_by_itself = true", "ends_by_itself = false"), "do not agree"),
    "drains without logins": (edit("manifest.toml", "has_logins = true\n", ""), "without a login per grant"),
    "untrue tests": (lambda folder: (folder.parents[1] / "tests/connectors/test_postgresql.py").unlink(), "no tests"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(folder: Path, name: str) -> None:
    change, complaint = WRONG[name]
    change(folder)
    complaints = vet(folder)
    assert any(complaint in words for words in complaints), complaints


def test_who_says_that_it_drains_has_to_read_until_when(tmp_path: Path) -> None:
    copy = tmp_path / "providers" / "rabbitmq"
    shutil.copytree(PROVIDERS / "rabbitmq", copy, ignore=shutil.ignore_patterns("__pycache__"))
    edit("manifest.toml", "has_logins = true", "has_logins = true\ndrains = true")(copy)
    assert any("nothing in the code reads Ending.drain_until" in words for words in vet(copy))


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A copy of a provider that stands on an engine."""
    (tmp_path / "tests" / "connectors").mkdir(parents=True)
    (tmp_path / "tests" / "connectors" / "test_mariadb.py").touch()
    copy = tmp_path / "providers" / "mariadb"
    shutil.copytree(PROVIDERS / "mariadb", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_what_an_engine_has_is_the_provider_s(standing: Path) -> None:
    assert vet(standing) == []
    drop("programs/shut_login.sql")(standing)
    add("programs/extra.sql", "-- Looks.\nSELECT 1;\n")(standing)
    complaints = vet(standing)
    assert any("'shut_login' is declared, but there is no file" in words for words in complaints)
    assert any("no code declares it" in words for words in complaints)


def test_an_engine_keeps_the_rules_of_a_provider(
    standing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = tmp_path / "engines"
    shutil.copytree(ENGINES, engines)
    (engines / "other.py").write_text("import socket\n\ndef f(c, x):\n    c.execute(x)\n")
    (engines / "mysql" / "more.py").write_text("from connectors.engines.other import f\n")
    monkeypatch.setattr("connectors.vet.code.ENGINES", engines)
    complaints = vet(standing)
    assert any("other.py, line 1: imports socket" in words for words in complaints)
    assert any("other.py, line 4: calls execute()" in words for words in complaints)
    (engines / "mysql" / "provider.py").write_text("")
    assert any("the verb apply is missing" in words for words in vet(standing))


def test_the_command_says_what_is_wrong_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    assert "1 provider(s) vetted: postgresql" in capsys.readouterr().out
    drop("logo.svg")(folder)
    assert main([str(folder)]) == 1
    assert "logo.svg is missing" in capsys.readouterr().err


@pytest.mark.parametrize("id_", ["plain", "two-words", "x1"])
def test_a_scaffolded_provider_is_fit_and_its_tests_pass(tmp_path: Path, id_: str) -> None:
    scaffold(id_, tmp_path / "providers", tmp_path / "tests" / "connectors")
    assert vet(tmp_path / "providers" / id_) == []
    if id_ != "two-words":
        return
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:cacheprovider", "-c", "/dev/null"]
    done = subprocess.run([*command, str(tmp_path / "tests")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("like", sorted(BUILT_IN.manifests()))
@pytest.mark.parametrize("id_", ["plain", "two-words"])
def test_a_copy_of_any_provider_is_fit_and_claims_only_what_was_tried(tmp_path: Path, like: str, id_: str) -> None:
    written = scaffold(id_, tmp_path / "providers", tmp_path / "tests" / "connectors", PROVIDERS / like)
    folder = tmp_path / "providers" / id_
    assert vet(folder) == []
    code = "".join(path.read_text() for path in written[:-2] if path.suffix == ".py")
    assert f"connectors.providers.{like.replace('-', '_')}" not in code
    claims = read_toml(folder / "quality.toml")
    rest = {**claims["silver"], **claims["gold"]}
    assert {name for name, claim in rest.items() if claim["status"] == "done"} <= {"ends_by_itself"}
    verb = "people" if BUILT_IN.manifest(like).kind == "people" else "apply"
    assert callable(getattr(Registry(folder.parent).provider(id_), verb))


@pytest.mark.parametrize(
    ("id_", "like"), [("copied", "github"), ("copied-too", "postgresql"), ("copied", "http-custom")]
)
def test_a_copy_in_the_product_passes_the_linter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, id_: str, like: str
) -> None:
    monkeypatch.setattr("connectors.scaffold.PROVIDERS", tmp_path / "connectors" / "providers")
    scaffold(id_, tmp_path / "connectors" / "providers", tmp_path / "tests" / "connectors", PROVIDERS / like)
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    done = subprocess.run([*ruff, "--ignore", "S", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_command_names_the_files_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--providers", str(tmp_path / "p"), "--tests", str(tmp_path / "tests" / "connectors")]
    assert new_provider(["mine", "--like", "github", *where]) == 0
    told = capsys.readouterr().out
    assert f"{tmp_path / 'p' / 'mine' / 'manifest.toml'}\n" in told
    assert f"Next: python -m connectors.vet {tmp_path / 'p' / 'mine'} --live {tmp_path / 'tests/live/mine.py'}" in told
    assert new_provider(["mine", *where]) == 1
    assert new_provider(["other", "--like", "nothing", *where]) == 1
    assert "There is no provider 'nothing'" in capsys.readouterr().err


def test_a_scaffold_touches_nothing_that_is_there(tmp_path: Path) -> None:
    scaffold("plain", tmp_path, tmp_path / "tests")
    with pytest.raises(FileExistsError):
        scaffold("plain", tmp_path, tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("id_", ["", "Upper", "a_b", "../x", "a--b", "1x", "a b", "x-"])
def test_an_id_that_is_none_is_refused(tmp_path: Path, id_: str) -> None:
    with pytest.raises(ValueError, match="is no id"):
        scaffold(id_, tmp_path, tmp_path / "tests")
    assert not list(tmp_path.iterdir())


def test_what_is_scaffolded_into_the_product_names_no_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("connectors.scaffold.PROVIDERS", tmp_path / "providers")
    test = scaffold("plain", tmp_path / "providers", tmp_path / "tests")[-1]
    assert str(tmp_path) not in test.read_text()
    compile(test.read_text(), str(test), "exec")
