"""An author's lines stay as they are: what a dump would lay out or lose otherwise is put back."""

from __future__ import annotations

from difflib import SequenceMatcher

from flows.text.loading import inside_blocks


def patched(old: str, base: str, new: str) -> str:
    """Return `old` with what differs between `base` and `new`; both were dumped, `base` from what `old` says.

    Where the dump lays lines out otherwise than the author, the author's layout stays.
    """
    mine, theirs, wanted = old.split("\n"), base.split("\n"), new.split("\n")
    if [line.split() for line in mine] != [line.split() for line in theirs]:
        return new
    lines, shift = [], 0
    for tag, start, end, first, last in SequenceMatcher(None, theirs, wanted, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += mine[start:end]
        for place, line in enumerate(wanted[first:last] if tag != "equal" else ()):
            beside = min(start + place, max(end - 1, start), len(mine) - 1)
            shift = _indent(mine[beside]) - _indent(theirs[beside]) if mine[beside].strip() else shift
            lines.append(" " * max(0, _indent(line) + shift) + line.lstrip(" ") if line.strip() else line)
    return "\n".join(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def comments_kept(old: str, new: str) -> str:
    """Return `new` with the comment lines of `old` that it has lost, each before the line that it stood before."""
    kept = _comments(new)
    waiting: list[str] = []
    lines = new.split("\n")
    place = 0
    inside = inside_blocks(old)
    for number, line in enumerate(old.split("\n")):
        bare = line.strip()
        if bare.startswith("#") and number not in inside:
            if bare in kept:
                kept.remove(bare)
            else:
                waiting.append(line)
        elif bare and waiting:
            found = next((at for at in range(place, len(lines)) if lines[at].strip() == bare), None)
            if found is not None:
                lines[found:found] = waiting
                place, waiting = found + len(waiting), []
    end = len(lines) - 1 if lines[-1] == "" else len(lines)
    lines[end:end] = waiting
    return "\n".join(lines)


def _comments(text: str) -> list[str]:
    inside = inside_blocks(text)
    found = [(number, line.strip()) for number, line in enumerate(text.split("\n"))]
    return [line for number, line in found if line.startswith("#") and number not in inside]
