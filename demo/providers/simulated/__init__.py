"""Systems that are not there: they keep what is asked of them in memory, and have the faults the story gives them."""
