"""A value that must not be printed."""

from __future__ import annotations


class Secret:
    """Holds a secret string; printing, formatting, pickling or serialising it shows nothing."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep `value`."""
        self._value = value

    def reveal(self) -> str:
        """Return the value; call it only where the value leaves for its target."""
        return self._value

    def __repr__(self) -> str:
        """Show that there is a secret, not which."""
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        """Refuse to be pickled: a pickle is a copy at rest."""
        raise TypeError("a Secret is never pickled")
