"""Overlap and standing access on accounts that people have anyway, where they matter most: a simulated directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, seed, settings

from accounts.models import User
from flows.models import AccessFlow
from integrations.models import BaselineUnit
from tests.cast import person
from tests.drift.looking import Looking, member
from tests.drift.overlap import Must, World, watched
from tests.drift.overlap_steps import COMMON, MORE_SECONDS, play, steps
from tests.simulated_accounts import Accounts
from tests.story import allow_extensions, put_into

NAMES = ("admins", "readers", "ghosts")


@dataclass
class Directory:
    """The simulated directory, read as it is."""

    accounts: Accounts
    names: tuple[str, str, str] = NAMES
    permission: str = "MEMBER"

    def clear(self) -> None:
        """Put everybody out."""
        self.accounts.members.clear()
        self.accounts.stuck.clear()

    def is_standing(self, who: User, name: str) -> bool:
        """Whether what is put by hand now counts as standing: not if a grant asked before, and it was not there."""
        asked = BaselineUnit.objects.filter(person=who, resource=name).first()
        return asked is None or asked.standing

    def put(self, who: User, name: str) -> None:
        """Put somebody into a group."""
        self.accounts.members[str(who.pk)].add(member(name))

    def take(self, who: User, name: str) -> None:
        """Put somebody out of a group."""
        self.accounts.members[str(who.pk)].discard(member(name))

    def snatch(self, who: User, name: str) -> None:
        """Put somebody out of a group: a membership is one, whoever gave it."""
        self.take(who, name)

    def slip(self, who: User, name: str) -> None:
        """Let the group keep whoever is in it, though it says that they are out."""
        self.accounts.stuck.add(name)

    def unslip(self) -> None:
        """Let people out again."""
        self.accounts.stuck.clear()

    def check(self, who: User, must: Must) -> None:
        """All that is certain, nothing that is not possible."""
        there = {unit.resource for unit in self.accounts.members[str(who.pk)]}
        assert must.standing.union(*must.certain.values()) <= there
        assert there <= must.standing.union(*must.possible.values())


@pytest.fixture
def world(accounts: Looking, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two engineers and a directory with two groups, and a third that nobody can be put into."""
    put_into("engineers", second := person("Finn"))
    allow_extensions(AccessFlow.objects.get(), 5, MORE_SECONDS)
    accounts.accounts.refused = frozenset(NAMES[2:])
    told = World(accounts, Directory(accounts.accounts), (accounts.cast.requester, second))
    with watched(told, monkeypatch):
        yield told


def stories(world: World, number: int, chapters: int) -> None:
    """Play so many stories of so many chapters."""

    @seed(int(os.environ["LATCHKEY_TEST_SEED"]))
    @settings(max_examples=number, **COMMON)
    @given(story=steps(NAMES, 6, chapters))
    def run(story: list[Any]) -> None:
        play(world, story)

    run()


def test_the_target_holds_what_lives_and_what_was_standing(world: World) -> None:
    stories(world, 9, 2)


@pytest.mark.full
def test_many_longer_stories(world: World) -> None:
    stories(world, 300, 6)
