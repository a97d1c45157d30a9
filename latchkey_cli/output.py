"""What the command prints: data to stdout, as table, JSON or YAML; words to stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML

from latchkey_cli.text import clean, escaped, unsafe

Row = dict[str, Any]


class Form(StrEnum):
    """In which form data is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `whole`: what is in it is never cut or broken."""

    title: str
    value: Callable[[Row], Any]
    whole: bool = False


def _console(*, words: bool) -> Console:
    """Return a console on the streams as they are now. Nothing in what it prints is taken for markup."""
    stream = sys.stderr if words else sys.stdout
    return Console(file=stream, markup=False, highlight=False, emoji=False)


def say(words: str, *, style: str = "") -> None:
    """Tell a person something, on stderr."""
    _console(words=True).print(Text(clean(words, lines=True), style=style), soft_wrap=True)


def out(text: str) -> None:
    """Print one piece of data as it is, made harmless, on stdout."""
    sys.stdout.write(clean(text, lines=True) + "\n")
    sys.stdout.flush()


def show(data: Any, columns: Sequence[Column], form: Form, *, nothing: str = "There is nothing.") -> None:
    """Print rows, or one row. JSON and YAML hold all that the server said; a table holds the columns."""
    if form is not Form.TABLE:
        print_data(data, form)
        return
    rows = data if isinstance(data, list) else [data]
    if not rows:
        say(nothing)
        return
    _console(words=False).print(_table(rows, columns))


def facts(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names with their values, one a line; what is empty is left out."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value not in ("", None, []):
            table.add_row(Text(name), Text(clean(value, lines=True)))
    _console(words=False).print(table)


def _table(rows: Sequence[Row], columns: Sequence[Column]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column.title), no_wrap=column.whole, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(column.value(row))) for column in columns))
    return table


def print_data(data: Any, form: Form) -> None:
    """Print data for a program."""
    sys.stdout.write(as_yaml(data) if form is Form.YAML else as_json(data))
    sys.stdout.flush()


def as_json(data: Any) -> str:
    """Return data as JSON, in the server's own signs but for those a terminal would heed."""
    return escaped(json.dumps(data, indent=2, ensure_ascii=False)) + "\n"


def as_yaml(data: Any) -> str:
    """Return data as YAML. Where a sign is in it that a terminal would heed, everything beyond ASCII is escaped."""
    text = _yaml(data, unicode=True)
    return _yaml(data, unicode=False) if any(sign != "\n" and unsafe(sign) for sign in text) else text


def _yaml(data: Any, *, unicode: bool) -> str:
    writer, stream = YAML(typ="safe", pure=True), io.StringIO()
    writer.default_flow_style, writer.allow_unicode, writer.width = False, unicode, 4096
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(data, stream)
    return stream.getvalue().removesuffix("...\n")
