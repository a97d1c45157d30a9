"""Working windows, across time zones and changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.decision.windows import DAYS, is_open, opening_words, opens_at

BERLIN = "Europe/Berlin"


def window(start: str, end: str, *days: str, zone: str = BERLIN) -> dict[str, object]:
    return {"start": start, "end": end, "days": list(days or DAYS), "time_zone": zone}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        (utc(2026, 11, 30, 6, 59), False),
        (utc(2026, 11, 30, 7, 0), True),
        (utc(2026, 11, 30, 15, 59, 59), True),
        (utc(2026, 11, 30, 16, 0), False),
        (utc(2026, 11, 29, 10, 0), False),
        # In summer the same hours are others by the sun.
        (utc(2026, 7, 6, 6, 0), True),
        (utc(2026, 7, 6, 15, 0), False),
    ],
)
def test_a_window_is_open_by_the_clock_of_its_zone(at: datetime, answer: bool) -> None:
    assert is_open(window("08:00", "17:00", "MONDAY"), at) is answer


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_began() -> None:
    night = window("22:00", "06:00", "FRIDAY", zone="UTC")
    assert is_open(night, utc(2026, 11, 27, 23, 0))
    assert is_open(night, utc(2026, 11, 28, 5, 59))
    assert not is_open(night, utc(2026, 11, 28, 6, 0))
    assert not is_open(night, utc(2026, 11, 28, 22, 30))
    assert not is_open(night, utc(2026, 11, 27, 5, 0))


def test_a_window_that_ends_where_it_starts_is_a_whole_day() -> None:
    whole = window("08:00", "08:00", "MONDAY", zone="UTC")
    assert is_open(whole, utc(2026, 12, 1, 7, 59))
    assert not is_open(whole, utc(2026, 12, 1, 8, 0))


def test_what_is_left_out_in_spring_is_not_there_and_opens_when_the_clock_has_gone_on() -> None:
    early = window("02:30", "06:00", "SUNDAY")
    assert not is_open(early, utc(2026, 3, 29, 0, 59, 59))
    assert is_open(early, utc(2026, 3, 29, 1, 0))
    opening = opens_at(early, utc(2026, 3, 29, 0, 0))
    assert opening == utc(2026, 3, 29, 1, 0)
    assert opening is not None
    assert f"{opening:%H:%M}" == "03:00"


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    twice = window("02:15", "02:45", "SUNDAY")
    states = [is_open(twice, utc(2026, 10, 25, 0, 0) + timedelta(minutes=minute)) for minute in range(0, 120, 15)]
    assert states == [False, True, True, False, False, True, True, False]
    opening = opens_at(twice, utc(2026, 10, 25, 0, 0))
    # Compared as instants: of an hour that comes twice Python calls no time equal to one of another zone.
    assert opening is not None
    assert opening.timestamp() == utc(2026, 10, 25, 0, 15).timestamp()


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (utc(2026, 11, 28, 2, 0), "opens Monday 08:00 Europe/Berlin"),
        (utc(2026, 11, 30, 2, 0), "opens today 08:00 Europe/Berlin"),
        (utc(2026, 11, 30, 18, 0), "opens Monday 08:00 Europe/Berlin"),
    ],
)
def test_when_it_opens_reads_as_people_say_it(at: datetime, words: str) -> None:
    assert opening_words(window("08:00", "17:00", "MONDAY"), at) == words


def test_opening_is_the_first_open_instant_there_is() -> None:
    """Every half hour of two weeks around a change of the clock, against a look at each minute."""
    for start, end in (("08:00", "17:00"), ("22:00", "03:00"), ("02:30", "02:00")):
        one = window(start, end, "SATURDAY", "SUNDAY", "TUESDAY")
        minutes = [utc(2026, 3, 20) + timedelta(minutes=15 * number) for number in range(96 * 20)]
        open_ones = [at for at in minutes if is_open(one, at)]
        for at in minutes[: 96 * 10 : 2]:
            found = opens_at(one, at)
            if is_open(one, at):
                assert found is None
            else:
                assert found == next(each for each in open_ones if each > at)


def test_what_makes_no_sense_is_shut() -> None:
    assert not is_open(window("08:00", "17:00", zone="Mars/Base"), utc(2026, 11, 30, 10))
    assert not is_open(window("08:00", "17:00"), None)
    assert is_open(None, None)
    assert opens_at(window("08:00", "17:00") | {"days": []}, utc(2026, 11, 30)) is None
