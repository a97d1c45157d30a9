"""One finding, and the parts of a flow that it may be about."""

from dataclasses import dataclass

# The parts of a flow, as the editor's sections and the phrases of the sentence name them.
WHO, FOR, WHAT, APPROVERS, TIME, RULES = "who", "for", "what", "approvers", "time", "rules"
# Where it lies.
SPACE = "space"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a policy. `part` is the section it is about, or nothing."""

    part: str
    text: str
