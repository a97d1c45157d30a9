"""Policy into a folder: what an author wrote stays as it is, as far as it says the same."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from pathlib import Path

from flows.text.folder import File, file_name, open_folder
from flows.text.forms import Form
from flows.text.loading import dump, load
from flows.text.nodes import Book, canonical
from flows.text.patching import comments_kept, patched
from flows.text.present import Key, Present
from flows.text.problems import BadText, Problem
from flows.text.shapes import FOLDERS, SHAPES


@dataclass
class Exported:
    """What became of the files, by their paths in the folder."""

    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    # Files of things that are not there any more; deleted only with `prune`.
    gone: list[str] = field(default_factory=list)


def export(root: Path, now: Present, *, prune: bool = False) -> Exported:
    """Write every thing into its file. Raises BadText, before anything is written, for files that cannot be read."""
    files = open_folder(root).files if root.exists() else {}
    done, texts = Exported(), {}
    taken = {kind: {file.path.name.lower() for file in files.values() if file.kind == kind} for kind in SHAPES}
    for key in sorted(now.forms):
        kind, name = key
        old = files.get(key)
        path = old.path if old else root / FOLDERS[kind] / file_name(name, taken[kind])
        taken[kind].add(path.name.lower())
        text = _text(key, now.forms[key], old)
        said = path.relative_to(root).as_posix()
        if old and text == old.text:
            done.unchanged.append(said)
            continue
        (done.changed if old else done.made).append(said)
        texts[path] = text
    for path, text in texts.items():
        _write(path, text)
    for key, file in files.items():
        if key not in now.forms:
            done.gone.append(file.book.file)
            if prune:
                file.path.unlink()
    return done


def _text(key: Key, form: Form, old: File | None) -> str:
    """Return the file's new text: the author's own where that is possible, and in any case one that says the form."""
    shape = SHAPES[key[0]]
    if old is not None and _says(key, old.text, form):
        return old.text
    fresh = dump(shape.tree(form))
    candidates = [fresh]
    if old is not None:
        base = dump(copy.deepcopy(old.tree), like=old.text)
        merged = dump(shape.merge(copy.deepcopy(old.tree), form), like=old.text)
        ways = (patched(old.text, base, merged), merged, fresh)
        candidates = [*(comments_kept(old.text, way) for way in ways), fresh]
    for text in candidates:
        if _says(key, text, form):
            return text
    raise BadText([Problem(f"{key[0]} {key[1]}", 0, 0, "This cannot be written as text.")])


def _says(key: Key, text: str, form: Form) -> bool:
    """Whether the text says exactly the form: nothing is lost on the way."""
    book = Book()
    try:
        found = SHAPES[key[0]].read(load(text.encode(), ""), (), book)
    except BadText:
        return False
    return not book.problems and canonical(found) == canonical(form)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    half.write_bytes(text.encode())
    half.replace(path)
