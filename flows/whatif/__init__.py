"""What if: what a change of policy, or of a group, would do, said before it is made.

    change = of_flow(flow, document)          of_switch, of_end, of_bundle, of_scope,
                                              of_space, of_group
    effect = foresee(change, at=now)          who gains, who loses, what ends, what becomes automatic
    effect = foresee(change, at=now, past=True)   also which asks of the last 90 days would have gone otherwise

What "gains" means is said in docs/what-if.md and in flows.whatif.people: it is counted by the flows that change, each
by itself. Whether another flow gives the same is not looked at; the replay of past asks does look at all flows.
"""

from flows.whatif.change import (
    Change,
    of_bundle,
    of_content,
    of_documents,
    of_end,
    of_flow,
    of_group,
    of_scope,
    of_space,
    of_switch,
)
from flows.whatif.effect import Effect, Tally, foresee
from flows.whatif.past import Kind, Past, regrouped

__all__ = [
    "Change",
    "Effect",
    "Kind",
    "Past",
    "Tally",
    "foresee",
    "of_bundle",
    "of_content",
    "of_documents",
    "of_end",
    "of_flow",
    "of_group",
    "of_scope",
    "of_space",
    "of_switch",
    "regrouped",
]
