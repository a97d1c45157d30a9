"""Policy as text: YAML in a folder, in names instead of ids.

forms      what a thing says, as plain data in names; equal policy is an equal form
shapes     the closed schema: which keys there are, and how each is read and written
loading    YAML into a tree that keeps comments, quotes and order, and the other way
folder     the files of a folder; export writes them, plan and apply read them
"""
