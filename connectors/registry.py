"""Knows the providers by walking folders; imports the code of one on its first use.

A provider is a folder with a manifest.toml and a package that has `provider.py`, which defines `PROVIDER`. Nothing
outside the folder mentions it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import cast

from connectors.contract.errors import Misconfigured
from connectors.contract.manifest import Manifest
from connectors.contract.orders import Function
from connectors.contract.provider import Provider
from connectors.manifests import FILE, read_manifest

# Further folders of providers, in the spelling of PATH.
OWN_PROVIDERS = "LATCHKEY_PROVIDERS"
PROVIDERS = Path(__file__).resolve().parent / "providers"


class Registry:
    """The providers in some folders. A folder's name is its provider's id."""

    def __init__(self, *roots: Path) -> None:
        """Look into `roots` on first use."""
        self._roots = roots
        self._manifests: dict[str, Manifest] | None = None
        self._folders: dict[str, Path] = {}
        self._read: dict[Path, Manifest] = {}

    def add(self, root: Path) -> None:
        """Look into one more folder of providers; adding it again changes nothing."""
        if root not in self._roots:
            self._roots, self._manifests = (*self._roots, root), None

    def manifests(self) -> dict[str, Manifest]:
        """Return every provider's manifest by id. Raises Misconfigured naming file and key."""
        if self._manifests is None:
            self._folders = self._walk()
            for folder in self._folders.values():
                if folder not in self._read:
                    self._read[folder] = read_manifest(folder)
            self._manifests = {id_: self._read[folder] for id_, folder in self._folders.items()}
        return dict(self._manifests)

    def manifest(self, id_: str) -> Manifest:
        """Return one manifest. Raises Misconfigured for an unknown id."""
        manifests = self.manifests()
        if id_ not in manifests:
            raise Misconfigured(f"There is no provider '{id_}'.", fix=f"Known: {', '.join(manifests) or 'none'}.")
        return manifests[id_]

    def folder(self, id_: str) -> Path:
        """Return the folder of a provider."""
        self.manifest(id_)
        return self._folders[id_]

    def provider(self, id_: str) -> Provider:
        """Return the provider, importing its code on first use. Raises Misconfigured when the code defines none."""
        folder = self.folder(id_)
        package = _package(folder)
        module = importlib.import_module(f"{package.__name__}.provider")
        if not hasattr(module, "PROVIDER"):
            raise Misconfigured(f"{folder / 'provider.py'} does not define PROVIDER.")
        return cast(Provider, module.PROVIDER)

    def programs(self, id_: str) -> dict[str, Path]:
        """Return the program files of a provider by name: the file's name without its ending."""
        return {path.stem: path for path in sorted((self.folder(id_) / "programs").glob("*.*"))}

    def functions(self, id_: str) -> tuple[Function, ...]:
        """Return the programs of a provider with their digests, as reports name them."""
        return tuple(Function(name, digest(path)) for name, path in self.programs(id_).items())

    def setup_files(self, id_: str) -> dict[str, str]:
        """Return the set-up files an owner runs once: their text by the name the manifest gives."""
        folder = self.folder(id_)
        return {name: (folder / name).read_text(encoding="utf-8") for name in self.manifest(id_).setup}

    def _walk(self) -> dict[str, Path]:
        """Return the provider folders by id. Raises Misconfigured when two have one id."""
        folders: dict[str, Path] = {}
        for root in self._roots:
            for path in sorted(root.glob(f"*/{FILE}")):
                id_ = path.parent.name
                if id_ in folders:
                    raise Misconfigured(f"The provider '{id_}' is in {folders[id_]} and in {path.parent}.")
                folders[id_] = path.parent
        return folders


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _package(folder: Path) -> ModuleType:
    """Import a provider's folder as a package, wherever it lies and whatever its id has in it that Python has not."""
    name = folder.name.replace("-", "_")
    if folder.parent == PROVIDERS:
        name = f"connectors.providers.{name}"
    else:
        name = f"provider_{name}_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    init = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None or not init.is_file():
        raise Misconfigured(f"{init} is missing: a provider's folder is a package.")
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    try:
        spec.loader.exec_module(package)
    except BaseException:
        del sys.modules[name]
        raise
    return package


# The providers that come with the product, and those in the folders that the owner of this machine names.
BUILT_IN = Registry(PROVIDERS, *map(Path, filter(None, os.environ.get(OWN_PROVIDERS, "").split(os.pathsep))))

manifests = BUILT_IN.manifests
manifest = BUILT_IN.manifest
provider = BUILT_IN.provider
programs = BUILT_IN.programs
functions = BUILT_IN.functions
setup_files = BUILT_IN.setup_files
