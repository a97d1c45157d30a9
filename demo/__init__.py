"""A demo of Latchkey: a made-up organisation, a month of its history, and a real PostgreSQL server to try it on.

Nothing of the product imports this package, and it is not in the wheel: `script/up --demo` runs the product with
`demo.settings`, which adds an app, a folder of templates and a provider of simulated systems.
"""
