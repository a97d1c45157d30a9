"""People from outside: mocks made from what the vendors publish, and what is taken over from them."""
