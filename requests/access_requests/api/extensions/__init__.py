"""What the client API's published description lacks: who would decide on a new request, and why not.

The addresses lie below `extensions/`, where no third-party client looks.
"""
