"""Tests of the ground of the API."""
