"""The files of a folder: one for each thing, in a folder for each kind."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from flows.text.forms import Form
from flows.text.loading import BYTES_MAX, load
from flows.text.nodes import NOTHING, Book
from flows.text.present import Key, Present, known_types
from flows.text.problems import BadText, Problem, nearest
from flows.text.shapes import FOLDERS, SHAPES

# Files of one folder: no policy has more things.
FILES_MAX = 20_000
# Names that a file must not have on some systems.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


@dataclass(frozen=True)
class File:
    """One file: its text, and the tree that was read from it."""

    kind: str
    name: str
    path: Path
    text: str
    tree: CommentedMap
    book: Book

    @property
    def key(self) -> Key:
        """What the file is about."""
        return self.kind, self.name


@dataclass(frozen=True)
class Folder:
    """What a folder says: the form of each thing, and the file it stands in."""

    files: dict[Key, File]
    forms: dict[Key, Form] = field(default_factory=dict)


def open_folder(root: Path) -> Folder:
    """Return the files of a folder, each found by the name it gives. Raises BadText for what is no YAML."""
    problems = list(_strange(root))
    files: dict[Key, File] = {}
    for number, (kind, path) in enumerate(_paths(root)):
        if number >= FILES_MAX:
            raise BadText([Problem(str(root), 0, 0, f"There are more than {FILES_MAX:,} files here.")])
        try:
            file = _opened(root, kind, path)
        except BadText as error:
            problems += error.problems
            continue
        if file.key in files:
            other = files[file.key].book.file
            problems.append(file.book.problem(("name",), f"{other} is about this {kind}, too: remove one of the two."))
        files[file.key] = file
    if problems:
        raise BadText(problems)
    return Folder(files)


def read_folder(root: Path, now: Present, *, prune: bool = False) -> Folder:
    """Return what the folder says. Raises BadText with everything that is wrong, in all files.

    With `prune` what has no file is going to be deleted, so nothing may name it.
    """
    if not root.is_dir():
        raise BadText([Problem(str(root), 0, 0, "There is no such folder. “policy export” writes one.")])
    folder = open_folder(root)
    known = _known(folder, now, prune=prune)
    forms, problems = {}, []
    for key, file in folder.files.items():
        book = Book(file.book.file, known)
        forms[key] = SHAPES[file.kind].read(file.tree, (), book)
        problems += book.problems
        file.book.marks.update(book.marks)
    if problems:
        raise BadText(problems)
    return Folder(folder.files, forms)


def _known(folder: Folder, now: Present, *, prune: bool) -> dict[str, Any]:
    """Return what may be named: what is there and stays, and what the folder makes."""
    keys = {*folder.files, *(() if prune else now.forms)}
    names = {kind: {name for each, name in keys if each == kind} for kind in SHAPES}
    types = known_types()
    return {**names, "integration": set(types), "types": types}


def _paths(root: Path) -> Iterator[tuple[str, Path]]:
    for kind, name in FOLDERS.items():
        for path in sorted((root / name).glob("*")):
            if path.suffix in {".yaml", ".yml"}:
                yield kind, path


def _strange(root: Path) -> Iterator[Problem]:
    """Tell of policy that would be overlooked: files at the wrong place, folders with nearly the right name."""
    for path in sorted(root.glob("*")):
        where = f"Files lie in {', '.join(FOLDERS.values())}."
        if path.is_file() and path.suffix in {".yaml", ".yml"} and not path.name.startswith("."):
            yield Problem(path.name, 0, 0, f"This file is not read here. {where}")
        elif path.is_dir() and path.name not in FOLDERS.values() and list(path.glob("*.y*ml")):
            meant = nearest(path.name, FOLDERS.values())
            if "mean" in meant:
                yield Problem(f"{path.name}/", 0, 0, f"This folder is not read.{meant}")
    for name in FOLDERS.values():
        for path in sorted((root / name).glob("*/")):
            if path.is_dir() and list(path.rglob("*.y*ml")):
                yield Problem(f"{name}/{path.name}/", 0, 0, "Folders within are not read: move the files up.")


def _opened(root: Path, kind: str, path: Path) -> File:
    file = path.relative_to(root).as_posix()
    if path.is_symlink() or not path.is_file():
        raise BadText([Problem(file, 0, 0, "This is no file of its own (links are not followed): replace it.")])
    with path.open("rb") as stream:
        data = stream.read(BYTES_MAX + 1)
    tree, book = load(data, file), Book(file)
    book.marks[("name",)] = tree.lc.key("name") if "name" in tree else (0, 0)
    name = SHAPES[kind].fields["name"].read(tree["name"], ("name",), book) if "name" in tree else ""
    if "name" not in tree:
        book.wrong((), "The key “name” is missing.")
    if name is NOTHING or book.problems:
        raise BadText(book.problems)
    return File(kind, name, path, data.decode("utf-8-sig"), tree, book)


def file_name(name: str, taken: set[str]) -> str:
    """Return a safe file name that none of `taken` (lower case) is."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    if not slug or slug in _DEVICES or f"{slug}.yaml" in taken:
        slug = f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".strip("-")
    return f"{slug}.yaml"
