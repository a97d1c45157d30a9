"""States of ours in the words of the client API, and back: derived from one table, never stored."""

from __future__ import annotations

from collections.abc import Iterable

from access_requests.choices import CredentialsStatus, RequestState, UnitState, in_client_api

# Word of the client API, in small letters -> states of ours.
_BY_WORD: dict[str, tuple[RequestState, ...]] = {}
for _state in RequestState:
    _word = in_client_api(_state).lower()
    _BY_WORD[_word] = (*_BY_WORD.get(_word, ()), _state)

WORDS = tuple(dict.fromkeys(in_client_api(state) for state in RequestState))

UNITS: dict[UnitState, str] = {
    UnitState.PENDING: "Pending",
    UnitState.GRANTING: "Granting",
    UnitState.ACTIVE: "Active",
    UnitState.REVOKING: "Revoking",
    UnitState.ENDED: "Revoked",
    UnitState.FAILED: "Failed",
}

CREDENTIALS: dict[CredentialsStatus, str] = {
    CredentialsStatus.AVAILABLE: "NEW",
    CredentialsStatus.VIEWED: "VIEWED",
    CredentialsStatus.RESETTING: "RESETTING",
    CredentialsStatus.NOT_APPLICABLE: "NOT_APPLICABLE",
}


def states_of(words: Iterable[str]) -> list[RequestState]:
    """Return the states that the words mean, whatever their case. Raises KeyError with the word that means none."""
    found: list[RequestState] = []
    for word in words:
        states = _BY_WORD.get(word.strip().lower())
        if states is None:
            raise KeyError(word)
        found += states
    return found
