"""Small: files, classes and functions; and nothing that is due is put into a message."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import every_file, name_of, tree

FILE_LINES, CLASS_METHODS, FUNCTION_LINES, SHARE = 400, 15, 30, 0.95
FILES = list(every_file())
Function = ast.FunctionDef | ast.AsyncFunctionDef


def too_long(path: Path) -> bool:
    """Whether a file has too many lines."""
    return len(path.read_text().splitlines()) > FILE_LINES


def crowded(path: Path) -> list[str]:
    """Return classes with too many methods."""
    classes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if sum(isinstance(each, Function) for each in node.body) > CLASS_METHODS]


# Over the limit until it is split; a file that is not over it any more has to leave this list.
LONG_FILES: set[str] = set()


def test_files_are_of_a_length_one_can_read() -> None:
    assert {name_of(path) for path in FILES if too_long(path)} == LONG_FILES


def test_classes_do_one_thing() -> None:
    assert {f"{name_of(path)}: {name}" for path in FILES for name in crowded(path)} == set()


def test_nineteen_in_twenty_functions_are_of_thirty_lines_or_less() -> None:
    lengths = {
        f"{name_of(path)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, Function)
    }
    long = sorted((length, name) for name, length in lengths.items() if length > FUNCTION_LINES)
    assert len(lengths) > 200
    assert len(long) <= (1 - SHARE) * len(lengths), long


def later_rings(source: str) -> list[int]:
    """Return the lines that ask Celery for a later time."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    by_option = {node.lineno for node in calls if any(word.arg in {"eta", "countdown"} for word in node.keywords)}
    retries = {
        node.lineno
        for node in calls
        if isinstance(node.func, ast.Attribute) and node.func.attr == "retry" and "self" in ast.unparse(node.func.value)
    }
    return sorted(by_option | retries)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_what_is_due_later_is_a_row_and_never_a_message(path: Path) -> None:
    assert later_rings(path.read_text()) == []


def test_a_later_ring_is_found() -> None:
    assert later_rings("task.apply_async(countdown=5)\ntask.s().set(eta=x)\nself.retry()\ntask.delay(1)") == [1, 2, 3]
