"""The verifier is the one that PostgreSQL itself would make."""

import re

import pytest

from connectors.toolkit.scram import new_password, verifier


def test_the_example_of_the_standard() -> None:
    """RFC 7677, section 3: the server key of user and pencil, recomputed with its salt and iterations."""
    import base64

    made = verifier("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations=4096)
    assert made.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    stored, server = made.rpartition("$")[2].split(":")
    assert (stored, server) == (
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    )


def test_a_verifier_is_salted_and_does_not_contain_the_password() -> None:
    password = new_password()
    assert verifier(password) != verifier(password)
    assert password not in verifier(password)


def test_passwords_are_long_plain_and_different() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("[A-Za-z0-9]{32}", password) for password in made)


@pytest.mark.parametrize("password", ["ü", "a\nb", "a\0"])
def test_what_would_need_normalisation_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        verifier(password)
