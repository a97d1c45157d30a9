"""Adding a provider touches nothing outside its folder; a manifest's schema is closed."""

import hashlib
from pathlib import Path

import pytest

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order, Verb
from connectors.contract.secret import Secret
from connectors.registry import PROVIDERS, Registry
from connectors.runners.local import run
from tests.connectors.dummy import MANIFEST, write_dummy


def test_a_folder_is_enough_to_add_a_provider(tmp_path: Path) -> None:
    folder = write_dummy(tmp_path, "my-dummy")
    registry = Registry(PROVIDERS, tmp_path)
    assert {"postgresql", "my-dummy"} <= registry.manifests().keys()
    manifest = registry.manifest("my-dummy")
    assert [field.name for field in manifest.secret_fields()] == ["password"]
    assert [field.name for field in manifest.plain_fields()] == ["hostname"]
    assert registry.programs("my-dummy") == {"look": folder / "programs" / "look.sql"}
    digest = hashlib.sha256(b"SELECT 1;\n").hexdigest()
    assert [(f.name, f.digest) for f in registry.functions("my-dummy")] == [("look", digest)]
    order = Order("1", 1, Verb.CHECK, "my-dummy", "i", {}, {"password": Secret("x")})
    assert run(order, on_page=lambda page: None, registry=registry).findings[0].message == "It answers."


def test_code_is_imported_on_first_use_only(tmp_path: Path) -> None:
    write_dummy(tmp_path, code="raise RuntimeError('imported')")
    registry = Registry(tmp_path)
    registry.manifests()
    with pytest.raises(RuntimeError, match="imported"):
        registry.provider("dummy")


def test_an_unknown_provider_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no provider 'nothing'"):
        Registry(tmp_path).provider("nothing")


def test_two_folders_of_one_id_are_refused(tmp_path: Path) -> None:
    write_dummy(tmp_path / "a")
    write_dummy(tmp_path / "b")
    with pytest.raises(Misconfigured, match="dummy"):
        Registry(tmp_path / "a", tmp_path / "b").manifests()


def test_code_without_a_provider_is_refused(tmp_path: Path) -> None:
    write_dummy(tmp_path, code="")
    with pytest.raises(Misconfigured, match="PROVIDER"):
        Registry(tmp_path).provider("dummy")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('name = "Dummy"', 'name = "Dummy"\ncolour = "red"', "unknown key 'colour'"),
        ('label = "Host"', 'label = "Host"\nsize = 3', "unknown key 'size'"),
        ('name = "Use"', 'name = "Use"\nrisk = 3', "unknown key 'risk'"),
        ('id = "thing"', 'id = "thing"\ncolour = "red"', "unknown key 'colour'"),
        ('name = "Dummy"', 'id = "dummy"\nname = "Dummy"', "'id' does not belong here"),
        ('category = "test"', "", "the key 'category' is missing"),
        ("risk_level = 3", "risk_level = 10", "not 1 to 9"),
        ("risk_level = 3", "risk_level = true", "True is no int"),
        ('kind = "secret"', 'kind = "secret"\ndefault = "x"', "a secret has no default"),
        ('kind = "text"', 'kind = "colour"', "kind 'colour'"),
        ('kind = "text"', 'kind = "choice"', "'choices' belong"),
        ('kind = "text"', 'kind = "choice"\nchoices = ["a"]\ndefault = "b"', "no choice"),
        ('kind = "text"', 'kind = "integer"\ndefault = "many"', "no integer"),
        ('name = "password"', 'name = "hostname"', "'hostname' comes twice"),
        ('name = "password"', 'name = "pass word"', "must be an identifier"),
        ('name = "Dummy"', 'name = "Dummy"\nsetup = ["setup/gone.sql"]', "setup/gone.sql"),
        ('name = "Dummy"', "name = Dummy", "manifest.toml"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in MANIFEST
    write_dummy(tmp_path, manifest=MANIFEST.replace(old, new, 1))
    with pytest.raises(Misconfigured, match=complaint) as caught:
        Registry(tmp_path).manifests()
    assert "manifest.toml" in caught.value.message
