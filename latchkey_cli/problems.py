"""What can go wrong, with the exit code of each. Every message says what to do next."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """How the command ended. docs/command-line.md has the same table; a test holds them together."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    SIGNED_OUT = 3
    NOT_YOURS = 4
    REFUSED = 5
    CONFLICT = 6
    UNREACHABLE = 7
    NOT_GRANTED = 8
    TIMED_OUT = 9
    NO_PROGRAM = 127
    INTERRUPTED = 130


class Problem(Exception):
    """Ends the command. The message may hold text of the server's: it is made harmless where it is shown."""

    code = Code.FAILED

    def __init__(self, message: str, *, then: str = "", code: Code | None = None) -> None:
        """Keep the message, and what to do next where the message does not say it."""
        super().__init__(message)
        self.message, self.then = message, then
        self.exit_code = self.code if code is None else code


class Usage(Problem):
    """The command was called in a way that cannot be meant."""

    code = Code.USAGE


class SignedOut(Problem):
    """Nobody is signed in, or not any more."""

    code = Code.SIGNED_OUT


class NotYours(Problem):
    """There is no such thing for this person, or this token may not do it."""

    code = Code.NOT_YOURS


class Refused(Problem):
    """Policy says no."""

    code = Code.REFUSED


class Conflict(Problem):
    """Something stands in the way at present."""

    code = Code.CONFLICT


class Unreachable(Problem):
    """The server gave no answer, or none that can be used."""

    code = Code.UNREACHABLE
