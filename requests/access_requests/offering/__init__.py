"""What a person may ask for: searched, paged and filtered by the database, and the basket of what they picked.

Everything here is narrowed to what an access flow gives the person. What none gives is not told from what is not there.
"""

from access_requests.offering.basket import Basket, Line, Picks, fill, picks_of
from access_requests.offering.reaching import Asker, Choice, asker
from access_requests.offering.reasons import WhyNot, why_not
from access_requests.offering.results import Filters, Found, look

__all__ = [
    "Asker",
    "Basket",
    "Choice",
    "Filters",
    "Found",
    "Line",
    "Picks",
    "WhyNot",
    "asker",
    "fill",
    "look",
    "picks_of",
    "why_not",
]
