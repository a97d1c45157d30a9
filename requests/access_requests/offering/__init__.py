"""What a person may ask for: searched, paged and filtered by the database, and the basket of what they picked.

Everything here is narrowed to what an access flow gives the person. What none gives is not told from what is not there.
"""

from access_requests.offering.basket import Basket, Line, Picks, fill, picks_of
from access_requests.offering.matching import (
    Narrow,
    find_resources,
    find_units,
    find_units_behind,
    named,
    permissions_in,
    places_in,
)
from access_requests.offering.reaching import Asker, Choice, asker, on_behalf
from access_requests.offering.reasons import WhyNot, why_not
from access_requests.offering.results import Filters, Found, look
from access_requests.offering.whom import OTHER, Whom, find_one, find_people, named_one, people_for, whom_of

__all__ = [
    "OTHER",
    "Asker",
    "Basket",
    "Choice",
    "Filters",
    "Found",
    "Line",
    "Narrow",
    "Picks",
    "Whom",
    "WhyNot",
    "asker",
    "fill",
    "find_one",
    "find_people",
    "find_resources",
    "find_units",
    "find_units_behind",
    "look",
    "named",
    "named_one",
    "on_behalf",
    "people_for",
    "permissions_in",
    "picks_of",
    "places_in",
    "whom_of",
    "why_not",
]
