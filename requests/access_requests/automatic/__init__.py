"""What automatic flows should give, held against what people hold through them: compared in the database, then planned.

What a flow gives is the same for all its people, so the whole of a batch is compared by one statement, which names only
the people whom something is to be given to or taken from.
"""

from access_requests.automatic.comparing import HELD, Batch, batch, count_people, differing, held_by, held_through
from access_requests.automatic.planning import REQUEST_MAX, Plan, plan

__all__ = [
    "HELD",
    "REQUEST_MAX",
    "Batch",
    "Plan",
    "batch",
    "count_people",
    "differing",
    "held_by",
    "held_through",
    "plan",
]
