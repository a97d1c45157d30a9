"""The bars of a selection, as rectangles: attributes only, for the page's policy forbids styles in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from access_requests.reports.figures import Bar, Figures

WIDTH, HEIGHT, GROUND = 600.0, 112.0, 111.0
# Of the width that one bar has, and above the highest.
_SHARE, _ROOM = 0.62, 6.0
# A bar that stands for something is seen.
_LEAST = 2.0
_MARKS = 4


@dataclass(frozen=True, slots=True)
class Rect:
    """One rectangle, in the units of the drawing."""

    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing, and the words below it."""

    bars: Sequence[Rect]
    late: Sequence[Rect]
    marks: Sequence[Bar]
    grain: str
    busiest: int


def chart_of(figures: Figures) -> Chart:
    """Return the chart: a bar for each day (or hour, week, month), its late part on top."""
    step = WIDTH / max(len(figures.bars), 1)
    scale = (GROUND - _ROOM) / max(figures.busiest, 1)
    bars, late = [], []
    for number, bar in enumerate(figures.bars):
        x, width = number * step + step * (1 - _SHARE) / 2, step * _SHARE
        top, behind = bar.total * scale, bar.late * scale
        if bar.total - bar.late:
            bars.append(_rect(x, GROUND, width, max(top - behind, _LEAST)))
        if bar.late:
            late.append(_rect(x, GROUND - (top - behind), width, max(behind, _LEAST)))
    return Chart(bars, late, _marks(figures.bars), figures.grain, figures.busiest)


def _rect(x: float, ground: float, width: float, height: float) -> Rect:
    return Rect(f"{x:.1f}", f"{ground - height:.1f}", f"{width:.1f}", f"{height:.1f}")


def _marks(bars: Sequence[Bar]) -> list[Bar]:
    """Return the bars that are named below the chart: the first, the last, some between."""
    if len(bars) <= _MARKS:
        return list(bars)
    return [bars[round(number * (len(bars) - 1) / (_MARKS - 1))] for number in range(_MARKS)]
