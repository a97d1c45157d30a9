"""The benchmarks, one file each, and what they yield."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One number, and the limit it is held against: at most `most`, at least `least`, or none."""

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the limit was kept."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    def line(self) -> str:
        """Return the measure as one line of the report."""
        limit = ""
        if self.most is not None:
            limit = f"at most {self.most:g}"
        elif self.least is not None:
            limit = f"at least {self.least:g}"
        verdict = "" if self.kept else "  MISSED"
        return f"{self.what:44} {self.value:10.2f} {self.unit:4} {limit}{verdict}"
