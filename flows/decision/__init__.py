"""Policy as pure functions of plain data: decide(facts) -> Decision, and what it is made of.

conditions   who fulfils a condition, and which answers make a group's yes
covering     what a flow gives
windows      when it may be used
fields       tickets and custom fields
deciding     which flow decides what, and what is in the way
explaining   why, and why not
replay       the facts of an ask as JSON, and back
"""

from flows.decision.conditions import (
    asked_systems,
    could_say_yes,
    fulfils,
    group_says_yes,
    matches,
    people_part,
    webhooks_of,
)
from flows.decision.covering import Document, FlowFacts, Reach, covers, target_covers, targets_of
from flows.decision.deciding import (
    Decision,
    Facts,
    Owner,
    Part,
    Problem,
    decide,
    for_whom,
    gates,
    preference,
    words_for,
)

__all__ = [
    "Decision",
    "Document",
    "Facts",
    "FlowFacts",
    "Owner",
    "Part",
    "Problem",
    "Reach",
    "asked_systems",
    "could_say_yes",
    "covers",
    "decide",
    "for_whom",
    "fulfils",
    "gates",
    "group_says_yes",
    "matches",
    "people_part",
    "preference",
    "target_covers",
    "targets_of",
    "webhooks_of",
    "words_for",
]
