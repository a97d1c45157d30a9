"""The catalogue: every provider with its level, found by text and category, and nothing that is not there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from connectors.registry import BUILT_IN
from connectors.vet.quality import RULES
from integrations.choices import QualityLevel
from integrations.queries import providers, quality
from tests.story import Story

PAGE = "admin:integrations_integration_add"


def cards(client: Client, query: str = "") -> list[str]:
    """Return the providers that the page shows."""
    groups = client.get(f"{reverse(PAGE)}?{query}").context["groups"]
    return sorted(kind.id for _, rows in groups for kind, _, _ in rows)


def test_it_is_searched_and_filtered_by_the_address(simulated: None, desk: Client) -> None:
    assert cards(desk) == sorted(BUILT_IN.manifests())
    assert cards(desk, "q=POSTGRES") == ["postgresql"]
    assert "postgresql" in cards(desk, "q=schema+role")
    assert cards(desk, "category=tests") == ["simulated"]
    assert cards(desk, "category=tests&q=postgres") == []
    text = desk.get(f"{reverse(PAGE)}?q=%3Cscript%3E").content.decode()
    assert "<script>" not in text
    assert "Nothing of this kind" in text


def test_a_card_says_what_is_done_and_what_is_to_do(desk: Client) -> None:
    text = " ".join(desk.get(reverse(PAGE)).content.decode().split())
    assert "Gold" in text
    assert "Ends by itself: exempt" in text
    assert "Read back: done" in text


def test_how_many_are_connected_is_said(story: Story, desk: Client) -> None:
    assert "1 connected" in desk.get(f"{reverse(PAGE)}?q=simulated").content.decode()


@pytest.mark.parametrize(
    ("todo", "level"),
    [
        (None, QualityLevel.GOLD),
        ("drift", QualityLevel.SILVER),
        ("paging", QualityLevel.BRONZE),
        ("idempotent", QualityLevel.NONE),
    ],
)
def test_the_level_is_the_highest_with_nothing_left_to_do(tmp_path, todo: str | None, level: QualityLevel) -> None:  # type: ignore[no-untyped-def]
    lines = []
    for name, rules in RULES.items():
        lines.append(f"[{name}]")
        lines += [f'{rule} = {{ status = "{"todo" if rule == todo else "done"}", why = "so" }}' for rule in rules]
    (tmp_path / "quality.toml").write_text("\n".join(lines))
    assert providers._quality(tmp_path).level is level


def test_a_provider_without_a_quality_file_is_below_bronze(simulated: None) -> None:
    assert quality("simulated").level is QualityLevel.NONE
