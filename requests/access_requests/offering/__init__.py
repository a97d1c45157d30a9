"""What a person may ask for: searched, paged and filtered by the database, and the basket of what they picked.

Everything here is narrowed to what an access flow gives the person. What none gives is not told from what is not there.
"""

from access_requests.offering.basket import Basket, Line, Picks, fill, picks_of
from access_requests.offering.reaching import Asker, Choice, asker, on_behalf
from access_requests.offering.reasons import WhyNot, why_not
from access_requests.offering.results import Filters, Found, look
from access_requests.offering.whom import OTHER, Whom, find_one, find_people, whom_of

__all__ = [
    "OTHER",
    "Asker",
    "Basket",
    "Choice",
    "Filters",
    "Found",
    "Line",
    "Picks",
    "Whom",
    "WhyNot",
    "asker",
    "fill",
    "find_one",
    "find_people",
    "look",
    "on_behalf",
    "picks_of",
    "whom_of",
    "why_not",
]
