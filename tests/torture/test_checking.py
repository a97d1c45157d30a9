"""The torture's comparison can fail: each way in which target and record can differ is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.remote.ledger import Ledger
from tests.torture.admins import Hands
from tests.torture.checking import Checker, Held
from tests.torture.sides import Answer

LIVE = Held("postgresql", "rita", "lk_rita", "active", False, frozenset({"orders", "stock"}), False)
BOTH = frozenset({("lk_rita", "orders"), ("lk_rita", "stock")})
THERE = Answer(frozenset({"lk_rita"}), BOTH, frozenset())
OVER = replace(LIVE, state="revoked", databases=frozenset())
PAPER = replace(LIVE, kind="ledger", name="g1", databases=frozenset({"orders"}))


def told(before: Held, after: Held, answer: Answer, tmp_path: Path, *, taken: bool = False) -> list[str]:
    """Return what a checker says of one grant."""
    nobody: Any = None
    hands = Hands(nobody, Ledger(tmp_path / "none"))
    hands.taken |= {"g1"} if taken else set()
    checker = Checker(nobody, nobody, hands, {})
    checker.compare({"g1": before}, {"g1": after}, answer)
    return checker.anomalies


def test_what_is_live_and_there_is_well(tmp_path: Path) -> None:
    assert told(LIVE, LIVE, THERE, tmp_path) == []
    assert told(PAPER, PAPER, Answer(frozenset(), frozenset(), frozenset({("g1", "orders")})), tmp_path) == []


@pytest.mark.parametrize(
    ("grant", "answer", "words"),
    [
        (OVER, THERE, "revoked and still at the target"),
        (OVER, Answer(frozenset({"lk_rita"}), frozenset(), frozenset()), "revoked and still at the target"),
        (OVER, Answer(frozenset(), BOTH, frozenset()), "revoked and still at the target"),
        (
            replace(OVER, kind="ledger", name="g1"),
            Answer(frozenset(), frozenset(), frozenset({("g1", "orders")})),
            "is",
        ),
        (LIVE, Answer(frozenset(), BOTH, frozenset()), "the target holds"),
        (LIVE, Answer(frozenset({"lk_rita"}), frozenset({("lk_rita", "orders")}), frozenset()), "the target holds"),
        (PAPER, Answer(frozenset(), frozenset(), frozenset({("g1", "orders"), ("g1", "stock")})), "the target holds"),
        (LIVE, replace(THERE, opened=frozenset({"lk_rita", "lk_otto"})), "lk_otto is at the target"),
    ],
)
def test_every_difference_is_told(grant: Held, answer: Answer, words: str, tmp_path: Path) -> None:
    (said,) = told(grant, grant, answer, tmp_path)
    assert words in said


def test_what_is_at_work_or_was_changed_by_hand_or_declared_is_none_of_ours(tmp_path: Path) -> None:
    nothing = Answer(frozenset(), frozenset(), frozenset())
    assert told(replace(LIVE, busy=True), LIVE, nothing, tmp_path) == []
    assert told(LIVE, LIVE, nothing, tmp_path, taken=True) == []
    assert told(replace(OVER, declared=True), replace(OVER, declared=True), THERE, tmp_path) == []
