"""YAML into a tree that keeps comments, quotes and order; and the tree into YAML."""

from __future__ import annotations

import io
import re

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString
from ruamel.yaml.util import load_yaml_guess_indent

from flows.text.problems import BadText, Problem

# Limits of one file: far beyond any policy a person reads, far below what hurts us.
BYTES_MAX, DEPTH_MAX, PARTS_MAX = 256 * 1024, 24, 20_000
# Nothing is folded: a long line stays one.
_WIDTH = 1_000_000
# What ruamel.yaml writes unquoted or single-quoted, and then reads as something else.
_BREAKS = re.compile(r"[\x85\u2028\u2029]|^[?:-]")
_LITERAL = re.compile(r"[^\s][^\r\x85\u2028\u2029]*", re.DOTALL)


def load(data: bytes, file: str) -> CommentedMap:
    """Return the file's one mapping. Raises BadText: not YAML, too large, or more than plain YAML (tags, aliases)."""
    text = _text(data, file)
    try:
        _refuse_more_than_data(text, file)
        tree = _yaml().load(text)
    except BadText:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise BadText([Problem(file, line, column, _words_of(error))]) from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise BadText([Problem(file, 1, 1, f"This is no YAML: {error}".splitlines()[0])]) from error
    if not isinstance(tree, CommentedMap):
        raise BadText([Problem(file, 1, 1, "Begin with “name: …”: a file holds the keys of one thing.")])
    return tree


def _text(data: bytes, file: str) -> str:
    if len(data) > BYTES_MAX:
        raise BadText([Problem(file, 0, 0, f"The file is larger than {BYTES_MAX // 1024} kB: split the policy.")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadText([Problem(file, line, 1, "Save the file as UTF-8.")]) from error


def _words_of(error: MarkedYAMLError) -> str:
    told = (error.problem or str(error)).strip().splitlines()[0]
    if "found duplicate key" in told:
        return f"{told[:1].upper()}{told[1:]}: write it once."
    return f"This is no YAML: {told}."


def _refuse_more_than_data(text: str, file: str) -> None:
    """Raise BadText for tags, anchors, aliases, merges, several documents, and what is too deep or too much."""
    depth = documents = 0
    for number, event in enumerate(_yaml().parse(text)):
        documents += isinstance(event, DocumentStartEvent)
        depth += isinstance(event, (MappingStartEvent, SequenceStartEvent))
        depth -= isinstance(event, (MappingEndEvent, SequenceEndEvent))
        wrong = _beyond_data(event)
        if documents > 1:
            wrong = "Write one document in a file: remove the line “---” and what follows."
        if depth > DEPTH_MAX:
            wrong = f"This is nested deeper than {DEPTH_MAX} levels."
        if number > PARTS_MAX:
            wrong = f"The file has more than {PARTS_MAX:,} parts: split the policy."
        if wrong:
            mark = event.start_mark
            raise BadText([Problem(file, mark.line + 1, mark.column + 1, wrong)])


def _beyond_data(event: Event) -> str:
    if isinstance(event, AliasEvent):
        return "Aliases (*) are not read: write the value out."
    if isinstance(event, NodeEvent) and event.anchor:
        return "Anchors (&) are not read: remove it."
    tag = getattr(event, "tag", None)
    if tag:
        return f"Tags are not read: remove {tag}."
    if isinstance(event, ScalarEvent) and event.value == "<<" and not event.style:
        return "Merges (<<) are not read: write the keys out."
    return ""


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def dump(tree: CommentedMap, like: str = "") -> str:
    """Return the tree as YAML, indented as the text `like` is."""
    yaml, stream = _yaml(), io.StringIO()
    if like:
        _, indent, offset = load_yaml_guess_indent(like)
        if indent:
            yaml.indent(mapping=2 if offset else indent, sequence=indent, offset=offset or 0)
    yaml.dump(tree, stream)
    return stream.getvalue()


def written(text: str) -> str:
    """Return a text as it is best written: several lines as a block, if a block can hold them."""
    lines = text.split("\n")
    plain = _LITERAL.fullmatch(text) and all(line.isprintable() and line == line.rstrip() for line in lines)
    if len(lines) > 1 and plain and not text.endswith("\n\n"):
        block: str = LiteralScalarString(text)
        return block
    return quoted(text)


def quoted(text: str) -> str:
    """Return a text in double quotes if nothing else holds it.

    Said, for ruamel writes a new value in the way the old one was written, if that was a block.
    """
    found: str = DoubleQuotedScalarString(text) if _BREAKS.search(text) or not text.isprintable() else text
    return found


def inside_blocks(text: str) -> set[int]:
    """Return the lines that belong to a value of several lines: what begins with # there is no comment."""
    spans = [
        (event.start_mark.line, event.end_mark.line)
        for event in _yaml().parse(text)
        if isinstance(event, ScalarEvent) and event.end_mark.line > event.start_mark.line
    ]
    return {line for start, end in spans for line in range(start + 1, end)}
