"""Proves a provider folder: manifest closed, files and parameters match, quality claims hold."""
