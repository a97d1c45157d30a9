"""What kinds of targets have in common, whoever sells them: verbs, without the programs they run.

An engine is code of the providers that stand on it, and keeps their rules: it reaches a target through a toolkit only,
and `connectors.vet` reads it with each of them. The programs, and what else is a target's own, are the provider's.
"""
